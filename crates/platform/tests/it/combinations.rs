//! Every way into Kintone: each auth scheme plain, behind Basic authentication and behind a client certificate, inside and
//! outside of a guest space. What cannot be combined is refused with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, LOCATION};
use http::{Method, Request};
use http_body_util::Full;
use rstest::rstest;
use secrecy::ExposeSecret as _;
use tombolo_kintone_emulator::Seed;
use tombolo_kintone_emulator::model::BasicGate;
use tombolo_platform::oauth::{
    AuthorizationDraft, Callback, OAuthClientChange, OAuthClientDraft, redirect_uri,
};
use tombolo_platform::{Belonging, ConnectionDraft, Outcome, Problem, ProblemKind, Reconnection, TestReport};
use url::Url;

use crate::oauth::{PUBLIC_URL, post, shown};
use crate::world::{Backend, SetForward, World, draft};

const TENANT: [(&str, &str); 2] = [("subdomain", "sample"), ("domain", "cybozu.com")];
const PASSWORD: &str = "marker-file-password";
const BASIC: [(&str, &str); 2] =
    [("basic_username", "gate"), ("basic_password", "marker-combined-gate-password")];

type Fields = Vec<(String, String)>;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn filled(name: &str, scheme: &str, given: &Fields) -> ConnectionDraft {
    let given: Vec<(&str, &str)> =
        given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    draft(name, scheme, &[&TENANT[..], &given].concat())
}

/// The tenant asks for Basic authentication, or lets nobody in but with a certificate, or stands open.
fn close(world: &World, gate: &str) {
    let kintone = world.kintone();
    let basic = (gate == "basic")
        .then(|| BasicGate { username: BASIC[0].1.to_owned(), password: BASIC[1].1.to_owned() });
    kintone.set_basic_gate("sample", basic).expect("changed");
    let networks = if gate == "certificate" { vec!["203.0.113.0/24".to_owned()] } else { Vec::new() };
    kintone.set_allowed_networks("sample", networks).expect("changed");
}

fn certificate(world: &World) -> Fields {
    let made = world.kintone().issue_client_certificate("sample", "sato", None).expect("made");
    let pfx = STANDARD.encode(made.pfx(PASSWORD).expect("packed"));
    fields(&[("certificate", &pfx), ("certificate_password", PASSWORD)])
}

fn of_gate(world: &World, gate: &str) -> Fields {
    match gate {
        "basic" => fields(&BASIC),
        "certificate" => certificate(world),
        "both" => [fields(&BASIC), certificate(world)].concat(),
        _ => Fields::new(),
    }
}

/// The token of one of the apps that [`add_apps`] adds.
fn token_of(app: u64) -> String {
    format!("markerTokenOfApp{app}{}", "0".repeat(22))
}

/// Nine apps like 11, which stands open, and nine like 21, which is in the guest space, each with a token of its own.
fn add_apps(world: &World) {
    let sample = Seed::demo().tenants.into_iter().find(|tenant| tenant.name == "sample").expect("a tenant");
    for (model, first) in [(11, 211), (21, 221)] {
        let model = sample.apps.iter().find(|app| app.id == model).expect("an app");
        for number in first..first + 9 {
            let mut app = model.clone();
            app.id = number;
            app.code = String::new();
            app.tokens.truncate(1);
            app.tokens[0].token = token_of(number);
            world.kintone().add_app("sample", &app).expect("added");
        }
    }
}

/// The apps of a way into Kintone: nine tokens are of nine apps.
fn apps_of(way: &str, space: &str) -> Vec<u64> {
    match (way, space.is_empty()) {
        ("9 tokens", true) => (211..220).collect(),
        ("9 tokens", false) => (221..230).collect(),
        (_, true) => vec![11],
        (_, false) => vec![21],
    }
}

fn joined(texts: impl IntoIterator<Item = impl ToString>) -> String {
    texts.into_iter().map(|text| text.to_string()).collect::<Vec<_>>().join(",")
}

