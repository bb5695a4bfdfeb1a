//! Auth schemes as a provider file declares them. What they do to a request is in the crate `auth`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::field::Fields;
use crate::oauth2::{Flow, OAuth2};
use crate::path_rule::CallPattern;
use crate::text::Text;

/// One way in which a provider authenticates its callers.
#[derive(Debug, Clone)]
pub struct AuthScheme {
    /// The scheme's name in requests and on the command line.
    pub id: String,
    /// The scheme's name for people.
    pub name: Text,
    /// What the scheme reaches and who can revoke it, in a sentence or two.
    pub explain: Option<Text>,
    /// The fields that hold the secret and what belongs to it.
    pub fields: Fields,
    /// How the credential goes onto a request.
    pub kind: SchemeKind,
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
        match &self.kind {
            SchemeKind::Basic { .. } | SchemeKind::OAuth2(_) => true,
            SchemeKind::ApiKey { placement: Placement::Header(name), .. } => {
                name.eq_ignore_ascii_case("authorization")
            }
            SchemeKind::ApiKey { placement: Placement::Query(_), .. }
            | SchemeKind::EncodedPassword { .. }
            | SchemeKind::SessionCookie { .. } => false,
        }
    }

    /// The header that carries the credential, if a header does.
    pub fn header(&self) -> Option<&str> {
        match &self.kind {
            SchemeKind::Basic { .. } => Some("authorization"),
            SchemeKind::OAuth2(_) => Some(OAuth2::HEADER),
            SchemeKind::EncodedPassword { header, .. } => Some(header),
            SchemeKind::ApiKey { placement: Placement::Header(name), .. } => Some(name),
            SchemeKind::SessionCookie { .. } => Some("cookie"),
            SchemeKind::ApiKey { placement: Placement::Query(_), .. } => None,
        }
    }

    /// Every header that the scheme sets, the one with the credential among them.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let beside = match &self.kind {
            SchemeKind::SessionCookie { headers, request_token, .. } => Some((headers, request_token)),
            _ => None,
        };
        let beside = beside.into_iter().flat_map(|(headers, token)| {
            let token = token.as_ref().and_then(|token| token.header.as_ref());
            headers.keys().chain(token).map(String::as_str)
        });
        self.header().into_iter().chain(beside)
    }

    /// The query parameter that the scheme sets, if it sets one.
    pub fn parameter(&self) -> Option<&str> {
        match &self.kind {
            SchemeKind::ApiKey { placement: Placement::Query(name), .. } => Some(name),
            SchemeKind::SessionCookie { request_token: Some(token), .. } => token.query.as_deref(),
            _ => None,
        }
    }

    /// The several keys that a connection of this scheme may hold.
    pub fn entries(&self) -> Option<&Entries> {
        match &self.kind {
            SchemeKind::ApiKey { entries, .. } => entries.as_ref(),
            _ => None,
        }
    }

    /// How tokens are asked for, if the vendor gives them out.
    pub fn oauth2(&self) -> Option<&OAuth2> {
        match &self.kind {
            SchemeKind::OAuth2(oauth2) => Some(oauth2),
            _ => None,
        }
    }

    /// Whether a person has to agree in a browser, so that a form alone does not link an account.
    pub fn needs_browser(&self) -> bool {
        self.oauth2().is_some_and(|oauth2| oauth2.flow == Flow::AuthorizationCode)
    }
}

/// The scheme as it stands in the file; `check` turns it into an [`AuthScheme`] and says what is missing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SchemeText {
    pub id: String,
    pub name: Text,
    pub explain: Option<Text>,
    #[serde(rename = "type")]
    pub kind: SchemeType,
    pub header: Option<String>,
    pub query: Option<String>,
    pub prefix: Option<String>,
    pub entries: Option<Entries>,
    pub oauth2: Option<OAuth2>,
    pub cookie: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub request_token: Option<RequestToken>,
    #[serde(default)]
    pub fields: Fields,
    #[serde(default)]
    pub locks_out: bool,
    #[serde(default)]
    pub unavailable: Vec<Unavailable>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SchemeType {
    ApiKey,
    Basic,
    EncodedPassword,
    #[serde(rename = "oauth2")]
    OAuth2,
    SessionCookie,
}

impl SchemeText {
    /// The scheme, or what is wrong with its declaration and how to mend it.
    pub(crate) fn into_scheme(self) -> Result<AuthScheme, Wrong> {
        if self.entries.is_some() && self.kind != SchemeType::ApiKey {
            return self.lacks("has `entries`", "remove them: only an `api_key` may be several");
        }
        if self.oauth2.is_some() && self.kind != SchemeType::OAuth2 {
            return self.lacks("has a block `oauth2`", "remove it, or write `type: oauth2`");
        }
        let of_session = self.cookie.is_some() || self.request_token.is_some() || !self.headers.is_empty();
        if of_session && self.kind != SchemeType::SessionCookie {
            return self.lacks(
                "has keys of a session (`cookie`, `headers`, `request_token`)",
                "remove them, or write `type: session_cookie`",
            );
        }
        let kind = match self.kind {
            SchemeType::ApiKey => self.api_key()?,
            SchemeType::Basic | SchemeType::EncodedPassword => self.password()?,
            SchemeType::OAuth2 => self.tokens()?,
            SchemeType::SessionCookie => self.session()?,
        };
        let Self { id, name, explain, fields, locks_out, unavailable, .. } = self;
        Ok(AuthScheme { id, name, explain, fields, kind, locks_out, unavailable })
    }

