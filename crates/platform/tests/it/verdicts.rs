//! Each failure cause breaks the emulator, the way to it or the form in one way, and gets a verdict of its own.

use rstest::rstest;
use tombolo_kintone_emulator::{Control, Effect, Fault};
use tombolo_platform::{ConnectionDraft, Outcome, TestReport};

use crate::world::{Backend, World, connect_to, draft};

const TOKEN: &str = "demoTokenCustomersAll0000000000000000000";

/// The stage that failed and its verdict; the capabilities that are missing when none failed.
pub fn told(report: &TestReport) -> String {
    if let Some(failed) = report.stages.iter().find(|stage| stage.outcome == Outcome::Failed) {
        let verdict = failed.verdict.as_ref().expect("a failure has a verdict");
        assert!(!verdict.says.ja.is_empty() && !verdict.fix.ja.is_empty(), "both languages");
        let subject = failed.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
        format!("{}{subject}: {} ({:?})", failed.stage, verdict.is, verdict.side)
    } else {
        let missing: Vec<String> = report
            .stages
            .iter()
            .filter(|stage| stage.outcome == Outcome::NotPermitted)
            .map(|stage| {
                let verdict = stage.verdict.as_ref().expect("a refusal has a verdict");
                format!("{} {}: {}", stage.stage, stage.subject.as_deref().unwrap_or("-"), verdict.is)
            })
            .collect();
        format!("available; {}", missing.join(", "))
    }
}

fn tokens(token: &str, app: &str) -> ConnectionDraft {
    draft(
        "t",
        "api_token",
        &[("subdomain", "demo"), ("domain", "kintone.com"), ("token", token), ("app", app)],
    )
}

fn password(user: &str, password: &str) -> ConnectionDraft {
    let fields = [
        ("subdomain", "demo"),
        ("domain", "kintone.com"),
        ("login_name", user),
        ("password", password),
        ("app", "1"),
    ];
    draft("p", "password", &fields)
}

fn behind_basic(more: &[(&str, &str)]) -> ConnectionDraft {
    let mut fields = vec![
        ("subdomain", "sample"),
        ("domain", "cybozu.com"),
        ("login_name", "sato"),
        ("password", "sample-password-sato"),
        ("app", "11"),
    ];
    fields.extend_from_slice(more);
    draft("b", "password", &fields)
}

fn fault(effect: Effect) -> Fault {
    Fault { tenant: None, method: None, path: None, skip: 0, count: None, effect }
}

fn status(status: u16, code: Option<&str>, html: Option<&str>) -> Effect {
    match (code, html) {
        (_, Some(html)) => Effect::page(status, html),
        (Some(code), None) => Effect::refusal(status, code),
        (None, None) => Effect::status(status),
    }
}

