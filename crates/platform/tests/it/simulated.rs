//! Every provider file end to end, against a simulator that plays it: linked, called through, refused, disturbed.
//! A later provider is proved by its file alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;
use tombolo_catalog::{Catalog, Provider, Side};
use tombolo_kintone_emulator::model::BasicGate;
use tombolo_kintone_emulator::{AcceptedCredential, Effect, Fault, Seed, Simulator, SimulatorOptions};
use tombolo_platform::start::ConnectToOption;
use tombolo_platform::{ConnectionDraft, Outcome, TestReport};

use crate::verdicts::told;
use crate::world::{World, connect_to, draft};

/// The built-in providers, which are all the files of `providers/`: a test of the catalog sees to that.
fn providers() -> Vec<Arc<Provider>> {
    let catalog = Catalog::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    catalog.iter().cloned().collect()
}

fn provider(id: &str) -> Arc<Provider> {
    providers().into_iter().find(|provider| provider.id == id).expect("a built-in provider")
}

fn gate() -> BasicGate {
    BasicGate { username: "simulated-gate".to_owned(), password: "simulated-gate-password".to_owned() }
}

/// A simulator, and a platform that reaches it under the provider's own host.
async fn simulate(provider: &Arc<Provider>, basic_gate: Option<BasicGate>) -> (World, Simulator) {
    let options = SimulatorOptions { basic_gate, ..SimulatorOptions::new(Arc::clone(provider)) };
    let simulator =
        Simulator::start(options).await.unwrap_or_else(|error| panic!("{}: {error}", provider.id));
    let world = World::start_with(|options, _| {
        let address = simulator.https_address().expect("TLS").to_string();
        options.egress.connect_to = vec![ConnectToOption {
            authority: simulator.certificate_authority_pem().map(str::to_owned),
            ..connect_to(simulator.host(), &address)
        }];
    })
    .await;
    (world, simulator)
}

/// A draft from a form's fields.
fn filled(provider: &str, scheme: &str, fields: &BTreeMap<String, String>) -> ConnectionDraft {
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    ConnectionDraft {
        integration: provider.to_owned(),
        ..draft(&format!("{provider} {scheme}"), scheme, &fields)
    }
}

/// The drafts that link the sample account, one for each scheme.
fn drafts(simulator: &Simulator) -> Vec<(String, ConnectionDraft)> {
    let draft_of = |credential| {
        let form = simulator.form(credential).expect("a form that can be filled in");
        filled(&simulator.provider().id, &credential.scheme, &form)
    };
    by_form(simulator).map(|credential| (credential.scheme.clone(), draft_of(credential))).collect()
}

/// The credentials that a form alone links with; the others need a person in a browser, and are linked elsewhere.
fn by_form(simulator: &Simulator) -> impl Iterator<Item = &AcceptedCredential> {
    let provider = simulator.provider();
    simulator.credentials().iter().filter(|credential| {
        provider.scheme(&credential.scheme).is_some_and(|scheme| !scheme.needs_browser())
    })
}

/// The same form with another last character in the secret.
fn with_wrong_secret(simulator: &Simulator, scheme: &str) -> ConnectionDraft {
    let provider = simulator.provider();
    let credential = simulator.credentials().iter().find(|known| known.scheme == scheme).expect("accepted");
    let mut form = simulator.form(credential).expect("a form that can be filled in");
    for (name, _) in
        provider.scheme(scheme).expect("a scheme").fields.iter().filter(|(_, field)| field.secret)
    {
        let secret = form.get_mut(name).expect("a secret");
        let last = secret.pop().expect("a character");
        secret.push(if last == '1' { '2' } else { '1' });
    }
    filled(&provider.id, scheme, &form)
}

