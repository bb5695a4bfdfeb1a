//! The connection test, and what is kept about calls.

use serde_json::{Map, Value, json};

use super::entry::Entry;

/// The stages of the test: the calls that the entry names, or else that the API answers at all.
pub(super) fn of(entry: &mut Entry) -> Value {
    let verification = entry.proxy("verification").cloned().unwrap_or(Value::Null);
    let endpoints = verification.get("endpoints").and_then(Value::as_array).cloned().unwrap_or_default();
    if verification.get("base_url_override").is_some() {
        entry
            .notes
            .add("its test goes to another address than its calls, so only the API's answer is looked at");
        return json!([answers()]);
    }
    if endpoints.len() > 1 {
        entry.notes.add("of the calls that its test may use, the first one is used");
    }
    let endpoint = endpoints.first().and_then(Value::as_str);
    if let Some(stage) = endpoint.and_then(|endpoint| stage(endpoint, &verification, entry)) {
        return json!([stage]);
    }
    entry.notes.add(
        "no call is known that proves the credential: the test only sees that the API does not refuse it",
    );
    json!([answers()])
}

fn answers() -> Value {
    json!({
        "id": "answers",
        "name": { "en": "The API answers and does not refuse the credential", "ja": "APIが応答し、認証情報を拒否しない" },
        "request": { "path": "/" },
        "accept": { "any_answer": true },
    })
}

fn stage(endpoint: &str, verification: &Value, entry: &mut Entry) -> Option<Value> {
    let endpoint = entry.names.translate(endpoint).ok()?;
    let endpoint = format!("/{}", endpoint.trim_start_matches('/'));
    let (path, query) = endpoint.split_once('?').unwrap_or((&endpoint, ""));
    if path.contains("${secret.") {
        return None;
    }
    // A secret in the query is one that every call carries anyway.
    let query: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.contains("${secret."))
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    let method = verification.get("method").and_then(Value::as_str).unwrap_or("GET");
    let mut request = Map::new();
    request.insert("path".to_owned(), json!(path));
    if !query.is_empty() {
        let decoded: Vec<(String, String)> =
            query.iter().map(|(name, value)| (decode(name), decode(value))).collect();
        request.insert("query".to_owned(), json!(decoded));
    }
    if method != "GET" {
        request.insert("method".to_owned(), json!(method));
    }
    let mut headers = Map::new();
    for (name, value) in verification.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = entry.names.translate(value.as_str()?).ok()?;
        let is_ours_to_say = name.eq_ignore_ascii_case("user-agent");
        if !value.contains("${secret.") && !is_ours_to_say {
            headers.insert(name.to_ascii_lowercase(), json!(value));
        }
    }
    if !headers.is_empty() {
        request.insert("headers".to_owned(), Value::Object(headers));
    }
    if let Some(body) = verification.get("data") {
        request.insert("body".to_owned(), body.clone());
    }
    Some(json!({
        "id": "credential",
        "name": { "en": "The credential is accepted", "ja": "認証情報が受け付けられる" },
        "request": request,
    }))
}

fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

/// The headers that tell when to come back.
pub(super) fn retry(entry: &Entry) -> Option<Value> {
    let retry = entry.proxy("retry")?.as_object()?;
    let names = |key: &str| -> Vec<String> {
        let value = retry.get(key);
        let one = value.and_then(Value::as_str).map(str::to_owned);
        let several = value.and_then(Value::as_array).into_iter().flatten();
        one.into_iter().chain(several.filter_map(|name| name.as_str().map(str::to_owned))).collect()
    };
    let after: Vec<String> =
        names("after").into_iter().filter(|name| !name.eq_ignore_ascii_case("retry-after")).collect();
    let mut ours = Map::new();
    for (key, several) in [("after", after), ("at", names("at")), ("statuses", names("error_code"))] {
        if !several.is_empty() {
            ours.insert(key.to_owned(), json!(several));
        }
    }
    if let Some(header) = names("remaining").first() {
        ours.insert("remaining".to_owned(), json!(header));
    }
    (!ours.is_empty()).then_some(Value::Object(ours))
}

/// How the vendor parts long lists.
pub(super) fn pagination(entry: &Entry) -> Option<Value> {
    let theirs = entry.proxy("paginate")?.as_object()?;
    let mut ours = Map::new();
    for (key, name) in [
        ("type", "kind"),
        ("response_path", "items"),
        ("limit_name_in_request", "limit_parameter"),
        ("limit", "limit"),
        ("link_rel_in_response_header", "link_relation"),
        ("link_path_in_response_body", "link_member"),
        ("cursor_path_in_response", "cursor_member"),
        ("cursor_name_in_request", "cursor_parameter"),
        ("offset_name_in_request", "offset_parameter"),
        ("in_body", "in_body"),
    ] {
        if let Some(value) = theirs.get(key) {
            ours.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(start) = theirs.get("offset_start_value") {
        let number = start.as_u64().or_else(|| start.as_str()?.parse().ok());
        ours.insert("offset_start".to_owned(), json!(number));
    }
    if theirs.get("offset_calculation_method").and_then(Value::as_str) == Some("per-page") {
        ours.insert("offset_counts_pages".to_owned(), json!(true));
    }
    Some(Value::Object(ours))
}
