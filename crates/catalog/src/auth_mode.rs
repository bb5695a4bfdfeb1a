//! What the compatible API calls our ways to authenticate.

use serde::Deserialize;

use crate::oauth2::{Flow, OAuth2};
use crate::provider::Provider;
use crate::scheme::{AuthScheme, SchemeKind};
use crate::token::{OAuth1, OAuth1Flow};

/// How the compatible API calls a way to authenticate; several of our schemes may have the same mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuthMode {
    /// A key.
    ApiKey,
    /// A user name and a password.
    Basic,
    /// A person agrees in a browser.
    #[serde(rename = "OAUTH2")]
    OAuth2,
    /// The credential is itself an OAuth client.
    #[serde(rename = "OAUTH2_CC")]
    OAuth2ClientCredentials,
    /// A person agrees in a browser, and every request is signed.
    #[serde(rename = "OAUTH1")]
    OAuth1,
    /// A token of OAuth 1.0a that is typed.
    Tba,
    /// Nothing at all.
    None,
    /// A token that is signed here.
    Jwt,
    /// A login that yields a token.
    TwoStep,
    /// Every request carries a digest of the secret.
    Signature,
    /// Every request is signed as Amazon Web Services want it.
    #[serde(rename = "AWS_SIGV4")]
    AwsSigV4,
    /// A token for one installation of an app.
    App,
    /// An installation of an app beside a person who agrees.
    Custom,
    /// A login with a user's and a developer's secrets.
    Bill,
    /// A key of a plugin that was installed at the vendor.
    InstallPlugin,
    /// A person agrees in a browser, for a server that agents talk to.
    #[serde(rename = "MCP_OAUTH2")]
    McpOAuth2,
}

impl AuthMode {
    /// The name in the compatible API.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "API_KEY",
            Self::Basic => "BASIC",
            Self::OAuth2 => "OAUTH2",
            Self::OAuth2ClientCredentials => "OAUTH2_CC",
            Self::OAuth1 => "OAUTH1",
            Self::Tba => "TBA",
            Self::None => "NONE",
            Self::Jwt => "JWT",
            Self::TwoStep => "TWO_STEP",
            Self::Signature => "SIGNATURE",
            Self::AwsSigV4 => "AWS_SIGV4",
            Self::App => "APP",
            Self::Custom => "CUSTOM",
            Self::Bill => "BILL",
            Self::InstallPlugin => "INSTALL_PLUGIN",
            Self::McpOAuth2 => "MCP_OAUTH2",
        }
    }
}

impl AuthScheme {
    /// The field that the compatible API calls `name`, in the spelling that a file of ours may have; a name that it has no
    /// word of its own for is the field's.
    pub fn field_named(&self, name: &str) -> String {
        let own = match (&self.kind, name) {
            (SchemeKind::ApiKey { field, .. }, "apiKey") => field,
            (
                SchemeKind::Basic { username, .. } | SchemeKind::EncodedPassword { username, .. },
                "username",
            ) => username,
            (
                SchemeKind::Basic { password, .. } | SchemeKind::EncodedPassword { password, .. },
                "password",
            ) => password,
            (SchemeKind::OAuth1(_), "oauth_client_id_override") => OAuth1::CONSUMER_KEY,
            (SchemeKind::OAuth1(_), "oauth_client_secret_override") => OAuth1::CONSUMER_SECRET,
            // A key that signs stands in the place of the secret.
            (SchemeKind::OAuth2(oauth2), "client_private_key") if oauth2.client_assertion.is_some() => {
                OAuth2::CLIENT_SECRET
            }
            _ => return spelled(name, |name| self.fields.get(name).is_some()),
        };
        own.to_owned()
    }

    /// The fields of the scheme that are the embedder's own and the same for every account, as far as the scheme has such:
    /// the id and the secret of a client that signs beside the account. An integration's client can fill them.
    pub fn client_fields(&self) -> Option<(&str, &str)> {
        match &self.kind {
            SchemeKind::OAuth1(oauth1) if oauth1.flow == OAuth1Flow::Token => {
                Some((OAuth1::CONSUMER_KEY, OAuth1::CONSUMER_SECRET))
            }
            SchemeKind::AwsSigV4(aws) if aws.assume_role.is_some() => {
                Some((aws.access_key_id.only_secret()?, aws.secret_access_key.only_secret()?))
            }
            _ => None,
        }
    }

    /// What the compatible API calls an integration's client for this scheme, if it takes one.
    pub fn client_mode(&self) -> Option<AuthMode> {
        match &self.kind {
            SchemeKind::OAuth2(_) if self.needs_browser() => Some(AuthMode::OAuth2),
            SchemeKind::OAuth1(_) if self.needs_browser() => Some(AuthMode::OAuth1),
            SchemeKind::OAuth1(_) => Some(AuthMode::Tba),
            SchemeKind::AwsSigV4(_) => self.client_fields().map(|_| AuthMode::AwsSigV4),
            _ => None,
        }
    }

    /// How the compatible API calls this scheme: what its file says, or what its kind is mostly called.
    pub fn auth_mode(&self) -> AuthMode {
        self.mode.unwrap_or(match &self.kind {
            // The compatible API has no word for a session; its cookie is one secret text, as a key is.
            SchemeKind::ApiKey { .. } | SchemeKind::SessionCookie { .. } | SchemeKind::Template => {
                AuthMode::ApiKey
            }
            SchemeKind::Basic { .. } | SchemeKind::EncodedPassword { .. } => AuthMode::Basic,
            SchemeKind::OAuth2(oauth2) => match oauth2.flow {
                Flow::AuthorizationCode => AuthMode::OAuth2,
                Flow::ClientCredentials => AuthMode::OAuth2ClientCredentials,
            },
            SchemeKind::Unauthenticated => AuthMode::None,
            SchemeKind::Jwt { .. } => AuthMode::Jwt,
            SchemeKind::Login { .. } => AuthMode::TwoStep,
            SchemeKind::OAuth1(oauth1) => match oauth1.flow {
                OAuth1Flow::ThreeLegged => AuthMode::OAuth1,
                OAuth1Flow::Token => AuthMode::Tba,
            },
            SchemeKind::AwsSigV4(_) => AuthMode::AwsSigV4,
        })
    }
}

impl Provider {
    /// The field of the configuration, or the secret beside it, that the compatible API calls `name`. One that a credential
    /// has as well got another name when its file was taken over, because one form shows both.
    pub fn config_named(&self, scheme: &AuthScheme, name: &str) -> String {
        let is_config = |name: &str| self.config.get(name).is_some() || self.settings.find(name).is_some();
        let plain = spelled(name, is_config);
        if is_config(&plain) {
            return plain;
        }
        let is_known = |name: &str| self.config.get(name).is_some() || scheme.fields.get(name).is_some();
        let beside = spelled(&format!("config_{name}"), is_known);
        if is_known(&beside) { beside } else { spelled(name, is_known) }
    }
}

/// The name as it is, or as it is written in files that were taken over: with letters, digits and `_` only.
fn spelled(name: &str, is_known: impl Fn(&str) -> bool) -> String {
    if is_known(name) {
        return name.to_owned();
    }
    let written = field_name(name);
    if is_known(&written) { written } else { name.to_owned() }
}

/// A name of a field as ours may be: letters, digits and `_`.
pub(crate) fn field_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
