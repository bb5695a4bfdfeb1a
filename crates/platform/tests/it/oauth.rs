//! An account is linked by a person at the vendor, and its tokens stay alive.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::join_all;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rstest::rstest;
use secrecy::ExposeSecret as _;
use tokio::net::TcpStream;
use tombolo_kintone_emulator::model::OAuthClient;
use tombolo_kintone_emulator::{Effect, Fault};
use tombolo_platform::oauth::{
    AuthorizationDraft, Callback, CallbackOutcome, Confirmation, FailedCallback, OAuthClientChange,
    OAuthClientDraft, redirect_uri,
};
use tombolo_platform::start::StartOptions;
use tombolo_platform::{Belonging, Clock, CreatedConnection, Housekeeping, Problem, ProblemKind};
use tombolo_store::testing::dump;
use tombolo_store::{AuthorizationStage, Connection, Health};
use url::Url;

use crate::canary::forms;
use crate::world::{Backend, Node, SetForward, World};

pub const PUBLIC_URL: &str = "http://localhost:3003";
pub const RECORD: &str = "/k/v1/record.json?app=1&id=1";
const USER: (&str, &str) = ("anna", "demo-password-anna");

/// A world with an OAuth client that is registered on both sides.
pub struct OAuthWorld {
    pub world: World,
    pub clock: Arc<SetForward>,
    /// The last part of the redirect URI.
    callback: String,
    /// The client as the vendor knows it.
    registered: OAuthClient,
}

