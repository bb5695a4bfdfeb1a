//! Every secret of this test is a marker that occurs nowhere else: it is then looked for in all answers, in the files of the
//! database and in the log, in plain, base64, hexadecimal and URL form.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::app::{App, PASSWORD, TOKEN, draft};

const WRONG_TOKEN: &str = "canaryTokenUnknown0000000000000000000009";
const WRONG_PASSWORD: &str = "Canary-Wrong+word/4 %&=";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_leaves_the_place_where_it_is_sealed() {
    let log = Log::default();
    let writer = log.clone();
    // One subscriber for the whole binary: what other tests log is looked through as well.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let app = App::start().await;
    let caller = app.caller();

    let created = caller.post("/connections", &draft("Tokens")).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let password = |password: &str, name: &str| {
        json!({
            "provider_config_key": "kintone", "name": name, "auth_scheme": "password",
            "fields": { "subdomain": "demo", "login_name": "anna", "password": password, "app": "1" },
        })
    };
    let created = caller.post("/connections", &password(PASSWORD, "Password")).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let mut wrong = draft("Wrong");
    wrong["fields"]["token"] = json!(WRONG_TOKEN);
    assert_eq!(caller.post("/connections", &wrong).await.status, 422);
    assert_eq!(caller.post("/connections", &password(WRONG_PASSWORD, "Wrong")).await.status, 422);
    for body in [
        json!({ "provider_config_key": "kintone", "name": "x", "fields": TOKEN }),
        json!({ "provider_config_key": "kintone", "name": "x", "fields": { "token": { "x": TOKEN } } }),
        json!({ "provider_config_key": "kintone", "name": "x", "fields": { "token": format!("{TOKEN}\r\n") }, "test": PASSWORD }),
        json!({ "provider_config_key": "kintone", "name": "x", "fields": { "subdomain": PASSWORD, "domain": TOKEN, "app": TOKEN } }),
        json!({ "provider_config_key": "kintone", "name": "x", "settings": { "timeout": PASSWORD } }),
    ] {
        assert_eq!(caller.post("/connections", &body).await.status, 400, "{body}");
    }
    for connection in ["Tokens", "Password"] {
        let headers = [("connection-id", connection), ("x-cybozu-api-token", WRONG_TOKEN)];
        let answer = caller.send(Method::GET, "/proxy/k/v1/app.json?id=1", &headers, "".into()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        caller.get(&format!("/connections/{connection}")).await;
        caller.post(&format!("/connections/{connection}/test"), &json!({})).await;
    }
    app.vendor().revoke_token("demo", TOKEN).expect("the tenant has it");
    caller.send(Method::GET, "/proxy/k/v1/app.json?id=1", &[("connection-id", "Tokens")], "".into()).await;
    caller.post("/connections/Tokens/test", &json!({})).await;
    app.platform.flush_activity().await;
    app.platform.chain_audit("test").await.expect("chained");
    for path in [
        "/connections",
        "/integrations",
        "/api-keys",
        "/activity",
        "/audit",
        "/jobs",
        "/metrics",
        "/providers",
    ] {
        assert_eq!(caller.get(path).await.status, 200, "{path}");
    }
    app.operator().get("/metrics").await;

    let key = caller.key.as_deref().expect("a key");
    let (answers, log) = (app.answers(), log.0.lock().expect("not poisoned").clone());
    assert!(answers.len() > 10_000 && log.len() > 1000, "{} and {} bytes", answers.len(), log.len());
    let mut places: Vec<(String, Vec<u8>)> =
        app.files().into_iter().map(|(path, bytes)| (path.display().to_string(), bytes)).collect();
    assert!(
        places.iter().any(|(_, bytes)| find(bytes, b"Password").is_some()),
        "the database is looked through"
    );
    places.extend([("answers".to_owned(), answers), ("log".to_owned(), log)]);
    for secret in [TOKEN, PASSWORD, WRONG_TOKEN, WRONG_PASSWORD, key] {
        for (form, text) in forms(secret) {
            for (place, bytes) in &places {
                let at = find(bytes, text.as_bytes());
                assert!(at.is_none(), "{secret} in {form} form in {place} at {at:?}");
            }
        }
    }
}

/// The forms in which a secret could be written somewhere. The middle of its base64 form is the same wherever it stands
/// in a longer text, for each of three offsets.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let mut forms = vec![
        ("plain", secret.to_owned()),
        ("hexadecimal", hex.clone()),
        ("upper hexadecimal", hex.to_uppercase()),
        ("URL", utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string()),
        ("JSON", json!(secret).to_string().trim_matches('"').to_owned()),
    ];
    for offset in 0..3 {
        let shifted = format!("{}{secret}", &"xx"[..offset]);
        for (name, engine) in [("base64", STANDARD_NO_PAD), ("URL base64", URL_SAFE_NO_PAD)] {
            let encoded = engine.encode(&shifted);
            forms.push((name, encoded[4..encoded.len() - 4].to_owned()));
        }
    }
    forms
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let written = STANDARD_NO_PAD.encode(format!("anna:{PASSWORD}"));
    assert!(forms(PASSWORD).iter().any(|(_, form)| find(written.as_bytes(), form.as_bytes()).is_some()));
}
