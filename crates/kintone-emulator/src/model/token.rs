//! Tokens: of an app, and of the user directory.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a token may do with the records of its app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// View records.
    View,
    /// Add records.
    Add,
    /// Edit records.
    Edit,
    /// Delete records.
    Delete,
    /// Read and change the app's settings.
    Manage,
}

/// A token of one app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    /// 40 letters and digits.
    pub token: String,
    /// What it permits.
    #[serde(default = "view")]
    pub permissions: Vec<Permission>,
    /// False until the app's settings are updated after the token was made; it is unknown to the service
    /// until then.
    #[serde(default = "yes")]
    pub deployed: bool,
}

fn view() -> Vec<Permission> {
    vec![Permission::View]
}

fn yes() -> bool {
    true
}

/// What a User API token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserApiScope {
    /// Read users, organizations and groups.
    Read,
    /// Change them too.
    ReadWrite,
    /// Delete them too.
    DangerousZone,
}

/// A bearer token of the User API, of the form `cy.s.api1.….….…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserApiToken {
    /// The whole token.
    pub token: String,
    /// What it permits.
    pub scope: UserApiScope,
    /// When it ends.
    pub expires_at: Timestamp,
}
