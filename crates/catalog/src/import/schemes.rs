//! Auth schemes from what an entry says about them.

use serde_json::{Map, Value, json};

use super::entry::Entry;
use super::fields::{self, Asked};
use super::names::field_name;
use super::{scheme_oauth, scheme_special, words};

/// The schemes of an entry, or why there are none.
pub(super) fn of(entry: &mut Entry) -> Result<Vec<Value>, String> {
    match entry.mode().to_owned().as_str() {
        "API_KEY" => Ok(vec![api_key(entry)?]),
        "BASIC" | "INSTALL_PLUGIN" => Ok(vec![basic(entry)?]),
        "NONE" => Ok(vec![none(entry)?]),
        "OAUTH2" | "MCP_OAUTH2" => Ok(vec![scheme_oauth::with_person(entry)?]),
        "OAUTH2_CC" => Ok(vec![scheme_oauth::without_person(entry)?]),
        "OAUTH1" => Ok(vec![scheme_oauth::three_legged(entry)?]),
        "TBA" => Ok(vec![scheme_oauth::token_based(entry)?]),
        "TWO_STEP" => Ok(vec![scheme_special::login(entry)?]),
        "JWT" => Ok(vec![scheme_special::jwt(entry)?]),
        "SIGNATURE" => Ok(vec![scheme_special::signature(entry)?]),
        "BILL" => Ok(vec![scheme_special::session(entry)?]),
        "APP" => Ok(vec![scheme_special::installation(entry)?]),
        "CUSTOM" => Ok(vec![scheme_special::installation(entry)?, scheme_oauth::with_person(entry)?]),
        "AWS_SIGV4" => Ok(vec![scheme_special::assumed_role(entry)?]),
        "MCP_OAUTH2_GENERIC" => {
            Err("its server is found and its client is registered by the protocol, for any address that somebody types".to_owned())
        }
        "" => Err("it names no auth_mode".to_owned()),
        other => Err(format!("its auth_mode `{other}` is not known here")),
    }
}

/// What is put onto every request: headers, query and body with our holes.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) headers: Map<String, Value>,
    pub(super) query: Map<String, Value>,
    pub(super) body: Map<String, Value>,
}

impl Sent {
    pub(super) fn of(entry: &mut Entry) -> Result<Self, String> {
        let mut sent = Self::default();
        let part = |entry: &Entry, key: &str| {
            entry.proxy(key).and_then(Value::as_object).cloned().unwrap_or_default()
        };
        for (name, value) in part(entry, "headers") {
            let text = plain(&value).ok_or_else(|| format!("the header `{name}` is no text"))?;
            // What somebody else's product says of itself is not for us to say.
            let text = match text.split_once("||") {
                Some((own, other)) if other.to_ascii_lowercase().contains("nango") => own.trim().to_owned(),
                _ => text,
            };
            let value = json!(entry.names.translate(&text)?);
            sent.headers.insert(name.to_ascii_lowercase(), value);
        }
        for (name, value) in part(entry, "query") {
            let text = plain(&value).ok_or_else(|| format!("the parameter `{name}` is no text"))?;
            sent.query.insert(name, json!(entry.names.translate(&text)?));
        }
        for (name, value) in part(entry, "body") {
            sent.body.insert(name, translated(&value, entry)?);
        }
        Ok(sent)
    }

    /// The whole of it as text, to look for a hole.
    pub(super) fn text(&self) -> String {
        let parts = [&self.headers, &self.query, &self.body];
        parts.iter().map(|part| Value::Object((*part).clone()).to_string()).collect()
    }

    pub(super) fn into_block(self) -> Option<Value> {
        let mut block = Map::new();
        for (name, part) in [("headers", self.headers), ("query", self.query), ("body", self.body)] {
            if !part.is_empty() {
                block.insert(name.to_owned(), Value::Object(part));
            }
        }
        (!block.is_empty()).then_some(Value::Object(block))
    }
}

