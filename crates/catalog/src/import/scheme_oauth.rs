//! OAuth of both versions.

use serde_json::{Map, Value, json};

use super::entry::Entry;
use super::names::field_name;
use super::schemes::{Scheme, Sent, ask, defined, plain};
use super::words;

/// A person agrees in a browser.
pub(super) fn with_person(entry: &mut Entry) -> Result<Value, String> {
    if entry.mode() == "MCP_OAUTH2" {
        match (entry.text("client_registration"), entry.text("registration_url").map(str::to_owned)) {
            (Some("static"), _) => {}
            (_, Some(address)) => entry.notes.add(format!(
                "its OAuth client is registered by one request to {address} (RFC 7591); fill in the client ID from its answer"
            )),
            _ => return Err("its client is described by a document that the other product serves".to_owned()),
        }
    }
    if let [secret, ..] = entry.names.secrets.as_slice() {
        return Err(format!(
            "it asks for a secret, `{secret}`, beside a token for which a person agrees in a browser"
        ));
    }
    if entry.text("authorization_code_param_in_callback") == Some("tenant") {
        return Err("its answer has no code: an administrator agrees for a whole tenant".to_owned());
    }
    let mut oauth2 = tokens(entry)?;
    oauth2.insert("flow".to_owned(), json!("authorization_code"));
    let page =
        entry.text("authorization_url").map(str::to_owned).ok_or("it names no page where a person agrees")?;
    if entry.mode() == "CUSTOM" {
        // The file has one page for two ways; the other one is the token endpoint's neighbour.
        let token_url = oauth2.get("token_url").and_then(Value::as_str).unwrap_or_default();
        let neighbour = token_url.replace("/access_token", "/authorize");
        oauth2.insert("authorization_url".to_owned(), json!(entry.url(&neighbour)?));
    } else {
        let (page, query) =
            page.split_once('?').filter(|_| !page.contains("||")).map_or((page.as_str(), ""), |split| split);
        oauth2.insert("authorization_url".to_owned(), json!(entry.url(page)?));
        let mut parameters = parameters(entry, "authorization_params")?;
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            parameters.insert(name.into_owned(), json!(entry.names.translate(&value)?));
        }
        if !parameters.is_empty() {
            oauth2.insert("authorization_parameters".to_owned(), Value::Object(parameters));
        }
    }
    if entry.is_set("disable_pkce") {
        oauth2.insert("pkce".to_owned(), json!(false));
    }
    if let Some(name) = entry.text("authorization_code_param_in_callback") {
        oauth2.insert("code_parameter".to_owned(), json!(name));
    }
    if let Some(fragment) = entry.text("authorization_url_fragment") {
        oauth2.insert("authorization_fragment".to_owned(), json!(fragment));
    }
    let mut names = Map::new();
    for (theirs, ours) in entry.map("authorization_url_replacements") {
        let ours = ours.as_str().unwrap_or_default().trim_end_matches('=').to_owned();
        let theirs = theirs.trim_end_matches('=').to_owned();
        names.insert(theirs, json!(ours));
    }
    if !names.is_empty() {
        oauth2.insert("authorization_names".to_owned(), Value::Object(names));
    }
    let redirected: Map<String, Value> =
        entry.list("redirect_uri_metadata").iter().map(|name| (field_name(name), json!(name))).collect();
    if !redirected.is_empty() {
        oauth2.insert("redirect_config".to_owned(), Value::Object(redirected));
    }
    let scopes: Vec<Value> = entry
        .list("default_scopes")
        .iter()
        .map(|scope| json!({ "id": scope, "default": true, "says": words::same(scope) }))
        .collect();
    if !scopes.is_empty() {
        oauth2.insert("scopes".to_owned(), json!(scopes));
    }
    let scheme = Scheme::new("oauth2", ["OAuth 2.0", "OAuth（ブラウザーで許可）"], "oauth2", entry);
    finish(scheme, oauth2, Map::new(), entry)
}

