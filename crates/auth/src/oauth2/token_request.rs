//! Token requests (RFC 6749 §4.1.3, §4.4.2, §6).

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tombolo_catalog::{ClientAuthentication, OAuth2, ParameterFormat};
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use super::OAuth2Exchange;
use crate::credentials::CredentialsBuilder;
use crate::exchange::{ExchangeFailure, ExchangeRequest};
use crate::fill::Filling;
use crate::jwt;

/// The client that asks for a token.
#[derive(Clone, Copy)]
pub struct OAuthClient<'a> {
    /// Its public id.
    pub id: &'a str,
    /// Its secret; `None` for a public client.
    pub secret: Option<&'a str>,
}

/// What is exchanged for an access token.
#[derive(Clone, Copy)]
pub enum Grant<'a> {
    /// The code that the vendor gave to a person's browser.
    AuthorizationCode {
        /// The code.
        code: &'a str,
        /// The redirect URI of the authorization request.
        redirect_uri: &'a str,
        /// The PKCE verifier, if a challenge was sent.
        verifier: Option<&'a str>,
    },
    /// The refresh token of the credentials that are to be renewed.
    RefreshToken,
    /// The client's own id and secret.
    ClientCredentials {
        /// What is asked for.
        scope: Option<&'a str>,
    },
    /// Nothing any more: a token is given back (RFC 7009 §2.1).
    Revocation {
        /// The token.
        token: &'a str,
        /// What kind of token it is.
        hint: &'static str,
    },
}

type Parameters<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

pub(super) fn write(exchange: &OAuth2Exchange<'_>) -> Result<ExchangeRequest, ExchangeFailure> {
    let oauth2 = exchange.oauth2;
    let grant = of_grant(exchange)?;
    let mut parameters: Parameters<'_> =
        grant.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in &oauth2.token_headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable("a header's name"))?;
        headers.insert(name, HeaderValue::from_str(value).map_err(|_| unusable("a header's value"))?);
    }
    let client = exchange.client;
    let is_revocation = matches!(exchange.grant, Grant::Revocation { .. });
    match (oauth2.client_authentication, client.secret) {
        _ if is_revocation && !oauth2.revocation.authenticated => {}
        (ClientAuthentication::Basic, Some(secret)) => {
            headers.insert(AUTHORIZATION, basic(client.id, secret)?);
        }
        (ClientAuthentication::Body, Some(secret)) => {
            parameters.push(("client_id".into(), client.id.into()));
            parameters.push(("client_secret".into(), secret.into()));
        }
        (ClientAuthentication::PrivateKeyJwt, Some(secret)) => {
            parameters.push(("client_assertion_type".into(), ASSERTION.into()));
            parameters.push(("client_assertion".into(), assertion(exchange, secret)?.into()));
        }
        (_, None) => parameters.push(("client_id".into(), client.id.into())),
    }
    let none = BTreeMap::new();
    let more = match exchange.grant {
        Grant::RefreshToken => &oauth2.refresh_parameters,
        Grant::AuthorizationCode { .. } | Grant::ClientCredentials { .. } => &oauth2.token_parameters,
        Grant::Revocation { .. } => &none,
    };
    let filling = Filling { moment: exchange.moment, ..Filling::of_config(exchange.config) };
    for (name, expression) in more {
        // What is not filled in is not sent.
        if let Ok(value) = filling.text(expression) {
            parameters.retain(|(known, _)| known != name);
            parameters.push((name.as_str().into(), value.to_string().into()));
        }
    }
    let format = oauth2.revocation.request.filter(|_| is_revocation).unwrap_or(oauth2.token_request);
    Ok(framed(exchange.url, format, &parameters, headers))
}

fn of_grant<'a>(exchange: &OAuth2Exchange<'a>) -> Result<Vec<(&'a str, &'a str)>, ExchangeFailure> {
    Ok(match exchange.grant {
        Grant::AuthorizationCode { code, redirect_uri, verifier } => {
            let mut parameters =
                vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
            parameters.extend(verifier.map(|verifier| ("code_verifier", verifier)));
            parameters
        }
        Grant::RefreshToken => {
            let token = exchange.previous.and_then(|known| known.value(OAuth2::REFRESH_TOKEN));
            vec![("grant_type", "refresh_token"), ("refresh_token", token.ok_or(ExchangeFailure::Nothing)?)]
        }
        Grant::ClientCredentials { scope } => {
            let mut parameters = vec![("grant_type", "client_credentials")];
            parameters.extend(scope.map(|scope| ("scope", scope)));
            parameters
        }
        Grant::Revocation { token, hint } => {
            vec![(exchange.oauth2.revocation.parameter.as_str(), token), ("token_type_hint", hint)]
        }
    })
}

/// RFC 7523 §2.2.
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The token with which a client proves to be itself.
fn assertion(exchange: &OAuth2Exchange<'_>, key: &str) -> Result<String, ExchangeFailure> {
    let described = exchange.oauth2.client_assertion.as_ref().ok_or(ExchangeFailure::Nothing)?;
    let client = CredentialsBuilder::new()
        .value(OAuth2::CLIENT_ID, exchange.client.id)
        .value(OAuth2::CLIENT_SECRET, key)
        .build();
    let filling = Filling {
        credentials: Some(&client),
        moment: exchange.moment,
        ..Filling::of_config(exchange.config)
    };
    let signed = jwt::sign(described, &filling).map_err(|unfilled| unusable_client(&unfilled))?;
    Ok(signed.to_string())
}

fn unusable_client(unfilled: &crate::fill::Unfilled) -> ExchangeFailure {
    ExchangeFailure::Refused { code: "unusable".to_owned(), description: Some(unfilled.to_string()) }
}

