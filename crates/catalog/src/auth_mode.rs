//! What the compatible API calls our ways to authenticate.

use serde::Deserialize;

use crate::oauth2::Flow;
use crate::scheme::{AuthScheme, SchemeKind};
use crate::token::OAuth1Flow;

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
    /// The field that the compatible API calls `name`; a name that it has no word of its own for is the field's.
    pub fn field_named<'a>(&'a self, name: &'a str) -> &'a str {
        match (&self.kind, name) {
            (SchemeKind::ApiKey { field, .. }, "apiKey") => field,
            (
                SchemeKind::Basic { username, .. } | SchemeKind::EncodedPassword { username, .. },
                "username",
            ) => username,
            (
                SchemeKind::Basic { password, .. } | SchemeKind::EncodedPassword { password, .. },
                "password",
            ) => password,
            _ => name,
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