    fn api_key(&self) -> Result<SchemeKind, Wrong> {
        let placement = match (&self.header, &self.query) {
            (Some(header), None) => Placement::Header(header.clone()),
            (None, Some(query)) => Placement::Query(query.clone()),
            (None, None) => {
                return self.lacks("does not say where the key goes", "add `header: NAME` or `query: NAME`");
            }
            (Some(_), Some(_)) => {
                return self.lacks("sends the key to two places", "keep one of `header` and `query`");
            }
        };
        let (prefix, entries) = (self.prefix.clone().unwrap_or_default(), self.entries.clone());
        Ok(SchemeKind::ApiKey { placement, prefix, field: self.secret()?, entries })
    }

    fn password(&self) -> Result<SchemeKind, Wrong> {
        let password = self.secret()?;
        let open: Vec<&str> =
            self.fields.iter().filter(|(_, field)| !field.secret).map(|(name, _)| name).collect();
        let [username] = open.as_slice() else {
            let what = format!("has {} fields beside the secret one", open.len());
            return self.lacks(&what, "declare one field for the user name and one for the password");
        };
        let username = (*username).to_owned();
        match (self.kind, &self.header) {
            (SchemeType::EncodedPassword, Some(header)) => {
                Ok(SchemeKind::EncodedPassword { header: header.clone(), username, password })
            }
            (SchemeType::EncodedPassword, None) => {
                self.lacks("does not say where the password goes", "add `header: NAME`")
            }
            _ => Ok(SchemeKind::Basic { username, password }),
        }
    }

    fn tokens(&self) -> Result<SchemeKind, Wrong> {
        let Some(oauth2) = &self.oauth2 else {
            return self.lacks("does not say how tokens are asked for", "add the block `oauth2:`");
        };
        match oauth2.flow {
            Flow::AuthorizationCode if oauth2.authorization_url.is_none() => {
                return self.lacks("does not say where a person agrees", "add `authorization_url:`");
            }
            Flow::AuthorizationCode if self.fields.names().next().is_some() => {
                return self.lacks(
                    "has fields, but its token comes from the vendor",
                    "move them to `config`, or write `flow: client_credentials`",
                );
            }
            Flow::ClientCredentials => {
                let id = self.fields.get(OAuth2::CLIENT_ID).is_some_and(|field| !field.secret);
                let secret = self.fields.get(OAuth2::CLIENT_SECRET).is_some_and(|field| field.secret);
                if !id || !secret {
                    return self.lacks(
                        "does not ask for its client",
                        "declare the fields `client_id`, and `client_secret` with `secret: true`",
                    );
                }
            }
            Flow::AuthorizationCode => {}
        }
        Ok(SchemeKind::OAuth2(Box::new(oauth2.clone())))
    }

    fn session(&self) -> Result<SchemeKind, Wrong> {
        let Some(cookie) = self.cookie.clone() else {
            return self.lacks("does not name its cookie", "add `cookie: NAME`");
        };
        if let Some(token) = &self.request_token {
            if token.query.is_some() == token.header.is_some() {
                return self.lacks(
                    "does not say where its request token goes, or says it twice",
                    "give `request_token` one of `query: NAME` and `header: NAME`",
                );
            }
            if !self.fields.get(&token.field).is_some_and(|field| field.secret && field.optional) {
                return self.lacks(
                    "does not ask for its request token",
                    "declare the field of `request_token` with `secret: true` and `optional: true`",
                );
            }
        }
        let (headers, request_token) = (self.headers.clone(), self.request_token.clone());
        Ok(SchemeKind::SessionCookie { cookie, session: self.secret()?, headers, request_token })
    }

    /// The one field that is secret, beside that of a request token.
    fn secret(&self) -> Result<String, Wrong> {
        let token = self.request_token.as_ref().map(|token| token.field.as_str());
        let secrets = self.fields.iter().filter(|(name, field)| field.secret && Some(*name) != token);
        let secrets: Vec<&str> = secrets.map(|(name, _)| name).collect();
        match secrets.as_slice() {
            [secret] => Ok((*secret).to_owned()),
            _ => self.lacks(
                &format!("has {} secret fields", secrets.len()),
                "mark the field of its key or password with `secret: true`, and no other",
            ),
        }
    }

    fn lacks<T>(&self, what: &str, fix: &'static str) -> Result<T, Wrong> {
        Err((format!("the scheme `{}` {what}", self.id), fix))
    }
}

/// What is wrong with a declaration, and how to mend it.
type Wrong = (String, &'static str);
