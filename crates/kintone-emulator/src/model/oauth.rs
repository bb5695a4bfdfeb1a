//! OAuth clients of a tenant, and the scopes that they may ask for.

use serde::{Deserialize, Serialize};

/// OAuth clients that a tenant may have.
pub const MAXIMUM_OAUTH_CLIENTS: usize = 20;

/// What an access token may be used for. There are no scopes for guests, spaces or users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OAuthScope {
    /// Read records, comments and assignees.
    #[serde(rename = "k:app_record:read")]
    RecordRead,
    /// Add, change and delete records and comments, change statuses and assignees.
    #[serde(rename = "k:app_record:write")]
    RecordWrite,
    /// Read apps, their forms, views, permissions and other settings.
    #[serde(rename = "k:app_settings:read")]
    SettingsRead,
    /// Add apps and change their settings.
    #[serde(rename = "k:app_settings:write")]
    SettingsWrite,
    /// Download files.
    #[serde(rename = "k:file:read")]
    FileRead,
    /// Upload files.
    #[serde(rename = "k:file:write")]
    FileWrite,
}

impl OAuthScope {
    /// Every scope.
    pub const ALL: [Self; 6] = [
        Self::RecordRead,
        Self::RecordWrite,
        Self::SettingsRead,
        Self::SettingsWrite,
        Self::FileRead,
        Self::FileWrite,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::RecordRead => "k:app_record:read",
            Self::RecordWrite => "k:app_record:write",
            Self::SettingsRead => "k:app_settings:read",
            Self::SettingsWrite => "k:app_settings:write",
            Self::FileRead => "k:file:read",
            Self::FileWrite => "k:file:write",
        }
    }

    /// Reads names with spaces between them. `None` when one is unknown, or when there is none.
    pub fn parse_list(text: &str) -> Option<Vec<Self>> {
        let mut scopes = Vec::new();
        for name in text.split(' ').filter(|name| !name.is_empty()) {
            let scope = Self::ALL.into_iter().find(|scope| scope.name() == name)?;
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        (!scopes.is_empty()).then_some(scopes)
    }

    /// The names of these scopes with spaces between them.
    pub fn join(scopes: &[Self]) -> String {
        scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
    }
}

/// A client that an administrator of the tenant has registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthClient {
    /// Client id.
    pub id: String,
    /// Client secret in the clear: an emulator holds no secrets.
    pub secret: String,
    /// The name that users see when they are asked for their consent.
    pub name: String,
    /// Where an answer may be sent, compared character by character.
    pub redirect_uris: Vec<String>,
    /// Login names of the users who may use it. A new client is switched off for everybody.
    #[serde(default)]
    pub users: Vec<String>,
    /// Whether each refresh gives a new refresh token and an old one counts as stolen. The service does not do
    /// this; other vendors do.
    #[serde(default)]
    pub rotates_refresh_tokens: bool,
}

impl OAuthClient {
    /// Whether this user may use the client.
    pub fn is_enabled_for(&self, user: &str) -> bool {
        self.users.iter().any(|known| known.eq_ignore_ascii_case(user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_from_a_list() {
        let scopes = OAuthScope::parse_list("k:file:read k:app_record:read k:file:read").unwrap();
        assert_eq!(OAuthScope::join(&scopes), "k:file:read k:app_record:read");
        for wrong in ["", " ", "k:file", "k:file:read,k:file:write", "k:file:read k:user:read"] {
            assert_eq!(OAuthScope::parse_list(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_are_the_same_in_seeds_and_on_the_wire() {
        for scope in OAuthScope::ALL {
            assert_eq!(serde_json::json!(scope), scope.name());
        }
    }
}
