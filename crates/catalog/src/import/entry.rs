//! One entry: what it says, and what was found out about it on the way.

use serde_json::{Map, Value};

use super::fields::{self, Asked};
use super::hosts;
use super::names::{Names, field_name};
use super::notes::Notes;

/// One entry.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) raw: Map<String, Value>,
    pub(super) names: Names,
    pub(super) notes: Notes,
    /// Every address that the provider has, with our holes.
    pub(super) urls: Vec<String>,
    /// Fields that an answer of the vendor fills.
    pub(super) answered: Vec<String>,
}

impl Entry {
    pub(super) fn new(id: &str, raw: Map<String, Value>) -> Result<Self, String> {
        let mut entry = Self {
            id: id.to_owned(),
            raw,
            names: Names::default(),
            notes: Notes::default(),
            urls: Vec::new(),
            answered: Vec::new(),
        };
        let credentials = entry.definitions("credentials").into_iter().map(|(name, _)| field_name(&name));
        entry.names.credentials = credentials.collect();
        for (name, definition) in entry.definitions("connection_config") {
            if definition.get("secret").and_then(Value::as_bool) == Some(true) {
                let name = entry.names.config_name(&name);
                entry.names.secrets.push(name);
            }
        }
        for key in ["redirect_uri_metadata", "token_response_metadata"] {
            let names: Vec<String> = entry.list(key).iter().map(|path| field_name(path)).collect();
            entry.answered.extend(names);
        }
        if entry.raw.contains_key("installation") {
            let why = "it is linked from the vendor's side, by a request that the vendor sends";
            return Err(why.to_owned());
        }
        for (key, what) in [
            (
                "post_connection_script",
                "code of the other product looks something up after linking; here it is asked for",
            ),
            (
                "credentials_verification_script",
                "code of the other product tests the credential; here only the API's answer is looked at",
            ),
            (
                "pre_connection_deletion_script",
                "code of the other product undoes something when a connection is deleted; here nothing does",
            ),
        ] {
            if entry.raw.contains_key(key) {
                entry.notes.add(what);
            }
        }
        Ok(entry)
    }

    pub(super) fn mode(&self) -> &str {
        self.text("auth_mode").unwrap_or_default()
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.raw.get(key).and_then(Value::as_str)
    }

    pub(super) fn is_set(&self, key: &str) -> bool {
        self.raw.get(key).and_then(Value::as_bool) == Some(true)
    }

    /// Whether a client certificate is shown, to the API as well as where tokens are given out.
    pub(super) fn shows_certificate(&self) -> bool {
        self.is_set("require_client_certificate")
    }

    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.raw.get(key).and_then(Value::as_u64)
    }

    pub(super) fn list(&self, key: &str) -> Vec<String> {
        let items = self.raw.get(key).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    pub(super) fn map(&self, key: &str) -> Map<String, Value> {
        self.raw.get(key).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// A part of how calls are made.
    pub(super) fn proxy(&self, key: &str) -> Option<&Value> {
        self.raw.get("proxy")?.get(key)
    }

    /// Definitions of fields by name.
    pub(super) fn definitions(&self, key: &str) -> Vec<(String, Value)> {
        self.map(key).into_iter().collect()
    }

    /// An address with our holes, remembered as one of the provider's.
    pub(super) fn url(&mut self, theirs: &str) -> Result<String, String> {
        let ours = self.names.translate(theirs)?;
        if let Some(insecure) = ours.split(" || ").find(|choice| choice.starts_with("http://")) {
            return Err(format!("`{insecure}` is not protected by TLS"));
        }
        if ours.contains("${secret.") {
            return Err(format!("a secret stands in the address `{ours}`"));
        }
        self.urls.push(ours.clone());
        Ok(ours)
    }

    /// The base of every call.
    pub(super) fn base_url(&mut self) -> Result<String, String> {
        if let Some(base) = self.proxy("base_url").and_then(Value::as_str).map(str::to_owned) {
            return self.url(&base);
        }
        self.notes.add("it names no address, so a host is asked for");
        self.url("https://${connectionConfig.hostname}")
    }

    /// Fields of the configuration. Those that a hole names without a definition are asked for as well.
    pub(super) fn config_fields(&mut self) -> Value {
        let mut config = Map::new();
        for (name, definition) in fields::in_order(self.definitions("connection_config")) {
            let name = self.names.config_name(&name);
            if self.names.secrets.contains(&name) {
                continue;
            }
            let asked = self.how_asked(&name, &definition);
            let mut field = fields::field(&name, &definition, asked, false, &mut self.notes);
            self.check_example(&name, &mut field);
            config.insert(name, field);
        }
        for name in self.names.used.clone().into_iter().chain(self.answered.clone()) {
            if !config.contains_key(&name) {
                let asked = self.how_asked(&name, &Value::Null);
                config
                    .insert(name.clone(), fields::field(&name, &Value::Null, asked, false, &mut self.notes));
            }
        }
        Value::Object(config)
    }

    /// Takes away an example from which no address can be built; theirs are only looked at by people.
    fn check_example(&self, name: &str, field: &mut Value) {
        let hole = format!("${{config.{name}}}");
        let begins =
            |url: &String| url.split(" || ").any(|url| url.trim_start_matches("https://").starts_with(&hole));
        let is_whole = |url: &String| {
            url.split(" || ").any(|url| {
                let rest = url.trim_start_matches("https://").strip_prefix(&hole);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
            })
        };
        let Some(example) = field.get("example").and_then(Value::as_str) else { return };
        let host = example.trim_start_matches("https://").split(['/', ':']).next().unwrap_or_default();
        let is_host = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        let is_bad = (self.urls.iter().any(begins) && !is_host)
            || (self.urls.iter().any(is_whole) && !host.contains('.'));
        if is_bad && let Some(field) = field.as_object_mut() {
            field.remove("example");
        }
    }

    fn how_asked(&mut self, name: &str, definition: &Value) -> Asked {
        if self.answered.iter().any(|known| known == name) {
            return Asked::Never;
        }
        let flag = |key: &str| definition.get(key).and_then(Value::as_bool) == Some(true);
        let hole = format!("${{config.{name}}}");
        let is_needed = self.urls.iter().any(|url| url.contains(&hole) && !url.contains(" || "));
        let is_filled_elsewhere = flag("automated") || flag("hidden") || definition.is_null();
        match (is_needed, is_filled_elsewhere) {
            (true, true) => {
                self.notes.add(format!("`{name}`, which the other product fills in by itself, is asked for"));
                Asked::Always
            }
            (false, true) => Asked::Perhaps,
            (false, false) if flag("optional") => Asked::Perhaps,
            (_, false) => Asked::Always,
        }
    }

    /// The hosts that the addresses can lead to.
    pub(super) fn hosts(&mut self) -> Result<Vec<String>, String> {
        hosts::of(self)
    }
}
