//! Puts credentials onto a request.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use tombolo_catalog::{
    AuthScheme, AwsSigV4, ExpressionValue, GateKind, OAuth1, OAuth1Signature, OAuth2, Placement, Provider,
    RequestPart, RequestToken, SchemeKind,
};
use zeroize::Zeroizing;

use crate::additions::{Additions, is_form};
use crate::aws::AwsSigner;
use crate::credentials::Credentials;
use crate::fill::Subject;
use crate::moment::Moment;
use crate::oauth1::Signer;

/// Puts the credentials of one scheme and its gates onto requests; compiled once, used for every call.
#[derive(Debug, Clone)]
pub struct Authenticator {
    scheme: Step,
    gates: Vec<GateKind>,
    /// What goes onto a request beside the credential.
    additions: Additions,
    needs: Needs,
}

/// What the scheme does, with everything parsed that can be parsed before a request is there.
#[derive(Debug, Clone)]
enum Step {
    Key { place: KeyPlace, prefix: String, field: String, join: Option<String> },
    Basic { username: String, password: String },
    EncodedPassword { header: HeaderName, username: String, password: String },
    Nothing,
    OAuth1(Box<OAuth1>),
    AwsSigV4(Box<AwsSigV4>),
    Session(Session),
}

/// The cookie of a session and what goes along with it.
#[derive(Debug, Clone)]
struct Session {
    /// What stands before the value, such as `JSESSIONID=`.
    prefix: String,
    field: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The field of the request token, and where it goes.
    request_token: Option<(String, KeyPlace)>,
}

#[derive(Debug, Clone)]
enum KeyPlace {
    Header(HeaderName),
    Query(String),
}

/// What a scheme needs to be told of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Of its body.
    pub body: BodyNeed,
    /// Whether it needs time and chance.
    pub moment: bool,
}

/// What a scheme needs of the body of a request. Where it needs something, the body is held up to a cap, and every attempt
/// is signed anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum BodyNeed {
    /// Nothing: it streams.
    #[default]
    None,
    /// Its digest.
    Hash,
    /// The whole of it, because it is signed as it is or gets members of its own.
    Whole,
}

/// What is put onto a request beside its headers.
#[derive(Debug, Default)]
pub struct Added {
    /// Query parameters to add, already percent-encoded.
    pub query: Option<Zeroizing<String>>,
    /// The body to send instead.
    pub body: Option<Bytes>,
}

/// What is known of the request that credentials are put onto.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a> {
    /// The request without what is to be added.
    pub subject: Subject<'a>,
    /// The method that is meant, also where another one carries it.
    pub meant: &'a Method,
    /// Time and chance; needed where [`Needs::moment`] says so.
    pub moment: Option<Moment>,
}

/// Which entries a call needs.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'a> {
    /// All of them, as far as the scheme may send several.
    All,
    /// Those with these keys; one that the connection does not have is left out.
    Keys(&'a [String]),
    /// None, only what the gates ask for.
    GateOnly,
}

/// Credentials could not be put onto a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// A header name of the provider file is none.
    #[error("the provider file names a header that cannot exist")]
    Header,
    /// A value has characters that no header can carry.
    #[error("the credential has characters that cannot travel in a header: type it again")]
    Value,
    /// Something is missing in the stored secret.
    #[error("the connection has no usable credential: reconnect it")]
    Missing,
    /// The body cannot take the members that the vendor wants in it.
    #[error("the body of this call is neither a JSON object nor a form, and the credential belongs into it")]
    Body,
    /// No entry of the connection fits the call.
    #[error("the connection has no credential for what this call is about")]
    NoEntry,
    /// The session was given without the token that a request which changes something has to repeat.
    #[error("the session was given without a request token, so that it can only read")]
    NoRequestToken,
}

