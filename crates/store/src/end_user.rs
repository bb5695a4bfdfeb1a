use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The person whom a connection belongs to, as the embedder knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndUser {
    /// The embedder's own id of the person.
    pub id: String,
    /// The person's name.
    pub display_name: Option<String>,
    /// The person's address.
    pub email: Option<String>,
    /// What else the embedder says about the person.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The organization that the person acts for.
    pub organization: Option<Organization>,
}

/// The organization that an end user acts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// The embedder's own id of the organization.
    pub id: String,
    /// The organization's name.
    pub display_name: Option<String>,
}