fn of_scheme(world: &World, scheme: &str, app: &str) -> Fields {
    match (scheme, app) {
        ("9 tokens", apps) => {
            let apps = apps.split(',').map(|app| app.parse().expect("a number"));
            fields(&[("token", &joined(apps.map(token_of)))])
        }
        ("api_token" | "1 token", "21") => fields(&[("token", "sampleTokenGuestKadai0000000000000000000")]),
        ("api_token" | "1 token", _) => fields(&[("token", "sampleTokenKokyaku0000000000000000000000")]),
        ("password", _) => fields(&[("login_name", "sato"), ("password", "sample-password-sato")]),
        ("session", _) => {
            let session = world.kintone().begin_session("sample", "sato").expect("logged in");
            fields(&[("session", &session.cookie), ("request_token", &session.request_token)])
        }
        _ => Fields::new(),
    }
}

/// Links an account through a browser of the user `sato`.
async fn authorized(world: &World, name: &str, config: Fields, gate_fields: Fields) -> Result<(), Problem> {
    authorized_with(world, name, config, gate_fields, Fields::new()).await
}

async fn authorized_with(
    world: &World,
    name: &str,
    config: Fields,
    gate_fields: Fields,
    settings: Fields,
) -> Result<(), Problem> {
    let (platform, access) = (&world.platform, &world.access);
    let known = platform.list_oauth_clients(access).await?.pop();
    let client = if let Some(client) = known {
        client
    } else {
        let draft = OAuthClientDraft {
            provider: "kintone".to_owned(),
            auth_scheme: None,
            name: "Sample".to_owned(),
            client_id: None,
            client_secret: None,
            config: fields(&TENANT).into_iter().collect(),
            shared_callback: false,
            scopes: Vec::new(),
        };
        let client = platform.create_oauth_client(access, &draft).await?;
        let uri = redirect_uri(PUBLIC_URL, &client);
        let known = world.kintone().add_oauth_client("sample", &[&uri]).expect("registered");
        let change = OAuthClientChange {
            client_id: Some(known.id.clone()),
            client_secret: Some(known.secret.into()),
            ..OAuthClientChange::default()
        };
        platform.update_oauth_client(access, "Sample", change).await?
    };
    let draft = AuthorizationDraft {
        integration: "kintone".to_owned(),
        name: name.to_owned(),
        connection_id: None,
        auth_scheme: Some("oauth2".to_owned()),
        oauth_client: Some(client.name.clone()),
        fields: config.into_iter().collect(),
        gate_fields: gate_fields.into_iter().map(|(name, value)| (name, value.into())).collect(),
        settings: settings.into_iter().collect(),
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
    };
    let started = platform.start_authorization(access, draft).await?;
    let beginning = platform.begin_authorization(started.link_secret.expose_secret(), PUBLIC_URL).await?;
    // Whoever goes on twice begins anew, with the same certificate.
    drop(beginning);
    let beginning = platform.begin_authorization(started.link_secret.expose_secret(), PUBLIC_URL).await?;
    let page = Url::parse(&beginning.location).expect("a URL");
    let form = "login_name=sato&password=sample-password-sato&decision=allow";
    let request = Request::post(format!("{}?{}", page.path(), page.query().expect("a query")))
        .header(HOST, page.host_str().expect("a host"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form)))
        .expect("a request");
    let answer = post(world.kintone_port(), request).await;
    let back = answer.headers().get(LOCATION).unwrap_or_else(|| panic!("{}", answer.status()));
    let back = Url::parse(back.to_str().expect("text")).expect("a URL");
    let callback = Callback {
        callback: Some(&client.callback),
        parameters: &back.query_pairs().into_owned().collect(),
        cookies: &BTreeMap::from([(beginning.cookie_name, beginning.cookie.expose_secret().to_owned())]),
        public_url: PUBLIC_URL,
    };
    let outcome = platform.finish_authorization(callback).await.map_err(|failed| failed.problem)?;
    let confirmed = platform.confirm_authorization(access, outcome.id.as_str(), &shown(&outcome)).await?;
    confirmed.map(drop).map_err(|report| report.as_problem(ProblemKind::TestFailed))
}

fn told(report: &TestReport) -> String {
    let failed = report.stages.iter().find(|stage| stage.outcome == Outcome::Failed);
    match failed.zip(report.verdict()) {
        Some((stage, verdict)) => format!("{}: {}", stage.stage, verdict.is),
        None => "available".to_owned(),
    }
}