impl Authenticator {
    /// Compiles a scheme and the gates that a connection uses. `config` fills the holes of what the scheme sends.
    pub fn compile(
        scheme: &AuthScheme,
        gates: &[GateKind],
        config: &BTreeMap<String, String>,
    ) -> Result<Self, ApplyError> {
        let additions = Additions::compile(&scheme.send, config)?;
        let needs = needs_of(scheme);
        let header = |name: &str| HeaderName::from_bytes(name.as_bytes()).map_err(|_| ApplyError::Header);
        let scheme = match &scheme.kind {
            SchemeKind::ApiKey { placement, prefix, field, entries } => Step::Key {
                place: match placement {
                    Placement::Header(name) => KeyPlace::Header(header(name)?),
                    Placement::Query(name) => KeyPlace::Query(name.clone()),
                },
                prefix: prefix.clone(),
                field: field.clone(),
                join: entries.as_ref().map(|entries| entries.join.clone()),
            },
            SchemeKind::Basic { username, password } => {
                Step::Basic { username: username.clone(), password: password.clone() }
            }
            SchemeKind::EncodedPassword { header: name, username, password } => Step::EncodedPassword {
                header: header(name)?,
                username: username.clone(),
                password: password.clone(),
            },
            SchemeKind::OAuth2(_) => Step::Key {
                place: KeyPlace::Header(AUTHORIZATION),
                prefix: "Bearer ".to_owned(),
                field: OAuth2::ACCESS_TOKEN.to_owned(),
                join: None,
            },
            SchemeKind::SessionCookie { cookie, session, headers, request_token } => {
                let value = |text: &str| HeaderValue::from_str(text).map_err(|_| ApplyError::Header);
                let headers = headers.iter().map(|(name, text)| Ok((header(name)?, value(text)?)));
                Step::Session(Session {
                    prefix: format!("{cookie}="),
                    field: session.clone(),
                    headers: headers.collect::<Result<_, ApplyError>>()?,
                    request_token: match request_token {
                        None => None,
                        Some(RequestToken { field, header: Some(name), .. }) => {
                            Some((field.clone(), KeyPlace::Header(header(name)?)))
                        }
                        Some(RequestToken { field, query, .. }) => {
                            let parameter = query.clone().ok_or(ApplyError::Header)?;
                            Some((field.clone(), KeyPlace::Query(parameter)))
                        }
                    },
                })
            }
            SchemeKind::Jwt { prefix: Some(prefix), .. } | SchemeKind::Login { prefix: Some(prefix), .. } => {
                Step::Key {
                    place: KeyPlace::Header(AUTHORIZATION),
                    prefix: prefix.clone(),
                    field: OAuth2::ACCESS_TOKEN.to_owned(),
                    join: None,
                }
            }
            SchemeKind::Jwt { prefix: None, .. }
            | SchemeKind::Login { prefix: None, .. }
            | SchemeKind::Unauthenticated
            | SchemeKind::Template => Step::Nothing,
            SchemeKind::OAuth1(oauth1) => Step::OAuth1(oauth1.clone()),
            SchemeKind::AwsSigV4(aws) => Step::AwsSigV4(aws.clone()),
        };
        Ok(Self { scheme, gates: gates.to_vec(), additions, needs })
    }

    /// The headers that a caller can never set for a provider, because they carry credentials.
    pub fn owned_headers(provider: &Provider) -> Vec<HeaderName> {
        let listed = provider.strip_headers.iter().map(String::as_str);
        let of_schemes = provider.auth.iter().flat_map(AuthScheme::headers);
        let mut names: Vec<HeaderName> = listed
            .chain(of_schemes)
            .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .chain([AUTHORIZATION])
            .collect();
        names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        names.dedup();
        names
    }

    /// The query parameters that a caller can never set for a provider, because they carry credentials.
    pub fn owned_parameters(provider: &Provider) -> Vec<String> {
        provider.auth.iter().flat_map(AuthScheme::parameters).map(str::to_owned).collect()
    }

