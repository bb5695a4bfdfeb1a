//! Logins, tokens that are signed here, and requests that are signed.

use serde_json::{Map, Value, json};

use super::entry::Entry;
use super::names::field_name;
use super::schemes::{Scheme, Sent, ask, defined, label_of, plain, translated};

const CREATED: &str = "${now:YYYY-MM-DDTHH:mm:ss[Z]}";
const TOKEN: [&str; 2] = ["Credentials for a token", "トークンを取得する認証情報"];

/// Requests that lead to a token.
pub(super) fn login(entry: &mut Entry) -> Result<Value, String> {
    let mut steps = vec![step(&entry.raw.clone(), "token_params", "token_headers", "token_url", entry)?];
    for more in entry.raw.get("additional_steps").and_then(Value::as_array).cloned().unwrap_or_default() {
        let more = more.as_object().cloned().unwrap_or_default();
        steps.push(step(&more, "token_params", "token_headers", "token_url", entry)?);
    }
    let mut login = Map::new();
    if let Some(assertion) = assertion(entry)? {
        login.insert("assertion".to_owned(), assertion);
    }
    let refreshes = entry.raw.contains_key("refresh_token_params")
        || entry.raw.contains_key("refresh_url")
        || entry.raw.contains_key("refresh_token_headers");
    if refreshes {
        let key = if entry.raw.contains_key("refresh_url") { "refresh_url" } else { "token_url" };
        let headers = if entry.raw.contains_key("refresh_token_headers") {
            "refresh_token_headers"
        } else {
            "token_headers"
        };
        login.insert(
            "refresh".to_owned(),
            step(&entry.raw.clone(), "refresh_token_params", headers, key, entry)?,
        );
    }
    login.insert("steps".to_owned(), json!(steps));
    let sent = Sent::of(entry)?;
    login.insert("answer".to_owned(), answer(entry));
    if let Some(life) = entry.number("token_expires_in_ms").filter(|life| *life > 0) {
        login.insert("token_life".to_owned(), json!(life / 1_000));
    }
    if let Some(margin) = entry.number("token_expiration_buffer") {
        login.insert("refresh_margin".to_owned(), json!(margin));
    }
    let mut asked = defined(entry, &["assertion"]);
    if entry.raw.get("credentials").and_then(|fields| fields.get("assertion")).is_some()
        && !login.contains_key("assertion")
    {
        // It is typed, not made.
        asked = defined(entry, &[]);
        rename_assertion(&mut login);
    }
    ask_for_the_rest(&json!([login, sent.text()]).to_string(), &mut asked, entry);
    let scheme = Scheme::new("login", TOKEN, "login", entry).with("login", Value::Object(login));
    Ok(scheme.sending(sent).asking(asked, entry))
}

/// An assertion that the account has is a secret like any other.
fn rename_assertion(login: &mut Map<String, Value>) {
    let text = Value::Object(login.clone()).to_string().replace("${assertion}", "${secret.assertion}");
    if let Ok(Value::Object(renamed)) = serde_json::from_str(&text) {
        *login = renamed;
    }
}

/// Fields that holes name and that are defined for whoever sets the integration up, or nowhere.
fn ask_for_the_rest(text: &str, asked: &mut Map<String, Value>, entry: &mut Entry) {
    let given = ["access_token", "refresh_token", "cookies"];
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${secret.") {
        let name: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        rest = after;
        let is_known = given.contains(&name.as_str())
            || asked.contains_key(&name)
            || entry.names.kept.contains_key(&name)
            || entry.names.secrets.contains(&name);
        if is_known || name.is_empty() {
            continue;
        }
        let definition =
            entry.definitions("integration_config").into_iter().find(|(known, _)| field_name(known) == name);
        let definition = definition.map_or(Value::Null, |(_, definition)| definition);
        let secret = super::fields::is_secret(&name, &definition);
        let mut field =
            super::fields::field(&name, &definition, super::fields::Asked::Always, secret, &mut entry.notes);
        if definition.is_null() {
            field["label"] = label_of(&name);
        }
        asked.insert(name, field);
    }
}

