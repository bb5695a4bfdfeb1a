//! Temporary credentials and tokens of OAuth 1.0a (RFC 5849 §2).

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tombolo_catalog::{OAuth1, OAuth2};

use crate::credentials::CredentialsBuilder;
use crate::exchange::{ExchangeAnswer, ExchangeFailure, ExchangeRequest, Step, Tokens};
use crate::fill::Subject;
use crate::moment::Moment;
use crate::oauth1::Signer;
use crate::oauth2::{OAuthClient, failure_of};
use crate::text::pairs;

/// One of the two requests that lead to a token.
pub struct OAuth1Exchange<'a> {
    /// What the provider file says.
    pub oauth1: &'a OAuth1,
    /// The address, without holes.
    pub url: &'a str,
    /// Who asks.
    pub client: OAuthClient<'a>,
    /// What for.
    pub asked: OAuth1Asked<'a>,
    /// When it is asked.
    pub moment: Moment,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub enum OAuth1Asked<'a> {
    /// Temporary credentials, with which a person is sent to agree.
    Temporary {
        /// Where the vendor sends the browser back to.
        callback: &'a str,
    },
    /// A token, once the person has agreed.
    Token {
        /// The temporary credentials.
        temporary: &'a str,
        /// Their secret.
        secret: &'a str,
        /// What the vendor gave to the person's browser.
        verifier: &'a str,
    },
}

impl OAuth1Exchange<'_> {
    /// The request.
    pub fn begin(&self) -> Step {
        let path =
            self.url.find("://").and_then(|start| self.url[start + 3..].find('/').map(|at| start + 3 + at));
        let (origin, target) = self.url.split_at(path.unwrap_or(self.url.len()));
        let (token, token_secret, parameter) = match self.asked {
            OAuth1Asked::Temporary { callback } => (None, "", ("oauth_callback", callback)),
            OAuth1Asked::Token { temporary, secret, verifier } => {
                (Some(temporary), secret, ("oauth_verifier", verifier))
            }
        };
        let signer = Signer {
            method: self.oauth1.signature,
            consumer_key: self.client.id,
            consumer_secret: self.client.secret.unwrap_or_default(),
            token,
            token_secret,
            realm: None,
        };
        let mut target = if target.is_empty() { "/".to_owned() } else { target.to_owned() };
        if matches!(self.asked, OAuth1Asked::Temporary { .. }) {
            for (name, value) in &self.oauth1.request_parameters {
                target.push(if target.contains('?') { '&' } else { '?' });
                let mut pair = url::form_urlencoded::Serializer::new(String::new());
                target.push_str(&pair.append_pair(name, value).finish());
            }
        }
        let subject = Subject { method: &Method::POST, origin, target: &target, body: b"" };
        let header = signer.header(&subject, false, &[parameter], self.moment);
        let Ok(mut value) = HeaderValue::from_str(&header) else {
            return Step::Failed(ExchangeFailure::Nothing);
        };
        value.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value);
        Step::Send(ExchangeRequest {
            method: Method::POST,
            url: format!("{origin}{target}"),
            headers,
            body: Bytes::new(),
        })
    }

    /// The end: a form with a token and its secret.
    pub fn answered(&self, answer: &ExchangeAnswer<'_>) -> Step {
        if !answer.status.is_success() {
            return Step::Failed(failure_of(answer, None));
        }
        let members: BTreeMap<String, String> =
            pairs(&String::from_utf8_lossy(answer.body)).into_iter().collect();
        let (Some(token), Some(secret)) = (members.get("oauth_token"), members.get("oauth_token_secret"))
        else {
            return Step::Failed(ExchangeFailure::Malformed("it has no `oauth_token`".to_owned()));
        };
        let credentials = CredentialsBuilder::new()
            .value(OAuth1::TOKEN, token)
            .value(OAuth1::TOKEN_SECRET, secret)
            .value(OAuth1::CONSUMER_KEY, self.client.id)
            .value(OAuth1::CONSUMER_SECRET, self.client.secret.unwrap_or_default())
            .build();
        debug_assert!(credentials.value(OAuth2::ACCESS_TOKEN).is_none(), "tokens of the two versions differ");
        Step::Done(Tokens {
            credentials,
            expires_in: None,
            scope: None,
            refresh_expires_in: None,
            config: BTreeMap::new(),
        })
    }
}