    /// What the scheme needs to be told of a request.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Sets the headers, and tells what else is to be sent. A client certificate is no part of a request: see
    /// [`crate::ClientCertificate::of`].
    pub fn apply(
        &self,
        credentials: &Credentials,
        selection: Selection<'_>,
        signing: &Signing<'_>,
        headers: &mut HeaderMap,
    ) -> Result<Added, ApplyError> {
        self.open_gates(credentials, headers)?;
        if matches!(selection, Selection::GateOnly) {
            return Ok(Added::default());
        }
        let mut added = self.additions.apply(credentials, signing, headers)?;
        match &self.scheme {
            Step::Nothing => {}
            Step::Key { place, prefix, field, join } => {
                let parts = match join {
                    None => vec![prefix.as_str(), credentials.value(field).ok_or(ApplyError::Missing)?],
                    Some(join) => joined(credentials, selection, prefix, join)?,
                };
                match place {
                    KeyPlace::Header(header) => {
                        if !self.additions.sets(header) {
                            headers.insert(header, sensitive(&parts)?);
                        }
                    }
                    KeyPlace::Query(parameter) => added.append(query_pair(parameter, &parts)),
                }
            }
            Step::Basic { username, password } => {
                let username = credentials.value(username).ok_or(ApplyError::Missing)?;
                // Some vendors take a key as the name and nothing as the password.
                let password = credentials.value(password).unwrap_or_default();
                headers.insert(AUTHORIZATION, basic("Basic ", username, password)?);
            }
            Step::EncodedPassword { header, username, password } => {
                let (username, password) = pair(credentials, username, password)?;
                headers.insert(header, basic("", username, password)?);
            }
            Step::Session(session) => {
                if let Some(pair) = session.apply(credentials, signing.meant, headers)? {
                    added.append(pair);
                }
            }
            // Signatures come last: they are over everything else.
            Step::OAuth1(oauth1) => self.sign_oauth1(oauth1, credentials, signing, &added, headers)?,
            Step::AwsSigV4(aws) => self.sign_aws(aws, credentials, signing, &added, headers)?,
        }
        Ok(added)
    }

    fn open_gates(&self, credentials: &Credentials, headers: &mut HeaderMap) -> Result<(), ApplyError> {
        for gate in &self.gates {
            match gate {
                GateKind::HttpBasic => {
                    let username = credentials.value("basic_username").ok_or(ApplyError::Missing)?;
                    let password = credentials.value("basic_password").unwrap_or_default();
                    headers.insert(AUTHORIZATION, basic("Basic ", username, password)?);
                }
                GateKind::ClientCertificate => {}
            }
        }
        Ok(())
    }

    fn sign_oauth1(
        &self,
        oauth1: &OAuth1,
        credentials: &Credentials,
        signing: &Signing<'_>,
        added: &Added,
        headers: &mut HeaderMap,
    ) -> Result<(), ApplyError> {
        let moment = signing.moment.ok_or(ApplyError::Missing)?;
        let target = added.target(signing.subject.target);
        let body = added.body.as_deref().unwrap_or(signing.subject.body);
        let value = |name| credentials.value(name).ok_or(ApplyError::Missing);
        let realm = match &oauth1.realm {
            Some(realm) => self.additions.filling(credentials, signing).text(realm).ok(),
            None => None,
        };
        let signer = Signer {
            method: oauth1.signature,
            consumer_key: value(OAuth1::CONSUMER_KEY)?,
            consumer_secret: value(OAuth1::CONSUMER_SECRET)?,
            token: Some(value(OAuth1::TOKEN)?),
            token_secret: value(OAuth1::TOKEN_SECRET)?,
            realm: realm.as_ref().map(|realm| realm.as_str()),
        };
        let subject = Subject { target: &target, body, ..signing.subject };
        let header = signer.header(&subject, is_form(headers), &[], moment);
        headers.insert(AUTHORIZATION, sensitive(&[&header])?);
        Ok(())
    }

    fn sign_aws(
        &self,
        aws: &AwsSigV4,
        credentials: &Credentials,
        signing: &Signing<'_>,
        added: &Added,
        headers: &mut HeaderMap,
    ) -> Result<(), ApplyError> {
        let moment = signing.moment.ok_or(ApplyError::Missing)?;
        let target = added.target(signing.subject.target);
        let body = added.body.as_deref().unwrap_or(signing.subject.body);
        let filling = self.additions.filling(credentials, signing);
        let text = |expression| filling.text(expression).map_err(|_| ApplyError::Missing);
        let [id, key, session] = AwsSigV4::ROLE.map(|name| credentials.value(name));
        let (own_id, own_key) = (text(&aws.access_key_id)?, text(&aws.secret_access_key)?);
        let (id, key, session) = match aws.assume_role {
            Some(_) => (id.ok_or(ApplyError::Missing)?, key.ok_or(ApplyError::Missing)?, session),
            None => (own_id.as_str(), own_key.as_str(), None),
        };
        let signer = AwsSigner {
            access_key_id: id,
            secret_access_key: key,
            session_token: session,
            region: &text(&aws.region)?,
            service: &text(&aws.service)?,
        };
        let subject = Subject { target: &target, body, ..signing.subject };
        signer.sign(&subject, moment, headers).ok_or(ApplyError::Value)
    }
}

