use crate::oauth2::Flow;
use crate::scheme::{AuthScheme, SchemeKind};

/// How the compatible API calls a way to authenticate; several of our schemes may have the same mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// A key.
    ApiKey,
    /// A user name and a password.
    Basic,
    /// A person agrees in a browser.
    OAuth2,
    /// The credential is itself an OAuth client.
    OAuth2ClientCredentials,
}

impl AuthMode {
    /// The name in the compatible API.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "API_KEY",
            Self::Basic => "BASIC",
            Self::OAuth2 => "OAUTH2",
            Self::OAuth2ClientCredentials => "OAUTH2_CC",
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

    /// How the compatible API calls this scheme.
    pub fn auth_mode(&self) -> AuthMode {
        match &self.kind {
            // The compatible API has no word for a session; its cookie is one secret text, as a key is.
            SchemeKind::ApiKey { .. } | SchemeKind::SessionCookie { .. } => AuthMode::ApiKey,
            SchemeKind::Basic { .. } | SchemeKind::EncodedPassword { .. } => AuthMode::Basic,
            SchemeKind::OAuth2(oauth2) => match oauth2.flow {
                Flow::AuthorizationCode => AuthMode::OAuth2,
                Flow::ClientCredentials => AuthMode::OAuth2ClientCredentials,
            },
        }
    }
}
