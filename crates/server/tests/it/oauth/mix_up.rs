//! One vendor passes another's answer off as its own (draft-ietf-oauth-security-topics-update §2.1: COAT and CORF). Every
//! OAuth client has a redirect URI of its own, and an answer counts only at that of the client that its flow began with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tombolo_platform::start::ConnectToOption;

use super::{Browser, nothing_linked, registered, state, with_parameter};
use crate::app::{App, Caller, Engine};

/// The attacker's vendor: it counts who connects.
struct Malicious {
    app: App,
    contacts: Arc<AtomicUsize>,
}

impl Malicious {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let contacts = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&contacts);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        let app = App::start_with(Engine::Sqlite, None, |options, directory| {
            let providers = directory.join("providers");
            std::fs::create_dir(&providers).expect("a directory");
            std::fs::write(providers.join("malicious.yaml"), MALICIOUS).expect("a file");
            options.provider_directory = Some(providers);
            options.egress.connect_to.push(ConnectToOption {
                host: "malicious.example".to_owned(),
                address,
                authority: None,
                browser_address: None,
                without_tls: true,
            });
        })
        .await;
        Self { app, contacts }
    }

    /// A person goes to the malicious vendor: the link, and the state that it learns.
    async fn lured(&self, victim: &mut Browser) -> (Value, String) {
        let wanted = json!({
            "name": "Malicious", "provider": "malicious", "client_id": "c", "client_secret": "canarySecretOfMalicious00000000000000008",
        });
        let made = self.app.caller().post("/oauth-clients", &wanted).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let link = json!({ "integration": "malicious", "name": "Bait" });
        let link = self.app.caller().post("/authorizations", &link).await.json();
        let page = victim.begin(&link).await;
        assert!(page.starts_with("https://malicious.example/authorize?"), "{page}");
        (link, state_of(&page))
    }
}

fn state_of(page: &str) -> String {
    let (_, rest) = page.split_once("state=").expect("a state");
    rest.split('&').next().unwrap_or_default().to_owned()
}

/// The honest vendor's page for the honest client, as whoever knows its public id can write it.
async fn honest_page(caller: &Caller, browser: &mut Browser, client: &str) -> String {
    let wanted = json!({
        "integration": "kintone", "name": "Attacker's own", "oauth_client": client, "fields": { "app": "1" },
    });
    let link = caller.post("/authorizations", &wanted).await.json();
    browser.begin(&link).await
}

/// COAT: the malicious vendor sends its visitor on to the honest one with the state of its own flow, so that the honest
/// vendor's code is exchanged at the malicious token endpoint.
#[tokio::test(flavor = "multi_thread")]
async fn coat_no_code_of_an_honest_vendor_goes_to_a_malicious_one() {
    let malicious = Malicious::start().await;
    let app = &malicious.app;
    registered(app, "Honest").await;
    let (mut victim, mut attacker) = (Browser::of(app), Browser::of(app));
    let (bait, state_of_bait) = malicious.lured(&mut victim).await;
    let page = honest_page(&app.caller(), &mut attacker, "Honest").await;
    let back = victim.decide(&with_parameter(&page, "state", &state_of_bait), "allow").await;
    let refused = victim.open(&back).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("the redirect URI of another OAuth client"), "{}", refused.text());
    assert_eq!(state(app, &bait).await["problem"]["code"], "authorization_refused");
    nothing_linked(app, 0).await;
    assert_eq!(malicious.contacts.load(Ordering::SeqCst), 0, "the malicious token endpoint saw nothing");
}