impl OAuthWorld {
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, |_| {}).await
    }

    pub async fn start_with(backend: Backend, change: impl FnOnce(&mut StartOptions)) -> Self {
        let clock = Arc::new(SetForward::default());
        let its_clock = Arc::clone(&clock);
        let world = World::start_changed(backend, move |options, _| {
            options.clock = its_clock;
            change(options);
        })
        .await;
        let (callback, registered) = register(&world, "Demo").await;
        Self { world, clock, callback, registered }
    }

    /// The link of a new authorization, and its id.
    async fn link(&self, name: &str) -> (String, String) {
        self.link_for(name, &[]).await
    }

    async fn link_for(&self, name: &str, scopes: &[&str]) -> (String, String) {
        let draft = AuthorizationDraft {
            gate_fields: BTreeMap::new(),
            integration: "kintone".to_owned(),
            name: name.to_owned(),
            connection_id: None,
            auth_scheme: None,
            oauth_client: Some("Demo".to_owned()),
            fields: BTreeMap::from([("app".to_owned(), "1".to_owned())]),
            settings: BTreeMap::new(),
            tags: BTreeMap::new(),
            metadata: serde_json::json!({}),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            parameters: BTreeMap::new(),
            belonging: Belonging::default(),
            narrowed_to: Vec::new(),
            return_url: None,
            again: None,
            socket_hash: None,
            from_message: false,
            by_user: None,
        };
        let started =
            self.world.platform.start_authorization(&self.world.access, draft).await.expect("a link");
        (started.link_secret.expose_secret().to_owned(), started.authorization.id.to_string())
    }

    async fn begin(&self, link: &str) -> Browser {
        let beginning = self.world.platform.begin_authorization(link, PUBLIC_URL).await.expect("it begins");
        let cookie = (beginning.cookie_name, beginning.cookie.expose_secret().to_owned());
        Browser { location: beginning.location, cookies: BTreeMap::from([cookie]) }
    }

    /// What the vendor sends the browser back with.
    pub async fn agree(&self, browser: &Browser, decision: &str) -> BTreeMap<String, String> {
        let port = self.world.kintone_port();
        let url = Url::parse(&browser.location).expect("a URL");
        let target = format!("{}?{}", url.path(), url.query().expect("a query"));
        let form = format!("login_name={}&password={}&decision={decision}", USER.0, USER.1);
        let request = Request::post(target)
            .header(HOST, url.host_str().expect("a host"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))
            .expect("a request");
        let answer = post(port, request).await;
        let location = answer.headers().get(LOCATION).map(|value| value.to_str().expect("text").to_owned());
        let location = location.unwrap_or_else(|| panic!("no redirect: {}", answer.status()));
        assert!(location.starts_with(PUBLIC_URL), "{location}");
        Url::parse(&location).expect("a URL").query_pairs().into_owned().collect()
    }

    /// The person comes back to the address of the world's own client.
    pub async fn return_here(
        &self,
        parameters: &BTreeMap<String, String>,
        cookies: &BTreeMap<String, String>,
    ) -> Result<CallbackOutcome, Problem> {
        self.return_to(&self.callback, parameters, cookies).await
    }

    async fn return_to(
        &self,
        callback: &str,
        parameters: &BTreeMap<String, String>,
        cookies: &BTreeMap<String, String>,
    ) -> Result<CallbackOutcome, Problem> {
        let callback = Callback { callback: Some(callback), parameters, cookies, public_url: PUBLIC_URL };
        let finished = self.world.platform.finish_authorization(callback).await;
        finished.map_err(|FailedCallback { problem, .. }| problem)
    }

    /// Confirms an authorization with what the browser that finished was given.
    pub async fn confirm(&self, id: &str, outcome: &CallbackOutcome) -> Result<CreatedConnection, Problem> {
        let shown = shown(outcome);
        let confirmed = self.world.platform.confirm_authorization(&self.world.access, id, &shown).await?;
        confirmed.map_err(|report| report.as_problem(ProblemKind::TestFailed))
    }

    /// The whole way.
    pub async fn linked(&self, name: &str) -> Connection {
        let (link, id) = self.link(name).await;
        let browser = self.begin(&link).await;
        let parameters = self.agree(&browser, "allow").await;
        let back = self.return_to(&self.callback, &parameters, &browser.cookies).await.expect("accepted");
        self.confirm(&id, &back).await.expect("confirmed").connection
    }

    /// From now on the vendor gives a new refresh token at every refresh.
    pub fn rotate_refresh_tokens(&self) {
        let strict = OAuthClient { rotates_refresh_tokens: true, ..self.registered.clone() };
        self.world.kintone().set_oauth_client("demo", strict).expect("changed");
    }

    /// Access and refresh token that somebody else has for the client, as another product would.
    pub async fn tokens_of_another_product(&self) -> (String, String) {
        let (client, redirect) = (&self.registered, &self.registered.redirect_uris[0]);
        let mut page = Url::parse("https://demo.kintone.com/oauth2/authorization").expect("a URL");
        page.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &client.id),
            ("redirect_uri", redirect),
            ("state", "theirs"),
            ("scope", "k:app_record:read k:app_settings:read"),
        ]);
        let browser = Browser { location: page.to_string(), cookies: BTreeMap::new() };
        let code = self.agree(&browser, "allow").await["code"].clone();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", redirect)])
            .finish();
        let basic = STANDARD.encode(format!("{}:{}", client.id, client.secret));
        let request = Request::post("/oauth2/token")
            .header(HOST, "demo.kintone.com")
            .header(AUTHORIZATION, format!("Basic {basic}"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))
            .expect("a request");
        let answer = post(self.world.kintone_port(), request).await;
        let tokens: serde_json::Value = serde_json::from_slice(answer.body()).expect("JSON");
        let token = |name: &str| tokens[name].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned();
        (token("access_token"), token("refresh_token"))
    }

    pub fn token_requests(&self) -> usize {
        self.world.kintone().requests().iter().filter(|seen| seen.path.ends_with("/oauth2/token")).count()
    }

    async fn stage(&self, id: &str) -> AuthorizationStage {
        let state = self.world.platform.read_authorization(&self.world.access, id).await;
        state.expect("known").authorization.stage
    }
}

/// What the browser that finished passes on.
pub fn shown(outcome: &CallbackOutcome) -> Confirmation {
    let proof = outcome.handover.as_ref().map(|handover| handover.proof.clone());
    Confirmation { end_user: None, proof }
}

pub struct Browser {
    pub location: String,
    pub cookies: BTreeMap<String, String>,
}

#[expect(clippy::disallowed_methods, reason = "this is the browser, not the way out")]
pub async fn post(port: u16, request: Request<Full<Bytes>>) -> http::Response<Bytes> {
    let socket = TcpStream::connect(("127.0.0.1", port)).await.expect("the emulator listens");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.expect("it speaks HTTP");
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await.expect("an answer").into_parts();
    http::Response::from_parts(head, body.collect().await.expect("a body").to_bytes())
}

