//! Auth schemes as they stand in a file, and what makes them whole.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::auth_mode::AuthMode;
use crate::field::Fields;
use crate::oauth2::{ClientAuthentication, Flow, OAuth2};
use crate::scheme::{AuthScheme, Entries, Placement, RequestToken, SchemeKind, Unavailable};
use crate::send::Send;
use crate::template::Template;
use crate::text::Text;
use crate::token::{AwsSigV4, Jwt, Login, OAuth1, OAuth1Flow};

/// The scheme as it stands in the file; `check` turns it into an [`AuthScheme`] and says what is missing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SchemeText {
    pub id: String,
    pub name: Text,
    pub explain: Option<Text>,
    #[serde(default)]
    pub steps: Vec<Text>,
    pub link: Option<Template>,
    #[serde(rename = "type")]
    pub kind: SchemeType,
    pub header: Option<String>,
    pub query: Option<String>,
    pub prefix: Option<String>,
    pub entries: Option<Entries>,
    pub oauth2: Option<OAuth2>,
    pub oauth1: Option<OAuth1>,
    pub jwt: Option<Jwt>,
    pub login: Option<Login>,
    pub aws_sigv4: Option<AwsSigV4>,
    pub cookie: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub request_token: Option<RequestToken>,
    #[serde(default)]
    pub send: Send,
    pub mode: Option<AuthMode>,
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
    #[serde(rename = "none")]
    Unauthenticated,
    Template,
    Jwt,
    Login,
    #[serde(rename = "oauth1")]
    OAuth1,
    #[serde(rename = "aws_sigv4")]
    AwsSigV4,
    SessionCookie,
}

impl SchemeText {
    /// The scheme, or what is wrong with its declaration and how to mend it.
    pub(crate) fn into_scheme(self) -> Result<AuthScheme, Wrong> {
        if self.entries.is_some() && self.kind != SchemeType::ApiKey {
            return self.lacks("has `entries`", "remove them: only an `api_key` may be several");
        }
        for (is_there, kind, what, fix) in [
            (
                self.oauth2.is_some(),
                SchemeType::OAuth2,
                "has a block `oauth2`",
                "remove it, or write `type: oauth2`",
            ),
            (
                self.oauth1.is_some(),
                SchemeType::OAuth1,
                "has a block `oauth1`",
                "remove it, or write `type: oauth1`",
            ),
            (self.jwt.is_some(), SchemeType::Jwt, "has a block `jwt`", "remove it, or write `type: jwt`"),
            (
                self.login.is_some(),
                SchemeType::Login,
                "has a block `login`",
                "remove it, or write `type: login`",
            ),
            (
                self.aws_sigv4.is_some(),
                SchemeType::AwsSigV4,
                "has a block `aws_sigv4`",
                "remove it, or write `type: aws_sigv4`",
            ),
        ] {
            if is_there && self.kind != kind {
                return self.lacks(what, fix);
            }
        }
        let of_session = self.cookie.is_some() || self.request_token.is_some() || !self.headers.is_empty();
        if of_session && self.kind != SchemeType::SessionCookie {
            return self.lacks(
                "has keys of a session (`cookie`, `headers`, `request_token`)",
                "remove them, or write `type: session_cookie`",
            );
        }
        let kind = match self.kind {
            SchemeType::SessionCookie => self.session()?,
            SchemeType::ApiKey => self.api_key()?,
            SchemeType::Basic | SchemeType::EncodedPassword => self.password()?,
            SchemeType::OAuth2 => self.tokens()?,
            SchemeType::Unauthenticated => {
                if self.fields.names().next().is_some() {
                    return self.lacks("asks for something it never sends", "remove its fields");
                }
                SchemeKind::Unauthenticated
            }
            SchemeType::Template => {
                if !self.send.has_secret() {
                    return self.lacks("sends no secret", "add `send:` with a `${secret.NAME}` in it");
                }
                SchemeKind::Template
            }
            SchemeType::Jwt => match &self.jwt {
                Some(jwt) => SchemeKind::Jwt { jwt: Box::new(jwt.clone()), prefix: self.token_prefix() },
                None => return self.lacks("does not say what is signed", "add the block `jwt:`"),
            },
            SchemeType::Login => match &self.login {
                Some(login) if !login.steps.is_empty() => {
                    SchemeKind::Login { login: Box::new(login.clone()), prefix: self.token_prefix() }
                }
                _ => {
                    return self.lacks("does not say how one logs in", "add the block `login:` with `steps`");
                }
            },
            SchemeType::OAuth1 => self.signed()?,
            SchemeType::AwsSigV4 => self.aws()?,
        };
        let Self { id, name, explain, steps, link, fields, locks_out, unavailable, send, mode, .. } = self;
        Ok(AuthScheme { id, name, explain, steps, link, fields, kind, send, mode, locks_out, unavailable })
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
        let key = "apiKey";
        let field = if self.fields.get(key).is_some() { key.to_owned() } else { self.secret()? };
        Ok(SchemeKind::ApiKey { placement, prefix, field, entries })
    }

