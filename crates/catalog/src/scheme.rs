//! Auth schemes as a provider file declares them. What they do to a request is in the crate `auth`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::auth_mode::AuthMode;
use crate::expression::{Expression, ExpressionValue};
use crate::field::Fields;
use crate::oauth2::{Flow, OAuth2, OAuthScope};
use crate::path_rule::CallPattern;
use crate::send::Send;
use crate::template::Template;
use crate::text::Text;
use crate::token::{AwsSigV4, Jwt, Login, OAuth1, OAuth1Flow, margin};

/// One way in which a provider authenticates its callers.
#[derive(Debug, Clone)]
pub struct AuthScheme {
    /// The scheme's name in requests and on the command line.
    pub id: String,
    /// The scheme's name for people.
    pub name: Text,
    /// What the scheme reaches and who can revoke it, in a sentence or two.
    pub explain: Option<Text>,
    /// What an administrator does at the vendor beforehand, click by click, such as registering an OAuth client.
    pub steps: Vec<Text>,
    /// The page of the vendor, in the person's own tenant, where the first of those steps leads.
    pub link: Option<Template>,
    /// The fields that hold the secret and what belongs to it.
    pub fields: Fields,
    /// How the credential goes onto a request.
    pub kind: SchemeKind,
    /// What goes onto a request beside it.
    pub send: Send,
    /// How the compatible API calls the scheme, where it is not what its kind is mostly called.
    pub mode: Option<AuthMode>,
    /// Whether repeated failures lock the account: a refused credential is then refused locally until it has
    /// been tested again.
    pub locks_out: bool,
    /// Calls that the vendor does not offer to this scheme; they are refused here, with what to do instead.
    pub unavailable: Vec<Unavailable>,
}

/// Calls that a vendor does not offer to an auth scheme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unavailable {
    /// Which calls.
    pub at: CallPattern,
    /// Why, in a sentence.
    pub says: Text,
    /// What to do instead, in a sentence.
    pub fix: Text,
}

/// How a credential goes onto a request. A closed set: each arm is known to the crate `auth`.
#[derive(Debug, Clone)]
pub enum SchemeKind {
    /// One or several keys in a header or a query parameter.
    ApiKey {
        /// Where the key goes.
        placement: Placement,
        /// What stands before the key, such as `Bearer `.
        prefix: String,
        /// The secret field that holds the key.
        field: String,
        /// Set when a connection may hold several keys.
        entries: Option<Entries>,
    },
    /// `Authorization: Basic` (RFC 7617) from two fields.
    Basic {
        /// The field with the user name.
        username: String,
        /// The secret field with the password.
        password: String,
    },
    /// A header with the base64 form of `user:password` in UTF-8.
    EncodedPassword {
        /// The header.
        header: String,
        /// The field with the user name.
        username: String,
        /// The secret field with the password.
        password: String,
    },
    /// `Authorization: Bearer` with an access token that the vendor gives out (RFC 6749, RFC 6750).
    OAuth2(Box<OAuth2>),
    /// Nothing: the API is open.
    Unauthenticated,
    /// Only what is written out under `send`.
    Template,
    /// A token that is signed here with the account's key.
    Jwt {
        /// The token.
        jwt: Box<Jwt>,
        /// What stands before it in the header `Authorization`; `None` when `send` puts it somewhere.
        prefix: Option<String>,
    },
    /// A token that a login yields.
    Login {
        /// The login.
        login: Box<Login>,
        /// What stands before the token in the header `Authorization`; `None` when `send` puts it somewhere.
        prefix: Option<String>,
    },
    /// Every request signed with the client's and the token's secret (RFC 5849).
    OAuth1(Box<OAuth1>),
    /// Every request signed as Amazon Web Services want it.
    AwsSigV4(Box<AwsSigV4>),
    /// The cookie of a browser's session, with what a browser sends beside it.
    SessionCookie {
        /// The cookie's name.
        cookie: String,
        /// The secret field with the cookie's value.
        session: String,
        /// Headers that go along, because a browser would send them.
        headers: BTreeMap<String, String>,
        /// What a request that changes something has to repeat.
        request_token: Option<RequestToken>,
    },
}

/// A token of the session that a request which changes something has to repeat, so that other sites cannot make a
/// browser send it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestToken {
    /// The secret field that holds it. Where it is empty the connection can only read.
    pub field: String,
    /// The query parameter that carries it.
    pub query: Option<String>,
    /// The header that carries it.
    pub header: Option<String>,
}

/// Where a key goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// Into the header of this name.
    Header(String),
    /// Into the query parameter of this name.
    Query(String),
}

/// A connection may hold several keys, each for one thing of the vendor's, such as an app.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entries {
    /// How many keys one request may carry, and so how many a connection may hold.
    pub max: usize,
    /// What stands between several keys on one request.
    pub join: String,
    /// The configuration field (a list) that says what each key is for, paired by position.
    pub by: String,
    /// Where a call says which entry it needs; the first selector that finds something decides.
    #[serde(default)]
    pub select: Vec<Selector>,
}

