//! Spaces, which group apps and people.

use serde::{Deserialize, Serialize};

/// A space; the apps in it name it by its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Space {
    /// Number of the space.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Number of its first thread.
    pub default_thread: u64,
    /// Whether people from outside of the company may be members. Apps of such a space answer only under
    /// `/k/guest/{id}/`.
    #[serde(default)]
    pub is_guest: bool,
    /// Whether only members see it.
    #[serde(default)]
    pub is_private: bool,
    /// Login names of its members; the first administers it.
    #[serde(default)]
    pub members: Vec<String>,
}