impl Session {
    /// Sets the headers; a query parameter to add comes back.
    fn apply(
        &self,
        credentials: &Credentials,
        method: &Method,
        headers: &mut HeaderMap,
    ) -> Result<Option<Zeroizing<String>>, ApplyError> {
        let value = credentials.value(&self.field).ok_or(ApplyError::Missing)?;
        // People copy the pair as well as the value alone.
        let value = value.strip_prefix(&self.prefix).unwrap_or(value);
        headers.insert(COOKIE, sensitive(&[&self.prefix, value])?);
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let Some((field, place)) = self.request_token.as_ref().filter(|_| !reads) else { return Ok(None) };
        let token = credentials.value(field).ok_or(ApplyError::NoRequestToken)?;
        match place {
            KeyPlace::Header(header) => drop(headers.insert(header, sensitive(&[token])?)),
            KeyPlace::Query(parameter) => return Ok(Some(query_pair(parameter, &[token]))),
        }
        Ok(None)
    }
}

fn needs_of(scheme: &AuthScheme) -> Needs {
    let values = scheme.send.values();
    let of_body = |value: &&ExpressionValue| matches!(value, ExpressionValue::Request(RequestPart::Body));
    let momentary =
        |value: &&ExpressionValue| matches!(value, ExpressionValue::Random | ExpressionValue::Now { .. });
    let body = match &scheme.kind {
        _ if !scheme.send.body.members().is_empty() || values.iter().any(of_body) => BodyNeed::Whole,
        SchemeKind::OAuth1(oauth1) if oauth1.signature != OAuth1Signature::Plaintext => BodyNeed::Whole,
        SchemeKind::AwsSigV4(_) => BodyNeed::Hash,
        _ => BodyNeed::None,
    };
    let signs = matches!(&scheme.kind, SchemeKind::OAuth1(_) | SchemeKind::AwsSigV4(_));
    Needs { body, moment: signs || values.iter().any(momentary) }
}

fn pair<'a>(
    credentials: &'a Credentials,
    username: &str,
    password: &str,
) -> Result<(&'a str, &'a str), ApplyError> {
    credentials.value(username).zip(credentials.value(password)).ok_or(ApplyError::Missing)
}

/// The prefix and the keys of the entries that are wanted, with what stands between them.
fn joined<'a>(
    credentials: &'a Credentials,
    selection: Selection<'_>,
    prefix: &'a str,
    join: &'a str,
) -> Result<Vec<&'a str>, ApplyError> {
    let wanted = |key: &str| match selection {
        Selection::All => true,
        Selection::Keys(keys) => keys.iter().any(|known| known == key),
        Selection::GateOnly => false,
    };
    let mut parts = vec![prefix];
    for (_, secret) in credentials.entries().filter(|(key, _)| wanted(key)) {
        if parts.len() > 1 {
            parts.push(join);
        }
        parts.push(secret);
    }
    if parts.len() == 1 { Err(ApplyError::NoEntry) } else { Ok(parts) }
}

fn basic(prefix: &str, username: &str, password: &str) -> Result<HeaderValue, ApplyError> {
    let plain = Zeroizing::new([username, ":", password].concat());
    let encoded = Zeroizing::new(STANDARD.encode(plain.as_bytes()));
    sensitive(&[prefix, &encoded])
}

/// A header value that is marked as sensitive, so that nothing prints it.
pub(crate) fn sensitive(parts: &[&str]) -> Result<HeaderValue, ApplyError> {
    let text = Zeroizing::new(parts.concat());
    let mut value = HeaderValue::from_str(&text).map_err(|_| ApplyError::Value)?;
    value.set_sensitive(true);
    Ok(value)
}

