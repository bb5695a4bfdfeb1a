//! Puts credentials onto a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use tombolo_catalog::{AuthScheme, GateKind, OAuth2, Placement, Provider, RequestToken, SchemeKind};
use zeroize::Zeroizing;

use crate::credentials::Credentials;

/// Puts the credentials of one scheme and its gates onto requests; compiled once, used for every call.
#[derive(Debug, Clone)]
pub struct Authenticator {
    scheme: Step,
    gates: Vec<GateKind>,
}

/// What the scheme does, with everything parsed that can be parsed before a request is there.
#[derive(Debug, Clone)]
enum Step {
    Key { place: KeyPlace, prefix: String, field: String, join: Option<String> },
    Basic { username: String, password: String },
    EncodedPassword { header: HeaderName, username: String, password: String },
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
    /// No entry of the connection fits the call.
    #[error("the connection has no credential for what this call is about")]
    NoEntry,
    /// The session was given without the token that a request which changes something has to repeat.
    #[error("the session was given without a request token, so that it can only read")]
    NoRequestToken,
}

impl Authenticator {
    /// Compiles a scheme and the gates that a connection uses.
    pub fn compile(scheme: &AuthScheme, gates: &[GateKind]) -> Result<Self, ApplyError> {
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
        };
        Ok(Self { scheme, gates: gates.to_vec() })
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
        provider.auth.iter().filter_map(AuthScheme::parameter).map(str::to_owned).collect()
    }

    /// Sets the headers; a query parameter to add comes back, already percent-encoded. `method` is the one that is meant,
    /// also where another one carries it. A client certificate is no part of a request: see
    /// [`crate::ClientCertificate::of`].
    pub fn apply(
        &self,
        credentials: &Credentials,
        method: &Method,
        selection: Selection<'_>,
        headers: &mut HeaderMap,
    ) -> Result<Option<Zeroizing<String>>, ApplyError> {
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
        if matches!(selection, Selection::GateOnly) {
            return Ok(None);
        }
        match &self.scheme {
            Step::Key { place, prefix, field, join } => {
                let parts = match join {
                    None => vec![prefix.as_str(), credentials.value(field).ok_or(ApplyError::Missing)?],
                    Some(join) => joined(credentials, selection, prefix, join)?,
                };
                match place {
                    KeyPlace::Header(header) => drop(headers.insert(header, sensitive(&parts)?)),
                    KeyPlace::Query(parameter) => return Ok(Some(query_pair(parameter, &parts))),
                }
            }
            Step::Basic { username, password } => {
                let (username, password) = pair(credentials, username, password)?;
                headers.insert(AUTHORIZATION, basic("Basic ", username, password)?);
            }
            Step::EncodedPassword { header, username, password } => {
                let (username, password) = pair(credentials, username, password)?;
                headers.insert(header, basic("", username, password)?);
            }
            Step::Session(session) => return session.apply(credentials, method, headers),
        }
        Ok(None)
    }
}

impl Session {
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
fn sensitive(parts: &[&str]) -> Result<HeaderValue, ApplyError> {
    let text = Zeroizing::new(parts.concat());
    let mut value = HeaderValue::from_str(&text).map_err(|_| ApplyError::Value)?;
    value.set_sensitive(true);
    Ok(value)
}

fn query_pair(parameter: &str, parts: &[&str]) -> Zeroizing<String> {
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
        let authenticator = Authenticator::compile(scheme, gates).expect("compiles");
        match authenticator.apply(&credentials, method, selection, &mut headers) {
            Ok(query) => {
                let open = |(name, value): &(&HeaderName, &HeaderValue)| {
                    !value.is_sensitive() && *name != "x-requested-with"
                };
                assert!(!headers.iter().any(|header| open(&header)));
                let mut lines: Vec<String> = headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
                    .collect();
                lines.sort();
                lines.extend(query.map(|pair| format!("?{}", *pair)));
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
        let authenticator = Authenticator::compile(scheme, &[]).expect("compiles");
        // The value may have been copied together with its name.
        let session = || CredentialsBuilder::new().value("session", "JSESSIONID=cookie-value");
        let (can_write, can_read) = (session().value("request_token", "a+b").build(), session().build());
        let apply = |credentials, method: &str| {
            let mut headers = HeaderMap::new();
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let added = authenticator.apply(credentials, &method, Selection::All, &mut headers);
            assert_eq!(headers["cookie"], "JSESSIONID=cookie-value");
            added.map(|pair| pair.map(|pair| (*pair).clone()))
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