/// The account is a client itself.
pub(super) fn without_person(entry: &mut Entry) -> Result<Value, String> {
    let mut oauth2 = tokens(entry)?;
    oauth2.insert("flow".to_owned(), json!("client_credentials"));
    // Certificate and key are those of the gate.
    let of_gate: &[&str] =
        if entry.shows_certificate() { &["client_certificate", "client_private_key"] } else { &[] };
    let mut asked = defined(entry, of_gate);
    if oauth2.get("client_authentication") == Some(&json!("private_key_jwt")) {
        let mut key = asked
            .remove("client_private_key")
            .unwrap_or_else(|| json!({ "label": words::same("Private key") }));
        key["secret"] = json!(true);
        key["fold"] = json!(false);
        key["type"] = json!("multiline");
        key["max_length"] = json!(32_768);
        asked.insert("client_secret".to_owned(), key);
    }
    ask(&mut asked, "client_id", ["Client ID", "クライアントID"], false, false);
    ask(&mut asked, "client_secret", ["Client secret", "クライアントシークレット"], true, false);
    if let Some(id) = asked.get_mut("client_id").and_then(Value::as_object_mut) {
        id.remove("secret");
    }
    if let Some(secret) = asked.get_mut("client_secret") {
        secret["secret"] = json!(true);
    }
    let scopes = entry.list("default_scopes").join(entry.text("scope_separator").unwrap_or(" "));
    let parameters = oauth2.entry("token_parameters").or_insert_with(|| json!({}));
    if parameters.get("scope").is_none() {
        // Which scopes a client may ask for is the account's own affair, so the form asks.
        let scope = if scopes.is_empty() {
            "${connectionConfig.oauth_scopes}".to_owned()
        } else {
            format!("${{connectionConfig.oauth_scopes}} || {scopes}")
        };
        parameters["scope"] = json!(entry.names.translate(&scope)?);
    }
    let scheme =
        Scheme::new("oauth2", ["OAuth 2.0, without a person", "OAuth（クライアント認証）"], "oauth2", entry);
    finish(scheme, oauth2, asked, entry)
}

/// OAuth 1.0a with a person.
pub(super) fn three_legged(entry: &mut Entry) -> Result<Value, String> {
    let mut oauth1 = Map::from_iter([("flow".to_owned(), json!("three_legged"))]);
    for key in ["request_url", "authorization_url", "token_url"] {
        let url = entry.text(key).map(str::to_owned).ok_or_else(|| format!("it names no `{key}`"))?;
        oauth1.insert(key.to_owned(), json!(entry.url(&url)?));
    }
    oauth1.insert("signature".to_owned(), json!(entry.text("signature_method").unwrap_or("HMAC-SHA1")));
    for (theirs, ours) in
        [("request_params", "request_parameters"), ("authorization_params", "authorization_parameters")]
    {
        let all = parameters(entry, theirs)?;
        if !all.is_empty() {
            oauth1.insert(ours.to_owned(), Value::Object(all));
        }
    }
    let sent = Sent::of(entry)?;
    let scheme = Scheme::new("oauth1", ["OAuth 1.0a", "OAuth 1.0a"], "oauth1", entry);
    Ok(scheme.with("oauth1", Value::Object(oauth1)).sending(sent).asking(Map::new(), entry))
}

/// OAuth 1.0a with a token that was made at the vendor.
pub(super) fn token_based(entry: &mut Entry) -> Result<Value, String> {
    let mut asked = Map::new();
    ask(&mut asked, "consumer_key", ["Consumer key", "コンシューマーキー"], false, false);
    ask(&mut asked, "consumer_secret", ["Consumer secret", "コンシューマーシークレット"], true, false);
    ask(&mut asked, "token_id", ["Token ID", "トークンID"], false, false);
    ask(&mut asked, "token_secret", ["Token secret", "トークンシークレット"], true, false);
    let realm = entry.names.translate("${connectionConfig.accountId}")?;
    let oauth1 = json!({ "flow": "token", "signature": "HMAC-SHA256", "realm": realm });
    let sent = Sent::of(entry)?;
    let scheme = Scheme::new("token", ["Access token", "アクセストークン"], "oauth1", entry);
    Ok(scheme.with("oauth1", oauth1).sending(sent).asking(asked, entry))
}