/// Makes a client, registers its redirect URI with the vendor, and fills in what comes from there.
async fn register(world: &World, name: &str) -> (String, OAuthClient) {
    let draft = OAuthClientDraft {
        provider: "kintone".to_owned(),
        auth_scheme: None,
        name: name.to_owned(),
        client_id: None,
        client_secret: None,
        config: [("subdomain", "demo"), ("domain", "kintone.com")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
        scopes: Vec::new(),
        shared_callback: false,
    };
    let client = world.platform.create_oauth_client(&world.access, &draft).await.expect("made");
    let registered =
        world.kintone().add_oauth_client("demo", &[&redirect_uri(PUBLIC_URL, &client)]).expect("registered");
    let change = OAuthClientChange {
        client_id: Some(registered.id.clone()),
        client_secret: Some(registered.secret.clone().into()),
        ..Default::default()
    };
    world.platform.update_oauth_client(&world.access, name, change).await.expect("filled in");
    (client.callback, registered)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_person_links_an_account_and_calls_go_through_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let oauth = OAuthWorld::start(backend).await;
    let (link, id) = oauth.link("By OAuth").await;
    assert_eq!(oauth.stage(&id).await, AuthorizationStage::Waiting);
    let browser = oauth.begin(&link).await;
    assert!(browser.location.starts_with("https://demo.kintone.com/oauth2/authorization?response_type=code"));
    let parameters = oauth.agree(&browser, "allow").await;
    let outcome = oauth.return_to(&oauth.callback, &parameters, &browser.cookies).await.expect("accepted");
    assert_eq!((outcome.name.as_str(), outcome.provider.id.as_str()), ("By OAuth", "kintone"));
    assert_eq!(oauth.stage(&id).await, AuthorizationStage::Unconfirmed);
    assert_eq!(oauth.world.get("By OAuth", RECORD).await.1, "unknown_connection", "nobody has confirmed it");
    assert_eq!(oauth.token_requests(), 0, "the code waits as well");

    let made = oauth.confirm(&id, &outcome).await.expect("confirmed");
    assert_eq!((made.connection.health, made.connection.name.as_str()), (Health::Active, "By OAuth"));
    assert_eq!(oauth.stage(&id).await, AuthorizationStage::Linked);
    oauth.world.kintone().clear_requests();
    assert_eq!(oauth.world.get("By OAuth", RECORD).await.0, 200);
    let seen = oauth.world.kintone().requests();
    assert!(seen[0].header("authorization").is_some_and(|value| value.starts_with("Bearer ")));

    let cursor =
        oauth.world.call("By OAuth", Method::POST, "/k/v1/records/cursor.json", r#"{"app":1}"#).await;
    assert_eq!((cursor.0, cursor.2["code"].as_str()), (403, Some("unavailable_to_scheme")));
    assert!(cursor.2["fix"].as_str().is_some_and(|fix| fix.contains("$id")), "{}", cursor.2);
    let again = oauth.confirm(&id, &outcome).await;
    assert_eq!(again.err().map(|problem| problem.code), Some("nothing_to_confirm"));
}

/// Each attack ends before the code is exchanged, and leaves no connection.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_once_in_its_browser_and_at_its_address() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    let (other_callback, _) = register(&oauth.world, "Other").await;
    let nobody = BTreeMap::new();
    let altered = |parameters: &BTreeMap<String, String>| {
        let mut altered = parameters.clone();
        altered.insert("state".to_owned(), "A".repeat(43));
        altered
    };
    let mut wrong = Vec::new();
    for attack in [
        "a link that was forwarded after it began: another browser comes back",
        "another vendor's answer: the address of another client",
        "an altered state",
        "an answer too late",
        "the person says no",
        "an answer without a code",
        "another authorization's cookie",
    ] {
        let (link, id) = oauth.link(attack).await;
        let browser = oauth.begin(&link).await;
        let decision = if attack == "the person says no" { "deny" } else { "allow" };
        let mut parameters = oauth.agree(&browser, decision).await;
        oauth.world.kintone().clear_requests();
        let (callback, cookies) = match attack {
            "another vendor's answer: the address of another client" => (&other_callback, &browser.cookies),
            "a link that was forwarded after it began: another browser comes back" => {
                (&oauth.callback, &nobody)
            }
            "another authorization's cookie" => {
                let value = browser.cookies.values().next().cloned().unwrap_or_default();
                let foreign = BTreeMap::from([("tombolo-aut_other".to_owned(), value)]);
                let outcome = oauth.return_to(&oauth.callback, &parameters, &foreign).await;
                wrong.extend(outcome.is_ok().then_some(attack));
                continue;
            }
            _ => (&oauth.callback, &browser.cookies),
        };
        match attack {
            "an altered state" => parameters = altered(&parameters),
            "an answer too late" => oauth.clock.by(Duration::from_mins(11)),
            "an answer without a code" => drop(parameters.remove("code")),
            _ => {}
        }
        let outcome = oauth.return_to(callback, &parameters, cookies).await;
        let nothing = Confirmation::default();
        let confirmed = oauth.world.platform.confirm_authorization(&oauth.world.access, &id, &nothing).await;
        let unknown = oauth.world.get(attack, RECORD).await.1;
        if outcome.is_ok()
            || confirmed.is_ok()
            || unknown != "unknown_connection"
            || oauth.token_requests() != 0
        {
            wrong.push(attack);
        }
        let code = outcome.err().map(|problem| problem.code);
        let second = oauth.return_to(&oauth.callback, &parameters, &browser.cookies).await;
        if attack != "an altered state" && second.err().map(|problem| problem.code) != Some("state_unknown") {
            wrong.push("the answer counted a second time");
        }
        assert!(code.is_some(), "{attack}");
    }
    assert_eq!(wrong, Vec::<&str>::new());
}

/// What the account must be able to do is tried before anything is kept.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_fails_its_test_is_not_linked() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    let (link, id) = oauth.link_for("Narrow", &["k:file:read"]).await;
    let browser = oauth.begin(&link).await;
    let parameters = oauth.agree(&browser, "allow").await;
    let back = oauth.return_to(&oauth.callback, &parameters, &browser.cookies).await.expect("accepted");
    let refused = oauth.confirm(&id, &back).await.err().expect("the test fails");
    assert_eq!(
        (refused.code, refused.what.as_str()),
        ("connection_test_failed", "The authorisation does not cover this")
    );
    assert_eq!(oauth.stage(&id).await, AuthorizationStage::Failed);

    let wrong =
        OAuthClientChange { client_secret: Some("not-the-secret".into()), ..OAuthClientChange::default() };
    oauth.world.platform.update_oauth_client(&oauth.world.access, "Demo", wrong).await.expect("changed");
    let (link, id) = oauth.link("Wrong secret").await;
    let browser = oauth.begin(&link).await;
    let parameters = oauth.agree(&browser, "allow").await;
    let back = oauth.return_to(&oauth.callback, &parameters, &browser.cookies).await.expect("accepted");
    let refused = oauth.confirm(&id, &back).await.err();
    assert_eq!(refused.map(|problem| problem.code), Some("token_refused"));
    let connections =
        oauth.world.platform.store().connections_called(&oauth.world.access.environment, "Narrow").await;
    assert_eq!(connections.expect("read"), []);
}