/// A text, number or truth value as a text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A JSON value with our holes.
pub(super) fn translated(value: &Value, entry: &mut Entry) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => json!(entry.names.translate(text)?),
        Value::Object(members) => {
            let mut ours = Map::new();
            for (name, member) in members {
                ours.insert(name.clone(), translated(member, entry)?);
            }
            Value::Object(ours)
        }
        Value::Array(items) => {
            let mut ours = Vec::new();
            for item in items {
                ours.push(translated(item, entry)?);
            }
            Value::Array(ours)
        }
        plain => plain.clone(),
    })
}

/// A scheme with its usual parts.
pub(super) struct Scheme {
    members: Map<String, Value>,
}

impl Scheme {
    pub(super) fn new(id: &str, name: [&str; 2], kind: &str, entry: &Entry) -> Self {
        let mut members = Map::new();
        members.insert("id".to_owned(), json!(id));
        members.insert("name".to_owned(), json!({ "en": name[0], "ja": name[1] }));
        members.insert("type".to_owned(), json!(kind));
        if !matches!(entry.mode(), "" | "OAUTH2" | "OAUTH2_CC") {
            members.insert("mode".to_owned(), json!(entry.mode()));
        }
        Self { members }
    }

    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    pub(super) fn sending(self, sent: Sent) -> Self {
        match sent.into_block() {
            Some(block) => self.with("send", block),
            None => self,
        }
    }

    /// The scheme with its fields and those of the configuration that are secrets.
    pub(super) fn asking(mut self, mut asked: Map<String, Value>, entry: &mut Entry) -> Value {
        for (name, definition) in entry.definitions("connection_config") {
            let name = entry.names.config_name(&name);
            if entry.names.secrets.contains(&name) && !asked.contains_key(&name) {
                let optional = definition.get("optional").and_then(Value::as_bool) == Some(true)
                    || definition.get("automated").and_then(Value::as_bool) == Some(true);
                let how = if optional { Asked::Perhaps } else { Asked::Always };
                asked.insert(name.clone(), fields::field(&name, &definition, how, true, &mut entry.notes));
            }
        }
        if !asked.is_empty() {
            self.members.insert("fields".to_owned(), Value::Object(asked));
        }
        Value::Object(self.members)
    }
}

/// The fields of the credential that an entry defines, without those that are made up on the way.
pub(super) fn defined(entry: &mut Entry, without: &[&str]) -> Map<String, Value> {
    let mut asked = Map::new();
    for key in ["credentials", "assertion_option"] {
        for (name, definition) in fields::in_order(entry.definitions(key)) {
            if without.contains(&name.as_str()) {
                continue;
            }
            let flag = |key: &str| definition.get(key).and_then(Value::as_bool) == Some(true);
            let how = if flag("optional") || flag("automated") || flag("hidden") {
                Asked::Perhaps
            } else {
                Asked::Always
            };
            let secret = fields::is_secret(&name, &definition);
            let name = field_name(&name);
            asked.insert(name.clone(), fields::field(&name, &definition, how, secret, &mut entry.notes));
        }
    }
    asked
}

/// Adds a field that no definition has.
pub(super) fn ask(
    asked: &mut Map<String, Value>,
    name: &str,
    label: [&str; 2],
    secret: bool,
    optional: bool,
) {
    if asked.contains_key(name) {
        return;
    }
    let mut field = json!({ "label": { "en": label[0], "ja": label[1] } });
    if secret {
        field["secret"] = json!(true);
        field["fold"] = json!(false);
        field["max_length"] = json!(8_192);
    }
    if optional {
        field["optional"] = json!(true);
    }
    asked.insert(name.to_owned(), field);
}

const HOLE: &str = "${secret.apiKey}";