type Break = fn(&Control);

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_cause_has_a_verdict_of_its_own(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    let with_gate = [("basic_username", "gate"), ("basic_password", "sample-gate-password")];
    let gated = |more: &[(&'static str, &'static str)]| behind_basic(&[&with_gate[..], more].concat());
    let nothing: Break = |_| {};
    let causes: Vec<(&str, ConnectionDraft, Break, &str)> = vec![
        ("nothing is wrong", tokens(TOKEN, "1"), nothing, "available; "),
        (
            "unknown name",
            draft("n", "api_token", &[("subdomain", "nowhere-such-tenant"), ("token", TOKEN), ("app", "1")]),
            nothing,
            "name: no_such_tenant (Input)",
        ),
        (
            "wrong region: the vendor answers, but has no such tenant",
            draft("n", "api_token", &[("subdomain", "stranger"), ("token", TOKEN), ("app", "1")]),
            nothing,
            "service: no_such_tenant (Input)",
        ),
        (
            "unknown token",
            tokens("demoTokenNobodyKnows00000000000000000000", "1"),
            nothing,
            "app 1: token_refused (Input)",
        ),
        (
            "app not updated after the token was made",
            tokens("demoTokenCustomersDraft00000000000000000", "1"),
            nothing,
            "app 1: token_refused (Input)",
        ),
        (
            "token revoked",
            tokens(TOKEN, "1"),
            |kintone| kintone.revoke_token("demo", TOKEN).unwrap(),
            "app 1: token_refused (Input)",
        ),
        ("token of another app", tokens(TOKEN, "2"), nothing, "app 2: token_of_another_app (Input)"),
        ("no such app", tokens(TOKEN, "999"), nothing, "app 999: app_not_found (Input)"),
        (
            "token may not view",
            tokens("demoTokenOrdersAdd0000000000000000000000", "2"),
            nothing,
            "available; view 2: permission_missing, manage 2: permission_missing",
        ),
        (
            "token may only view",
            tokens("demoTokenCustomersView000000000000000000", "1"),
            nothing,
            "available; manage 1: permission_missing",
        ),
        (
            "wrong password",
            password("anna", "not-her-password"),
            nothing,
            "credential: wrong_password (Input)",
        ),
        (
            "account locked",
            password("dora", "demo-password-dora"),
            nothing,
            "credential: account_locked (Vendor)",
        ),
        (
            "two-factor user",
            password("emil", "demo-password-emil"),
            nothing,
            "credential: two_factor (Vendor)",
        ),
        (
            "password expired",
            password("fay", "demo-password-fay"),
            nothing,
            "credential: password_expired (Vendor)",
        ),
        (
            "temporary password",
            password("gus", "demo-password-gus"),
            nothing,
            "credential: temporary_password (Vendor)",
        ),
        (
            "no service for the user",
            password("hana", "demo-password-hana"),
            nothing,
            "credential: no_service_for_user (Vendor)",
        ),
        ("Basic gate not filled in", behind_basic(&[]), nothing, "service: basic_gate_missing (Input)"),
        (
            "Basic gate refused",
            behind_basic(&[("basic_username", "gate"), ("basic_password", "wrong")]),
            nothing,
            "gate: basic_gate_refused (Input)",
        ),
        ("behind the gate all is well", gated(&[]), nothing, "available; "),
        ("app in a guest space", gated(&[("app", "21")]), nothing, "app 21: guest_space_needed (Input)"),
        (
            "app not in this guest space",
            gated(&[("guest_space_id", "5")]),
            nothing,
            "app 11: guest_space_wrong (Input)",
        ),
        (
            "address not allowed",
            tokens(TOKEN, "1"),
            |kintone| kintone.set_allowed_networks("demo", vec!["203.0.113.0/24".to_owned()]).unwrap(),
            "service: address_not_allowed (Vendor)",
        ),
        (
            "maintenance",
            tokens(TOKEN, "1"),
            |kintone| kintone.inject(fault(Effect::Maintenance)),
            "service: maintenance (Vendor)",
        ),
        (
            "too many requests",
            tokens(TOKEN, "1"),
            |kintone| kintone.inject(fault(status(429, Some("GAIA_TO04"), None))),
            "service: too_many_requests (Vendor)",
        ),
        (
            "too many cursors",
            tokens(TOKEN, "1"),
            |kintone| kintone.inject(fault(status(429, Some("GAIA_TM12"), None))),
            "service: too_many_cursors (Vendor)",
        ),
        (
            "data locked for a moment",
            tokens(TOKEN, "1"),
            |kintone| kintone.inject(Fault { skip: 1, ..fault(status(400, Some("GAIA_DA02"), None)) }),
            "app 1: locked_for_a_moment (Vendor)",
        ),
        (
            "sent to a login page",
            tokens(TOKEN, "1"),
            |kintone| kintone.inject(fault(status(302, None, Some("<a href=/login>login</a>")))),
            "service: login_page (Vendor)",
        ),
        (
            "something else answers",
            tokens(TOKEN, "1"),
            |kintone| kintone.inject(fault(status(200, None, Some("<h1>Router</h1>")))),
            "service: not_kintone (Input)",
        ),
        (
            "the vendor fails",
            tokens(TOKEN, "1"),
            |kintone| kintone.inject(Fault { skip: 1, ..fault(status(500, None, Some("<h1>500</h1>"))) }),
            "app 1: vendor_failure (Vendor)",
        ),
        (
            "connection dropped",
            tokens(TOKEN, "1"),
            |kintone| kintone.inject(fault(Effect::DropConnection)),
            "service: answer_broken_off (Network)",
        ),
        (
            "reset in the middle of the body",
            tokens(TOKEN, "1"),
            |kintone| kintone.inject(fault(Effect::ResetMidBody)),
            "service: answer_broken_off (Network)",
        ),
    ];
    let mut wrong = Vec::new();
    for (cause, draft, break_it, expected) in causes {
        world.kintone().reset().expect("the seed");
        world.kintone().clear_faults();
        break_it(&world.kintone());
        let told = match world.test(&draft).await {
            Ok((report, _)) => told(&report),
            Err(problem) => format!("refused: {}", problem.code),
        };
        if told != expected {
            wrong.push(format!("{cause}: {told}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_upstream_is_given_up_in_time() {
    let world = World::start().await;
    world.kintone().inject(fault(Effect::Latency { milliseconds: 5_000 }));
    let mut draft = tokens(TOKEN, "1");
    draft.settings.insert("Timeout".to_owned(), "1".to_owned());
    let (report, _) = world.test(&draft).await.expect("accepted");
    assert_eq!(told(&report), "service: answer_timeout (Vendor)");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ways_there_that_fail_are_told_apart() {
    let world = World::start_with(|options, emulator| {
        let tls = emulator.https_address().expect("TLS").to_string();
        let plain = emulator.http_address().to_string();
        options.egress.connect_to.extend([
            connect_to("untrusted.kintone.com", &tls),
            connect_to("plain.kintone.com", &plain),
            connect_to("closed.kintone.com", "127.0.0.1:1"),
        ]);
    })
    .await;
    for (subdomain, expected) in [
        ("untrusted", "tls: certificate_unknown_authority (Network)"),
        ("plain", "tls: tls_failed (Network)"),
        ("closed", "connect: connection_refused (Network)"),
        ("private", "name: address_refused (Input)"),
    ] {
        let draft = draft("w", "api_token", &[("subdomain", subdomain), ("token", TOKEN), ("app", "1")]);
        let (report, _) = world.test(&draft).await.expect("accepted");
        assert_eq!(told(&report), expected, "{subdomain}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_is_tried_once_and_then_refused_here() {
    let world = World::start().await;
    let (report, _) = world.test(&password("anna", "not-her-password")).await.expect("accepted");
    assert!(report.stopped);
    let tried = world
        .kintone()
        .requests()
        .iter()
        .filter(|seen| seen.header("x-cybozu-authorization").is_some())
        .count();
    assert_eq!(tried, 1, "a password is tried once");
}
