//! What the provider answers for a code: an ID token, and what it tells beside it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use tombolo_egress::Body;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::id_token::{Expected, TokenFault, verify};
use super::provider::{Document, IdentityProvider, misconfigured};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// A code, and what belongs to it.
pub(super) struct Code<'a> {
    pub(super) text: &'a str,
    pub(super) verifier: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) nonce: &'a str,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<SecretString>,
    access_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Platform {
    /// Exchanges a code, and answers what the provider says about the person. Nothing of it is kept.
    pub(super) async fn exchange_code(
        &self,
        provider: &IdentityProvider,
        code: &Code<'_>,
    ) -> Result<Map<String, Json>, Problem> {
        let way = self.way();
        let document = provider.document(&way).await?;
        let answer = way.ask(&document.token_endpoint, token_request(provider, &document, code)?).await?;
        if !answer.status.is_success() {
            let status = answer.status.as_u16();
            let error = answer.json::<Refusal>().map_or_else(|| status.to_string(), |refusal| refusal.error);
            return Err(refused_code(&error));
        }
        let tokens: Tokens = answer.json().ok_or_else(|| token_refused("it sent no tokens"))?;
        let id_token = tokens.id_token.ok_or_else(|| token_refused("it sent no ID token"))?;
        let expected = Expected {
            issuer: &provider.settings.issuer,
            client_id: &provider.settings.client_id,
            nonce: code.nonce,
            now: way.now.as_milliseconds() as f64 / 1000.0,
        };
        let look = |keys: &[_]| verify(id_token.expose_secret(), keys, &expected);
        let verified = provider.among_keys(&way, look, |fault| *fault == TokenFault::UnknownKey).await?;
        let claims = verified.map_err(|fault| match fault {
            TokenFault::ClocksApart => clocks_apart(),
            TokenFault::UnknownKey => {
                token_refused("it is signed with a key that the provider does not publish")
            }
            TokenFault::Wrong(what) => token_refused(what),
        })?;
        match (&document.userinfo_endpoint, tokens.access_token) {
            (Some(url), Some(access_token)) if is_thin(provider, &claims) => {
                self.with_more(url, &access_token, claims).await
            }
            _ => Ok(claims),
        }
    }

    /// The claims with those that the provider tells only when it is asked (OIDC Core 1.0 §5.3). What stands in the
    /// signed token counts more.
    async fn with_more(
        &self,
        url: &str,
        access_token: &SecretString,
        mut claims: Map<String, Json>,
    ) -> Result<Map<String, Json>, Problem> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", access_token.expose_secret()))
            .map_err(|_| token_refused("its access token cannot stand in a header"))?;
        bearer.set_sensitive(true);
        let mut request = Request::new(Body::empty());
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let answer = self.way().ask(url, request).await?;
        let more = if answer.status.is_success() { answer.json::<Map<String, Json>>() } else { None };
        let Some(more) = more else {
            return Err(token_refused("it does not tell who signed in"));
        };
        if more.get("sub") != claims.get("sub") {
            return Err(token_refused("it tells about somebody else than the ID token"));
        }
        // An address and whether it is verified are one statement: never one half of each.
        let has_mail = claims.contains_key("email");
        if !has_mail {
            claims.remove("email_verified");
        }
        for (name, value) in more {
            if !has_mail || name != "email_verified" {
                claims.entry(name).or_insert(value);
            }
        }
        Ok(claims)
    }
}

/// Whether the ID token leaves out what decides.
fn is_thin(provider: &IdentityProvider, claims: &Map<String, Json>) -> bool {
    !claims.contains_key("email") || !provider.settings.roles.is_decided_by(claims)
}

fn token_request(
    provider: &IdentityProvider,
    document: &Document,
    code: &Code<'_>,
) -> Result<Request<Body>, Problem> {
    let settings = &provider.settings;
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code.text)
        .append_pair("redirect_uri", code.redirect_uri)
        .append_pair("code_verifier", code.verifier);
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::POST;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    // Without a word of the provider it is the header (OIDC Discovery 1.0 §3).
    let methods = document.token_endpoint_auth_methods_supported.as_deref();
    let by_header =
        methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
    match &settings.client_secret {
        Some(secret) if by_header => {
            let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let pair = Zeroizing::new(format!(
                "{}:{}",
                encoded(&settings.client_id),
                encoded(secret.expose_secret())
            ));
            let mut basic = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
                .map_err(|_| {
                    misconfigured("The client of the identity provider cannot stand in a header".to_owned())
                })?;
            basic.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, basic);
        }
        Some(secret) => {
            form.append_pair("client_id", &settings.client_id)
                .append_pair("client_secret", secret.expose_secret());
        }
        None => {
            form.append_pair("client_id", &settings.client_id);
        }
    }
    *request.body_mut() = Body::full(form.finish());
    Ok(request)
}

/// What a provider answers to a code (RFC 6749 §5.2).
fn refused_code(error: &str) -> Problem {
    let told: String = error.chars().filter(char::is_ascii_graphic).take(60).collect();
    match told.as_str() {
        "invalid_grant" => {
            token_refused("the code was used already, is too old, or belongs to another sign-in")
        }
        _ => misconfigured(format!("The identity provider gives no tokens to this server: {told}")),
    }
}

pub(super) fn token_refused(what: &str) -> Problem {
    let what = format!("What the identity provider sent is not believed: {what}");
    let fix = "Begin again; if it goes on, tell whoever runs this server.";
    Problem::new(ProblemKind::Upstream, "oidc_token_refused", what, fix)
}

fn clocks_apart() -> Problem {
    let what =
        "The identity provider's word ended already or begins later: its clock and this server's are apart";
    let fix = "Ask whoever runs this server to set its clock, best by a time service (NTP).";
    Problem::new(ProblemKind::Upstream, "oidc_clocks_apart", what, fix)
}
