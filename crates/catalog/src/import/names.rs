//! Holes of theirs become holes of ours.

use std::collections::BTreeMap;

pub(super) use crate::auth_mode::field_name;
use crate::expression::hole_length;

/// What holes may name in an entry.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Fields of the configuration that are secrets, and so fields of the scheme with us.
    pub(super) secrets: Vec<String>,
    /// Fields of the credential.
    pub(super) credentials: Vec<String>,
    /// Members of an answer that are kept with the token: our name and their path.
    pub(super) kept: BTreeMap<String, String>,
    /// Fields of the configuration that some hole names.
    pub(super) used: Vec<String>,
}

/// Functions, and what they are called with us.
const FUNCTIONS: [(&str, &str); 6] = [
    ("base64", "base64"),
    ("sha256Hex", "sha256_hex"),
    ("sha256Base64", "sha256_base64"),
    ("hmacSha1Hex", "hmac_sha1_hex"),
    ("ed25519Sign", "ed25519_sign"),
    ("fingerprint", "fingerprint"),
];

/// Holes without a root, and what they are called with us.
const PLAIN: [(&str, &str); 14] = [
    ("apiKey", "secret.apiKey"),
    ("accessToken", "secret.access_token"),
    ("token", "assertion"),
    ("refresh_token", "secret.refresh_token"),
    ("clientId", "secret.client_id"),
    ("clientSecret", "secret.client_secret"),
    ("random", "random"),
    ("method", "method"),
    ("host", "host"),
    ("path", "path"),
    ("params", "parameters"),
    ("endpoint", "endpoint"),
    ("bodyCanonicalParams", "body"),
    ("body", "body"),
];

impl Names {
    /// The text with our holes, or why there is none.
    pub(super) fn translate(&mut self, text: &str) -> Result<String, String> {
        let text = text.replace("||", " || ").replace("  ||", " ||").replace("||  ", "|| ");
        self.translate_exactly(&text)
    }

    /// The same for texts in which `||` is no choice.
    pub(super) fn translate_exactly(&mut self, text: &str) -> Result<String, String> {
        let mut ours = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            ours.push_str(&rest[..start]);
            let length =
                hole_length(&rest[start..]).ok_or_else(|| format!("the hole in `{text}` is never closed"))?;
            let hole = self.hole(&rest[start + 2..start + length - 1])?;
            ours.push_str(&hole);
            rest = &rest[start + length..];
        }
        ours.push_str(rest);
        Ok(ours)
    }

    fn hole(&mut self, hole: &str) -> Result<String, String> {
        let hole = hole.trim();
        if let Some((name, arguments)) = hole.strip_suffix(')').and_then(|hole| hole.split_once('(')) {
            let known = FUNCTIONS.iter().find(|(theirs, _)| *theirs == name);
            let (_, ours) = known.ok_or_else(|| format!("there is no function `{name}` here"))?;
            // Line breaks are written as two characters inside of arguments.
            let arguments = self.translate_exactly(&arguments.replace("\\n", "\n").replace("\\\"", "\""))?;
            return Ok(format!("${{{ours}({arguments})}}"));
        }
        if hole == "now" || hole.starts_with("now:") || hole.starts_with("now+") {
            return Ok(format!("${{{hole}}}"));
        }
        if let Some((_, ours)) = PLAIN.iter().find(|(theirs, _)| *theirs == hole) {
            return Ok(format!("${{{ours}}}"));
        }
        let named = hole.split_once('.').ok_or_else(|| format!("nothing fills `${{{hole}}}`"))?;
        let ours = match named {
            ("connectionConfig", name) => self.config(name),
            ("credentials", "token") => "secret.access_token".to_owned(),
            ("credentials", "_cookies") => "secret.cookies".to_owned(),
            ("credentials", "assertion") => "assertion".to_owned(),
            ("credentials", name) if name.starts_with("raw.") => {
                let path = name.trim_start_matches("raw.");
                let kept = field_name(path);
                self.kept.insert(kept.clone(), path.to_owned());
                format!("secret.{kept}")
            }
            ("credentials", name) => match name.split_once('.') {
                // `id:secret` in one field.
                Some((field, "id")) => {
                    return Ok(format!("${{before(${{secret.{}}}, :)}}", field_name(field)));
                }
                Some((field, "secret")) => {
                    return Ok(format!("${{after(${{secret.{}}}, :)}}", field_name(field)));
                }
                _ => format!("secret.{}", field_name(name)),
            },
            ("assertionOption" | "integrationConfig" | "integration_config", name) => {
                format!("secret.{}", field_name(name))
            }
            (step, path) if step.starts_with("step") => format!("{step}.{path}"),
            _ => return Err(format!("nothing fills `${{{hole}}}`")),
        };
        Ok(format!("${{{ours}}}"))
    }

    /// The name of a field of the configuration. One that a credential has as well gets another name, because one form shows
    /// both.
    pub(super) fn config_name(&self, name: &str) -> String {
        let name = field_name(name);
        if self.credentials.contains(&name) { format!("config_{name}") } else { name }
    }

    fn config(&mut self, name: &str) -> String {
        let name = self.config_name(name);
        if self.secrets.contains(&name) {
            return format!("secret.{name}");
        }
        if !self.used.contains(&name) {
            self.used.push(name.clone());
        }
        format!("config.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn their_holes_become_ours_or_are_refused() {
        let mut names = Names { secrets: vec!["hidden".to_owned()], ..Names::default() };
        for (theirs, ours) in [
            ("Bearer ${apiKey}", Ok("Bearer ${secret.apiKey}")),
            ("${connectionConfig.a-b}||x", Ok("${config.a_b} || x")),
            ("${connectionConfig.hidden}", Ok("${secret.hidden}")),
            (
                "Basic ${base64(${credentials.username}:${credentials.password})}",
                Ok("Basic ${base64(${secret.username}:${secret.password})}"),
            ),
            ("${credentials.raw.a.b}", Ok("${secret.a_b}")),
            ("${credentials.key.secret}", Ok("${after(${secret.key}, :)}")),
            ("${step2.token_endpoint}", Ok("${step2.token_endpoint}")),
            ("${anything}", Err("nothing fills `${anything}`")),
            ("${evaluate(x)}", Err("there is no function `evaluate` here")),
        ] {
            let translated = names.translate(theirs);
            assert_eq!(translated.as_deref().map_err(String::as_str), ours, "{theirs}");
        }
    }
}
