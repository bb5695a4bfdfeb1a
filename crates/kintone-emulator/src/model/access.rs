//! Rights on apps and records.

use serde::{Deserialize, Serialize};

/// Whom a right is given to: `{type, code}` on the wire, `{type: "CREATOR", code: null}` for an app's maker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightHolder {
    /// `USER`, `GROUP`, `ORGANIZATION`, `CREATOR` or `FIELD_ENTITY`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Code of the user, group, organization or field; `everyone` is the group of all.
    pub code: Option<String>,
}

/// A row of an app's permission table, in the vendor's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppRight {
    /// Whom it is given to.
    pub entity: RightHolder,
    /// Whether organizations below are meant too.
    pub include_subs: bool,
    /// Manage the app.
    pub app_editable: bool,
    /// View records.
    pub record_viewable: bool,
    /// Add records.
    pub record_addable: bool,
    /// Edit records.
    pub record_editable: bool,
    /// Delete records.
    pub record_deletable: bool,
    /// Import from a file.
    pub record_importable: bool,
    /// Export to a file.
    pub record_exportable: bool,
}

impl Default for AppRight {
    fn default() -> Self {
        Self {
            entity: RightHolder { kind: "GROUP".to_owned(), code: Some("everyone".to_owned()) },
            include_subs: false,
            app_editable: true,
            record_viewable: true,
            record_addable: true,
            record_editable: true,
            record_deletable: true,
            record_importable: true,
            record_exportable: true,
        }
    }
}

/// A row of an app's record permissions, in the vendor's form: for the records that `filter_cond` selects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordRight {
    /// A condition of the query language; empty means all records.
    #[serde(default)]
    pub filter_cond: String,
    /// Who may do what with them.
    pub entities: Vec<serde_json::Value>,
}