/// The tenant variant of COAT: the attacker's client is in an environment of their own, at the same vendor.
#[tokio::test(flavor = "multi_thread")]
async fn coat_of_tenants_no_code_goes_to_the_client_of_another_environment() {
    let app = App::start().await;
    registered(&app, "Honest").await;
    let attackers = app.other_environment().await;
    let theirs = json!({
        "name": "Theirs", "provider": "kintone", "config": { "subdomain": "demo" }, "client_id": "l.1.theirs",
    });
    assert_eq!(attackers.post("/oauth-clients", &theirs).await.status, 201);
    let (mut victim, mut attacker) = (Browser::of(&app), Browser::of(&app));
    let bait = honest_page(&attackers, &mut victim, "Theirs").await;
    let page = honest_page(&app.caller(), &mut attacker, "Honest").await;
    let back = victim.decide(&with_parameter(&page, "state", &state_of(&bait)), "allow").await;
    assert_eq!(victim.open(&back).await.status, 403);
    nothing_linked(&app, 0).await;
    assert_eq!(attackers.get("/connections").await.json()["connections"], json!([]));
}

/// CORF: the malicious vendor answers its visitor at the honest client's address with a code of the attacker's account, so
/// that the victim works with that account.
#[tokio::test(flavor = "multi_thread")]
async fn corf_no_account_of_an_attacker_is_slipped_to_a_victim() {
    let malicious = Malicious::start().await;
    let app = &malicious.app;
    registered(app, "Honest").await;
    let mut attacker = Browser::of(app);
    let page = honest_page(&app.caller(), &mut attacker, "Honest").await;
    let code_of_attacker = attacker.decide(&page, "allow").await;
    for state in ["the bait's", "the attacker's"] {
        let mut victim = Browser::of(app);
        let back = if state == "the bait's" {
            let (_, state_of_bait) = malicious.lured(&mut victim).await;
            with_parameter(&code_of_attacker, "state", &state_of_bait)
        } else {
            // The attacker's whole answer, in the browser of a victim who never began.
            code_of_attacker.clone()
        };
        assert_eq!(victim.open(&back).await.status, 403, "{state}");
    }
    nothing_linked(app, 0).await;
    assert_eq!(malicious.contacts.load(Ordering::SeqCst), 0);
}

/// A vendor that announces to name itself in its answers (RFC 9207) is not taken at another's word, nor at none.
#[tokio::test(flavor = "multi_thread")]
async fn mix_up_an_answer_without_its_issuer_is_refused_where_the_vendor_always_names_it() {
    let malicious = Malicious::start().await;
    let app = &malicious.app;
    let mut browser = Browser::of(app);
    let (link, _) = malicious.lured(&mut browser).await;
    let redirect_uri = app.caller().get("/oauth-clients/Malicious").await.json()["redirect_uri"].clone();
    let redirect_uri = redirect_uri.as_str().expect("a redirect URI").to_owned();
    for (issuer, status) in
        [("", 403), ("&iss=https%3A%2F%2Fother.example", 403), ("&iss=https%3A%2F%2Fmalicious.example", 200)]
    {
        let again = json!({ "integration": "malicious", "name": format!("Again {issuer}") });
        let link = if issuer.is_empty() {
            link.clone()
        } else {
            app.caller().post("/authorizations", &again).await.json()
        };
        let state = state_of(&browser.begin(&link).await);
        let answer = browser.open(&format!("{redirect_uri}?code=c&state={state}{issuer}")).await;
        assert_eq!(answer.status, status, "{issuer}: {}", answer.text());
    }
    assert_eq!(malicious.contacts.load(Ordering::SeqCst), 0);
}

const MALICIOUS: &str = "id: malicious
name: { en: Malicious, ja: Malicious }
description: { en: Looks useful., ja: 便利そうに見えます。 }
documentation: https://malicious.example/
hosts: ['malicious.example']
base_url: https://malicious.example
auth:
  - id: oauth2
    name: { en: OAuth, ja: OAuth }
    type: oauth2
    oauth2:
      flow: authorization_code
      authorization_url: https://malicious.example/authorize
      token_url: https://malicious.example/token
      issuer: https://malicious.example
      issuer_in_answer: true
strip_headers: [Authorization]
test:
  - id: credential
    name: { en: The token is accepted, ja: トークンが受け付けられる }
    request: { path: /me }
    accept: { member: id }
";
