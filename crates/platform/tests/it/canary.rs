//! No secret of a whole story is in the database, the log of calls, the trail, the reports or the program's own log.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rstest::rstest;
use secrecy::ExposeSecret;
use tombolo_store::ActivityFilter;
use tombolo_store::testing::dump;
use tracing_subscriber::EnvFilter;

use crate::faults::{password, tokens};
use crate::world::{Backend, World, draft, master_key_text};

const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
const STRANGER: &str = "canaryTokenNobodyKnows0000000000000001";
const PASSWORD: &str = "demo-password-anna";
const WRONG_PASSWORD: &str = "canary-wrong-password";
const GATE: &str = "sample-gate-password";
const SATO: &str = "sample-password-sato";

/// What the program logs, in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of this process, from the first call on. The emulator is not the product: what it logs does not count.
fn log() -> Log {
    static LOG: std::sync::OnceLock<Log> = std::sync::OnceLock::new();
    let start = || {
        let log = Log::default();
        let writer = log.clone();
        let filter =
            EnvFilter::new("debug,tombolo_platform=trace,tombolo_egress=trace,tombolo_kintone_emulator=off");
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || writer.clone()).init();
        log
    };
    LOG.get_or_init(start).clone()
}

/// Every form in which a secret might be written down, as bytes to search for.
pub fn forms(secret: &str) -> Vec<String> {
    let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("text can be written");
        hex
    });
    let every_byte = secret.bytes().fold(String::new(), |mut url, byte| {
        write!(url, "%{byte:02X}").expect("text can be written");
        url
    });
    let mut forms = vec![
        secret.to_owned(),
        hex.to_uppercase(),
        hex,
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        every_byte,
    ];
    // The middle of the base64 text is the same whatever stands before and behind, up to three shifts.
    forms.extend((0..3).map(|shift| {
        let encoded = STANDARD_NO_PAD.encode(format!("{}{secret}", "x".repeat(shift)));
        encoded[4..encoded.len() - 4].to_owned()
    }));
    forms
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_whole_story_is_written_down(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let log = log();
    let world = World::start_on(backend).await;
    let mut told = String::new();
    let gated = [
        ("subdomain", "sample"),
        ("domain", "cybozu.com"),
        ("login_name", "sato"),
        ("password", SATO),
        ("basic_username", "gate"),
        ("basic_password", GATE),
        ("app", "11"),
    ];
    let drafts = [
        tokens("visible-name", CUSTOMERS, "1"),
        password("p", "anna", PASSWORD),
        draft("g", "password", &gated),
        tokens("s", STRANGER, "1"),
        tokens("u", &format!("{STRANGER},{CUSTOMERS}"), "1"),
        password("w", "anna", WRONG_PASSWORD),
    ];
    for draft in &drafts {
        match world.create(draft).await {
            Ok(Ok(made)) => write!(told, "{made:?}", made = made.connection).expect("text"),
            Ok(Err(report)) => write!(told, "{}", serde_json::json!(report)).expect("text"),
            Err(problem) => write!(told, "{problem} {problem:?}").expect("text"),
        }
    }
    let scopes = ["environment:*".to_owned()];
    let (_, key) = world.platform.create_api_key(&world.access, "k", &scopes, None).await.expect("a key");
    world.platform.authenticate(key.expose()).await.expect("valid");
    world.kintone().set_password("demo", "anna", "changed-meanwhile").expect("a user");
    for (connection, target) in [
        ("visible-name", "/k/v1/record.json?app=1&id=1"),
        ("visible-name", "/k/v1/records.json?app=1&query=no%20such%20field"),
        ("visible-name", "/k/v1/records.json?app=2"),
        ("p", "/k/v1/record.json?app=1&id=1"),
        ("p", "/k/v1/record.json?app=1&id=1"),
        ("g", "/k/v1/record.json?app=11&id=1"),
    ] {
        let (_, headers, body) = world.call(connection, Method::GET, target, "").await;
        write!(told, "{headers:?} {body}").expect("text");
    }
    world.platform.flush_activity().await;
    let calls = world.platform.list_activity(&world.access, None, ActivityFilter::default(), None, 100).await;
    let trail = world.platform.list_audit_events(&world.access, None, 100).await;
    write!(told, "{calls:?} {trail:?}").expect("text");

    let logged = log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(contains(&logged, "DEBUG"), "the log is captured");
    let stored = dump(&world.location()).await;
    let key_secret = key.expose()["tmb_".len() + key.lookup().as_str().len() + 1..].to_owned();
    let master_key = match backend {
        Backend::Postgres => master_key_text(1).expose_secret().to_owned(),
        Backend::Sqlite => {
            std::fs::read_to_string(world.directory.path().join("data/master.key")).expect("it was made")
        }
    };
    let master_key = master_key.trim().rsplit(':').next().expect("the key itself").to_owned();
    let contains =
        |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for (place, bytes) in [("database", &stored), ("log", &logged), ("answers", &told.into_bytes())] {
        if place != "log" {
            assert!(contains(bytes, "visible-name"), "{place}: the search finds what is there");
        }
        for secret in [
            CUSTOMERS,
            STRANGER,
            PASSWORD,
            WRONG_PASSWORD,
            GATE,
            SATO,
            key_secret.as_str(),
            master_key.as_str(),
        ] {
            for form in forms(secret) {
                assert!(!contains(bytes, &form), "{place}: {secret} as {form}");
            }
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