/// One request of a login.
fn step(
    raw: &Map<String, Value>,
    parameters: &str,
    headers: &str,
    url: &str,
    entry: &mut Entry,
) -> Result<Value, String> {
    let text = |key: &str| raw.get(key).and_then(Value::as_str);
    let address = text(url).ok_or_else(|| format!("a step of its login names no `{url}`"))?.to_owned();
    let ours = entry.names.translate(&address)?;
    remember_origin(&ours, entry);
    let format = match (text("token_request_method"), text("body_format")) {
        (Some("GET"), _) => "query",
        (_, None | Some("json")) => "json",
        (_, Some(format @ ("form" | "query"))) => format,
        (_, Some(other)) => {
            return Err(format!("a step of its login is `{other}`, which is not written here"));
        }
    };
    let mut sent = Map::new();
    for (name, value) in raw.get(headers).and_then(Value::as_object).cloned().unwrap_or_default() {
        let name = name.to_ascii_lowercase();
        if name == "content-type" && format != "query" {
            continue; // It follows from the format.
        }
        let value = plain(&value).ok_or_else(|| format!("the header `{name}` of its login is no text"))?;
        sent.insert(name, json!(entry.names.translate(&value)?));
    }
    let parameters = translated(raw.get(parameters).unwrap_or(&Value::Null), entry)?;
    let mut step = json!({ "url": ours, "format": format });
    if !sent.is_empty() {
        step["headers"] = Value::Object(sent);
    }
    if parameters.is_object() {
        step["parameters"] = parameters;
    }
    Ok(step)
}

/// The host of a step is one of the provider's; one that an answer names can be any.
fn remember_origin(url: &str, entry: &mut Entry) {
    for choice in url.split(" || ") {
        let origin = choice.split('?').next().unwrap_or(choice);
        let origin = if origin.starts_with("${step") { "${config.named_by_an_answer}" } else { origin };
        entry.urls.push(origin.to_owned());
    }
}

/// The token that is signed for a login: their older and their newer way to say it.
fn assertion(entry: &mut Entry) -> Result<Option<Value>, String> {
    if let Some(assertion) = entry.raw.get("assertion").cloned() {
        if assertion.get("type").and_then(Value::as_str) != Some("jwt") {
            return Err("its login shows a signed SAML document, which is not made here".to_owned());
        }
        let life = assertion.get("lifetimeInSeconds").and_then(Value::as_u64).unwrap_or(300);
        return signed(&assertion, "key", life, None, entry).map(Some);
    }
    match entry.raw.get("token").cloned() {
        Some(token) => {
            let life = token.get("expires_in_ms").and_then(Value::as_u64).unwrap_or(300_000) / 1_000;
            signed(&token, "signing_key", life, None, entry).map(Some)
        }
        None => Ok(None),
    }
}

fn signed(
    token: &Value,
    key: &str,
    life: u64,
    encoding: Option<&str>,
    entry: &mut Entry,
) -> Result<Value, String> {
    let mut header = token.get("header").and_then(Value::as_object).cloned().unwrap_or_default();
    let algorithm = header.remove("alg").and_then(|name| name.as_str().map(str::to_owned));
    let algorithm = algorithm.ok_or("its token does not say how it is signed")?;
    if !matches!(algorithm.as_str(), "HS256" | "RS256" | "PS256" | "ES256") {
        return Err(format!("its token is signed by `{algorithm}`, which is not done here"));
    }
    let key = token.get(key).and_then(Value::as_str).ok_or("its token names no key")?;
    // Two bars are a part of the key.
    let key = entry.names.translate_exactly(key)?;
    let mut ours = json!({
        "algorithm": algorithm,
        "key": key,
        "header": translated(&Value::Object(header), entry)?,
        "claims": translated(token.get("payload").unwrap_or(&json!({})), entry)?,
        "life": life,
    });
    if let Some(encoding) = encoding {
        ours["key_encoding"] = json!(encoding);
    }
    Ok(ours)
}