fn failed(report: &TestReport) -> (&str, Side) {
    let verdict = report.verdict().unwrap_or_else(|| panic!("nothing failed: {report:#?}"));
    (&verdict.is, verdict.side)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_provider_is_linked_and_called_through_by_each_scheme() {
    for provider in providers() {
        let (world, simulator) = simulate(&provider, None).await;
        for (scheme, draft) in drafts(&simulator) {
            let of = format!("{} {scheme}", provider.id);
            let created = world.create(&draft).await.unwrap_or_else(|problem| panic!("{of}: {problem:?}"));
            let report = created.unwrap_or_else(|report| panic!("{of}: {report:#?}")).report.expect("tested");
            assert!(report.available, "{of}");
            for stage in &report.stages {
                assert!(
                    matches!(stage.outcome, Outcome::Passed | Outcome::Skipped),
                    "{of}: {} is {:?}",
                    stage.stage,
                    stage.outcome
                );
            }
            let ran = |id: &str| report.stages.iter().any(|stage| stage.stage == id);
            for stage in
                provider.test.iter().filter(|stage| stage.applies_to(&scheme) && stage.when.is_none())
            {
                assert!(ran(&stage.id), "{of}: the stage {} did not run", stage.id);
            }
            let (status, _, echo) = world.call(&draft.name, Method::POST, "/any/thing?page=2", "{}").await;
            assert_eq!(status, 200, "{of}: {echo}");
            assert_eq!(
                (&echo["method"], &echo["query"], &echo["body_size"]),
                (&"POST".into(), &serde_json::json!([["page", "2"]]), &2.into()),
                "{of}"
            );
            assert!(echo["path"].as_str().is_some_and(|path| path.ends_with("/any/thing")), "{of}: {echo}");
        }
        simulator.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_credential_of_each_scheme_has_a_verdict_of_its_own() {
    for provider in providers() {
        let (world, simulator) = simulate(&provider, None).await;
        for credential in by_form(&simulator) {
            let of = format!("{} {}", provider.id, credential.scheme);
            let wrong = with_wrong_secret(&simulator, &credential.scheme);
            let report = world.create(&wrong).await.unwrap_or_else(|problem| panic!("{of}: {problem:?}"));
            let report = report.err().unwrap_or_else(|| panic!("{of}: a wrong credential was stored"));
            let (is, side) = failed(&report);
            assert_eq!(side, Side::Input, "{of}: {is}");
            assert_ne!(is, "unexpected_answer", "{of}");
            let plan = world.platform.plan(&world.access.environment, None, &wrong.name).await;
            assert!(plan.is_err(), "{of}: nothing is stored");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdicts_on_wrong_credentials_are_those_of_the_files() {
    let mut lines = Vec::new();
    for id in ["kintone", "kintone-user-api", "oomnitza"] {
        let (world, simulator) = simulate(&provider(id), None).await;
        for credential in by_form(&simulator) {
            let wrong = with_wrong_secret(&simulator, &credential.scheme);
            let (report, _) = world.test(&wrong).await.expect("accepted");
            lines.push(format!("{id} {}: {} stopped={}", credential.scheme, told(&report), report.stopped));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    kintone api_token: app 22: token_refused (Input) stopped=false
    kintone password: credential: wrong_password (Input) stopped=true
    kintone session: credential: session_ended (Input) stopped=false
    kintone-user-api token: credential: token_expired_or_refused (Input) stopped=false
    kintone-user-api password: credential: wrong_password (Input) stopped=true
    kintone-user-api session: credential: session_ended (Input) stopped=false
    oomnitza api_token: credential: credential_refused (Input) stopped=false
    oomnitza password: credential: credential_refused (Input) stopped=true
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_scheme_stands_where_the_file_says() {
    let mut lines = Vec::new();
    for (id, headers) in [
        ("oomnitza", ["authorization2", "authorization", "cookie"]),
        ("kintone-user-api", ["authorization", "x-cybozu-authorization", "cookie"]),
    ] {
        let (world, simulator) = simulate(&provider(id), None).await;
        for (scheme, draft) in drafts(&simulator) {
            let created = world.create(&draft).await.expect("accepted");
            assert!(created.is_ok(), "{id} {scheme}");
            simulator.control().clear_requests();
            assert_eq!(world.call(&draft.name, Method::GET, "/thing", "").await.0, 200, "{id} {scheme}");
            let [seen] = &simulator.control().requests()[..] else { panic!("one request") };
            let carried = headers.iter().filter_map(|name| Some(format!("{name}: {}", seen.header(name)?)));
            lines.push(format!("{id} {scheme} -> {}", carried.collect::<Vec<_>>().join("; ")));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    oomnitza api_token -> authorization2: 1-simulated-oomnitza-api_token-token
    oomnitza password -> authorization: Basic MS1zaW11bGF0ZWQtb29tbml0emEtcGFzc3dvcmQtbG9naW5fbmFtZToxLXNpbXVsYXRlZC1vb21uaXR6YS1wYXNzd29yZC1wYXNzd29yZA==
    kintone-user-api token -> authorization: Bearer cy.s.api1.1-simulated-kintone-user-api-token-token.1-simulated-kintone-user-api-token-token1-simulated-kintone-user-api-token-token
    kintone-user-api password -> x-cybozu-authorization: MS1zaW11bGF0ZWQta2ludG9uZS11c2VyLWFwaS1wYXNzd29yZC1sb2dpbl9uYW1lOjEtc2ltdWxhdGVkLWtpbnRvbmUtdXNlci1hcGktcGFzc3dvcmQtcGFzc3dvcmQ=
    kintone-user-api session -> cookie: JSESSIONID=1-simulated-kintone-user-api-session-session
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_of_every_provider_that_has_one_is_passed_refused_and_missed() {
    let mut lines = Vec::new();
    for provider in providers().iter().filter(|provider| !provider.gates.is_empty()) {
        let (world, simulator) = simulate(provider, Some(gate())).await;
        for (scheme, mut draft) in drafts(&simulator) {
            let of = format!("{} {scheme}", provider.id);
            if provider.scheme(&scheme).expect("a scheme").uses_authorization_header() {
                let problem = world.test(&draft).await.expect_err("the form refuses it");
                lines.push(format!("{of}: {}", problem.fields[0].code));
                continue;
            }
            let passed = told(&world.test(&draft).await.expect("accepted").0);
            draft.fields.insert("basic_password".to_owned(), "simulated-wrong-password".into());
            let refused = told(&world.test(&draft).await.expect("accepted").0);
            draft.fields.remove("basic_username");
            draft.fields.remove("basic_password");
            let missed = told(&world.test(&draft).await.expect("accepted").0);
            lines.push(format!("{of}: {passed}| {refused} | {missed}"));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    kintone api_token: available; | gate: basic_gate_refused (Input) | service: basic_gate_missing (Input)
    kintone password: available; | gate: basic_gate_refused (Input) | service: basic_gate_missing (Input)
    kintone session: available; | gate: basic_gate_refused (Input) | service: basic_gate_missing (Input)
    kintone-user-api token: impossible_combination
    kintone-user-api password: available; | gate: basic_gate_refused (Input) | service: basic_gate_missing (Input)
    kintone-user-api session: available; | gate: basic_gate_refused (Input) | service: basic_gate_missing (Input)
    ");
}

/// What disturbs the vendor, by name.
fn disturbances() -> Vec<(&'static str, Effect)> {
    vec![
        ("429", Effect::status(429)),
        ("403", Effect::status(403)),
        ("500 page", Effect::page(500, "<h1>Internal Server Error</h1>")),
        ("503 page", Effect::Maintenance),
        ("200 page", Effect::page(200, "<h1>Welcome</h1>")),
        ("404 page", Effect::page(404, "<h1>Not found</h1>")),
        ("hang", Effect::Latency { milliseconds: 5_000 }),
        ("dropped", Effect::DropConnection),
        ("broken off", Effect::ResetMidBody),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_disturbance_has_its_verdict() {
    let mut lines = Vec::new();
    for id in ["oomnitza", "kintone-user-api"] {
        let provider = provider(id);
        let stage = provider.test.iter().find(|stage| stage.id == "credential").expect("a stage");
        let path = stage.request.path.source();
        let (world, simulator) = simulate(&provider, None).await;
        let (_, mut draft) = drafts(&simulator).remove(0);
        draft.settings.insert("timeout".to_owned(), "1".to_owned());
        for (name, effect) in disturbances() {
            simulator.control().clear_faults();
            simulator.control().inject(Fault::new(effect).tenant(id).on("GET", path));
            let (report, _) = world.test(&draft).await.expect("accepted");
            lines.push(format!("{id}, {name}: {}", told(&report)));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    oomnitza, 429: credential: too_many_requests (Vendor)
    oomnitza, 403: credential: permission_missing (Vendor)
    oomnitza, 500 page: credential: vendor_failure (Vendor)
    oomnitza, 503 page: credential: vendor_failure (Vendor)
    oomnitza, 200 page: credential: unexpected_answer (Vendor)
    oomnitza, 404 page: credential: no_such_tenant (Input)
    oomnitza, hang: credential: answer_timeout (Vendor)
    oomnitza, dropped: credential: answer_broken_off (Network)
    oomnitza, broken off: credential: answer_broken_off (Network)
    kintone-user-api, 429: credential: too_many_requests (Vendor)
    kintone-user-api, 403: credential: permission_missing (Vendor)
    kintone-user-api, 500 page: credential: vendor_failure (Vendor)
    kintone-user-api, 503 page: credential: maintenance (Vendor)
    kintone-user-api, 200 page: credential: unexpected_answer (Vendor)
    kintone-user-api, 404 page: credential: no_such_tenant (Input)
    kintone-user-api, hang: credential: answer_timeout (Vendor)
    kintone-user-api, dropped: credential: answer_broken_off (Network)
    kintone-user-api, broken off: credential: answer_broken_off (Network)
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_provider_survives_every_disturbance() {
    for provider in providers() {
        let (world, simulator) = simulate(&provider, None).await;
        let (_, mut draft) = drafts(&simulator).remove(0);
        draft.settings.insert("timeout".to_owned(), "1".to_owned());
        for (name, effect) in disturbances() {
            simulator.control().clear_faults();
            simulator.control().inject(Fault::new(effect));
            let (report, _) = world.test(&draft).await.expect("accepted");
            let available = report.available;
            assert!(!available, "{}, {name}: {report:#?}", provider.id);
            let (is, side) = failed(&report);
            // What a vendor does to us is never blamed on this installation.
            assert_ne!(side, Side::Tombolo, "{}, {name}: {is}", provider.id);
        }
        simulator.control().clear_faults();
        let (report, _) = world.test(&draft).await.expect("accepted");
        assert!(report.available, "{} recovers", provider.id);
    }
}

/// The tokens of the User API in the emulator's built-in tenants: read, read and write, expired.
fn user_api_tokens() -> [String; 3] {
    let tokens: Vec<String> =
        Seed::demo().tenants[0].user_api_tokens.iter().map(|known| known.token.clone()).collect();
    tokens.try_into().expect("three tokens")
}

fn user_api(scheme: &str, more: &[(&str, &str)]) -> ConnectionDraft {
    let fields = [&[("subdomain", "demo"), ("domain", "kintone.com")], more].concat();
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut draft = filled("kintone-user-api", scheme, &fields);
    draft.name = format!("{scheme} {}", more.iter().map(|(_, value)| *value).collect::<String>());
    draft.name.truncate(100);
    draft
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_api_of_the_emulator_is_linked_and_called_by_token() {
    let world = World::start().await;
    let [read, write, expired] = user_api_tokens();
    let reader = ConnectionDraft { name: "reader".to_owned(), ..user_api("token", &[("token", &read)]) };
    let writer = ConnectionDraft { name: "writer".to_owned(), ..user_api("token", &[("token", &write)]) };
    for draft in [&reader, &writer] {
        let created = world.create(draft).await.expect("accepted");
        created.unwrap_or_else(|report| panic!("{}: {report:#?}", draft.name));
    }
    let (status, _, body) = world.call("reader", Method::GET, "/v1/users.json?size=2", "").await;
    assert_eq!((status, body["users"].as_array().map(Vec::len)), (200, Some(2)));
    let add = r#"{"users": [{"code": "new", "name": "New"}]}"#;
    let (status, _, body) = world.call("reader", Method::POST, "/v1/users.json", add).await;
    assert_eq!((status, &body["code"]), (403, &"CB_NO02".into()));
    assert_eq!(world.call("writer", Method::POST, "/v1/users.json", add).await.0, 200);

    let (report, _) = world.test(&user_api("token", &[("token", &expired)])).await.expect("accepted");
    assert_eq!(told(&report), "credential: token_expired_or_refused (Input)");
    world.kintone().revoke_user_api_token("demo", &read).expect("a known token");
    let (report, _) = world.test(&reader).await.expect("accepted");
    assert_eq!(told(&report), "credential: token_expired_or_refused (Input)");
    assert_eq!(world.call("reader", Method::GET, "/v1/users.json?size=2", "").await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_api_behind_the_gate_takes_a_password_and_no_token() {
    let world = World::start().await;
    let [read, ..] = user_api_tokens();
    let keeper = [("basic_username", "gate"), ("basic_password", "sample-gate-password")];
    let sample = [("subdomain", "sample"), ("domain", "cybozu.com")];
    let user = [("login_name", "sato"), ("password", "sample-password-sato")];
    let told_by = async |draft: ConnectionDraft| match world.test(&draft).await {
        Ok((report, _)) => told(&report),
        Err(problem) => {
            let fields: Vec<String> =
                problem.fields.iter().map(|field| format!("{}: {}", field.field, field.code)).collect();
            fields.join(", ")
        }
    };
    let with_gate = |more: &[(&'static str, &'static str)]| [&sample[..], more, &keeper].concat();
    assert_eq!(told_by(user_api("password", &with_gate(&user))).await, "available; ");
    let token = [&[("token", read.as_str())][..], &keeper].concat();
    assert_eq!(told_by(user_api("token", &token)).await, "basic_username: impossible_combination");
    let token = [&sample[..], &[("token", read.as_str())]].concat();
    assert_eq!(told_by(user_api("token", &token)).await, "service: basic_gate_missing (Input)");
    let anna = [("login_name", "anna"), ("password", "demo-password-anna")];
    assert_eq!(told_by(user_api("password", &anna)).await, "available; ");
    let wrong = [("login_name", "anna"), ("password", "not-her-password")];
    assert_eq!(told_by(user_api("password", &wrong)).await, "credential: wrong_password (Input)");
}
