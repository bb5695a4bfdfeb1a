//! Forms that are filled in wrongly, or by somebody hostile. Nothing is stored, nothing secret is repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;
use tombolo_egress::{FixedResolver, Resolve, ResolveFuture};
use tombolo_platform::{ConnectionDraft, Problem};

use crate::faults::{password, tokens};
use crate::world::{Backend, World, draft};

const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
const CUSTOMERS_VIEW: &str = "demoTokenCustomersView000000000000000000";
const ORDERS: &str = "demoTokenOrdersAll0000000000000000000000";
const STRANGER: &str = "demoTokenNobodyKnows00000000000000000000";

fn told(problem: &Problem) -> String {
    let fields: Vec<String> =
        problem.fields.iter().map(|fault| format!("{}:{}", fault.field, fault.code)).collect();
    format!("{} {}", problem.code, fields.join(" ")).trim_end().to_owned()
}

fn with_field(name: &str, value: &str) -> ConnectionDraft {
    let mut draft = tokens("d", CUSTOMERS, "1");
    draft.fields.insert(name.to_owned(), value.into());
    draft
}

fn with_setting(name: &str, value: &str) -> ConnectionDraft {
    let mut draft = tokens("d", CUSTOMERS, "1");
    draft.settings.insert(name.to_owned(), value.to_owned());
    draft
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_form_names_its_field() {
    let world = World::start().await;
    let long = "x".repeat(1 << 20);
    let ten = [CUSTOMERS; 10].join(",");
    let cases = [
        (
            "plain http",
            with_field("subdomain", "http://demo.kintone.com/k/1/"),
            "invalid_body subdomain:pattern",
        ),
        (
            "user-info",
            with_field("subdomain", "https://me:pw@demo.kintone.com/"),
            "invalid_body subdomain:pattern",
        ),
        (
            "another host",
            with_field("subdomain", "https://demo.kintone.com.evil.example/"),
            "invalid_body subdomain:pattern",
        ),
        ("an address", with_field("subdomain", "127.0.0.1"), "invalid_body subdomain:pattern"),
        ("a path", with_field("subdomain", "demo/../x"), "invalid_body subdomain:pattern"),
        ("a foreign domain", with_field("domain", "evil.example"), "invalid_body domain:not_a_choice"),
        ("line break", with_field("subdomain", "de\r\nmo"), "invalid_body subdomain:control_character"),
        ("NUL in a secret", with_field("token", "abc\0defghij"), "invalid_body token:control_character"),
        (
            "line break in a secret",
            with_field("token", "abcdefgh\r\nX-Evil: 1"),
            "invalid_body token:pattern",
        ),
        ("a long secret", with_field("token", &long), "invalid_body token:too_long"),
        ("a long subdomain", with_field("subdomain", &long), "invalid_body subdomain:too_long"),
        ("an unknown field", with_field("tokn", "x"), "invalid_body tokn:unknown_field"),
        ("no app", with_field("app", "customers"), "invalid_body app:pattern app:required"),
        ("ten tokens", with_field("token", &ten), "invalid_body token:too_many"),
        ("unknown setting", with_setting("timout", "3"), "invalid_body settings.timout:setting"),
        (
            "wrong value of a setting",
            with_setting("TimeOut", "soon"),
            "invalid_body settings.TimeOut:setting",
        ),
        ("a private proxy", with_setting("proxy_server", "127.0.0.1:3128"), "unavailable: address_refused"),
        ("unknown scheme", draft("d", "oauth9", &[]), "unknown_auth_scheme"),
        ("NUL in a password", password("d", "anna", "a\0b"), "invalid_body password:control_character"),
        (
            "line break in a login",
            password("d", "an\r\nna", "x"),
            "invalid_body login_name:control_character",
        ),
    ];
    let mut wrong = Vec::new();
    for (name, draft, expected) in cases {
        let told = match world.test(&draft).await {
            Err(problem) => {
                let text = format!("{problem} {problem:?}");
                assert!(!text.contains(CUSTOMERS) && text.len() < 20_000, "{name}: {}", text.len());
                told(&problem)
            }
            Ok((report, _)) if report.available => "available".to_owned(),
            Ok((report, _)) => format!("unavailable: {}", report.verdict().map_or("", |verdict| &verdict.is)),
        };
        if told != expected {
            wrong.push(format!("{name}: {told}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_taken_however_it_is_written(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    let named = |name: &str| ConnectionDraft { name: name.to_owned(), ..tokens("", CUSTOMERS, "1") };
    assert!(world.create(&named("がくぶち")).await.expect("accepted").is_ok());
    for name in ["がくぶち", "か\u{3099}くふ\u{3099}ち", " がくぶち "] {
        let problem = world.create(&named(name)).await.err().expect("the name is taken");
        assert_eq!(problem.code, "name_taken", "{name:?}: {problem}");
    }
    for name in ["", "  ", "a\nb", "a\0b"] {
        let problem = world.create(&named(name)).await.err().expect("no such name");
        assert_eq!(problem.fields.first().map(|fault| &*fault.field), Some("name"), "{name:?}");
    }
    assert!(world.create(&named("かくふち")).await.expect("another name").is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_outnumber_apps_find_their_place_or_are_named() {
    let world = World::start().await;
    let place = async |token: &str, app: &str| match world.test(&tokens("d", token, app)).await {
        Ok((report, _)) if report.available => "available".to_owned(),
        Ok((report, _)) => format!("unavailable: {}", report.verdict().map_or("", |verdict| &verdict.is)),
        Err(problem) => {
            assert!(!format!("{problem:?}").contains("demoToken"), "no token is repeated");
            let texts: Vec<&str> = problem.fields.iter().map(|fault| fault.message.en.as_str()).collect();
            format!("{}: {}", problem.code, texts.join(" "))
        }
    };
    // As many as apps: paired by position, so a swap is a failed test.
    assert_eq!(place(&format!("{CUSTOMERS},{ORDERS}"), "1,2").await, "available");
    assert!(place(&format!("{ORDERS},{CUSTOMERS}"), "1,2").await.starts_with("unavailable"));
    let twice = place(&format!("{CUSTOMERS},{CUSTOMERS_VIEW}"), "1,1").await;
    assert_eq!(twice, "invalid_body: `1` stands twice.", "one app takes one token");
    for (token, app, expected) in [
        (format!("{ORDERS},{STRANGER},{CUSTOMERS}"), "1,2", "invalid_body: Key number 2 fits none of 1, 2."),
        (
            format!("{ORDERS},{CUSTOMERS_VIEW},{CUSTOMERS}"),
            "1,2",
            "invalid_body: Key number 3 fits none of 1, 2.",
        ),
        (ORDERS.to_owned(), "1,2", "invalid_body: None of the keys fits `1`."),
    ] {
        assert_eq!(place(&token, app).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_taken_in_any_spelling_and_a_wrong_one_gets_the_nearest_name() {
    let world = World::start().await;
    for name in ["timeout", "Timeout", "TIMEOUT"] {
        let (report, _) = world.test(&with_setting(name, "9")).await.expect("accepted");
        assert!(report.available, "{name}");
    }
    let Err(problem) = world.test(&with_setting("timout", "9")).await else {
        panic!("there is no such setting")
    };
    assert!(problem.fields[0].message.en.to_lowercase().contains("timeout"), "{:?}", problem.fields);
}

/// A name that stands for another address each time it is asked for.
struct Turning {
    asked: AtomicUsize,
    answers: Vec<FixedResolver>,
}

impl Resolve for Turning {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> ResolveFuture<'a> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        self.answers[asked.min(self.answers.len() - 1)].resolve(host, port)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_turns_private_is_never_connected_to() {
    let answer = |address: &str| {
        FixedResolver::default().with("turning.kintone.com", &[address.parse().expect("an address")])
    };
    for address in ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"] {
        let world = World::start_with(|options, _| {
            options.resolver =
                Arc::new(Turning { asked: AtomicUsize::new(0), answers: vec![answer(address)] });
        })
        .await;
        let fields =
            [("subdomain", "turning"), ("domain", "kintone.com"), ("token", CUSTOMERS), ("app", "1")];
        let turning = draft("t", "api_token", &fields);
        let (report, _) = world.test(&turning).await.expect("accepted");
        assert_eq!(report.verdict().map(|verdict| &*verdict.is), Some("address_refused"), "{address}");
        // Stored without a test, its calls are refused just the same.
        let stored = world.platform.create_connection(&world.access, &turning, false, &mut |_| {}).await;
        assert!(stored.expect("accepted").is_ok());
        let told = world.get("t", "/k/v1/record.json?app=1&id=1").await;
        assert_eq!(told, (502, "address_refused".to_owned()), "{address}");
    }
}
