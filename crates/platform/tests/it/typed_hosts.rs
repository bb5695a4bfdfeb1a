//! Providers whose host is typed: secrets of the embedder go to no host that somebody else types.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use secrecy::ExposeSecret as _;
use tombolo_platform::catalog::AuthMode;
use tombolo_platform::connect::{
    ConnectSessionDraft, GivenCredentials, IntegrationDefaults, OAuthClientRight, PopupRequest, SessionAccess,
};
use tombolo_platform::oauth::{
    AuthorizationDraft, Callback, ImportedTokens, OAuthClientChange, OAuthClientDraft, VendorTokens,
};
use tombolo_platform::start::StartOptions;
use tombolo_platform::{Belonging, ConnectionImport, ImportedCredentials};
use tombolo_store::Timestamp;
use url::Url;

use crate::oauth::{PUBLIC_URL, shown};
use crate::world::{Node, World};

const SECRET: &str = "canary-secret-of-the-client";
const CLOSED: &str = "'{tenant}.acme.example'";

fn file(hosts: &str) -> String {
    format!(
        "id: acme-typed
name: {{ en: Acme, ja: Acme }}
description: {{ en: Orders of Acme., ja: Acmeの注文を扱います。 }}
documentation: https://developers.acme.example/
hosts: [{hosts}]
base_url: https://${{config.host}}/v1
config:
  host:
    label: {{ en: Host, ja: ホスト }}
    example: north.acme.example
auth:
  - id: oauth2
    name: {{ en: OAuth, ja: OAuth }}
    type: oauth2
    oauth2:
      flow: authorization_code
      authorization_url: https://${{config.host}}/authorize
      token_url: https://${{config.host}}/token
  - id: key
    name: {{ en: Key, ja: キー }}
    type: api_key
    header: Authorization
    prefix: 'Bearer '
    fields:
      config_key:
        label: {{ en: Key, ja: キー }}
        secret: true
        fold: false
strip_headers: [Authorization]
test:
  - id: credential
    name: {{ en: The token is accepted, ja: トークンが受け付けられる }}
    request: {{ path: /me }}
    accept: {{ member: id }}
"
    )
}

fn with_hosts(options: &mut StartOptions, data_directory: &Path, hosts: &str) {
    let directory = data_directory.with_file_name("providers");
    fs::create_dir_all(&directory).expect("a directory");
    fs::write(directory.join("acme-typed.yaml"), file(hosts)).expect("a file");
    options.provider_directory = Some(directory);
}

async fn start(hosts: &str) -> World {
    World::start_with(|options, _| {
        let data = options.data_directory.clone();
        with_hosts(options, &data, hosts);
    })
    .await
}

fn config(host: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("host".to_owned(), host.to_owned())])
}

fn client(name: &str, host: Option<&str>, secret: Option<&str>) -> OAuthClientDraft {
    OAuthClientDraft {
        provider: "acme-typed".to_owned(),
        auth_scheme: None,
        name: name.to_owned(),
        client_id: Some(format!("id-of-{name}")),
        client_secret: secret.map(Into::into),
        config: host.map(config).unwrap_or_default(),
        scopes: Vec::new(),
        shared_callback: false,
    }
}

fn link(host: &str) -> AuthorizationDraft {
    AuthorizationDraft {
        gate_fields: BTreeMap::new(),
        integration: "acme-typed".to_owned(),
        name: format!("at {host}"),
        connection_id: None,
        auth_scheme: None,
        oauth_client: Some("every tenant".to_owned()),
        fields: config(host),
        settings: BTreeMap::new(),
        tags: BTreeMap::new(),
        metadata: serde_json::json!({}),
        scopes: Vec::new(),
        parameters: BTreeMap::new(),
        belonging: Belonging::default(),
        narrowed_to: Vec::new(),
        return_url: None,
        again: None,
        socket_hash: None,
        from_message: false,
        by_user: None,
    }
}