/// Neither the client's secret nor a token is written down anywhere.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_written_down(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let oauth = OAuthWorld::start(backend).await;
    oauth.linked("Secret").await;
    oauth.clock.by(Duration::from_mins(61));
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    assert_eq!(oauth.world.get("Secret", RECORD).await.0, 200);
    oauth.world.platform.flush_activity().await;
    let mut secrets = vec![oauth.registered.secret.clone()];
    for seen in oauth.world.kintone().requests() {
        let bearer = seen.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        secrets.extend(bearer.map(str::to_owned));
    }
    secrets.sort();
    secrets.dedup();
    assert_eq!(secrets.len(), 3, "the client's secret and two access tokens");
    let written = dump(&oauth.world.location()).await;
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        let found = written.windows(form.len()).any(|window| window == form.as_bytes());
        assert!(!found, "{form} is written down");
    }
}

/// Two people come back at the same time, and theirs are the first accounts of the provider.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn two_confirmations_at_once_make_one_integration(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let oauth = OAuthWorld::start(backend).await;
    let mut waiting = Vec::new();
    for name in ["One", "Two"] {
        let (link, id) = oauth.link(name).await;
        let browser = oauth.begin(&link).await;
        let parameters = oauth.agree(&browser, "allow").await;
        let back = oauth.return_to(&oauth.callback, &parameters, &browser.cookies).await.expect("accepted");
        waiting.push((id, back));
    }
    let [(id, back), (other_id, other_back)] = &waiting[..] else { panic!("two wait") };
    let (one, two) = tokio::join!(oauth.confirm(id, back), oauth.confirm(other_id, other_back));
    assert_eq!(one.expect("confirmed").integration.id, two.expect("confirmed").integration.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_opens_a_link_last_is_the_one_who_can_finish() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    let (link, _) = oauth.link("Twice").await;
    let first = oauth.begin(&link).await;
    let second = oauth.begin(&link).await;
    let parameters = oauth.agree(&first, "allow").await;
    let refused = oauth.return_to(&oauth.callback, &parameters, &first.cookies).await;
    assert_eq!(refused.err().map(|problem| problem.code), Some("state_unknown"));
    let parameters = oauth.agree(&second, "allow").await;
    assert!(oauth.return_to(&oauth.callback, &parameters, &second.cookies).await.is_ok());
    let over = oauth.world.platform.begin_authorization(&link, PUBLIC_URL).await;
    assert_eq!(over.err().map(|problem| problem.code), Some("link_over"));
}

