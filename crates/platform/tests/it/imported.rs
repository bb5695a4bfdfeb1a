//! Entries of the published provider file of another product, each of another way to authenticate: imported, linked against
//! a simulator that plays what they became, called through, and renewed where their tokens end.
//!
//! `NPM_CLIENTS_DIR` names the folder whose `node_modules` holds the published file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, LOCATION};
use http::{Method, Request};
use http_body_util::Full;
use secrecy::{ExposeSecret as _, SecretString};
use tombolo_catalog::import::{self, Import};
use tombolo_catalog::{AuthMode, AuthScheme, Provider, SchemeKind};
use tombolo_kintone_emulator::{AcceptedCredential, Effect, Fault, Simulator, SimulatorOptions};
use tombolo_platform::connect::GivenCredentials;
use tombolo_platform::oauth::{AuthorizationDraft, Callback, ImportedTokens, OAuthClientDraft, VendorTokens};
use tombolo_platform::{Belonging, ConnectionDraft, ConnectionImport, ImportedCredentials, OwnClient};

use tombolo_platform::start::ConnectToOption;
use url::Url;

use crate::oauth::{post, shown};
use crate::world::{SetForward, World, connect_to, draft};

const PUBLIC_URL: &str = "http://localhost:3003";

/// The published file, or `None` where it is not installed.
fn published() -> Option<Import> {
    let Some(clients) = std::env::var_os("NPM_CLIENTS_DIR") else {
        eprintln!("NOT RUN: no published entry is imported, because NPM_CLIENTS_DIR is unset");
        return None;
    };
    let path = Path::new(&clients).join("node_modules/@nangohq/providers/providers.yaml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(import::import("providers.yaml", &text).unwrap_or_else(|fault| panic!("{fault}")))
}

/// An entry that is played, and a platform that has imported it.
struct Played {
    world: World,
    simulator: Simulator,
    clock: Arc<SetForward>,
    provider: Arc<Provider>,
}

impl Played {
    async fn start(import: &Import, id: &str) -> Self {
        let entry = import.entries.iter().find(|entry| entry.id == id).unwrap_or_else(|| panic!("no {id}"));
        let converted = entry.outcome.as_ref().unwrap_or_else(|reason| panic!("{id}: {reason}"));
        let provider = Arc::new(converted.provider.clone());
        let simulator = Simulator::start(SimulatorOptions::new(Arc::clone(&provider))).await;
        let simulator = simulator.unwrap_or_else(|error| panic!("{id}: {error}"));
        let clock = Arc::new(SetForward::default());
        let its_clock = Arc::clone(&clock);
        let (hosts, address) = (simulator.hosts(), simulator.http_address().to_string());
        let text = converted.text.clone();
        let file = format!("{}.yaml", provider.id);
        let world = World::start_with(move |options, _| {
            let directory = options.data_directory.with_file_name("providers");
            fs::create_dir_all(&directory).expect("a directory");
            fs::write(directory.join(file), text).expect("a file");
            options.provider_directory = Some(directory);
            let plain = |host: &String| ConnectToOption { without_tls: true, ..connect_to(host, &address) };
            options.egress.connect_to.extend(hosts.iter().map(plain));
            options.clock = its_clock;
        })
        .await;
        Self { world, simulator, clock, provider }
    }

    fn scheme(&self) -> &AuthScheme {
        &self.provider.auth[0]
    }

    fn accepted(&self) -> &AcceptedCredential {
        self.simulator.credentials().iter().find(|known| known.scheme == self.scheme().id).expect("accepted")
    }

    fn draft(&self, form: &BTreeMap<String, String>) -> ConnectionDraft {
        let fields: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        ConnectionDraft { integration: self.provider.id.clone(), ..draft("c", &self.scheme().id, &fields) }
    }

    /// Links the sample account and says when its credential ends.
    async fn link(&self) -> bool {
        if self.scheme().needs_browser() {
            return self.link_in_a_browser().await;
        }
        let form = self.simulator.form(self.accepted()).expect("a form that can be filled in");
        let of = &self.provider.id;
        if self.scheme().fields.names().next().is_some() {
            self.refuses_another(&form).await;
        }
        let created = self.world.create(&self.draft(&form)).await;
        let created = created.unwrap_or_else(|problem| panic!("{of}: {problem:?}"));
        let created = created.unwrap_or_else(|report| panic!("{of}: {report:#?}"));
        created.connection.life.expires_at.is_some()
    }

    /// A secret that is wrong in its last character is not stored.
    async fn refuses_another(&self, form: &BTreeMap<String, String>) {
        let mut wrong = form.clone();
        let secrets = self.scheme().fields.iter().filter(|(_, field)| field.secret && !field.optional);
        for (name, _) in secrets {
            let secret = wrong.get_mut(name).expect("a secret");
            // Keys are spoilt inside: what is no key at all is refused before anybody is asked.
            let at = if secret.contains("-----BEGIN") { secret.len() / 2 } else { secret.len() - 1 };
            let other = if secret.as_bytes()[at] == b'1' { "2" } else { "1" };
            secret.replace_range(at..=at, other);
        }
        let outcome = self.world.create(&self.draft(&wrong)).await;
        assert!(!matches!(outcome, Ok(Ok(_))), "{}: a wrong credential was stored", self.provider.id);
    }

    async fn link_in_a_browser(&self) -> bool {
        let (world, of) = (&self.world, &self.provider.id);
        let form = self.simulator.form(self.accepted()).expect("a form that can be filled in");
        let known = &self.accepted().fields;
        let (id, secret) = match &self.scheme().kind {
            SchemeKind::OAuth1(_) => (&known["consumer_key"], &known["consumer_secret"]),
            _ => (&known["client_id"], &known["client_secret"]),
        };
        let open = self.provider.open_host_names(self.scheme().token_urls());
        let of_client = form.iter().filter(|(name, _)| open.contains(name.as_str()));
        let of_client = of_client.map(|(name, value)| (name.clone(), value.clone())).collect();
        let client = OAuthClientDraft {
            provider: self.provider.id.clone(),
            auth_scheme: None,
            name: "Client".to_owned(),
            client_id: Some(id.clone()),
            client_secret: Some(secret.clone().into()),
            config: of_client,
            scopes: Vec::new(),
            shared_callback: false,
        };
        let client = world.platform.create_oauth_client(&world.access, &client).await;
        let client = client.unwrap_or_else(|problem| panic!("{of}: {problem:?}"));
        let draft = AuthorizationDraft {
            integration: self.provider.id.clone(),
            name: "c".to_owned(),
            connection_id: None,
            auth_scheme: None,
            oauth_client: Some("Client".to_owned()),
            fields: form,
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
            gate_fields: BTreeMap::new(),
        };
        let started = world.platform.start_authorization(&world.access, draft).await;
        let started = started.unwrap_or_else(|problem| panic!("{of}: {problem:?}"));
        let beginning =
            world.platform.begin_authorization(started.link_secret.expose_secret(), PUBLIC_URL).await;
        let beginning = beginning.unwrap_or_else(|problem| panic!("{of}: {problem:?}"));
        let parameters = self.agree(&beginning.location).await;
        let cookies = BTreeMap::from([(beginning.cookie_name, beginning.cookie.expose_secret().to_owned())]);
        // Which authorization an answer belongs to, the protocol's older version says in the redirect URI.
        let callback = Callback {
            callback: Some(&client.callback),
            parameters: &parameters,
            cookies: &cookies,
            public_url: PUBLIC_URL,
        };
        let finished = world.platform.finish_authorization(callback).await;
        let finished = finished.unwrap_or_else(|failed| panic!("{of}: {failed:?}"));
        let id = started.authorization.id.as_str();
        let made = world.platform.confirm_authorization(&world.access, id, &shown(&finished)).await;
        let made = made.unwrap_or_else(|problem| panic!("{of}: {problem:?}"));
        made.unwrap_or_else(|report| panic!("{of}: {report:?}")).connection.life.expires_at.is_some()
    }

    /// What the vendor sends a browser back with.
    async fn agree(&self, location: &str) -> BTreeMap<String, String> {
        let url = Url::parse(location).expect("a URL");
        let target = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let request = Request::get(target).header(HOST, url.host_str().expect("a host"));
        let request = request.body(Full::new(Bytes::new())).expect("a request");
        let answer = post(self.simulator.http_address().port(), request).await;
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.unwrap_or_else(|| panic!("{}: {}", self.provider.id, answer.status()));
        let (_, query) = location.split_once('?').expect("a query");
        let mut parameters: BTreeMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        if let Some(state) = self.state_in_the_redirect_uri() {
            parameters.insert("state".to_owned(), state);
        }
        parameters
    }

    /// The redirect URI that the client told with its signed request.
    fn state_in_the_redirect_uri(&self) -> Option<String> {
        let seen = self.simulator.control().requests();
        let told = seen.iter().find_map(|request| {
            let header = request.header("authorization")?;
            let (_, rest) = header.split_once("oauth_callback=\"")?;
            Some(rest.split('"').next()?.to_owned())
        })?;
        let told = percent_encoding::percent_decode_str(&told).decode_utf8_lossy().into_owned();
        Some(told.split_once("state=")?.1.to_owned())
    }

    /// Calls that asked for a token, and not for something of the API.
    fn asked_for_tokens(&self) -> usize {
        let seen = self.simulator.control().requests();
        seen.iter()
            .filter(|request| request.path != "/any/thing" && !request.path.ends_with("/any/thing"))
            .count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_each_way_to_authenticate_works_from_end_to_end() {
    let Some(import) = published().map(Arc::new) else { return };
    let mut lines = Vec::new();
    for (mode, id) in [
        ("API_KEY", "airtable-pat"),
        ("API_KEY", "algolia"),
        ("API_KEY", "semrush"),
        ("BASIC", "twilio"),
        ("BASIC", "cisco-duo-admin"),
        ("BASIC", "aws-iam"),
        ("BASIC", "streamline-ai"),
        ("NONE", "youcanbook-me-public"),
        ("OAUTH2", "hubspot"),
        ("OAUTH2", "slack"),
        ("OAUTH2", "salesforce"),
        ("OAUTH2_CC", "auth0-cc"),
        ("OAUTH2_CC", "okta-cc"),
        ("OAUTH1", "twitter"),
        ("OAUTH1", "smugmug"),
        ("TBA", "netsuite-tba"),
        ("JWT", "ghost-admin"),
        ("JWT", "apple-app-store"),
        ("JWT", "snowflake-jwt"),
        ("TWO_STEP", "agencyzoom"),
        ("TWO_STEP", "google-service-account"),
        ("TWO_STEP", "microsoft-oauth2-cc-cert"),
        ("TWO_STEP", "docuware"),
        ("TWO_STEP", "avanan"),
        ("TWO_STEP", "sap-business-one"),
        ("SIGNATURE", "emarsys"),
        ("BILL", "bill"),
        ("APP", "github-app"),
        ("CUSTOM", "github-app-oauth"),
        ("AWS_SIGV4", "aws-sigv4"),
        ("INSTALL_PLUGIN", "crisp-plugin-install"),
        ("MCP_OAUTH2", "slack-mcp"),
    ] {
        let import = Arc::clone(&import);
        // Each in a task of its own, so that one failure does not hide the others.
        match tokio::spawn(async move { from_end_to_end(&import, mode, id).await }).await {
            Ok(line) => lines.push(line),
            Err(_) => lines.push(format!("{mode} {id}: FAILED")),
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    API_KEY airtable-pat: API_KEY
    API_KEY algolia: API_KEY
    API_KEY semrush: API_KEY
    BASIC twilio: BASIC
    BASIC cisco-duo-admin: BASIC
    BASIC aws-iam: BASIC
    BASIC streamline-ai: BASIC
    NONE youcanbook-me-public: NONE
    OAUTH2 hubspot: OAUTH2, renewed by the vendor
    OAUTH2 slack: OAUTH2, renewed by the vendor
    OAUTH2 salesforce: OAUTH2, renewed by the vendor
    OAUTH2_CC auth0-cc: OAUTH2_CC, renewed by the vendor
    OAUTH2_CC okta-cc: OAUTH2_CC, renewed by the vendor
    OAUTH1 twitter: OAUTH1
    OAUTH1 smugmug: OAUTH1
    TBA netsuite-tba: TBA
    JWT ghost-admin: JWT, renewed here
    JWT apple-app-store: JWT, renewed here
    JWT snowflake-jwt: JWT, renewed here
    TWO_STEP agencyzoom: TWO_STEP
    TWO_STEP google-service-account: TWO_STEP, renewed by the vendor
    TWO_STEP microsoft-oauth2-cc-cert: TWO_STEP, renewed by the vendor
    TWO_STEP docuware: TWO_STEP, renewed by the vendor
    TWO_STEP avanan: TWO_STEP, renewed by the vendor
    TWO_STEP sap-business-one: TWO_STEP, renewed by the vendor
    SIGNATURE emarsys: SIGNATURE
    BILL bill: BILL, renewed by the vendor
    APP github-app: APP, renewed by the vendor
    CUSTOM github-app-oauth: APP, renewed by the vendor
    AWS_SIGV4 aws-sigv4: AWS_SIGV4, renewed by the vendor
    INSTALL_PLUGIN crisp-plugin-install: INSTALL_PLUGIN
    MCP_OAUTH2 slack-mcp: MCP_OAUTH2, renewed by the vendor
    ");
}

/// Links, calls, lets the credential end, and calls again.
async fn from_end_to_end(import: &Import, mode: &str, id: &str) -> String {
    let entry = import.entries.iter().find(|entry| entry.id == id);
    assert_eq!(entry.map(|entry| entry.auth_mode.as_str()), Some(mode), "{id}");
    let played = Played::start(import, id).await;
    let ends = played.link().await;
    for (method, body) in [(Method::GET, ""), (Method::POST, r#"{"a":1}"#)] {
        let (status, _, echo) = played.world.call("c", method, "/any/thing?page=2", body).await;
        assert_eq!(status, 200, "{id}: {echo}");
    }
    let mut renewed = "";
    if ends {
        played.simulator.control().clear_requests();
        played.clock.by(Duration::from_hours(24));
        let (status, _, echo) = played.world.call("c", Method::GET, "/any/thing", "").await;
        assert_eq!(status, 200, "{id}, after its end: {echo}");
        renewed = if played.asked_for_tokens() > 0 { ", renewed by the vendor" } else { ", renewed here" };
    }
    let kind = played.scheme().auth_mode().name();
    played.simulator.shutdown().await;
    format!("{mode} {id}: {kind}{renewed}")
}

/// What another product kept for an account, taken over without a person: under its ids, and once more in the same place.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_product_kept_for_an_account_is_taken_over() {
    let Some(import) = published().map(Arc::new) else { return };
    let mut lines = Vec::new();
    for id in [
        "airtable-pat",
        "twilio",
        "youcanbook-me-public",
        "hubspot",
        "auth0-cc",
        "twitter",
        "netsuite-tba",
        "ghost-admin",
        "avanan",
        "emarsys",
        "bill",
        "github-app",
        "github-app-oauth",
    ] {
        let import = Arc::clone(&import);
        match tokio::spawn(async move { Box::pin(taken_over(&import, id)).await }).await {
            Ok(line) => lines.push(line),
            Err(_) => lines.push(format!("{id}: FAILED")),
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    airtable-pat: API_KEY, wrong: connection_test_failed
    twilio: BASIC, wrong: connection_test_failed
    youcanbook-me-public: NONE, wrong: nothing refused
    hubspot: OAUTH2, wrong: connection_test_failed
    auth0-cc: OAUTH2_CC, wrong: token_refused
    twitter: OAUTH1, wrong: connection_test_failed
    netsuite-tba: TBA, wrong: connection_test_failed
    ghost-admin: JWT, wrong: connection_test_failed
    avanan: TWO_STEP, wrong: token_refused
    emarsys: SIGNATURE, wrong: connection_test_failed
    bill: BILL, wrong: token_refused
    github-app: APP, wrong: token_refused
    github-app-oauth: APP, wrong: token_refused
    ");
}

async fn taken_over(import: &Import, id: &str) -> String {
    let played = Played::start(import, id).await;
    let (world, mode) = (&played.world, played.scheme().auth_mode());
    let wrong =
        Box::pin(world.platform.import_connection(&world.access, played.kept("wrong-client", true))).await;
    let refused = wrong.err().map_or_else(|| "nothing refused".to_owned(), |problem| problem.code.to_owned());
    let clients = world.platform.list_oauth_clients(&world.access).await.expect("a list");
    assert_eq!(clients.len(), 0, "{id}: what was not taken over leaves no client behind");

    let mut ids = Vec::new();
    for _ in 0..2 {
        let made =
            Box::pin(world.platform.import_connection(&world.access, played.kept("their-id", false))).await;
        let made = made.unwrap_or_else(|problem| panic!("{id}: {problem:?}"));
        ids.push((made.connection.id, made.connection.connection_id));
    }
    assert_eq!(ids[0], ids[1], "{id}: it stays the same connection");
    let (status, _, echo) = world.call("their-id", Method::GET, "/any/thing?page=2", "").await;
    assert_eq!(status, 200, "{id}: {echo}");
    played.simulator.shutdown().await;
    format!("{id}: {}, wrong: {refused}", mode.name())
}

impl Played {
    /// What the other product would show of an account of the vendor.
    fn kept(&self, connection_id: &str, is_wrong: bool) -> ConnectionImport {
        let known = &self.accepted().fields;
        let secret = |name: &str| {
            let text = known[name].clone();
            SecretString::from(if is_wrong { text.replace("simulated", "forgotten") } else { text })
        };
        let client = |id: &str, secret: &str| {
            Some(OwnClient {
                mode: self.scheme().auth_mode(),
                client_id: known[id].clone(),
                client_secret: Some(known[secret].clone().into()),
                scopes: None,
                config: BTreeMap::new(),
            })
        };
        let form = self.simulator.form(self.accepted()).expect("a form that can be filled in");
        let (of_scheme, config): (BTreeMap<_, _>, BTreeMap<_, _>) =
            form.into_iter().partition(|(name, _)| self.scheme().fields.get(name).is_some());
        let credentials = match self.scheme().auth_mode() {
            AuthMode::OAuth2 => ImportedCredentials::Tokens(ImportedTokens {
                tokens: VendorTokens::OAuth2 {
                    access_token: secret("access_token"),
                    refresh_token: None,
                    expires_at: None,
                },
                client: client("client_id", "client_secret"),
            }),
            AuthMode::OAuth1 => ImportedCredentials::Tokens(ImportedTokens {
                tokens: VendorTokens::OAuth1 { token: secret("token_id"), secret: secret("token_secret") },
                client: client("consumer_key", "consumer_secret"),
            }),
            mode => {
                let typed = |(name, text): (String, String)| {
                    let field = self.scheme().fields.get(&name).filter(|field| field.secret);
                    let text = match field {
                        Some(_) if is_wrong => text.replace("simulated", "forgotten").replace('A', "B"),
                        _ => text,
                    };
                    (name, text.into())
                };
                let values = of_scheme.into_iter().map(typed).collect();
                ImportedCredentials::Given(GivenCredentials { mode, values })
            }
        };
        ConnectionImport {
            integration: self.provider.id.clone(),
            name: None,
            connection_id: Some(connection_id.to_owned()),
            credentials,
            config,
            tags: BTreeMap::new(),
            metadata: serde_json::json!({}),
            belonging: Belonging::default(),
        }
    }
}

/// Some vendors know the parameters of the page where people agree by other names, the state among them.
#[tokio::test(flavor = "multi_thread")]
async fn the_state_comes_back_under_the_name_that_it_was_sent_in() {
    let text = "acme:
    display_name: Acme
    auth_mode: OAUTH2
    authorization_url: https://id.acme.example/agree
    authorization_url_replacements:
        client_id=: appKey=
        redirect_uri=: redirectUri=
        state=: customField=
    token_url: https://id.acme.example/token
    proxy:
        base_url: https://api.acme.example
";
    let import = import::import("providers.yaml", text).unwrap_or_else(|fault| panic!("{fault}"));
    let played = Played::start(&import, "acme").await;
    played.link().await;
    assert_eq!(played.world.call("c", Method::GET, "/any/thing", "").await.0, 200);
}

/// What a published entry says about its limits is honoured: which refusals are for the moment, and when to come back.
#[tokio::test(flavor = "multi_thread")]
async fn the_headers_of_an_entry_say_when_a_call_goes_out_again() {
    let text = "acme:
    display_name: Acme
    auth_mode: API_KEY
    proxy:
        base_url: https://api.acme.example
        headers:
            authorization: Bearer ${apiKey}
        retry:
            after: x-wait
            at: x-reset
            remaining: x-left
            error_code:
                - '403'
                - '5xx'
        verification:
            method: GET
            endpoints:
                - /me
    credentials:
        apiKey:
            type: string
            title: API Key
            description: The key
";
    let import = import::import("providers.yaml", text).unwrap_or_else(|fault| panic!("{fault}"));
    let played = Played::start(&import, "acme").await;
    played.link().await;
    let refusal = |status| Effect::json(status, serde_json::json!({ "message": "no" }));
    let mut seen = Vec::new();
    for (name, method, effect) in [
        ("a wait", Method::POST, refusal(429).with_header("x-wait", "0")),
        ("a wait that is too long", Method::GET, refusal(429).with_header("x-wait", "31")),
        ("a moment that is over", Method::POST, refusal(429).with_header("x-reset", "1795338000")),
        ("used up", Method::POST, refusal(400).with_header("x-left", "0").with_header("x-wait", "0")),
        ("something left", Method::POST, refusal(400).with_header("x-left", "9").with_header("x-wait", "0")),
        ("a listed refusal that says when", Method::POST, refusal(403).with_header("x-wait", "0")),
        ("a listed refusal that says nothing", Method::GET, refusal(403)),
        ("a listed failure", Method::GET, refusal(500).with_header("x-wait", "0")),
        (
            "a listed failure of what may have been done",
            Method::POST,
            refusal(500).with_header("x-wait", "0"),
        ),
    ] {
        played.simulator.control().clear_faults();
        played.simulator.control().clear_requests();
        played.simulator.control().inject(Fault::new(effect).times(1));
        let (status, ..) = played.world.call("c", method.clone(), "/me", "").await;
        let times = played.simulator.control().requests().len();
        seen.push(format!("{name}: {method} sent {times} times, then {status}"));
    }
    insta::assert_snapshot!(seen.join("\n"), @r"
    a wait: POST sent 2 times, then 200
    a wait that is too long: GET sent 1 times, then 429
    a moment that is over: POST sent 2 times, then 200
    used up: POST sent 2 times, then 200
    something left: POST sent 1 times, then 400
    a listed refusal that says when: POST sent 2 times, then 200
    a listed refusal that says nothing: GET sent 1 times, then 403
    a listed failure: GET sent 2 times, then 200
    a listed failure of what may have been done: POST sent 1 times, then 500
    ");
}