/// What both flows of OAuth 2.0 say of their token endpoint.
fn tokens(entry: &mut Entry) -> Result<Map<String, Value>, String> {
    let mut oauth2 = Map::new();
    let url = match entry.raw.get("token_url") {
        Some(Value::String(url)) => url.clone(),
        Some(Value::Object(urls)) => {
            urls.get("OAUTH2").and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        _ => return Err("it names no token endpoint".to_owned()),
    };
    oauth2.insert("token_url".to_owned(), json!(entry.url(&url)?));
    if let Some(url) = entry.text("refresh_url").map(str::to_owned) {
        oauth2.insert("refresh_url".to_owned(), json!(entry.url(&url)?));
    }
    if let Some(separator) = entry.text("scope_separator") {
        oauth2.insert("scope_separator".to_owned(), json!(separator));
    }
    let method = entry.text("token_request_auth_method").or(entry.text("authorization_method"));
    let authentication = match method {
        Some("basic" | "header") => "basic",
        None | Some("body") => "body",
        Some("private_key_jwt") => {
            oauth2.insert("client_assertion".to_owned(), client_assertion(&url, entry)?);
            "private_key_jwt"
        }
        Some("custom") => return Err("code of the other product makes its token request".to_owned()),
        Some(other) => return Err(format!("its client proves itself by `{other}`, which is not known here")),
    };
    oauth2.insert("client_authentication".to_owned(), json!(authentication));
    match entry.text("body_format") {
        None | Some("form") => {}
        Some(format @ ("json" | "query")) => drop(oauth2.insert("token_request".to_owned(), json!(format))),
        Some(other) => return Err(format!("its token request is `{other}`, which is not written here")),
    }
    for (theirs, ours) in [("token_params", "token_parameters"), ("refresh_params", "refresh_parameters")] {
        let mut all = parameters(entry, theirs)?;
        // Both follow from the flow.
        all.retain(|name, value| {
            name != "grant_type"
                || !matches!(
                    value.as_str(),
                    Some("authorization_code" | "refresh_token" | "client_credentials")
                )
        });
        if !all.is_empty() {
            oauth2.insert(ours.to_owned(), Value::Object(all));
        }
    }
    let mut headers = parameters(entry, "token_headers")?;
    headers
        .retain(|name, _| !name.eq_ignore_ascii_case("content-type") && !name.eq_ignore_ascii_case("accept"));
    if !headers.is_empty() {
        oauth2.insert("token_headers".to_owned(), Value::Object(headers));
    }
    let mut answer = Map::new();
    if let Some(path) = entry.text("alternate_access_token_response_path") {
        answer.insert("alternate".to_owned(), json!(path));
    }
    if entry.text("expires_in_unit") == Some("milliseconds") {
        answer.insert("expires_in_milliseconds".to_owned(), json!(true));
    }
    let config: Map<String, Value> =
        entry.list("token_response_metadata").iter().map(|path| (field_name(path), json!(path))).collect();
    if !config.is_empty() {
        answer.insert("config".to_owned(), Value::Object(config));
    }
    oauth2.insert("token_answer".to_owned(), Value::Object(answer));
    if let Some(life) = entry.number("token_expires_in_ms").filter(|life| *life > 0) {
        oauth2.insert("token_life".to_owned(), json!(life / 1_000));
    }
    if let Some(margin) = entry.number("token_expiration_buffer") {
        oauth2.insert("refresh_margin".to_owned(), json!(margin));
    }
    Ok(oauth2)
}

/// The token that a client signs, with the claims of RFC 7523 §3.
fn client_assertion(url: &str, entry: &mut Entry) -> Result<Value, String> {
    let audience = entry.names.translate(url)?;
    Ok(json!({
        "algorithm": "RS256",
        "key": "${secret.client_secret}",
        "claims": { "iss": "${secret.client_id}", "sub": "${secret.client_id}", "aud": audience, "jti": "${random}" },
        "life": 300,
    }))
}

/// Parameters by name, each as a text.
fn parameters(entry: &mut Entry, key: &str) -> Result<Map<String, Value>, String> {
    let mut all = Map::new();
    for (name, value) in entry.map(key) {
        let text = plain(&value).ok_or_else(|| format!("`{key}.{name}` is no text"))?;
        all.insert(name, json!(entry.names.translate(&text)?));
    }
    Ok(all)
}

fn finish(
    scheme: Scheme,
    mut oauth2: Map<String, Value>,
    asked: Map<String, Value>,
    entry: &mut Entry,
) -> Result<Value, String> {
    let sent = Sent::of(entry)?;
    let kept = entry.names.kept.clone();
    if !kept.is_empty() {
        let answer = oauth2.entry("token_answer").or_insert_with(|| json!({}));
        answer["keep"] = json!(kept);
    }
    Ok(scheme.with("oauth2", Value::Object(oauth2)).sending(sent).asking(asked, entry))
}
