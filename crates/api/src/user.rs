use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person who signs in to the dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Names them for ever.
    pub id: String,
    /// What they type to sign in: a name or the address of a mailbox.
    pub login: String,
    /// What others see.
    pub display_name: String,
    /// What they may do.
    pub role: UserRole,
    /// Whether they can sign in.
    pub state: UserState,
    /// When they were invited.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub seen_at: Option<Timestamp>,
}

/// What a person may do, in every environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserRole {
    /// Everything.
    Admin,
    /// Links and uses accounts, and asks for providers.
    Member,
    /// Looks.
    Viewer,
}

/// Whether a person can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// They can.
    Active,
    /// They have not chosen a password yet.
    Invited,
    /// They may not.
    Disabled,
}

/// Everybody who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Users {
    /// In the order of their logins.
    pub users: Vec<User>,
}

/// Somebody who is invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteUser {
    /// What they will type to sign in: a name or the address of a mailbox, without spaces.
    pub login: String,
    /// What others will see; the login unless given. They may change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What they may do.
    pub role: UserRole,
}

/// What changes about a person. Either ends what they are signed in with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// What they may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<UserRole>,
    /// Whether they may sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A link under which a person chooses a password, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasswordLink {
    /// The person.
    pub user: User,
    /// The link, shown this once. Whoever has it can sign in as the person.
    pub link: String,
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

impl fmt::Debug for PasswordLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PasswordLink").field("user", &self.user).finish_non_exhaustive()
    }
}
