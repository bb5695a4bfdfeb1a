//! The credentials that a simulator accepts, and whether a request carries one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tombolo_catalog::{
    AuthScheme, AwsSigV4, Entries, Expression, ExpressionValue, Function, JwtAlgorithm, KeyEncoding, Login,
    OAuth1, OAuth2, Placement, Provider, SchemeKind,
};

use super::SimulatorError;
use super::expected::{Expected, has_secret};
use super::sample::{marked, typical};
use super::sample_keys::{EC_PRIVATE, ED25519_SEED, RSA_PRIVATE};
use super::signed::{AwsKey, Signer, is_signed_by, is_signed_by_aws, is_signed_token, oauth1_parameters};
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
        for (name, value) in keys_of(scheme) {
            if fields.contains_key(&name) {
                fields.insert(name, value);
            }
        }
        for name in given_out(scheme) {
            let value = format!("1-simulated-{}-{}-{}", provider.id, scheme.id, name.replace('_', "-"));
            fields.entry(name).or_insert(value);
        }
        Ok(Self { scheme: scheme.id.clone(), fields })
    }

    /// Refuses a credential that nobody could type into the provider's form.
    pub(super) fn check(&self, provider: &Provider) -> Result<(), SimulatorError> {
        let refuse = |reason: String| SimulatorError::Credential { scheme: self.scheme.clone(), reason };
        let scheme = provider.scheme(&self.scheme);
        let scheme = scheme.ok_or_else(|| refuse("the provider file has no such auth scheme".to_owned()))?;
        let given_out = given_out(scheme);
        let is_given_out = |name: &str| given_out.iter().any(|known| known == name);
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

    /// A field, or what the scheme gives out under that name; empty for none.
    pub(super) fn value(&self, field: &str) -> &str {
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
pub(super) fn carried(
    scheme: &AuthScheme,
    accepted: &[AcceptedCredential],
    config: &BTreeMap<String, String>,
    request: &Request,
) -> Carried {
    let known: Vec<AcceptedCredential> = accepted
        .iter()
        .filter(|credential| {
            credential.scheme == scheme.id
                && Expected::new(config, &credential.fields, request).is_sent(&scheme.send)
        })
        .cloned()
        .collect();
    let is_tried = scheme.send.headers.keys().any(|name| request.header(name).is_some());
    match carried_alone(scheme, &known, config, request) {
        // The credential may be right while what belongs to it is missing.
        Carried::Nothing if is_tried && scheme.send.has_secret() && known.is_empty() => Carried::Wrong,
        found => found,
    }
}

/// The same without what is sent beside the credential.
fn carried_alone(
    scheme: &AuthScheme,
    accepted: &[AcceptedCredential],
    config: &BTreeMap<String, String>,
    request: &Request,
) -> Carried {
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
            // A header that the file writes out takes the place of the usual one.
            if sends_authorization(scheme) {
                return if of_scheme.next().is_some() { Carried::Accepted } else { Carried::Wrong };
            }
            let given = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
            (given.is_some(), of_scheme.any(|known| given == Some(known.value(OAuth2::ACCESS_TOKEN))))
        }
        SchemeKind::Unauthenticated => (false, true),
        SchemeKind::Template | SchemeKind::Login { prefix: None, .. } => (false, of_scheme.next().is_some()),
        SchemeKind::Login { prefix: Some(prefix), .. } => {
            let given = request.header("authorization").and_then(|value| value.strip_prefix(prefix.as_str()));
            (given.is_some(), of_scheme.any(|known| given == Some(known.value(OAuth2::ACCESS_TOKEN))))
        }
        SchemeKind::Jwt { jwt, prefix } => {
            let given = request.header("authorization").and_then(|value| match prefix {
                Some(prefix) => value.strip_prefix(prefix.as_str()),
                // Wherever the token stands, it is the last word of its header.
                None => value.rsplit(' ').next(),
            });
            let fits = |known: &AcceptedCredential| {
                let expected = Expected::new(config, &known.fields, request);
                given.is_some_and(|token| is_signed_token(jwt, token, &expected))
            };
            (given.is_some(), of_scheme.any(fits))
        }
        SchemeKind::OAuth1(oauth1) => {
            let Some(given) = oauth1_parameters(request) else { return Carried::Nothing };
            (true, of_scheme.any(|known| is_signed_by(oauth1, &oauth1_signer(known), &given, request)))
        }
        SchemeKind::AwsSigV4(aws) => {
            let given = request.header("authorization").is_some_and(|value| value.starts_with("AWS4-"));
            let fits = |known: &AcceptedCredential| is_signed_by_account(aws, known, config, request);
            (given, of_scheme.any(fits))
        }
    };
    match (given, fits) {
        (_, true) => Carried::Accepted,
        (true, false) => Carried::Wrong,
        (false, false) => Carried::Nothing,
    }
}

