//! An app: its form, its settings and its records.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::{ApiToken, AppRight, Entity, Fields, Process, RecordRight, Records};

/// Number of an app in its tenant.
pub type AppId = u64;

/// One app of a tenant. A clone shares fields and records, so that a snapshot is cheap.
#[derive(Debug, Clone)]
pub struct App {
    /// Number of the app, the one after `/k/` in its address.
    pub id: AppId,
    /// App code, possibly empty; it stands before the record numbers.
    pub code: String,
    /// Name.
    pub name: String,
    /// Description, HTML.
    pub description: String,
    /// The space it belongs to.
    pub space: Option<u64>,
    /// The thread of that space.
    pub thread: Option<u64>,
    /// Revision of the settings.
    pub revision: u64,
    /// Who made it.
    pub creator: Entity,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who changed its settings last.
    pub modifier: Entity,
    /// When its settings were changed last.
    pub updated_at: Timestamp,
    /// Its form.
    pub fields: Arc<Fields>,
    /// Its form as it will be after the next update of the app, if that differs.
    pub draft: Option<Arc<Fields>>,
    /// Whether the app was ever put in force; until then only its settings exist.
    pub is_live: bool,
    /// Arrangement of the form as `form/layout.json` answers it; `Null` for one row per field.
    pub layout: Json,
    /// Views by name as `views.json` answers them; `Null` for none.
    pub views: Json,
    /// Members of `settings.json` that differ from the defaults; `Null` for none.
    pub settings: Json,
    /// Process management.
    pub process: Process,
    /// Permission table, first match wins; empty means that everybody may do everything.
    pub rights: Vec<AppRight>,
    /// Record permissions; empty means no restriction.
    pub record_rights: Vec<RecordRight>,
    /// Its tokens, at most 20.
    pub tokens: Vec<ApiToken>,
    /// Its records.
    pub records: Records,
    /// The last row id given out in any subtable of the app.
    pub last_row_id: u64,
}

impl App {
    /// Gives out the next id of a subtable row.
    pub fn next_row_id(&mut self) -> u64 {
        self.last_row_id += 1;
        self.last_row_id
    }

    /// The form as it will be after the next update of the app.
    pub fn draft_fields(&self) -> &Fields {
        self.draft.as_deref().unwrap_or(&self.fields)
    }

    /// The record number as shown: the id, with the app code in front if there is one.
    pub fn record_number(&self, id: u64) -> String {
        if self.code.is_empty() { id.to_string() } else { format!("{}-{id}", self.code) }
    }
}
