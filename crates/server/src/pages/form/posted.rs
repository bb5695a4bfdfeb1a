//! What a browser posts from a form.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, Multipart, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use tombolo_platform::Problem;
use tombolo_platform::catalog::Provider;
use tombolo_platform::connect::{Typed, TypedAccount};

use crate::routes::Routes;
use crate::routes::refusal::Refusal;

/// Most inputs of a form, and the longest value: a certificate in base64.
const INPUTS_MAX: usize = 400;
const VALUE_MAX: usize = 256 * 1024;

/// The inputs of a form as `multipart/form-data`, in their order. All are held as secrets.
#[derive(Default)]
pub(crate) struct Posted(Vec<(String, SecretString)>);

impl FromRequest<Routes> for Posted {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &Routes) -> Result<Self, Refusal> {
        let mut parts = Multipart::from_request(request, state).await.map_err(|error| unreadable(&error))?;
        let mut inputs = Vec::new();
        while let Some(part) = parts.next_field().await.map_err(|error| unreadable(&error))? {
            let name = part.name().unwrap_or_default().to_owned();
            let is_file = part.file_name().is_some();
            let bytes = part.bytes().await.map_err(|error| unreadable(&error))?;
            if inputs.len() >= INPUTS_MAX || bytes.len() > VALUE_MAX {
                return Err(too_large().into());
            }
            let text = if is_file {
                text_of_file(&bytes)
            } else {
                String::from_utf8(bytes.into()).map_err(|_| unreadable(&"a value is not UTF-8"))?
            };
            inputs.push((name, text.into()));
        }
        Ok(Self(inputs))
    }
}

/// A file as fields take it: PEM stays text, everything else is its base64 form.
fn text_of_file(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_empty() || text.contains("-----BEGIN ") => text.to_owned(),
        _ => STANDARD.encode(bytes),
    }
}

/// The name of the input with the OAuth client of an auth scheme.
pub(crate) fn client_input(scheme: &str) -> String {
    format!("oauth_client.{scheme}")
}

impl Posted {
    /// The value of an input; empty when there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.expose_secret())
    }

    /// Every value of an input that stands several times.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let found = self.0.iter().filter(|(known, _)| known == name);
        found.map(|(_, value)| value.expose_secret().to_owned()).collect()
    }

    /// The inputs whose name begins with a part, without it; empty ones are left out.
    pub(crate) fn below(&self, part: &str) -> BTreeMap<String, String> {
        let found =
            self.0.iter().filter_map(|(name, value)| Some((name.strip_prefix(part)?, value.expose_secret())));
        found
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// Whether there is an input of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// What was typed for an account, by the names of the provider's form. Inputs of schemes that were not chosen are left
    /// out.
    pub(crate) fn account(&self) -> TypedAccount {
        let scheme = Some(self.text("scheme")).filter(|scheme| !scheme.is_empty());
        let of_scheme = scheme.map(|scheme| format!("s.{scheme}."));
        let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut settings = BTreeMap::new();
        for (name, value) in &self.0 {
            let value = value.expose_secret();
            if let Some(setting) = name.strip_prefix("settings.") {
                if !value.trim().is_empty() {
                    settings.insert(setting.to_owned(), value.to_owned());
                }
                continue;
            }
            let field = name.strip_prefix("c.").or_else(|| name.strip_prefix("g."));
            let field = field.or_else(|| name.strip_prefix(of_scheme.as_deref()?));
            if let Some(field) = field
                && !value.is_empty()
            {
                lists.entry(field).or_default().push(value);
            }
        }
        let fields: Typed = lists
            .into_iter()
            .map(|(name, values)| (name.to_owned(), SecretString::from(values.join(","))))
            .collect();
        let name = self.text("name");
        let other_account = self.text("other_account") == "yes";
        let auth_scheme = scheme.map(str::to_owned);
        let oauth_client = scheme.map(|scheme| self.text(&client_input(scheme)));
        let oauth_client = oauth_client.filter(|id| !id.is_empty()).map(str::to_owned);
        let name = Some(name.to_owned());
        TypedAccount { auth_scheme, name, fields, settings, other_account, oauth_client }
    }

    /// Puts a value in the place of those that an input has.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.into()));
    }

    /// What may be shown again: everything that is no secret of the provider, by the name of its input.
    pub(crate) fn shown_again(&self, provider: &Provider) -> BTreeMap<String, Vec<String>> {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &self.0 {
            let Some((part, field)) = name.rsplit_once('.') else { continue };
            let known = match part {
                "c" => provider.config.get(field),
                "g" => provider.gates.iter().find_map(|gate| gate.fields.get(field)),
                "settings" => provider.settings.find(field).map(|(_, setting)| &setting.field),
                part => part
                    .strip_prefix("s.")
                    .and_then(|scheme| provider.scheme(scheme))
                    .and_then(|scheme| scheme.fields.get(field))
                    .or_else(|| provider.config.get(field)),
            };
            if known.is_some_and(|field| !field.secret) {
                values.entry(name.clone()).or_default().push(value.expose_secret().to_owned());
            }
        }
        values
    }
}

/// `why` is told without any value: it speaks of the form's shape, or of how it arrived.
fn unreadable(why: &dyn std::fmt::Display) -> Problem {
    let what = format!("The form could not be read: {why}");
    Problem::invalid("invalid_body", what, "Open the page again, and fill it in once more.")
}

fn too_large() -> Problem {
    let what = "The form is larger than any that is needed";
    Problem::invalid("invalid_body", what, "Choose the certificate file itself, and nothing larger.")
}