/// An account whose token has ended, so that it is renewed as it is taken over.
fn ended_token(host: &str) -> ConnectionImport {
    let tokens = VendorTokens::OAuth2 {
        access_token: "canary-ended".into(),
        refresh_token: Some("canary-refresh".into()),
        expires_at: Some(Timestamp::from_milliseconds(1)),
    };
    ConnectionImport {
        integration: "acme-typed".to_owned(),
        name: None,
        connection_id: None,
        credentials: ImportedCredentials::Tokens(ImportedTokens { tokens, client: None }),
        config: config(host),
        tags: BTreeMap::new(),
        metadata: serde_json::json!({}),
        belonging: Belonging::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_secret_says_where_it_is_registered_if_any_host_will_do() {
    for (hosts, expected) in [("'*'", Some("client_not_bound")), (CLOSED, None)] {
        let World { platform, access, .. } = &start(hosts).await;
        let code = |made: Result<_, tombolo_platform::Problem>| made.err().map(|problem| problem.code);
        let made = platform.create_oauth_client(access, &client("open", None, Some(SECRET))).await;
        assert_eq!(code(made), expected, "{hosts}");
        let made = platform.create_oauth_client(access, &client("public", None, None)).await;
        assert_eq!(code(made), None, "{hosts}");
        let change = OAuthClientChange { client_secret: Some(SECRET.into()), ..OAuthClientChange::default() };
        let made = platform.update_oauth_client(access, "public", change).await;
        assert_eq!(code(made), expected, "{hosts}");
        let bound = client("bound", Some("north.acme.example"), Some(SECRET));
        let made = platform.create_oauth_client(access, &bound).await.expect("made");
        assert_eq!(
            made.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["north.acme.example:443"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_a_client_goes_to_no_host_that_somebody_types() {
    let world = start(CLOSED).await;
    let made = client("every tenant", None, Some(SECRET));
    let made = world.platform.create_oauth_client(&world.access, &made).await.expect("made");
    let started =
        world.platform.start_authorization(&world.access, link("evil.acme.example")).await.expect("a link");
    let mut options = world.options();
    let data = options.data_directory.clone();
    with_hosts(&mut options, &data, "'*'");
    let _kept = world.stopped().await;
    // From now on, the provider takes any host.
    let Node { platform, access, .. } = &Node::start(options).await;

    let refused = platform.start_authorization(access, link("evil.example")).await.err();
    assert_eq!(refused.map(|problem| problem.code), Some("client_not_bound"));
    let refused = Box::pin(platform.import_connection(access, ended_token("evil.example"))).await.err();
    assert_eq!(refused.map(|problem| problem.code), Some("client_not_bound"));

    let secret = started.link_secret.expose_secret();
    let beginning = platform.begin_authorization(secret, PUBLIC_URL).await.expect("it begins");
    let page = Url::parse(&beginning.location).expect("a URL");
    let state = page.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    let parameters = BTreeMap::from([("state".to_owned(), state), ("code".to_owned(), "x".to_owned())]);
    let cookies = BTreeMap::from([(beginning.cookie_name, beginning.cookie.expose_secret().to_owned())]);
    let callback = Callback {
        callback: Some(&made.callback),
        parameters: &parameters,
        cookies: &cookies,
        public_url: PUBLIC_URL,
    };
    let back =
        platform.finish_authorization(callback).await.unwrap_or_else(|failed| panic!("{:?}", failed.problem));
    let id = started.authorization.id.to_string();
    let refused = platform.confirm_authorization(access, &id, &shown(&back)).await.err();
    assert_eq!(refused.map(|problem| problem.code), Some("client_not_bound"));
}

/// A session whose embedder fills something in, as its browser has it.
async fn session(world: &World, filled: &[(&str, &str)]) -> SessionAccess {
    let fields = filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let defaults = IntegrationDefaults { fields, ..IntegrationDefaults::default() };
    let draft = ConnectSessionDraft {
        allowed_integrations: vec!["acme-typed".to_owned()],
        defaults: BTreeMap::from([("acme-typed".to_owned(), defaults)]),
        ..ConnectSessionDraft::default()
    };
    let made = world.platform.create_connect_session(&world.access, draft).await.expect("a session");
    world.platform.session_access(made.token.expose_secret()).await.expect("it is good")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_does_not_choose_where_secrets_of_the_embedder_go() {
    let secret = ("config_key", "canary-key-of-the-embedder");
    let refused = Some("host_not_allowed");
    for (hosts, filled, typed, expected) in [
        ("'*'", &[secret][..], "evil.example", refused),
        // Under the name that the compatible API has for it.
        ("'*'", &[("key", secret.1)], "evil.example", refused),
        // The embedder's host stands above the browser's.
        ("'*'", &[secret, ("host", "north.acme.example")], "evil.example", None),
        ("'*'", &[], "evil.example", None),
        (CLOSED, &[secret], "south.acme.example", None),
    ] {
        let world = start(hosts).await;
        let public = client("public", None, None);
        world.platform.create_oauth_client(&world.access, &public).await.expect("made");
        let holder = session(&world, filled).await;
        let given = GivenCredentials { mode: AuthMode::ApiKey, values: BTreeMap::new() };
        let (platform, key) = (&world.platform, "acme-typed");
        let linked = Box::pin(platform.link_in_session(&holder, key, given, config(typed))).await;
        let linked = linked.err().map(|problem| problem.code);
        assert_eq!(linked.filter(|code| Some(*code) == refused), expected, "{hosts} {filled:?}");
        let request = PopupRequest { fields: config(typed), ..PopupRequest::default() };
        let opened = platform.begin_in_session(&holder, key, request).await.err();
        let opened = opened.map(|problem| problem.code);
        assert_eq!(opened.filter(|code| Some(*code) == refused), expected, "{hosts} {filled:?}");
    }
}

/// The account is where its client is registered, so a browser that chooses the client chooses the host.
#[tokio::test(flavor = "multi_thread")]
async fn nor_does_a_browser_with_the_client_that_it_chooses() {
    let secret = ("config_key", "canary-key-of-the-embedder");
    for (filled, expected) in [
        (&[secret][..], "host_not_allowed"),
        (&[secret, ("host", "north.acme.example")], "unknown_oauth_client"),
        (&[], "no_way_back"),
    ] {
        let world = start("'*'").await;
        let fields = filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let defaults = IntegrationDefaults { fields, ..IntegrationDefaults::default() };
        let draft = ConnectSessionDraft {
            allowed_integrations: vec!["acme-typed".to_owned()],
            defaults: BTreeMap::from([("acme-typed".to_owned(), defaults)]),
            oauth_clients: OAuthClientRight::Choose,
            ..ConnectSessionDraft::default()
        };
        let made = world.platform.create_connect_session(&world.access, draft).await.expect("a session");
        let holder = world.platform.session_access(made.token.expose_secret()).await.expect("it is good");
        let evil = client("evil", Some("evil.example"), None);
        let evil = world.platform.create_oauth_client(&world.access, &evil).await.expect("made");
        let request = PopupRequest { oauth_client: Some(evil.id.to_string()), ..PopupRequest::default() };
        let begun = world.platform.begin_in_session(&holder, "acme-typed", request).await.err();
        assert_eq!(begun.map(|problem| problem.code), Some(expected), "{filled:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_waits_sealed_under_whichever_name_it_came() {
    let world = start("'*'").await;
    let filled = [("key", "canary-key-of-the-embedder"), ("host", "north.acme.example")];
    let holder = session(&world, &filled).await;
    assert_eq!(holder.draft.defaults["acme-typed"].fields, config("north.acme.example"));
    assert!(!holder.session.draft.to_string().contains("canary-key"));
    let typed = BTreeMap::from([("key".to_owned(), "canary-key-of-the-browser".into())]);
    world.platform.hand_over(&holder, "acme-typed", typed).await.expect("it waits");
}