/// Whether a request is signed by the account's own keys, or by those of its role.
fn is_signed_by_account(
    aws: &AwsSigV4,
    known: &AcceptedCredential,
    config: &BTreeMap<String, String>,
    request: &Request,
) -> bool {
    let expected = Expected::new(config, &known.fields, request);
    let text = |expression| expected.text(expression).unwrap_or_default();
    let (own_id, own_secret) = (text(&aws.access_key_id), text(&aws.secret_access_key));
    let [id, secret, session] = AwsSigV4::ROLE.map(|name| known.value(name));
    let service = &text(&aws.service);
    let key = match aws.assume_role {
        Some(_) => AwsKey { id, secret, session: Some(session), service },
        None => AwsKey { id: &own_id, secret: &own_secret, session: None, service },
    };
    is_signed_by_aws(&key, request)
}

/// Who signs by OAuth 1.0a.
pub(super) fn oauth1_signer(known: &AcceptedCredential) -> Signer<'_> {
    Signer {
        consumer_key: known.value(OAuth1::CONSUMER_KEY),
        consumer_secret: known.value(OAuth1::CONSUMER_SECRET),
        token: known.value(OAuth1::TOKEN),
        token_secret: known.value(OAuth1::TOKEN_SECRET),
    }
}

fn sends_authorization(scheme: &AuthScheme) -> bool {
    let headers = scheme.send.headers.iter();
    headers.into_iter().any(|(name, text)| name.eq_ignore_ascii_case("authorization") && has_secret(text))
}

/// What the vendor gives out for a scheme, by the name under which it is known.
fn given_out(scheme: &AuthScheme) -> Vec<String> {
    let tokens: Vec<&str> = match &scheme.kind {
        SchemeKind::OAuth2(oauth2) => {
            let client =
                [OAuth2::CLIENT_ID, OAuth2::CLIENT_SECRET].into_iter().filter(|_| scheme.needs_browser());
            let kept = oauth2.token_answer.keep.keys().map(String::as_str);
            [OAuth2::ACCESS_TOKEN, OAuth2::REFRESH_TOKEN].into_iter().chain(client).chain(kept).collect()
        }
        SchemeKind::Login { login, .. } => {
            let kept = login.answer.keep.keys().map(String::as_str);
            [OAuth2::ACCESS_TOKEN, OAuth2::REFRESH_TOKEN, Login::COOKIES].into_iter().chain(kept).collect()
        }
        SchemeKind::OAuth1(_) => {
            vec![OAuth1::CONSUMER_KEY, OAuth1::CONSUMER_SECRET, OAuth1::TOKEN, OAuth1::TOKEN_SECRET]
        }
        SchemeKind::AwsSigV4(aws) if aws.assume_role.is_some() => AwsSigV4::ROLE.to_vec(),
        _ => Vec::new(),
    };
    tokens.into_iter().map(str::to_owned).collect()
}

/// Keys that sign have to be keys: the fields that hold them, and samples.
fn keys_of(scheme: &AuthScheme) -> Vec<(String, String)> {
    let jwt = match &scheme.kind {
        SchemeKind::Jwt { jwt, .. } => Some(jwt.as_ref()),
        SchemeKind::Login { login, .. } => login.assertion.as_ref(),
        SchemeKind::OAuth2(oauth2) => oauth2.client_assertion.as_ref(),
        _ => None,
    };
    let mut keys = Vec::new();
    if let Some(jwt) = jwt {
        let prefix = if jwt.key.source().contains("after(") { "simulated-id:" } else { "" };
        let sample = match (jwt.algorithm, jwt.key_encoding) {
            (JwtAlgorithm::RS256 | JwtAlgorithm::PS256, _) => Some(RSA_PRIVATE.to_owned()),
            (JwtAlgorithm::ES256, _) => Some(EC_PRIVATE.to_owned()),
            (JwtAlgorithm::HS256, KeyEncoding::Hex) => Some(format!("{prefix}{HEX_KEY}")),
            (JwtAlgorithm::HS256, KeyEncoding::Base64) => Some(ED25519_SEED.to_owned()),
            // Any text is a key.
            (JwtAlgorithm::HS256, KeyEncoding::Utf8) => None,
        };
        let names = secrets_of(&jwt.key).into_iter();
        keys.extend(names.filter_map(|name| Some((name, sample.clone()?))));
    }
    for value in scheme.send.values() {
        if let ExpressionValue::Call(Function::Ed25519Sign, arguments) = value
            && let Some(key) = arguments.get(1)
        {
            keys.extend(secrets_of(key).into_iter().map(|name| (name, ED25519_SEED.to_owned())));
        }
    }
    keys
}

const HEX_KEY: &str = "73696d756c617465642d6b6579";

fn secrets_of(text: &Expression) -> Vec<String> {
    let names = text.values().into_iter().filter_map(|value| match value {
        ExpressionValue::Secret(name) => Some(name.clone()),
        _ => None,
    });
    names.collect()
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