fn answer(entry: &Entry) -> Value {
    let theirs = entry.map("token_response");
    let text = |key: &str| theirs.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut answer = Map::new();
    answer.insert("token".to_owned(), json!(text("token").unwrap_or_else(|| "access_token".to_owned())));
    if let Some(path) = text("refresh_token") {
        answer.insert("refresh_token".to_owned(), json!(path));
    }
    if let Some(path) = text("token_expiration") {
        answer.insert("expires".to_owned(), json!(path));
        if text("token_expiration_strategy").as_deref() == Some("expireAt") {
            answer.insert("expires_as".to_owned(), json!("moment"));
        }
    }
    if !entry.list("token_response_headers").is_empty() {
        answer.insert("cookies".to_owned(), json!(true));
    }
    let config: Map<String, Value> =
        entry.list("token_response_metadata").iter().map(|path| (field_name(path), json!(path))).collect();
    if !config.is_empty() {
        answer.insert("config".to_owned(), Value::Object(config));
    }
    let kept = entry.names.kept.clone();
    if !kept.is_empty() {
        answer.insert("keep".to_owned(), json!(kept));
    }
    Value::Object(answer)
}

/// A token that is signed here and sent with every call.
pub(super) fn jwt(entry: &mut Entry) -> Result<Value, String> {
    let token = entry.raw.get("token").cloned().ok_or("it does not say what is signed")?;
    let life = token.get("expires_in_ms").and_then(Value::as_u64).unwrap_or(300_000) / 1_000;
    let signature = entry.map("signature");
    let is_hmac = signature.get("protocol").and_then(Value::as_str) == Some("HMAC");
    let is_text = signature.get("hmac_secret_encoding").and_then(Value::as_str) == Some("utf8");
    let encoding = (is_hmac && !is_text).then_some("hex");
    let jwt = signed(&token, "signing_key", life, encoding, entry)?;
    let sent = Sent::of(entry)?;
    let mut asked = defined(entry, &[]);
    for name in asked.keys().cloned().collect::<Vec<_>>() {
        // Keys of HMAC are one line of text.
        if is_hmac && let Some(field) = asked.get_mut(&name).and_then(Value::as_object_mut) {
            field.remove("type");
        }
    }
    let scheme = Scheme::new("jwt", ["Key that signs", "署名鍵"], "jwt", entry).with("jwt", jwt);
    Ok(scheme.sending(sent).asking(asked, entry))
}

/// A digest of the password in a header (Web Services Security, `UsernameToken` profile).
pub(super) fn signature(entry: &mut Entry) -> Result<Value, String> {
    if entry.map("signature").get("protocol").and_then(Value::as_str) != Some("WSSE") {
        return Err("its signature is not known here".to_owned());
    }
    let digest = format!("${{base64(${{sha1_hex(${{random}}{CREATED}${{secret.password}})}})}}");
    let token = format!(
        "UsernameToken Username=\"${{secret.username}}\", PasswordDigest=\"{digest}\", Nonce=\"${{random}}\", Created=\"{CREATED}\""
    );
    let mut sent = Sent::of(entry)?;
    for value in sent.headers.values_mut() {
        if let Some(text) = value.as_str().filter(|text| text.contains("${secret.access_token}")) {
            *value = json!(text.replace("${secret.access_token}", &token));
        }
    }
    let mut asked = defined(entry, &[]);
    ask(&mut asked, "username", ["User name", "ユーザー名"], false, false);
    ask(&mut asked, "password", ["Secret", "シークレット"], true, false);
    Ok(Scheme::new("signature", ["Signed requests", "署名付きリクエスト"], "template", entry)
        .sending(sent)
        .asking(asked, entry))
}