fn reasons(problem: &Problem) -> String {
    let of_fields: Vec<String> =
        problem.fields.iter().map(|field| format!("{}: {}", field.field, field.message.en)).collect();
    if of_fields.is_empty() { format!("{}. {}", problem.what, problem.fix) } else { of_fields.join("; ") }
}

/// Links, reads and writes; the hosts and paths that the requests went to.
async fn linked_and_called(world: &World, way: &str, gate: &str, space: &str) -> String {
    let name = format!("{way} {gate} {space}");
    let apps = apps_of(way, space);
    let mut config = fields(&[("app", &joined(&apps))]);
    if !space.is_empty() {
        config.extend(fields(&[("guest_space_id", space)]));
    }
    let gate_fields = of_gate(world, gate);
    if way == "oauth2" {
        // The person's browser comes from where the tenant lets it in; the platform comes through the gate.
        close(world, "");
        if let Err(problem) = authorized(world, &name, config, gate_fields).await {
            return reasons(&problem);
        }
        close(world, gate);
    } else {
        close(world, gate);
        let given = [config, gate_fields, of_scheme(world, way, &joined(&apps))].concat();
        let scheme = if way.ends_with("token") || way.ends_with("tokens") { "api_token" } else { way };
        match world.create(&filled(&name, scheme, &given)).await {
            Ok(Ok(_)) => {}
            Ok(Err(report)) => return told(&report),
            Err(problem) => return reasons(&problem),
        }
    }
    world.kintone().clear_requests();
    let app = apps.last().expect("an app");
    let (read, _, body) = world.call(&name, Method::GET, &format!("/k/v1/records.json?app={app}"), "").await;
    let record = if space.is_empty() {
        format!(r#"{{"顧客コード": {{"value": "{name}"}}, "会社名": {{"value": "新しい会社"}}}}"#)
    } else {
        r#"{"課題": {"value": "新しい課題"}}"#.to_owned()
    };
    let record = format!(r#"{{"app": {app}, "record": {record}}}"#);
    let (write, _, answer) = world.call(&name, Method::POST, "/k/v1/record.json", &record).await;
    assert!(read != 200 || body["records"].is_array(), "{name}: {body}");
    assert!(write == 200, "{name}: {write} {answer}");
    let requests = world.kintone().requests();
    let places: BTreeSet<String> = requests
        .iter()
        .map(|seen| {
            let path = seen.path.rsplit_once('/').map_or("", |(start, _)| start);
            format!("{}{path}", seen.header("host").unwrap_or_default())
        })
        .collect();
    format!("{read} {write} {}", places.into_iter().collect::<Vec<_>>().join(" "))
}

/// Reading and writing through each way that exists; for the others the reason.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_way_into_kintone_links_reads_and_writes_or_says_why_it_cannot(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    add_apps(&world);
    let mut lines = Vec::new();
    for way in ["1 token", "9 tokens", "password", "oauth2", "session"] {
        for gate in ["plain", "basic", "certificate", "both"] {
            for space in ["", "5"] {
                let outcome = linked_and_called(&world, way, gate, space).await;
                let space = if space.is_empty() { "" } else { " in a guest space" };
                lines.push(format!("{way}, {gate}{space}: {outcome}"));
            }
        }
    }
    insta::allow_duplicates!(insta::assert_snapshot!(lines.join("\n"), @r"
    1 token, plain: 200 200 sample.cybozu.com/k/v1
    1 token, plain in a guest space: 200 200 sample.cybozu.com/k/guest/5/v1
    1 token, basic: 200 200 sample.cybozu.com/k/v1
    1 token, basic in a guest space: 200 200 sample.cybozu.com/k/guest/5/v1
    1 token, certificate: 200 200 sample.s.cybozu.com/k/v1
    1 token, certificate in a guest space: 200 200 sample.s.cybozu.com/k/guest/5/v1
    1 token, both: basic_username: The address for client certificates asks for no Basic authentication. Leave one of the two out.
    1 token, both in a guest space: basic_username: The address for client certificates asks for no Basic authentication. Leave one of the two out.
    9 tokens, plain: 200 200 sample.cybozu.com/k/v1
    9 tokens, plain in a guest space: 200 200 sample.cybozu.com/k/guest/5/v1
    9 tokens, basic: 200 200 sample.cybozu.com/k/v1
    9 tokens, basic in a guest space: 200 200 sample.cybozu.com/k/guest/5/v1
    9 tokens, certificate: 200 200 sample.s.cybozu.com/k/v1
    9 tokens, certificate in a guest space: 200 200 sample.s.cybozu.com/k/guest/5/v1
    9 tokens, both: basic_username: The address for client certificates asks for no Basic authentication. Leave one of the two out.
    9 tokens, both in a guest space: basic_username: The address for client certificates asks for no Basic authentication. Leave one of the two out.
    password, plain: 200 200 sample.cybozu.com/k/v1
    password, plain in a guest space: 200 200 sample.cybozu.com/k/guest/5/v1
    password, basic: 200 200 sample.cybozu.com/k/v1
    password, basic in a guest space: 200 200 sample.cybozu.com/k/guest/5/v1
    password, certificate: 200 200 sample.s.cybozu.com/k/v1
    password, certificate in a guest space: 200 200 sample.s.cybozu.com/k/guest/5/v1
    password, both: basic_username: The address for client certificates asks for no Basic authentication. Leave one of the two out.
    password, both in a guest space: basic_username: The address for client certificates asks for no Basic authentication. Leave one of the two out.
    oauth2, plain: 200 200 sample.cybozu.com/k/v1
    oauth2, plain in a guest space: 200 200 sample.cybozu.com/k/guest/5/v1
    oauth2, basic: basic_username: Kintone does not combine OAuth with Basic authentication; both travel in the same header. Use a client certificate, or another way to sign in.
    oauth2, basic in a guest space: basic_username: Kintone does not combine OAuth with Basic authentication; both travel in the same header. Use a client certificate, or another way to sign in.
    oauth2, certificate: 200 200 sample.s.cybozu.com/k/v1
    oauth2, certificate in a guest space: 200 200 sample.s.cybozu.com/k/guest/5/v1
    oauth2, both: basic_username: Kintone does not combine OAuth with Basic authentication; both travel in the same header. Use a client certificate, or another way to sign in.; basic_username: The address for client certificates asks for no Basic authentication. Leave one of the two out.
    oauth2, both in a guest space: basic_username: Kintone does not combine OAuth with Basic authentication; both travel in the same header. Use a client certificate, or another way to sign in.; basic_username: The address for client certificates asks for no Basic authentication. Leave one of the two out.
    session, plain: 200 200 sample.cybozu.com/k/v1
    session, plain in a guest space: 200 200 sample.cybozu.com/k/guest/5/v1
    session, basic: 200 200 sample.cybozu.com/k/v1
    session, basic in a guest space: 200 200 sample.cybozu.com/k/guest/5/v1
    session, certificate: 200 200 sample.s.cybozu.com/k/v1
    session, certificate in a guest space: 200 200 sample.s.cybozu.com/k/guest/5/v1
    session, both: basic_username: The address for client certificates asks for no Basic authentication. Leave one of the two out.
    session, both in a guest space: basic_username: The address for client certificates asks for no Basic authentication. Leave one of the two out.
    "));
}

/// What a renewal needs to reach the vendor is kept with the tokens: the certificate that the gate asks for, and the
/// authority of a company's own, which nobody else trusts.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_renewed_through_the_gate_and_under_the_authority_that_they_were_linked_with() {
    let clock = Arc::new(SetForward::default());
    let its_clock = Arc::clone(&clock);
    let world = World::start_changed(Backend::Sqlite, move |options, _| {
        options.clock = its_clock;
        for rule in &mut options.egress.connect_to {
            rule.authority = None;
        }
    })
    .await;
    close(&world, "");
    let (app, (_, authority)) = (fields(&[("app", "11")]), world.kintone_address());
    let untrusted = authorized(&world, "Untrusted", app.clone(), certificate(&world)).await;
    assert!(untrusted.is_err(), "the authority is nobody's");
    let settings = fields(&[("private_ca", &authority)]);
    authorized_with(&world, "Gate", app, certificate(&world), settings).await.expect("linked");
    close(&world, "certificate");
    for round in 1..=2 {
        clock.by(Duration::from_mins(61));
        world.kintone().expire_access_tokens("sample", None, None).expect("a tenant");
        world.kintone().clear_requests();
        assert_eq!(world.get("Gate", "/k/v1/records.json?app=11").await.0, 200);
        let seen: Vec<_> = world
            .kintone()
            .requests()
            .iter()
            .map(|seen| format!("{} {}", seen.header("host").unwrap_or_default(), seen.path))
            .collect();
        assert_eq!(
            seen,
            ["sample.s.cybozu.com /oauth2/token", "sample.s.cybozu.com /k/v1/records.json"],
            "round {round}"
        );
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_to_nine_tokens_of_as_many_apps_are_one_connection(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    let model = Seed::demo().tenants[0].apps[2].clone();
    let token = |number: u64| format!("markerTokenOfApp{number}{}", "0".repeat(22));
    for number in 101..=110 {
        let mut app = model.clone();
        app.id = number;
        app.code = String::new();
        app.tokens.truncate(1);
        app.tokens[0].token = token(number);
        world.kintone().add_app("demo", &app).expect("added");
    }
    let connection = |count: u64, gate: Fields| {
        let apps: Vec<String> = (101..101 + count).map(|number| number.to_string()).collect();
        let tokens: Vec<String> = (101..101 + count).map(token).collect();
        let given = [fields(&[("app", &apps.join(",")), ("token", &tokens.join(","))]), gate].concat();
        let given: Vec<(&str, &str)> =
            given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let tenant = [("subdomain", "demo"), ("domain", "kintone.com")];
        draft(&format!("{count} tokens"), "api_token", &[&tenant[..], &given].concat())
    };
    for count in 1..=9 {
        let gate = match count {
            9 => {
                let made = world.kintone().issue_client_certificate("demo", "anna", None).expect("made");
                let pem = format!("{}{}", made.certificate_pem, made.private_key_pem);
                fields(&[("certificate", &pem)])
            }
            _ => Fields::new(),
        };
        let created = world.create(&connection(count, gate)).await.expect("accepted");
        assert!(created.is_ok(), "{count}: {}", told(&created.err().expect("a report")));
        let last = format!("/k/v1/records.json?app={}", 100 + count);
        assert_eq!(world.get(&format!("{count} tokens"), &last).await.0, 200, "{count}");
        let record = format!(
            r#"{{"app": {}, "record": {{"product_code": {{"value": "N{count}"}}, "product_name": {{"value": "New"}}}}}}"#,
            100 + count
        );
        let (status, _, body) =
            world.call(&format!("{count} tokens"), Method::POST, "/k/v1/record.json", &record).await;
        assert_eq!(status, 200, "{count}: {body}");
    }
    let ten = world.create(&connection(10, Fields::new())).await.err().expect("refused");
    assert_eq!(
        reasons(&ten),
        "token: API tokens: one request carries at most 9. Make a second connection for the rest."
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_combined_is_refused_with_the_reason(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    close(&world, "");
    let expired = world.kintone().now() - jiff::SignedDuration::from_hours(1);
    let expired = world.kintone().issue_client_certificate("sample", "sato", Some(expired)).expect("made");
    let expired = format!("{}{}", expired.certificate_pem, expired.private_key_pem);
    let token = of_scheme(&world, "api_token", "11");
    let with = |more: &[(&str, &str)]| [token.clone(), fields(&[("app", "11")]), fields(more)].concat();
    let both = [fields(&BASIC), certificate(&world)].concat();
    let mut lines = Vec::new();
    let cases: Vec<(&str, &str, &str, Fields)> = vec![
        ("Basic and a certificate", "kintone", "api_token", [with(&[]), both].concat()),
        ("a token of the User API opens apps", "kintone", "user_api_token", Fields::new()),
        ("two tokens of one app", "kintone", "api_token", {
            let twice = format!("{0},{0}", token[0].1);
            fields(&[("app", "11,11"), ("token", &twice)])
        }),
        ("a store of Windows", "kintone", "api_token", with(&[("certificate_type", "USER")])),
        (
            "an unknown type",
            "kintone",
            "api_token",
            with(&[("certificate_type", "xml"), ("certificate", "x")]),
        ),
        ("an expired certificate", "kintone", "api_token", with(&[("certificate", &expired)])),
        ("a password without a file", "kintone", "api_token", with(&[("certificate_password", "x")])),
        ("the User API by OAuth", "kintone-user-api", "oauth2", Fields::new()),
        ("the User API by the token of an app", "kintone-user-api", "api_token", Fields::new()),
        ("the User API behind Basic, by token", "kintone-user-api", "token", {
            [fields(&[("token", "cy.s.api1.aa.bb")]), fields(&BASIC)].concat()
        }),
        ("the User API in a guest space", "kintone-user-api", "password", {
            fields(&[("login_name", "sato"), ("password", "x"), ("guest_space_id", "5")])
        }),
    ];
    for (what, provider, scheme, given) in cases {
        let draft = ConnectionDraft { integration: provider.to_owned(), ..filled(what, scheme, &given) };
        let problem = world.create(&draft).await.err().unwrap_or_else(|| panic!("{what}: accepted"));
        lines.push(format!("{what}: {}", reasons(&problem)));
    }
    let lines = lines.join("\n").replace(&expired_on(&world), "YESTERDAY");
    insta::allow_duplicates! {
        insta::assert_snapshot!(lines, @r"
        Basic and a certificate: basic_username: The address for client certificates asks for no Basic authentication. Leave one of the two out.
        a token of the User API opens apps: A token of the User API opens no apps. Choose Kintone User API for users and groups, or give the API tokens of the apps.
        two tokens of one app: app: `11` stands twice.
        a store of Windows: certificate_type: This server does not look into the certificate store of Windows. Export the certificate there with its key, in PowerShell: Export-PfxCertificate -Cert Cert:\CurrentUser\My\THUMBPRINT -FilePath FILE.pfx -Password (Read-Host -AsSecureString)
        an unknown type: certificate_type: Type of the certificate file is one of: auto, pfx, pem, jks.
        an expired certificate: certificate: The certificate of CN=sato, O=sample expired on YESTERDAY. Get a new one, and give it here.
        a password without a file: certificate: The file of the client certificate is needed.
        the User API by OAuth: The User API does not take OAuth. Use a token of the User API, or a login name and password.
        the User API by the token of an app: The API token of an app does not open the User API. Use a token of the User API, or a login name and password.
        the User API behind Basic, by token: basic_username: A token of the User API and Basic authentication travel in the same header. Use a login name and password, or a client certificate.
        the User API in a guest space: guest_space_id: The User API stands outside of guest spaces. Leave the guest space ID out.
        ");
    }
}

/// The day on which the expired certificate of the tests ended.
fn expired_on(world: &World) -> String {
    (world.kintone().now() - jiff::SignedDuration::from_hours(1)).strftime("%Y-%m-%d").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_says_when_it_has_ended_and_what_it_lacks() {
    let world = World::start().await;
    close(&world, "");
    let mut given = of_scheme(&world, "session", "11");
    given.extend(fields(&[("app", "11")]));
    let whole = filled("whole", "session", &given);
    given.retain(|(name, _)| name != "request_token");
    let reader = filled("reader", "session", &given);
    for draft in [&whole, &reader] {
        assert!(world.create(draft).await.expect("accepted").is_ok());
    }
    let record = r#"{"app": 11, "id": 1, "record": {"会社名": {"value": "別の会社"}}}"#;
    let put = async |name: &str| {
        let (status, _, body) = world.call(name, Method::PUT, "/k/v1/record.json", record).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    world.kintone().clear_requests();
    assert_eq!(put("whole").await, (200, String::new()));
    // The long query of a read goes as a POST, and needs no request token.
    let long = format!("/k/v1/records.json?app=11&query={}", "a".repeat(5000));
    let (_, _, body) = world.call("reader", Method::GET, &long, "").await;
    assert_ne!(body["code"], "no_request_token");
    assert_eq!(put("reader").await, (403, "no_request_token".to_owned()));
    assert_eq!(world.get("reader", "/k/v1/record.json?app=11&id=1").await.0, 200);
    world.kintone().renew_request_tokens("sample", None).expect("renewed");
    assert_eq!(put("whole").await, (400, "CB_CS01".to_owned()));

    world.kintone().end_sessions("sample", None).expect("ended");
    let (report, _) = world.test(&whole).await.expect("accepted");
    assert_eq!(told(&report), "credential: session_ended");
    let verdict = report.verdict().expect("a verdict");
    assert_eq!(verdict.says.en, "The session has ended.");
    assert!(verdict.fix.ja.contains("ログインし直し"), "{}", verdict.fix.ja);
}

/// On one thread, as the threads of the proxy are: with several the driver of a connection may be a moment behind.
#[tokio::test]
async fn a_certificate_is_shown_on_connections_of_its_own_that_are_kept_until_it_changes() {
    let world = World::start().await;
    close(&world, "certificate");
    let given =
        [of_scheme(&world, "api_token", "11"), fields(&[("app", "11")]), certificate(&world)].concat();
    for name in ["one", "two"] {
        assert!(world.create(&filled(name, "api_token", &given)).await.expect("accepted").is_ok());
    }
    let peers = async |name: &str| {
        world.kintone().clear_requests();
        for _ in 0..5 {
            assert_eq!(world.get(name, "/k/v1/record.json?app=11&id=1").await.0, 200);
        }
        let requests = world.kintone().requests();
        requests.iter().map(|seen| seen.peer.clone()).collect::<BTreeSet<_>>()
    };
    let (one, two) = (peers("one").await, peers("two").await);
    assert_eq!((one.len(), two.len()), (1, 1), "each connection keeps one of its own");
    assert!(one.is_disjoint(&two), "the same certificate, but not the same connection");
    // Something else changes in the environment: what is kept is compiled anew, and the way stays open.
    assert!(world.create(&filled("three", "api_token", &given)).await.expect("accepted").is_ok());
    assert_eq!(peers("one").await, one);

    let (stored, _) =
        world.platform.find_connection(&world.access.environment, None, "one").await.expect("there");
    let until = stored.target.certificate_expires_at.expect("noted");
    assert!(until > world.platform.now(), "{until:?}");
    assert_eq!(
        stored.target.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["sample.s.cybozu.com:443"]
    );

    let another = [of_scheme(&world, "api_token", "11"), certificate(&world)].concat();
    let typed = Reconnection {
        auth_scheme: None,
        fields: another.into_iter().map(|(name, value)| (name, value.into())).collect(),
        settings: BTreeMap::new(),
        name: None,
        tags: None,
        metadata: None,
        session: None,
        test: true,
    };
    let made =
        world.platform.reconnect(&world.access, None, "one", typed, &mut |_| {}).await.expect("accepted");
    assert!(made.is_ok());
    assert_eq!(world.lane.pool.idle_count(), 1, "what showed the old certificate is closed");
    assert!(peers("one").await.is_disjoint(&one), "another certificate, another connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_the_vendor_does_not_take_has_its_verdict() {
    let world = World::start().await;
    close(&world, "");
    let of_demo = world.kintone().issue_client_certificate("demo", "anna", None).expect("made");
    let of_demo = format!("{}{}", of_demo.certificate_pem, of_demo.private_key_pem);
    let revoked = certificate(&world);
    let password = fields(&[("login_name", "suzuki"), ("password", "sample:password:suzuki")]);
    let test = async |given: Fields| {
        let draft = filled("x", "password", &[password.clone(), given].concat());
        told(&world.test(&draft).await.expect("accepted").0)
    };
    assert_eq!(test(revoked.clone()).await, "credential: certificate_of_another_user");
    assert_eq!(test(fields(&[("certificate", &of_demo)])).await, "service: client_certificate_unknown");
    world.kintone().revoke_client_certificates("sample", "sato").expect("revoked");
    assert_eq!(test(revoked).await, "service: client_certificate_unknown");
    let far = world.kintone().now() + jiff::SignedDuration::from_hours(48);
    let short = world.kintone().now() + jiff::SignedDuration::from_hours(24);
    let ends = world.kintone().issue_client_certificate("sample", "suzuki", Some(short)).expect("made");
    world.kintone().set_clock(far);
    let ends = format!("{}{}", ends.certificate_pem, ends.private_key_pem);
    assert_eq!(test(fields(&[("certificate", &ends)])).await, "service: client_certificate_refused");
}
