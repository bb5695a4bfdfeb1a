//! People and how they are grouped: the tenant's users, organizations and groups.

use serde::{Deserialize, Serialize};

/// What stands in the way of a password login.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserCondition {
    /// The password is accepted.
    #[default]
    Normal,
    /// The account is locked, by an administrator or after too many wrong passwords.
    Locked,
    /// The user has switched two-factor authentication on.
    TwoFactor,
    /// The password's lifetime is over.
    PasswordExpired,
    /// The temporary password was never changed.
    MustChangePassword,
    /// The account may not use the record service.
    NoService,
}

/// Language of a user; it decides the language of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

/// A user of the tenant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Number of the user.
    pub id: u64,
    /// Login name, compared without regard to case.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Password in the clear: an emulator holds no secrets.
    #[serde(default)]
    pub password: Option<String>,
    /// Mail address.
    #[serde(default)]
    pub email: String,
    /// What stands in the way of a login.
    #[serde(default)]
    pub condition: UserCondition,
    /// Whether the user administers the tenant.
    #[serde(default)]
    pub administrator: bool,
    /// Language of messages.
    #[serde(default)]
    pub locale: Locale,
    /// IANA name of the time zone that decides where a day begins.
    #[serde(default = "utc")]
    pub timezone: String,
    /// Codes of the organizations; the first is the primary one.
    #[serde(default)]
    pub organizations: Vec<String>,
    /// Codes of the groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Wrong passwords in a row.
    #[serde(skip)]
    pub wrong_passwords: u32,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A department or team, which may have a parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Number of the organization.
    pub id: u64,
    /// Its code.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Code of the organization above it.
    #[serde(default)]
    pub parent: Option<String>,
    /// Free text.
    #[serde(default)]
    pub description: String,
}

/// A group (role).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Number of the group.
    pub id: u64,
    /// Its code.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Free text.
    #[serde(default)]
    pub description: String,
}
