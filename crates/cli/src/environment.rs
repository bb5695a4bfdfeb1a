//! What the environment of the process says: settings, and the keys that are no arguments.

use std::collections::HashMap;
use std::env::VarError;
use std::ffi::OsString;

use anyhow::{anyhow, bail};
use config::Value;
use serde::Deserialize as _;

/// What the names of our variables begin with.
const PREFIX: &str = "TOMBOLO_";
/// Variables of the same prefix that are no settings.
const OTHERS: [&str; 5] =
    ["TOMBOLO_URL", "TOMBOLO_API_KEY", "TOMBOLO_MASTER_KEY", "TOMBOLO_CONFIG", "TOMBOLO_ENVIRONMENT"];
/// The one variable that may hold any path; the parser of the command line reads it.
const ANY_BYTES: &str = "TOMBOLO_CONFIG";

/// The text of a variable; `None` where it is not set. One that is not UTF-8 is an error: to pass over it would be to
/// act without the key that somebody gave.
pub fn text(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(not_text(name)),
    }
}

/// The settings among the variables, by their names in the configuration: `TOMBOLO_SERVER_LISTEN` is `server.listen`.
/// A setting whose default is a list is written as in the configuration file, or as its members separated by commas.
pub fn settings(
    variables: impl Iterator<Item = (OsString, OsString)>,
    defaults: &toml::Table,
) -> anyhow::Result<HashMap<String, Value>> {
    let known = known(defaults);
    let mut settings = HashMap::new();
    for (name, value) in variables {
        if !name.as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        let name = name.to_string_lossy();
        let setting = known.get(&*name);
        if setting.is_none() && !OTHERS.contains(&&*name) {
            bail!("the environment has {name}, which is no setting; config.default.toml shows them all");
        }
        if name == ANY_BYTES {
            continue;
        }
        let text = value.into_string().map_err(|_| not_text(&name))?;
        if let Some((key, default)) = setting {
            let value = if default.is_array() { list(&name, &text)? } else { text.into() };
            settings.insert(key.clone(), value);
        }
    }
    Ok(settings)
}

/// The variables that are settings, each with the name and the default of the setting.
fn known(defaults: &toml::Table) -> HashMap<String, (String, &toml::Value)> {
    let mut known = HashMap::new();
    for (key, value) in defaults {
        let Some(section) = value.as_table() else {
            known.insert(format!("{PREFIX}{key}").to_uppercase(), (key.clone(), value));
            continue;
        };
        for (inner, value) in section {
            let variable = format!("{PREFIX}{key}_{inner}").to_uppercase();
            known.insert(variable, (format!("{key}.{inner}"), value));
        }
    }
    known
}

fn list(name: &str, text: &str) -> anyhow::Result<Value> {
    if !text.trim_start().starts_with('[') {
        let members = text.split(',').map(str::trim).filter(|member| !member.is_empty());
        return Ok(members.map(str::to_owned).collect::<Vec<String>>().into());
    }
    let not_a_list = |reason: &str| {
        anyhow!(
            "{name} is no list: {reason}; write it as in config.default.toml, or its members separated by commas"
        )
    };
    let list: toml::Value =
        text.trim().parse().map_err(|error: toml::de::Error| not_a_list(error.message()))?;
    Value::deserialize(list).map_err(|error| not_a_list(&error.to_string()))
}

fn not_text(name: &str) -> anyhow::Error {
    anyhow!("the environment variable {name} is not UTF-8; set it to a text, or unset it")
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn with(name: &str, value: &[u8]) -> anyhow::Result<HashMap<String, Value>> {
        let defaults = "[egress]\nallow_http = false\nextra_ports = []".parse().expect("TOML");
        settings([(name.into(), OsString::from_vec(value.to_vec()))].into_iter(), &defaults)
    }

    #[test]
    fn a_list_is_toml_or_its_members_separated_by_commas() {
        for (text, members) in [
            ("", &[][..]),
            ("8443", &["8443"]),
            ("8443, 9443,", &["8443", "9443"]),
            ("[8443, 9443]", &["8443", "9443"]),
            (" [ ] ", &[]),
        ] {
            let mut settings = with("TOMBOLO_EGRESS_EXTRA_PORTS", text.as_bytes()).expect("a list");
            let list = settings.remove("egress.extra_ports").and_then(|value| value.into_array().ok());
            let list: Vec<String> = list.expect("a list").iter().map(ToString::to_string).collect();
            assert_eq!(list, members, "{text}");
        }
        let error = with("TOMBOLO_EGRESS_EXTRA_PORTS", b"[8443").expect_err("no list").to_string();
        assert!(error.starts_with("TOMBOLO_EGRESS_EXTRA_PORTS is no list: "), "{error}");
    }

    #[test]
    fn bytes_that_are_no_text_matter_in_our_variables_only() {
        let not_utf_8 = b"/data/\xff";
        for name in ["LS_COLORS", "TOMBOLO", "TOMBOLO_CONFIG"] {
            assert!(with(name, not_utf_8).expect("passed over").is_empty(), "{name}");
        }
        for name in ["TOMBOLO_EGRESS_ALLOW_HTTP", "TOMBOLO_EGRESS_EXTRA_PORTS", "TOMBOLO_MASTER_KEY"] {
            let error = with(name, not_utf_8).expect_err("refused").to_string();
            assert!(error.starts_with(&format!("the environment variable {name} is not UTF-8")), "{error}");
        }
    }
}