/// Where a call says which entry it needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// Only calls that fit this pattern.
    pub at: Option<CallPattern>,
    /// A query parameter; `apps[*]` stands for `apps[0]`, `apps[1]` and so on.
    pub query: Option<String>,
    /// A member of the JSON body, such as `app` or `requests.*.payload.app`.
    pub body: Option<String>,
}

impl AuthScheme {
    /// Whether the scheme uses the `Authorization` header, which then cannot carry a Basic gate as well.
    pub fn uses_authorization_header(&self) -> bool {
        let is_sent = self.send.headers.keys().any(|name| name.eq_ignore_ascii_case(AUTHORIZATION));
        is_sent || self.header().is_some_and(|name| name.eq_ignore_ascii_case(AUTHORIZATION))
    }

    /// The header that carries the credential, if a header of its own does.
    pub fn header(&self) -> Option<&str> {
        match &self.kind {
            SchemeKind::Basic { .. } | SchemeKind::OAuth1(_) | SchemeKind::AwsSigV4(_) => Some(AUTHORIZATION),
            SchemeKind::OAuth2(_) => Some(OAuth2::HEADER),
            SchemeKind::EncodedPassword { header, .. } => Some(header),
            SchemeKind::ApiKey { placement: Placement::Header(name), .. } => Some(name),
            SchemeKind::SessionCookie { .. } => Some("cookie"),
            SchemeKind::Jwt { prefix: Some(_), .. } | SchemeKind::Login { prefix: Some(_), .. } => {
                Some(AUTHORIZATION)
            }
            SchemeKind::ApiKey { placement: Placement::Query(_), .. }
            | SchemeKind::Jwt { prefix: None, .. }
            | SchemeKind::Login { prefix: None, .. }
            | SchemeKind::Unauthenticated
            | SchemeKind::Template => None,
        }
    }

