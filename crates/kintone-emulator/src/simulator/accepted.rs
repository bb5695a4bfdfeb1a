//! The credentials that a simulator accepts, and whether a request carries one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tombolo_catalog::{AuthScheme, Entries, OAuth2, Placement, Provider, SchemeKind};

use super::SimulatorError;
use super::sample::{marked, typical};
use crate::http::Request;

/// A credential that a simulator accepts: what a person would type to link an account. Never a real secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedCredential {
    /// Id of the auth scheme.
    pub scheme: String,
    /// The scheme's fields by name; several keys in one field are separated by `,`. The token that an OAuth scheme
    /// gives out is called `access_token`.
    pub fields: BTreeMap<String, String>,
}

/// What a request carries for one scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    /// Nothing of this scheme.
    Nothing,
    /// A credential that is not accepted.
    Wrong,
    /// An accepted credential.
    Accepted,
}

impl AcceptedCredential {
    /// A credential for a scheme, made of markers that fit the fields' patterns: the same ones on each start.
    pub(super) fn generate(provider: &Provider, scheme: &AuthScheme) -> Result<Self, SimulatorError> {
        let mut fields = BTreeMap::new();
        for (name, field) in scheme.fields.iter() {
            let value =
                |number| marked(field, &format!("{number}-simulated-{}-{}-{name}", provider.id, scheme.id));
            let value = match scheme.entries() {
                Some(entries) if field.secret => Some(several(entries, value)),
                _ if field.optional && !field.secret => continue,
                _ if field.secret || field.choices.is_empty() => value(1),
                _ => typical(field),
            };
            let value = value.filter(|value| !value.is_empty());
            fields.insert(name.to_owned(), value.ok_or_else(|| SimulatorError::no_sample(&scheme.id, name))?);
        }
        if scheme.oauth2().is_some() {
            let token = format!("1-simulated-{}-{}-access-token", provider.id, scheme.id);
            fields.insert(OAuth2::ACCESS_TOKEN.to_owned(), token);
        }
        Ok(Self { scheme: scheme.id.clone(), fields })
    }

    /// Refuses a credential that nobody could type into the provider's form.
    pub(super) fn check(&self, provider: &Provider) -> Result<(), SimulatorError> {
        let refuse = |reason: String| SimulatorError::Credential { scheme: self.scheme.clone(), reason };
        let scheme = provider.scheme(&self.scheme);
        let scheme = scheme.ok_or_else(|| refuse("the provider file has no such auth scheme".to_owned()))?;
        let is_given_out = |name: &str| scheme.oauth2().is_some() && name == OAuth2::ACCESS_TOKEN;
        let mut names = self.fields.keys();
        if let Some(unknown) = names.find(|name| scheme.fields.get(name).is_none() && !is_given_out(name)) {
            return Err(refuse(format!("the scheme has no field `{unknown}`")));
        }
        for (name, field) in scheme.fields.iter() {
            let typed = self.fields.get(name).map(String::as_str).unwrap_or_default();
            field.accept(name, typed).map_err(|fault| refuse(fault.to_string()))?;
        }
        Ok(())
    }

    /// The keys of a field that may hold several.
    pub(super) fn keys(&self, field: &str) -> impl Iterator<Item = &str> {
        self.value(field).split(',').filter(|key| !key.is_empty())
    }

    fn value(&self, field: &str) -> &str {
        self.fields.get(field).map(String::as_str).unwrap_or_default()
    }

    fn pair(&self, username: &str, password: &str) -> String {
        STANDARD.encode(format!("{}:{}", self.value(username), self.value(password)))
    }
}

/// Two keys when two different ones fit and one request may carry them, otherwise one.
fn several(entries: &Entries, value: impl Fn(usize) -> Option<String>) -> String {
    let mut keys: Vec<String> = (1..=entries.max.min(2)).filter_map(value).collect();
    keys.dedup();
    keys.join(",")
}

/// What a request carries for a scheme, judged by the credentials that are accepted for it.
pub(super) fn carried(scheme: &AuthScheme, accepted: &[AcceptedCredential], request: &Request) -> Carried {
    let mut of_scheme = accepted.iter().filter(|credential| credential.scheme == scheme.id);
    let (given, fits) = match &scheme.kind {
        SchemeKind::ApiKey { placement: Placement::Header(name), prefix, field, entries } => {
            let Some(keys) = request.header(name).and_then(|value| value.strip_prefix(prefix.as_str()))
            else {
                return Carried::Nothing;
            };
            (true, of_scheme.any(|credential| holds(credential, field, keys, entries.as_ref())))
        }
        SchemeKind::ApiKey { placement: Placement::Query(name), prefix, field, entries } => {
            let mut pairs = url::form_urlencoded::parse(request.query.as_bytes());
            let Some((_, value)) = pairs.find(|(known, _)| known == name) else { return Carried::Nothing };
            let Some(keys) = value.strip_prefix(prefix.as_str()) else { return Carried::Nothing };
            (true, of_scheme.any(|credential| holds(credential, field, keys, entries.as_ref())))
        }
        SchemeKind::Basic { username, password } => {
            let given = request.header("authorization").and_then(|value| value.split_once(' '));
            let given =
                given.filter(|(kind, _)| kind.eq_ignore_ascii_case("basic")).map(|(_, value)| value.trim());
            (given.is_some(), of_scheme.any(|known| given == Some(known.pair(username, password).as_str())))
        }
        SchemeKind::EncodedPassword { header, username, password } => {
            let given = request.header(header);
            (given.is_some(), of_scheme.any(|known| given == Some(known.pair(username, password).as_str())))
        }
        SchemeKind::SessionCookie { cookie, session, .. } => {
            let cookies = request.header("cookie").into_iter().flat_map(|value| value.split(';'));
            let mut pairs = cookies.filter_map(|pair| pair.trim().split_once('='));
            let given = pairs.find(|(name, _)| name == cookie).map(|(_, value)| value);
            (given.is_some(), of_scheme.any(|known| given == Some(known.value(session))))
        }
        SchemeKind::OAuth2(_) => {
            let given = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
            (given.is_some(), of_scheme.any(|known| given == Some(known.value(OAuth2::ACCESS_TOKEN))))
        }
    };
    match (given, fits) {
        (_, true) => Carried::Accepted,
        (true, false) => Carried::Wrong,
        (false, false) => Carried::Nothing,
    }
}

/// Whether every key that was sent is one of the credential's.
fn holds(credential: &AcceptedCredential, field: &str, sent: &str, entries: Option<&Entries>) -> bool {
    match entries {
        None => sent == credential.value(field),
        Some(entries) => {
            sent.split(entries.join.as_str()).all(|key| credential.keys(field).any(|known| known == key))
        }
    }
}