/// A token that has ended is renewed once, however many calls find out at the same time.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_find_an_ended_token_share_one_renewal(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let oauth = OAuthWorld::start(backend).await;
    let before = oauth.linked("Ends").await;
    assert!(before.life.expires_at.is_some() && before.life.renew_at < before.life.expires_at);
    oauth.clock.by(Duration::from_mins(61));
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    oauth.world.kintone().clear_requests();
    let answers = join_all((0..32).map(|_| oauth.world.get("Ends", RECORD))).await;
    assert!(answers.iter().all(|answer| answer.0 == 200), "{answers:?}");
    assert_eq!(oauth.token_requests(), 1);
    let after = oauth.world.platform.store().connection(&before.environment_id, &before.id).await;
    let after = after.expect("read").expect("there");
    assert_eq!(after.sealed_version, before.sealed_version + 1);
    assert!(after.life.expires_at > before.life.expires_at);
}

/// A strict vendor takes each refresh token once, and holds a second use for theft.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_renew_a_rotating_token_once() {
    let oauth = OAuthWorld::start(Backend::Postgres).await;
    oauth.rotate_refresh_tokens();
    let connection = oauth.linked("Rotates").await;
    let options = StartOptions { clock: Arc::clone(&oauth.clock) as Arc<dyn Clock>, ..oauth.world.options() };
    let other = Node::start(options).await;
    for round in 1..=3 {
        oauth.clock.by(Duration::from_mins(61));
        oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
        oauth.world.kintone().clear_requests();
        let here = join_all((0..16).map(|_| oauth.world.get("Rotates", RECORD)));
        let there = join_all((0..16).map(|_| other.get("Rotates", RECORD)));
        let (here, there) = tokio::join!(here, there);
        assert!(here.iter().chain(&there).all(|answer| answer.0 == 200), "{here:?} {there:?}");
        assert_eq!(oauth.token_requests(), 1, "round {round}");
    }
    let stored = oauth.world.platform.store().connection(&connection.environment_id, &connection.id).await;
    assert_eq!(stored.expect("read").expect("there").sealed_version, connection.sealed_version + 3);
}

/// A vendor may end an access token as soon as it has given the next one. Whoever still sends the old one is not at fault,
/// and the next one is there: however young the old one is, the call goes out again and nothing more is renewed.
#[tokio::test(flavor = "multi_thread")]
async fn a_young_token_that_another_process_has_renewed_is_no_refusal() {
    let oauth = OAuthWorld::start(Backend::Postgres).await;
    let connection = oauth.linked("Young").await;
    let options = StartOptions { clock: Arc::clone(&oauth.clock) as Arc<dyn Clock>, ..oauth.world.options() };
    let other = Node::start(options).await;
    assert_eq!(oauth.world.get("Young", RECORD).await.0, 200);
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    oauth.world.kintone().clear_requests();
    let scopes = ["environment:*", "environment:connections:read_credentials"].map(str::to_owned);
    let key = other.platform.create_api_key(&other.access, "reader", &scopes, None).await.expect("made").1;
    let reader = other.platform.authenticate(key.expose()).await.expect("known");
    // Renewed because somebody wants it.
    other.platform.read_credentials(&reader, None, "Young", true).await.expect("renewed");
    assert_eq!(oauth.world.get("Young", RECORD).await.0, 200);
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    assert_eq!(oauth.world.get("Young", RECORD).await.0, 401, "nobody has a newer one");
    assert_eq!(oauth.token_requests(), 1);
    let stored = oauth.world.platform.store().connection(&connection.environment_id, &connection.id).await;
    assert_eq!(stored.expect("read").expect("there").sealed_version, connection.sealed_version + 1);
}

