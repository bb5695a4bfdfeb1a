//! A tenant: one subdomain with everything in it.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    App, AppId, Entity, Group, OAuthClient, OAuthGrants, Organization, Sessions, Space, User, UserApiToken,
};

/// Everything of one subdomain.
#[derive(Debug, Clone, Default)]
pub struct Tenant {
    /// Name in `/t/{name}` paths.
    pub name: String,
    /// Host names it answers to, for example `demo.kintone.com`.
    pub hosts: Vec<String>,
    /// Apps by id.
    pub apps: BTreeMap<AppId, App>,
    /// Users in the order of their ids.
    pub users: Vec<User>,
    /// Organizations in the order of their ids.
    pub organizations: Vec<Organization>,
    /// Groups in the order of their ids.
    pub groups: Vec<Group>,
    /// Spaces.
    pub spaces: Vec<Space>,
    /// Tokens of the User API.
    pub user_api_tokens: Vec<UserApiToken>,
    /// OAuth clients in the order of their registration.
    pub oauth_clients: Vec<OAuthClient>,
    /// What the OAuth clients were given.
    pub oauth_grants: OAuthGrants,
    /// Browser sessions.
    pub sessions: Sessions,
    /// Uploaded files by key: upload keys until a record takes the file, download keys afterwards.
    pub files: BTreeMap<String, StoredFile>,
    /// User name and password of the gate in front, if there is one.
    pub basic_gate: Option<BasicGate>,
    /// Networks in CIDR form from which requests are accepted; empty means from everywhere.
    pub allowed_networks: Vec<String>,
    /// Whether a user may log in with the client certificate of somebody else.
    pub allows_certificate_of_another_user: bool,
}

/// An uploaded file.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFile {
    /// Name given at upload.
    pub name: String,
    /// Media type given at upload.
    pub content_type: String,
    /// The content; clones share it.
    pub content: Bytes,
    /// When it was uploaded. One that no record took is deleted after three days.
    pub uploaded_at: Timestamp,
    /// Whether a record holds it: then the key is a download key.
    pub attached: bool,
}

/// HTTP Basic in front of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicGate {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

impl Tenant {
    /// The user of this login name; case does not matter.
    pub fn user(&self, code: &str) -> Option<&User> {
        self.users.iter().find(|user| user.code.eq_ignore_ascii_case(code))
    }

    /// The OAuth client of this id.
    pub fn oauth_client(&self, id: &str) -> Option<&OAuthClient> {
        self.oauth_clients.iter().find(|client| client.id == id)
    }

    /// The organization of this code.
    pub fn organization(&self, code: &str) -> Option<&Organization> {
        self.organizations.iter().find(|organization| organization.code == code)
    }

    /// The group of this code.
    pub fn group(&self, code: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.code == code)
    }

    /// The space of this id.
    pub fn space(&self, id: u64) -> Option<&Space> {
        self.spaces.iter().find(|space| space.id == id)
    }

    /// The guest space that the app belongs to, if it does.
    pub fn guest_space_of(&self, app: &App) -> Option<u64> {
        app.space.and_then(|id| self.space(id)).filter(|space| space.is_guest).map(|space| space.id)
    }

    /// How records name this user; one that is no longer there keeps its code as name.
    pub fn user_entity(&self, code: &str) -> Entity {
        self.user(code)
            .map_or_else(|| Entity::new(code, code), |user| Entity::new(user.code.clone(), user.name.clone()))
    }
}

/// Who acts when a request carries an API token.
pub const ADMINISTRATOR: &str = "Administrator";