pub(crate) fn query_pair(parameter: &str, parts: &[&str]) -> Zeroizing<String> {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let key = Zeroizing::new(parts.concat());
    Zeroizing::new(format!("{}={}", encode(parameter), encode(&key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::CredentialsBuilder;
    use tombolo_catalog::Catalog;

    fn apply(
        provider: &str,
        scheme: &str,
        gates: &[GateKind],
        method: &Method,
        selection: Selection<'_>,
    ) -> String {
        let catalog = Catalog::built_in().expect("the built-in files load");
        let scheme = catalog.get(provider).and_then(|p| p.scheme(scheme)).expect("the scheme");
        let credentials = CredentialsBuilder::new()
            .value("login_name", "suzuki")
            .value("password", "p:w")
            .value("basic_username", "gate")
            .value("basic_password", "keeper")
            .value("token", "one")
            .value("session", "cookie-value")
            .entry("1", "first")
            .entry("2", "second")
            .build();
        let mut headers = HeaderMap::new();
        let authenticator = Authenticator::compile(scheme, gates, &BTreeMap::new()).expect("compiles");
        let subject = Subject { method, origin: "https://a.example.com", target: "/", body: b"" };
        let signing = Signing { subject, meant: method, moment: None };
        match authenticator.apply(&credentials, selection, &signing, &mut headers) {
            Ok(added) => {
                let open = |(name, value): &(&HeaderName, &HeaderValue)| {
                    !value.is_sensitive() && *name != "x-requested-with"
                };
                assert!(!headers.iter().any(|header| open(&header)));
                let mut lines: Vec<String> = headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
                    .collect();
                lines.sort();
                lines.extend(added.query.map(|pair| format!("?{}", *pair)));
                lines.join("; ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_scheme_puts_its_credential_where_the_vendor_wants_it() {
        let first = ["1".to_owned()];
        let unknown = ["7".to_owned()];
        let gate = [GateKind::HttpBasic];
        for (provider, scheme, gates, selection, expected) in [
            ("kintone", "api_token", &[][..], Selection::All, "x-cybozu-api-token: first,second"),
            ("kintone", "api_token", &[], Selection::Keys(&first), "x-cybozu-api-token: first"),
            (
                "kintone",
                "api_token",
                &[],
                Selection::Keys(&unknown),
                "the connection has no credential for what this call is about",
            ),
            (
                "kintone",
                "password",
                &gate,
                Selection::All,
                "authorization: Basic Z2F0ZTprZWVwZXI=; x-cybozu-authorization: c3V6dWtpOnA6dw==",
            ),
            ("kintone", "password", &gate, Selection::GateOnly, "authorization: Basic Z2F0ZTprZWVwZXI="),
            ("kintone-user-api", "token", &[], Selection::All, "authorization: Bearer one"),
            ("kintone", "password", &[GateKind::ClientCertificate], Selection::GateOnly, ""),
            (
                "kintone",
                "session",
                &[],
                Selection::All,
                "cookie: JSESSIONID=cookie-value; x-requested-with: XMLHttpRequest",
            ),
            ("oomnitza", "api_token", &[], Selection::All, "authorization2: one"),
            ("oomnitza", "password", &[], Selection::All, "authorization: Basic c3V6dWtpOnA6dw=="),
        ] {
            assert_eq!(
                apply(provider, scheme, gates, &Method::GET, selection),
                expected,
                "{provider} {scheme}"
            );
        }
    }

    #[test]
    fn a_session_repeats_its_request_token_when_it_changes_something() {
        let catalog = Catalog::built_in().expect("the built-in files load");
        let scheme = catalog.get("kintone").and_then(|p| p.scheme("session")).expect("the scheme");
        let authenticator = Authenticator::compile(scheme, &[], &BTreeMap::new()).expect("compiles");
        // The value may have been copied together with its name.
        let session = || CredentialsBuilder::new().value("session", "JSESSIONID=cookie-value");
        let (can_write, can_read) = (session().value("request_token", "a+b").build(), session().build());
        let apply = |credentials, method: &str| {
            let mut headers = HeaderMap::new();
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let subject =
                Subject { method: &method, origin: "https://a.example.com", target: "/", body: b"" };
            let signing = Signing { subject, meant: &method, moment: None };
            let added = authenticator.apply(credentials, Selection::All, &signing, &mut headers);
            assert_eq!(headers["cookie"], "JSESSIONID=cookie-value");
            added.map(|added| added.query.map(|pair| (*pair).clone()))
        };
        let pair = "%5F%5FREQUEST%5FTOKEN%5F%5F=a%2Bb".to_owned();
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert_eq!(apply(&can_write, method), Ok(Some(pair.clone())), "{method}");
            assert_eq!(apply(&can_read, method), Err(ApplyError::NoRequestToken), "{method}");
        }
        for method in ["GET", "HEAD"] {
            assert_eq!(apply(&can_write, method), Ok(None), "{method}");
            assert_eq!(apply(&can_read, method), Ok(None), "{method}");
        }
    }

    #[test]
    fn a_value_with_a_line_break_never_becomes_a_header() {
        assert_eq!(sensitive(&["a\r\nX-Evil: 1"]).err(), Some(ApplyError::Value));
    }
}