fn api_key(entry: &mut Entry) -> Result<Value, String> {
    let mut sent = Sent::of(entry)?;
    let mut asked = defined(entry, &[]);
    ask(&mut asked, "apiKey", ["API key", "APIキー"], true, false);
    for field in asked.values_mut() {
        field["secret"] = json!(true);
    }
    let scheme = |kind: &str, entry: &Entry| Scheme::new("api_key", ["API key", "APIキー"], kind, entry);
    let holes = sent.text().matches("${secret.").count();
    let in_header = sent.headers.iter().find_map(|(name, value)| {
        let prefix = value.as_str()?.strip_suffix(HOLE).filter(|prefix| !prefix.contains("${"))?;
        Some((name.clone(), prefix.to_owned()))
    });
    if let Some((header, prefix)) = in_header.filter(|_| holes == 1) {
        sent.headers.remove(&header);
        let scheme = scheme("api_key", entry).with("header", json!(header)).with("prefix", json!(prefix));
        return Ok(scheme.sending(sent).asking(asked, entry));
    }
    let in_query =
        sent.query.iter().find(|(_, value)| value.as_str() == Some(HOLE)).map(|(name, _)| name.clone());
    if let Some(parameter) = in_query.filter(|_| holes == 1) {
        sent.query.remove(&parameter);
        return Ok(scheme("api_key", entry)
            .with("query", json!(parameter))
            .sending(sent)
            .asking(asked, entry));
    }
    if !sent.text().contains(HOLE) && holes == 0 {
        return Err("it does not say where the key goes".to_owned());
    }
    Ok(scheme("template", entry).sending(sent).asking(asked, entry))
}

fn basic(entry: &mut Entry) -> Result<Value, String> {
    if let Some(signed) = aws_header(entry) {
        return aws_keys(signed?, entry);
    }
    let sent = Sent::of(entry)?;
    let mut asked = defined(entry, &[]);
    ask(&mut asked, "username", ["User name", "ユーザー名"], false, false);
    ask(&mut asked, "password", ["Password", "パスワード"], true, false);
    let names = ["User name and password", "ユーザー名とパスワード"];
    let authorization = sent.headers.get("authorization").and_then(Value::as_str).map(str::to_owned);
    if authorization.is_some()
        || sent.text().contains("${secret.username}")
        || sent.text().contains("${secret.password}")
    {
        return Ok(Scheme::new("basic", names, "template", entry).sending(sent).asking(asked, entry));
    }
    Ok(Scheme::new("basic", names, "basic", entry).sending(sent).asking(asked, entry))
}

fn none(entry: &mut Entry) -> Result<Value, String> {
    let sent = Sent::of(entry)?;
    let scheme = Scheme::new("none", ["Nothing", "認証なし"], "none", entry);
    Ok(scheme.sending(sent).asking(Map::new(), entry))
}

/// Requests signed with the account's own keys.
fn aws_keys((region, service): (String, String), entry: &mut Entry) -> Result<Value, String> {
    let block = json!({
        "region": entry.names.translate(&region)?,
        "service": entry.names.translate(&service)?,
        "access_key_id": "${secret.username}",
        "secret_access_key": "${secret.password}",
    });
    // The signature and its time are made by the scheme.
    if let Some(headers) =
        entry.raw.get_mut("proxy").and_then(|proxy| proxy.get_mut("headers")).and_then(Value::as_object_mut)
    {
        headers.retain(|name, _| !matches!(name.as_str(), "authorization" | "x-amz-date"));
    }
    let sent = Sent::of(entry)?;
    let mut asked = defined(entry, &[]);
    ask(&mut asked, "username", ["Access key ID", "アクセスキーID"], false, false);
    ask(&mut asked, "password", ["Secret access key", "シークレットアクセスキー"], true, false);
    let scheme = Scheme::new("keys", ["Access key", "アクセスキー"], "aws_sigv4", entry);
    Ok(scheme.with("aws_sigv4", block).sending(sent).asking(asked, entry))
}

/// The signature of Amazon Web Services that a header asks for: region and service.
fn aws_header(entry: &Entry) -> Option<Result<(String, String), String>> {
    let headers = entry.proxy("headers")?.as_object()?;
    let text = headers.get("authorization")?.as_str()?;
    let arguments = text.trim().strip_prefix("${awsSigV4(")?.strip_suffix(")}")?;
    let parts: Vec<&str> = arguments.split(',').map(str::trim).collect();
    Some(match parts.as_slice() {
        ["${credentials.username}", "${credentials.password}", region, service, ..] => {
            Ok(((*region).to_owned(), (*service).to_owned()))
        }
        _ => Err(format!("its signature `{text}` is not understood")),
    })
}

/// A label for a field that has none of its own.
pub(super) fn label_of(name: &str) -> Value {
    words::same(&words::label(name))
}
