//! The content of one cell.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Cell contents by field code.
pub type Values = BTreeMap<Arc<str>, Value>;

/// The content of one cell; see the table of the [module](super) for its form on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// No value, where the service answers `null`.
    Null,
    /// Text, rich text, link, radio button, drop-down, date, time, date-time, calculated text, status.
    Text(String),
    /// A normalised decimal number as text.
    Number(String),
    /// Chosen options or categories.
    Strings(Vec<String>),
    /// One user: creator or modifier.
    Entity(Entity),
    /// Users, organizations or groups.
    Entities(Vec<Entity>),
    /// Attached files.
    Files(Vec<FileValue>),
    /// Rows of a subtable.
    Rows(Vec<Row>),
}

impl Value {
    /// Whether the cell counts as empty: nothing chosen, nothing attached, no rows, no text.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) | Self::Number(text) => text.is_empty(),
            Self::Strings(list) => list.is_empty(),
            Self::Entity(_) => false,
            Self::Entities(list) => list.is_empty(),
            Self::Files(list) => list.is_empty(),
            Self::Rows(list) => list.is_empty(),
        }
    }

    /// The text of a `Text` or `Number` cell.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }
}

/// A user, an organization or a group as a record names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Entity {
    /// Login name or code. Guests are `guest/<mail address>`.
    pub code: String,
    /// Display name.
    pub name: String,
}

impl Entity {
    /// An entity of this code and display name.
    pub fn new(code: impl Into<String>, name: impl Into<String>) -> Self {
        Self { code: code.into(), name: name.into() }
    }
}

/// One attached file. The bytes are in [`Tenant::files`](super::Tenant::files) under `file_key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileValue {
    /// Media type given at upload.
    pub content_type: String,
    /// Download key: it differs from the key that the upload answered.
    pub file_key: String,
    /// File name given at upload.
    pub name: String,
    /// Length in bytes.
    pub size: u64,
}

/// One row of a subtable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Row id, unique within the app.
    pub id: u64,
    /// Cells of the row.
    pub values: Values,
}
