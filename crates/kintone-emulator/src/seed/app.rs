//! An app of a seed.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::{SeedError, first_instant, values};
use crate::identifiers::Identifiers;
use crate::model::{
    ADMINISTRATOR, ApiToken, App, AppRight, Entity, Field, FieldError, FieldType, Fields, GeneratedRecords,
    Process, Record, RecordRight, Records, Tenant,
};

/// An app at the start.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSeed {
    /// Number of the app.
    pub id: u64,
    /// App code, possibly empty.
    #[serde(default)]
    pub code: String,
    /// Name.
    pub name: String,
    /// Description, HTML.
    #[serde(default)]
    pub description: String,
    /// The space it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<u64>,
    /// Login name of its maker; the administrator when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// Tokens.
    #[serde(default)]
    pub tokens: Vec<ApiToken>,
    /// Definitions by field code, in the form of `app/form/fields.json`. The built-in fields that are missing
    /// are added under their English names.
    pub fields: Map<String, Json>,
    /// In the form of `app/form/layout.json`.
    #[serde(default)]
    pub layout: Json,
    /// In the form of `app/views.json`.
    #[serde(default)]
    pub views: Json,
    /// Members of `app/settings.json` that differ from those of a new app.
    #[serde(default)]
    pub settings: Json,
    /// Process management in the form of `app/status.json`.
    #[serde(default)]
    pub process: Json,
    /// Permissions in the form of `app/acl.json`.
    #[serde(default)]
    pub rights: Vec<AppRight>,
    /// Record permissions in the form of `record/acl.json`.
    #[serde(default)]
    pub record_rights: Vec<RecordRight>,
    /// Records, the first with number 1: plain values by field code. Choices and users are lists, tables are
    /// lists of rows, files are `{name, content_type, text}`. `$status` and `$assignees` set the process.
    #[serde(default)]
    pub records: Vec<Map<String, Json>>,
    /// Records that are computed from their ids, instead of listed ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<GeneratedSeed>,
}

/// How many records to compute.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratedSeed {
    /// Their number.
    pub records: u64,
}

/// Built-in fields with the codes that they have in an English app.
const BUILT_IN: [(FieldType, &str); 8] = [
    (FieldType::RecordNumber, "Record_number"),
    (FieldType::Creator, "Created_by"),
    (FieldType::CreatedTime, "Created_datetime"),
    (FieldType::Modifier, "Updated_by"),
    (FieldType::UpdatedTime, "Updated_datetime"),
    (FieldType::Status, "Status"),
    (FieldType::StatusAssignee, "Assignee"),
    (FieldType::Category, "Categories"),
];

impl AppSeed {
    /// An app with the built-in fields alone.
    pub(crate) fn empty(id: u64, name: String) -> Self {
        Self {
            id,
            code: String::new(),
            name,
            description: String::new(),
            space: None,
            creator: None,
            tokens: Vec::new(),
            fields: Map::new(),
            layout: Json::Null,
            views: Json::Null,
            settings: Json::Null,
            process: Json::Null,
            rights: Vec::new(),
            record_rights: Vec::new(),
            records: Vec::new(),
            generated: None,
        }
    }

    /// Adds the app with its records to a tenant, replacing one of the same number.
    pub(crate) fn add_to(&self, tenant: &mut Tenant, identifiers: &Identifiers) -> Result<(), SeedError> {
        let built = self.build(tenant);
        let mut app =
            built.map_err(|error| SeedError::Field { tenant: tenant.name.clone(), app: self.id, error })?;
        for content in &self.records {
            add_record(tenant, &mut app, content, identifiers)?;
        }
        tenant.apps.insert(app.id, app);
        Ok(())
    }

    /// The app without the records that the seed lists.
    pub(crate) fn build(&self, tenant: &Tenant) -> Result<App, FieldError> {
        let process = Process::from_definition(&self.process);
        let fields = Arc::new(form(&self.fields, process.enabled)?);
        let creator = tenant.user_entity(self.creator.as_deref().unwrap_or(ADMINISTRATOR));
        let records = match self.generated {
            None => Records::new(&fields),
            Some(generated) => {
                let (fields, creator) = (Arc::clone(&fields), creator.clone());
                Records::generated(GeneratedRecords::new(generated.records, fields, first_instant(), creator))
            }
        };
        let space = self.space.and_then(|id| tenant.space(id));
        Ok(App {
            id: self.id,
            code: self.code.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            space: self.space,
            thread: space.map(|space| space.default_thread),
            revision: 3,
            creator: creator.clone(),
            created_at: first_instant(),
            modifier: creator,
            updated_at: first_instant(),
            fields,
            draft: None,
            is_live: true,
            layout: self.layout.clone(),
            views: self.views.clone(),
            settings: self.settings.clone(),
            process,
            rights: self.rights.clone(),
            record_rights: self.record_rights.clone(),
            tokens: self.tokens.clone(),
            records,
            last_row_id: 0,
        })
    }
}

/// Adds a record in the form of a seed.
pub(crate) fn add_record(
    tenant: &mut Tenant,
    app: &mut App,
    content: &Map<String, Json>,
    identifiers: &Identifiers,
) -> Result<u64, SeedError> {
    let id = app.records.next_id();
    let values = values(tenant, app, content, identifiers).map_err(|reason| SeedError::Record {
        tenant: tenant.name.clone(),
        app: app.id,
        record: id,
        reason,
    })?;
    let created_at: Timestamp = first_instant() + SignedDuration::from_hours(7 * id as i64);
    let status = content.get("$status").and_then(Json::as_str).or(app.process.first_state());
    let assignees = content.get("$assignees").and_then(Json::as_array).into_iter().flatten();
    let assignees: Vec<Entity> =
        assignees.filter_map(Json::as_str).map(|code| tenant.user_entity(code)).collect();
    let record = Record {
        id,
        revision: 1,
        creator: app.creator.clone(),
        created_at,
        modifier: app.creator.clone(),
        updated_at: created_at,
        status: status.map(str::to_owned),
        assignees,
        values,
        comments: Vec::new(),
    };
    app.records.put(record);
    Ok(id)
}

/// The fields of a form, with the built-in ones that the definitions lack.
pub(crate) fn form(definitions: &Map<String, Json>, with_process: bool) -> Result<Fields, FieldError> {
    let mut list: Vec<Field> = definitions
        .iter()
        .map(|(code, definition)| Field::from_definition(code, definition))
        .collect::<Result<_, _>>()?;
    for (field_type, code) in BUILT_IN {
        if list.iter().all(|field| field.field_type != field_type) {
            let in_use = with_process && matches!(field_type, FieldType::Status | FieldType::StatusAssignee);
            let label = code.replace('_', " ");
            let mut definition = json!({"type": field_type.name(), "label": label});
            if matches!(field_type, FieldType::Status | FieldType::StatusAssignee | FieldType::Category) {
                definition["enabled"] = json!(in_use);
            }
            list.push(Field::from_definition(code, &definition)?);
        }
    }
    Ok(Fields::new(list))
}