fn framed(
    url: &str,
    format: ParameterFormat,
    parameters: &Parameters<'_>,
    mut headers: HeaderMap,
) -> ExchangeRequest {
    let form = || Serializer::new(String::new()).extend_pairs(parameters).finish();
    let (method, url, kind, body) = match format {
        ParameterFormat::Form => {
            (Method::POST, url.to_owned(), Some("application/x-www-form-urlencoded"), form())
        }
        ParameterFormat::Json => {
            let members: serde_json::Map<String, serde_json::Value> =
                parameters.iter().map(|(name, value)| (name.to_string(), value.as_ref().into())).collect();
            let text = serde_json::Value::Object(members).to_string();
            (Method::POST, url.to_owned(), Some("application/json"), text)
        }
        ParameterFormat::Query => {
            let separator = if url.contains('?') { '&' } else { '?' };
            (Method::GET, format!("{url}{separator}{}", form()), None, String::new())
        }
    };
    if let Some(kind) = kind {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    ExchangeRequest { method, url, headers, body: Bytes::from(body) }
}

/// Id and secret are form-encoded before they are put together (RFC 6749 §2.3.1).
fn basic(id: &str, secret: &str) -> Result<HeaderValue, ExchangeFailure> {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let plain = Zeroizing::new(format!("{}:{}", encode(id), encode(secret)));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(plain.as_bytes())));
    let mut value = HeaderValue::from_str(&text).map_err(|_| unusable("the client's id or secret"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unusable(what: &str) -> ExchangeFailure {
    ExchangeFailure::Refused {
        code: "unusable".to_owned(),
        description: Some(format!("{what} has characters that no header can carry")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Step;

    const AUTHORIZATION_CODE: Grant<'_> = Grant::AuthorizationCode {
        code: "c d",
        redirect_uri: "https://t.example/oauth/callback/x",
        verifier: Some("v"),
    };

    const REVOCATION: Grant<'_> = Grant::Revocation { token: "r/1", hint: "refresh_token" };

    fn written(more: &str, grant: Grant<'_>) -> String {
        let text = format!("flow: client_credentials\ntoken_url: https://a.example.com/token\n{more}");
        let oauth2: OAuth2 = serde_saphyr::from_str(&text).expect("reads");
        let previous = CredentialsBuilder::new().value("refresh_token", "r/1").build();
        let client = OAuthClient { id: "me", secret: Some("s:é") };
        let url = "https://a.example.com/token";
        let exchange = OAuth2Exchange {
            oauth2: &oauth2,
            url,
            client,
            grant,
            previous: Some(&previous),
            config: &BTreeMap::new(),
            moment: None,
            keeps_client: false,
        };
        let Step::Send(request) = exchange.begin() else { panic!("a request") };
        let mut text = format!("{} {}", request.method, request.url);
        for (name, value) in request.headers.iter().filter(|(name, _)| *name != ACCEPT) {
            text += &["\n", name.as_str(), ": ", value.to_str().expect("text")].concat();
        }
        text + "\n" + std::str::from_utf8(&request.body).expect("text")
    }

    #[test]
    fn each_deviation_is_written_as_its_vendor_wants_it() {
        let basic = format!("authorization: Basic {}", STANDARD.encode("me:s%3A%C3%A9"));
        for (more, grant, expected) in [
            (
                "",
                AUTHORIZATION_CODE,
                format!(
                    "POST https://a.example.com/token\n{basic}\ncontent-type: application/x-www-form-urlencoded\n\
                     grant_type=authorization_code&code=c+d&redirect_uri=https%3A%2F%2Ft.example%2Foauth%2Fcallback%2Fx&code_verifier=v"
                ),
            ),
            (
                "client_authentication: body\ntoken_request: json\nrefresh_parameters: { a: b }",
                Grant::RefreshToken,
                "POST https://a.example.com/token\ncontent-type: application/json\n\
                 {\"grant_type\":\"refresh_token\",\"refresh_token\":\"r/1\",\"client_id\":\"me\",\"client_secret\":\"s:é\",\"a\":\"b\"}"
                    .to_owned(),
            ),
            (
                "client_authentication: body\ntoken_request: query\ntoken_headers: { X-Version: '2' }",
                Grant::ClientCredentials { scope: Some("read write") },
                "GET https://a.example.com/token?grant_type=client_credentials&scope=read+write&client_id=me&client_secret=s%3A%C3%A9\n\
                 x-version: 2\n"
                    .to_owned(),
            ),
            (
                "",
                REVOCATION,
                format!(
                    "POST https://a.example.com/token\n{basic}\ncontent-type: application/x-www-form-urlencoded\n\
                     token=r%2F1&token_type_hint=refresh_token"
                ),
            ),
            (
                "token_parameters: { a: b }\nrevocation: { parameter: access_token, request: json, authenticated: false }",
                REVOCATION,
                "POST https://a.example.com/token\ncontent-type: application/json\n\
                 {\"access_token\":\"r/1\",\"token_type_hint\":\"refresh_token\"}"
                    .to_owned(),
            ),
        ] {
            assert_eq!(written(more, grant), expected);
        }
    }

    #[test]
    fn without_a_refresh_token_there_is_nothing_to_exchange() {
        let oauth2: OAuth2 =
            serde_saphyr::from_str("flow: client_credentials\ntoken_url: https://a.example.com/t")
                .expect("reads");
        let client = OAuthClient { id: "me", secret: None };
        let url = "https://a.example.com/t";
        let exchange = OAuth2Exchange {
            oauth2: &oauth2,
            url,
            client,
            grant: Grant::RefreshToken,
            previous: None,
            config: &BTreeMap::new(),
            moment: None,
            keeps_client: false,
        };
        assert!(matches!(exchange.begin(), Step::Failed(ExchangeFailure::Nothing)));
    }
}
