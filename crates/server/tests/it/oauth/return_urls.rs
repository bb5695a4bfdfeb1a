//! Where browsers are sent to, and who is told what they were given, is named by the environment, letter for letter.

use serde_json::json;

use crate::app::App;

const ALLOWED: &str = "https://app.example.com/done";

/// Ways to write an address so that one reader takes it for the allowed one and another goes elsewhere.
fn corpus() -> Vec<String> {
    let (allowed, evil) = ("app.example.com", "evil.example");
    let mut corpus: Vec<String> = vec![
        format!("https://{evil}"),
        format!("https://{allowed}"),
        format!("https://{allowed}/"),
        format!("https://{allowed}/DONE"),
        format!("https://{allowed}/done/"),
        format!("https://{allowed}/done/../done"),
        format!("https://{allowed}/./done"),
        format!("https://{allowed}/%64one"),
        format!("https://{allowed}//done"),
        format!("https://{allowed}/done?"),
        format!("https://{allowed}/done?x=1"),
        format!("https://{allowed}/done#"),
        format!("https://{allowed}/done#x"),
        format!("https://{allowed}:443/done"),
        format!("https://{allowed}./done"),
        format!("https://{allowed}:8443/done"),
        format!("https://APP.example.com/done"),
        format!("http://{allowed}/done"),
        format!("HTTPS://{allowed}/done"),
        "http://localhost:3000/".to_owned(),
        "http://127.0.0.1:3000/".to_owned(),
        "https://*.example.com/done".to_owned(),
        "javascript:alert(1)".to_owned(),
        "JaVaScRiPt:alert(1)".to_owned(),
        "data:text/html,<script>alert(1)</script>".to_owned(),
        "vbscript:x".to_owned(),
        "file:///etc/passwd".to_owned(),
        "blob:https://app.example.com/x".to_owned(),
        String::new(),
        " ".to_owned(),
        "/done".to_owned(),
        "done".to_owned(),
    ];
    for separator in [
        "@", ":@", "%40", "\\@", "\\", "/\\", "#@", "?@", ";@", ".", "%2f", "%5c", "%00", "%0d%0a", "&@",
        "/@", "//",
    ] {
        corpus.push(format!("https://{allowed}{separator}{evil}/done"));
        corpus.push(format!("https://{evil}{separator}{allowed}/done"));
    }
    for prefix in [
        "//",
        "///",
        "////",
        "\\\\",
        "/\\",
        "\\/",
        "/%2f/",
        "/%5c",
        "https:",
        "https:/",
        "https:///",
        "https:\\\\",
        "http:",
        "//%09/",
        "/.//",
        "%2f%2f",
        "https%3a%2f%2f",
    ] {
        corpus.push(format!("{prefix}{evil}/done"));
        corpus.push(format!("{prefix}{allowed}/done"));
    }
    for character in
        ["\t", "\n", "\r", "\0", "\u{b}", " ", "\u{a0}", "\u{3000}", "\u{200b}", "\u{feff}", "\u{2028}"]
    {
        corpus.push(format!("{character}{ALLOWED}"));
        corpus.push(format!("{ALLOWED}{character}"));
        corpus.push(format!("https://{allowed}{character}/done"));
        corpus.push(format!("ht{character}tps://{allowed}/done"));
        corpus.push(format!("https:{character}//{evil}/{allowed}/done"));
    }
    // Other ways to write the same host: full-width and similar letters, and dots of other scripts.
    for host in [
        "ａpp.example.com",
        "app。example。com",
        "app．example.com",
        "аpp.example.com",
        "app.examp1e.com",
        "xn--pp-8kc.example.com",
    ] {
        corpus.push(format!("https://{host}/done"));
    }
    corpus
}

#[tokio::test(flavor = "multi_thread")]
async fn open_redirects_lead_nowhere() {
    let app = App::start().await;
    super::registered(&app, "Client").await;
    let caller = app.caller();
    let pages = json!({ "allowed_origins": ["https://app.example.com"], "return_urls": [ALLOWED] });
    assert_eq!(caller.patch("/environment", &pages).await.status, 200);
    let session = |url: &str| json!({ "end_user": { "id": "u" }, "return_url": url });
    let link = |url: &str| json!({ "integration": "kintone", "name": "x", "fields": { "app": "1" }, "tags": { "end_user_id": "u" }, "return_url": url });
    assert_eq!(caller.post("/connect/sessions", &session(ALLOWED)).await.status, 201);
    assert_eq!(caller.post("/authorizations", &link(ALLOWED)).await.status, 201);

    let corpus = corpus();
    assert!(corpus.len() > 150, "{}", corpus.len());
    let mut passed = Vec::new();
    for url in &corpus {
        if caller.post("/connect/sessions", &session(url)).await.verdict() != "400 invalid_body" {
            passed.push(("session", url));
        }
        // A program on the person's own machine is named by its address.
        let program = url == "http://127.0.0.1:3000/";
        let verdict = caller.post("/authorizations", &link(url)).await.verdict();
        if verdict != "400 return_url_refused" && !program {
            passed.push(("authorization", url));
        }
    }
    assert_eq!(passed, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_is_not_kept() {
    let app = App::start().await;
    let caller = app.caller();
    let many: Vec<String> = (0..21).map(|number| format!("https://a{number}.example.com")).collect();
    for body in [
        json!({ "allowed_origins": ["*"] }),
        json!({ "allowed_origins": ["https://app.example.com", "https://app.example.com/"] }),
        json!({ "allowed_origins": many }),
        json!({ "return_urls": ["https://me:secret@app.example.com/"] }),
        json!({ "return_urls": ["http://app.example.com/"] }),
        json!({ "return_urls": "https://app.example.com/" }),
    ] {
        assert_eq!(caller.patch("/environment", &body).await.verdict(), "400 invalid_body", "{body}");
    }
    let kept = caller.get("/environment").await.json();
    assert_eq!((&kept["allowed_origins"], &kept["return_urls"]), (&json!([]), &json!([])));
    let good = json!({ "allowed_origins": ["https://app.example.com"], "return_urls": [ALLOWED] });
    assert_eq!(caller.patch("/environment", &good).await.status, 200);
    // Several administrators at once lose nothing of each other's.
    let changes = [
        json!({ "confirm_authorizations": false }),
        json!({ "allowed_origins": ["https://other.example.com"] }),
        json!({ "return_urls": ["https://other.example.com/done"] }),
    ];
    let answers =
        futures_util::future::join_all(changes.iter().map(|change| caller.patch("/environment", change)))
            .await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let kept = caller.get("/environment").await.json();
    for (name, value) in changes.iter().filter_map(serde_json::Value::as_object).flatten() {
        assert_eq!(&kept[name], value);
    }
    let audit = caller.get("/audit").await.text();
    assert!(audit.contains("environment.updated") && audit.contains(ALLOWED), "{audit}");
}