/// Tokens are renewed ahead of their end by the worker: no call has to wait.
#[tokio::test(flavor = "multi_thread")]
async fn the_worker_renews_ahead_of_the_end() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    let before = oauth.linked("Ahead").await;
    let platform = &oauth.world.platform;
    let housekeeping = Housekeeping { activity: Duration::from_hours(1), verify_every: None };
    oauth.world.kintone().clear_requests();
    platform.work_once("worker", housekeeping).await.expect("looked");
    assert_eq!(oauth.token_requests(), 0, "nothing is due");
    oauth.clock.by(Duration::from_mins(57));
    platform.work_once("worker", housekeeping).await.expect("looked");
    let mut after = before.clone();
    for _ in 0..100 {
        let found = platform.store().connection(&before.environment_id, &before.id).await;
        after = found.expect("read").expect("there");
        if after.sealed_version > before.sealed_version {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((after.sealed_version, oauth.token_requests()), (before.sealed_version + 1, 1));
    assert_eq!(oauth.world.get("Ahead", RECORD).await.0, 200);
}

/// A vendor that is down is asked less and less often, and then everything is as before.
#[tokio::test(flavor = "multi_thread")]
async fn renewals_during_an_outage_become_rarer() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    let connection = oauth.linked("Outage").await;
    let platform = &oauth.world.platform;
    let read = async || {
        let found = platform.store().connection(&connection.environment_id, &connection.id).await;
        found.expect("read").expect("there")
    };
    let housekeeping = Housekeeping { activity: Duration::from_hours(1), verify_every: None };
    let outage = || Fault::new(Effect::page(503, "<h1>Later</h1>")).on("POST", "/oauth2/token");
    oauth.world.kintone().inject(outage());
    let mut pauses = Vec::new();
    let mut due = connection.life.renew_at.expect("it is renewable");
    for _ in 0..3 {
        oauth.clock.by(due.since(platform.now()) + Duration::from_mins(1));
        oauth.world.kintone().clear_requests();
        // What failed is the answer for a few seconds, so the worker looks again and again until the vendor is asked.
        while read().await.life.renew_at == Some(due) {
            platform.work_once("worker", housekeeping).await.expect("looked");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(oauth.token_requests(), 1);
        let next = read().await.life.renew_at.expect("it is tried again");
        pauses.push(next.since(due).as_secs());
        due = next;
    }
    assert!(pauses[1] > pauses[0] && pauses[2] > pauses[1], "{pauses:?}");
    assert_eq!(read().await.health, Health::Active);
}

/// A vendor may end a token whenever it likes: one forced renewal, and the call goes out again.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_vendor_ended_early_is_renewed_at_the_first_refusal() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    oauth.linked("Early").await;
    oauth.clock.by(Duration::from_mins(5));
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    oauth.world.kintone().clear_requests();
    let record = r#"{"app":1,"record":{"customer_code":{"value":"C-901"},"company":{"value":"New"}}}"#;
    let (status, _, answer) = oauth.world.call("Early", Method::POST, "/k/v1/record.json", record).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(oauth.token_requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_authorization_asks_for_a_person_and_an_outage_does_not() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    oauth.linked("Dies").await;
    oauth.clock.by(Duration::from_mins(61));
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    let outage = Fault::new(Effect::page(503, "<h1>Later</h1>")).on("POST", "/oauth2/token");
    oauth.world.kintone().inject(outage.times(1));
    assert_eq!(oauth.world.get("Dies", RECORD).await, (502, "token_unavailable".to_owned()));
    let health = async || {
        let found = oauth.world.platform.find_connection(&oauth.world.access.environment, None, "Dies").await;
        found.expect("there").0.health
    };
    assert_eq!(health().await, Health::Failing, "an outage passes");
    oauth.clock.by(Duration::from_secs(10));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(oauth.world.get("Dies", RECORD).await.0, 200);

    oauth.clock.by(Duration::from_mins(61));
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    oauth.world.kintone().revoke_refresh_tokens("demo", None, None).expect("a tenant");
    assert_eq!(oauth.world.get("Dies", RECORD).await.1, "authorization_dead");
    assert_eq!(health().await, Health::NeedsReconnecting);
    oauth.world.kintone().clear_requests();
    assert_eq!(oauth.world.get("Dies", RECORD).await.1, "credential_refused");
    assert!(
        oauth.world.kintone().requests().is_empty(),
        "nothing is sent until a person has linked it again"
    );
}