/// A session that is opened with a user's and a developer's secrets.
pub(super) fn session(entry: &mut Entry) -> Result<Value, String> {
    let url = entry.text("token_url").map(str::to_owned).ok_or("it names no address to log in at")?;
    let login = json!({
        "steps": [{
            "url": entry.url(&url)?,
            "parameters": {
                "username": "${secret.username}",
                "password": "${secret.password}",
                "organizationId": "${secret.organization_id}",
                "devKey": "${secret.dev_key}",
            },
        }],
        "answer": { "token": "sessionId" },
        "token_life": 1_800,
    });
    let mut sent = Sent::of(entry)?;
    sent.headers.insert("sessionid".to_owned(), json!("${secret.access_token}"));
    sent.headers.insert("devkey".to_owned(), json!("${secret.dev_key}"));
    let mut asked = Map::new();
    ask(&mut asked, "username", ["User name", "ユーザー名"], false, false);
    ask(&mut asked, "password", ["Password", "パスワード"], true, false);
    ask(&mut asked, "organization_id", ["Organization ID", "組織ID"], false, false);
    ask(&mut asked, "dev_key", ["Developer key", "開発者キー"], true, false);
    Ok(Scheme::new("login", TOKEN, "login", entry).with("login", login).sending(sent).asking(asked, entry))
}

/// A token for one installation of an app, had with a token that the app signs.
pub(super) fn installation(entry: &mut Entry) -> Result<Value, String> {
    let url = match entry.raw.get("token_url") {
        Some(Value::String(url)) => url.clone(),
        Some(Value::Object(urls)) => urls.get("APP").and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => return Err("it names no token endpoint".to_owned()),
    };
    entry.notes.add("the installation's ID is asked for: it stands in the address of the page that shows the installation");
    let url = entry.url(&url)?;
    let login = json!({
        "assertion": {
            "algorithm": "RS256",
            "key": "${secret.private_key}",
            "claims": { "iss": "${secret.app_id}" },
            "backdate": 60,
            "life": 540,
        },
        "steps": [{ "url": url, "headers": { "authorization": "Bearer ${assertion}", "accept": "application/json" } }],
        "answer": { "token": "token", "expires": "expires_at", "expires_as": "moment" },
    });
    let sent = Sent::of(entry)?;
    let mut asked = Map::new();
    ask(&mut asked, "app_id", ["App ID", "アプリID"], false, false);
    ask(&mut asked, "private_key", ["Private key of the app", "アプリの秘密鍵"], true, false);
    asked["private_key"]["type"] = json!("multiline");
    asked["private_key"]["max_length"] = json!(32_768);
    let name = ["Installation of an app", "アプリのインストール"];
    let scheme = Scheme::new("installation", name, "login", entry).with("login", login);
    Ok(scheme.with("mode", json!("APP")).sending(sent).asking(asked, entry))
}

/// Requests signed with the temporary keys of a role.
pub(super) fn assumed_role(entry: &mut Entry) -> Result<Value, String> {
    let region = entry.names.translate("${connectionConfig.region}")?;
    let service = entry.names.translate("${connectionConfig.service}")?;
    let external_id = entry.names.translate("${connectionConfig.external_id}")?;
    let aws = json!({
        "region": region,
        "service": service,
        "assume_role": {
            "url": entry.url("https://sts.${connectionConfig.region}.amazonaws.com/")?,
            "role": "${secret.role_arn}",
            "external_id": external_id,
            "life": 3_600,
        },
    });
    let sent = Sent::of(entry)?;
    let mut asked = defined(entry, &[]);
    ask(&mut asked, "access_key_id", ["Access key ID", "アクセスキーID"], false, false);
    ask(&mut asked, "secret_access_key", ["Secret access key", "シークレットアクセスキー"], true, false);
    let name = ["Role of Amazon Web Services", "AWSのロール"];
    Ok(Scheme::new("role", name, "aws_sigv4", entry)
        .with("aws_sigv4", aws)
        .sending(sent)
        .asking(asked, entry))
}