    /// Every header that the scheme sets, which a caller therefore cannot.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let beside = match &self.kind {
            SchemeKind::SessionCookie { headers, request_token, .. } => Some((headers, request_token)),
            _ => None,
        };
        let beside = beside.into_iter().flat_map(|(headers, token)| {
            let token = token.as_ref().and_then(|token| token.header.as_ref());
            headers.keys().chain(token).map(String::as_str)
        });
        let secret = self.send.headers.iter().filter(|(_, expression)| {
            expression.values().iter().any(|value| matches!(value, ExpressionValue::Secret(_)))
        });
        self.header().into_iter().chain(beside).chain(secret.map(|(name, _)| name.as_str()))
    }

    /// Every query parameter that the scheme sets, which a caller therefore cannot.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        let own = match &self.kind {
            SchemeKind::ApiKey { placement: Placement::Query(name), .. } => Some(name.as_str()),
            SchemeKind::SessionCookie { request_token: Some(token), .. } => token.query.as_deref(),
            _ => None,
        };
        own.into_iter().chain(self.send.query.keys().map(String::as_str))
    }

    /// The several keys that a connection of this scheme may hold.
    pub fn entries(&self) -> Option<&Entries> {
        match &self.kind {
            SchemeKind::ApiKey { entries, .. } => entries.as_ref(),
            _ => None,
        }
    }

    /// How tokens are asked for, if the vendor gives them out by OAuth 2.0.
    pub fn oauth2(&self) -> Option<&OAuth2> {
        match &self.kind {
            SchemeKind::OAuth2(oauth2) => Some(oauth2),
            _ => None,
        }
    }

    /// Whether a person has to agree in a browser, so that a form alone does not link an account.
    pub fn needs_browser(&self) -> bool {
        match &self.kind {
            SchemeKind::OAuth2(oauth2) => oauth2.flow == Flow::AuthorizationCode,
            SchemeKind::OAuth1(oauth1) => oauth1.flow == OAuth1Flow::ThreeLegged,
            _ => false,
        }
    }

    /// The addresses without secrets in them that secrets of the scheme are sent to beside the API.
    pub fn token_urls(&self) -> Vec<&Template> {
        match &self.kind {
            SchemeKind::OAuth2(oauth2) => oauth2.token_urls().collect(),
            SchemeKind::OAuth1(oauth1) => oauth1.token_urls().collect(),
            SchemeKind::Login { login, .. } => {
                login.all_steps().filter_map(|step| step.url.origin.as_ref()).collect()
            }
            SchemeKind::AwsSigV4(aws) => {
                let roles = aws.assume_role.iter();
                roles.filter_map(|role| role.url.origin.as_ref()).collect()
            }
            SchemeKind::ApiKey { .. }
            | SchemeKind::SessionCookie { .. }
            | SchemeKind::Basic { .. }
            | SchemeKind::EncodedPassword { .. }
            | SchemeKind::Unauthenticated
            | SchemeKind::Template
            | SchemeKind::Jwt { .. } => Vec::new(),
        }
    }

    /// The OAuth scopes that the file knows; none for schemes without them.
    pub fn scopes(&self) -> &[OAuthScope] {
        match &self.kind {
            SchemeKind::OAuth2(oauth2) => &oauth2.scopes,
            _ => &[],
        }
    }

    /// The page where a person agrees.
    pub fn authorization_url(&self) -> Option<&Template> {
        match &self.kind {
            SchemeKind::OAuth2(oauth2) => oauth2.authorization_url.as_ref(),
            SchemeKind::OAuth1(oauth1) => oauth1.authorization_url.as_ref(),
            _ => None,
        }
    }

    /// How long before its end a token that lives this long is renewed.
    pub fn margin(&self, life: Duration) -> Duration {
        match &self.kind {
            SchemeKind::OAuth2(oauth2) => oauth2.margin(life),
            SchemeKind::Login { login, .. } => login.margin(life),
            SchemeKind::ApiKey { .. }
            | SchemeKind::SessionCookie { .. }
            | SchemeKind::Basic { .. }
            | SchemeKind::EncodedPassword { .. }
            | SchemeKind::Unauthenticated
            | SchemeKind::Template
            | SchemeKind::Jwt { .. }
            | SchemeKind::OAuth1(_)
            | SchemeKind::AwsSigV4(_) => margin(None, life),
        }
    }

    /// Whether credentials of this scheme end and are renewed with nobody's help. Those of OAuth 2.0 with a person are
    /// while there is a refresh token and the client.
    pub fn is_renewed(&self) -> bool {
        match &self.kind {
            SchemeKind::OAuth2(_) | SchemeKind::Login { .. } | SchemeKind::Jwt { .. } => true,
            SchemeKind::AwsSigV4(aws) => aws.assume_role.is_some(),
            SchemeKind::ApiKey { .. }
            | SchemeKind::SessionCookie { .. }
            | SchemeKind::Basic { .. }
            | SchemeKind::EncodedPassword { .. }
            | SchemeKind::Unauthenticated
            | SchemeKind::Template
            | SchemeKind::OAuth1(_) => false,
        }
    }

    /// Whether requests carry id and secret of the OAuth client beside the token.
    pub fn sends_client(&self) -> bool {
        let is_of_client = |value: &ExpressionValue| matches!(value, ExpressionValue::Secret(name) if matches!(name.as_str(), OAuth2::CLIENT_ID | OAuth2::CLIENT_SECRET));
        self.needs_browser() && self.send.values().into_iter().any(is_of_client)
    }

    /// Every value of every expression of the scheme.
    pub fn values(&self) -> Vec<&ExpressionValue> {
        let mut values = self.send.values();
        values.extend(match &self.kind {
            SchemeKind::OAuth2(oauth2) => {
                oauth2.client_assertion.as_ref().map(Jwt::values).unwrap_or_default()
            }
            SchemeKind::Jwt { jwt: token, .. } => token.values(),
            SchemeKind::Login { login, .. } => login.values(),
            SchemeKind::OAuth1(oauth1) => oauth1.realm.iter().flat_map(Expression::values).collect(),
            SchemeKind::AwsSigV4(aws) => aws.values(),
            SchemeKind::ApiKey { .. }
            | SchemeKind::SessionCookie { .. }
            | SchemeKind::Basic { .. }
            | SchemeKind::EncodedPassword { .. }
            | SchemeKind::Unauthenticated
            | SchemeKind::Template => Vec::new(),
        });
        values
    }

    /// Whether credentials of this scheme hold a value of that name.
    pub fn has_secret(&self, name: &str) -> bool {
        let given_out = match &self.kind {
            SchemeKind::OAuth2(oauth2) => {
                matches!(name, OAuth2::ACCESS_TOKEN | OAuth2::REFRESH_TOKEN)
                    || (oauth2.flow == Flow::AuthorizationCode
                        && matches!(name, OAuth2::CLIENT_ID | OAuth2::CLIENT_SECRET))
                    || oauth2.token_answer.keep.contains_key(name)
            }
            SchemeKind::Login { login, .. } => {
                matches!(name, OAuth2::ACCESS_TOKEN | OAuth2::REFRESH_TOKEN | Login::COOKIES)
                    || login.answer.keep.contains_key(name)
            }
            SchemeKind::Jwt { .. } => name == OAuth2::ACCESS_TOKEN,
            SchemeKind::OAuth1(_) => matches!(name, OAuth1::TOKEN | OAuth1::TOKEN_SECRET),
            _ => false,
        };
        given_out || self.fields.get(name).is_some()
    }
}

const AUTHORIZATION: &str = "authorization";
