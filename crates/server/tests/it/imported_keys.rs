//! API keys that were made by the compatible product.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use rstest::rstest;
use serde_json::json;

use crate::app::{App, Engine};

const KEY: &str = "3f6c2d81-b0a4-4e57-9c18-d2e70fa5b934";
const OTHER: &str = "a81b4e02-6cd9-47f3-85b0-3e9f1c72d640";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_existing_key_is_accepted_wherever_ours_are(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let app = App::start_on(engine).await;
    app.connect("Customers").await;
    let nobody = app.caller_with_key(None);
    assert_eq!(app.caller_with_key(Some(KEY)).get("/integrations").await.status, 401);
    let existing = json!({ "display_name": "backend", "key": KEY, "scopes": ["environment:*"] });
    let imported = app.caller().post("/imported-api-keys", &existing).await;
    assert_eq!(imported.status, 201);
    assert!(!imported.text().contains("3f6c2d81"), "{}", imported.text());

    let basic = format!("Basic {}", STANDARD.encode(format!("any:{KEY}")));
    let (word, lower) = (format!("Bearer {KEY}"), format!("bearer {KEY}"));
    let call = "/k/v1/app.json?id=1";
    let (proxy, drop_in) = (format!("/proxy{call}"), format!("/c/kintone/Customers{call}"));
    let mut told = Vec::new();
    for (path, headers) in [
        ("/connections", vec![("authorization", word.as_str())]),
        ("/connections", vec![("authorization", lower.as_str())]),
        ("/connections", vec![("authorization", KEY)]),
        (&proxy, vec![("authorization", KEY), ("connection-id", "Customers")]),
        (&proxy, vec![("authorization", &word), ("connection-id", "Customers")]),
        (&drop_in, vec![("authorization", &word)]),
        (&drop_in, vec![("authorization", KEY)]),
        (&drop_in, vec![("x-cybozu-api-token", KEY)]),
        (&drop_in, vec![("authorization", &basic)]),
        // The vendor's credential may be a UUID as well: then nobody can say whose call it is.
        (&drop_in, vec![("x-cybozu-api-token", OTHER), ("authorization", &word)]),
        (&drop_in, vec![("x-cybozu-api-token", OTHER)]),
        ("/connections", vec![("authorization", OTHER)]),
        ("/connections", vec![("authorization", "3F6C2D81-B0A4-4E57-9C18-D2E70FA5B934")]),
        ("/connections", vec![("authorization", "")]),
    ] {
        let answer = nobody.send(Method::GET, path, &headers, Bytes::new()).await;
        let (name, value) = headers[0];
        let value = value.replace(KEY, "KEY").replace(OTHER, "OTHER").replace(&basic, "Basic any:KEY");
        told.push(format!("{path} {name}: {value} -> {}", answer.verdict()));
    }
    insta::allow_duplicates! {
        insta::assert_snapshot!(told.join("\n"), @r"
        /connections authorization: Bearer KEY -> 200
        /connections authorization: bearer KEY -> 200
        /connections authorization: KEY -> 200
        /proxy/k/v1/app.json?id=1 authorization: KEY -> 200 CUS
        /proxy/k/v1/app.json?id=1 authorization: Bearer KEY -> 200 CUS
        /c/kintone/Customers/k/v1/app.json?id=1 authorization: Bearer KEY -> 200 CUS
        /c/kintone/Customers/k/v1/app.json?id=1 authorization: KEY -> 200 CUS
        /c/kintone/Customers/k/v1/app.json?id=1 x-cybozu-api-token: KEY -> 200 CUS
        /c/kintone/Customers/k/v1/app.json?id=1 authorization: Basic any:KEY -> 200 CUS
        /c/kintone/Customers/k/v1/app.json?id=1 x-cybozu-api-token: OTHER -> 400 two_keys
        /c/kintone/Customers/k/v1/app.json?id=1 x-cybozu-api-token: OTHER -> 401 unknown_account
        /connections authorization: OTHER -> 401 unknown_account
        /connections authorization: 3F6C2D81-B0A4-4E57-9C18-D2E70FA5B934 -> 401 unknown_account
        /connections authorization:  -> 401 unknown_account
        ");
    }
    let seen = format!("{:?}", app.vendor().requests());
    assert!(seen.contains("app.json") && !seen.contains(KEY), "{seen}");

    assert_eq!(app.caller().delete("/api-keys/backend").await.status, 200);
    app.clock.advance(Duration::from_secs(2));
    assert_eq!(app.caller_with_key(Some(KEY)).get("/connections").await.status, 401);
    let again = app.caller().post("/imported-api-keys", &existing).await;
    assert_eq!(again.verdict(), "409 api_key_known", "a revoked key stays revoked");
    let audit = app.caller().get("/audit").await.text();
    assert!(audit.contains("api_key.imported") && !audit.contains(KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_anybody_could_guess_is_no_key() {
    let app = App::start().await;
    let mut told = Vec::new();
    for key in [
        "00000000-0000-4000-8000-000000000000",
        "12345678-1234-4234-8234-123456789012",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "3F6C2D81-B0A4-4E57-9C18-D2E70FA5B934",
        "secret",
        "",
    ] {
        let existing = json!({ "display_name": "backend", "key": key });
        let answer = app.caller().post("/imported-api-keys", &existing).await;
        told.push(format!("{key:?}: {} {}", answer.verdict(), answer.json()["error"]["errors"][0]["path"]));
        assert!(key.is_empty() || !answer.text().contains(key), "{}", answer.text());
    }
    let narrow = app.caller_with_scopes(&["environment:api_keys", "environment:proxy"]).await;
    for (caller, scopes) in [(&app.caller(), json!(["everything"])), (&narrow, json!(["environment:*"]))] {
        let existing = json!({ "display_name": "backend", "key": KEY, "scopes": scopes });
        told.push(format!("{scopes}: {}", caller.post("/imported-api-keys", &existing).await.verdict()));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    "00000000-0000-4000-8000-000000000000": 400 invalid_body ["key"]
    "12345678-1234-4234-8234-123456789012": 400 invalid_body ["key"]
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6": 400 invalid_body ["key"]
    "3F6C2D81-B0A4-4E57-9C18-D2E70FA5B934": 400 invalid_body ["key"]
    "secret": 400 invalid_body ["key"]
    "": 400 invalid_body ["key"]
    ["everything"]: 400 unknown_scope
    ["environment:*"]: 403 forbidden
    "#);
}