    fn password(&self) -> Result<SchemeKind, Wrong> {
        let names = ["username", "password"];
        if self.kind == SchemeType::Basic && names.iter().all(|name| self.fields.get(name).is_some()) {
            let [username, password] = names.map(str::to_owned);
            return Ok(SchemeKind::Basic { username, password });
        }
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
        if oauth2.client_authentication == ClientAuthentication::PrivateKeyJwt
            && oauth2.client_assertion.is_none()
        {
            return self.lacks("does not say what its client signs", "add `client_assertion:`");
        }
        Ok(SchemeKind::OAuth2(Box::new(oauth2.clone())))
    }

    /// What stands before a token in the header `Authorization`: `Bearer ` unless the file says otherwise, and nothing at
    /// all where `send` has a place for the token.
    fn token_prefix(&self) -> Option<String> {
        let is_sent = self.send.values().into_iter().any(|value| {
            matches!(value, crate::expression::ExpressionValue::Secret(name) if name == OAuth2::ACCESS_TOKEN || name == "cookies")
        });
        (!is_sent).then(|| self.prefix.clone().unwrap_or_else(|| "Bearer ".to_owned()))
    }

    fn signed(&self) -> Result<SchemeKind, Wrong> {
        let Some(oauth1) = &self.oauth1 else {
            return self.lacks("does not say how requests are signed", "add the block `oauth1:`");
        };
        let wanted: &[&str] = match oauth1.flow {
            OAuth1Flow::ThreeLegged => {
                if oauth1.request_url.is_none()
                    || oauth1.authorization_url.is_none()
                    || oauth1.token_url.is_none()
                {
                    let fix = "add `request_url:`, `authorization_url:` and `token_url:`";
                    return self.lacks("does not say where a person agrees", fix);
                }
                if self.fields.names().next().is_some() {
                    let fix = "move them to `config`, or write `flow: token`";
                    return self.lacks("has fields, but its token comes from the vendor", fix);
                }
                &[]
            }
            OAuth1Flow::Token => {
                &[OAuth1::CONSUMER_KEY, OAuth1::CONSUMER_SECRET, OAuth1::TOKEN, OAuth1::TOKEN_SECRET]
            }
        };
        if wanted.iter().any(|name| self.fields.get(name).is_none()) {
            return self.lacks(
                "does not ask for all that it signs with",
                "declare the fields `consumer_key`, `consumer_secret`, `token_id` and `token_secret`",
            );
        }
        Ok(SchemeKind::OAuth1(Box::new(oauth1.clone())))
    }

    fn aws(&self) -> Result<SchemeKind, Wrong> {
        let Some(aws) = &self.aws_sigv4 else {
            return self.lacks("does not say what requests are signed for", "add the block `aws_sigv4:`");
        };
        Ok(SchemeKind::AwsSigV4(Box::new(aws.clone())))
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
