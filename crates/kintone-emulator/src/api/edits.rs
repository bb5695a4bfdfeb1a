//! Writing records: add, update, upsert, delete. Each request is all or nothing.

use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json, json};

use super::record_rights::RecordRights;
use super::{ApiError, Call, files};
use crate::http::{Answer, Parameters};
use crate::model::{AppId, Permission, Tenant};
use crate::write::{Batch, Changes, WriteContext, WriteError};

/// Records of one request.
const MOST_RECORDS: usize = 100;

/// `POST record.json`.
pub(super) fn add_one(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    files::delete_expired(tenant, call);
    let app = call.app(tenant, "app", Permission::Add)?.id;
    let cells = cells(call.parameters.get("record"), "record")?;
    let changes = in_batch(tenant, call, app, |batch| batch.insert("record", &cells).map(|_| ()))?;
    let written = changes.written[0];
    changes.apply(tenant);
    Ok(Answer::json(&json!({"id": written.id.to_string(), "revision": written.revision.to_string()})))
}

/// `POST records.json`.
pub(super) fn add_many(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    files::delete_expired(tenant, call);
    let app = call.app(tenant, "app", Permission::Add)?.id;
    let records = call.parameters.list("records", MOST_RECORDS)?;
    let changes = in_batch(tenant, call, app, |batch| {
        for (place, record) in records.iter().enumerate() {
            let at = format!("records[{place}]");
            batch.insert(&at, &cells(Some(record), &at)?)?;
        }
        Ok::<_, ApiError>(())
    })?;
    let ids: Vec<String> = changes.written.iter().map(|written| written.id.to_string()).collect();
    let revisions: Vec<String> = changes.written.iter().map(|written| written.revision.to_string()).collect();
    changes.apply(tenant);
    Ok(Answer::json(&json!({"ids": ids, "revisions": revisions})))
}

/// `PUT record.json`: by id or by update key.
pub(super) fn update_one(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    files::delete_expired(tenant, call);
    let app = call.app(tenant, "app", Permission::Edit)?;
    let id = app.id;
    let rights = RecordRights::new(tenant, call, app)?;
    let changes =
        in_batch(tenant, call, id, |batch| update(&rights, batch, &call.parameters, "record", false))?;
    let revision = changes.written[0].revision;
    changes.apply(tenant);
    Ok(Answer::json(&json!({"revision": revision.to_string()})))
}

/// `PUT records.json`: with `upsert`, records that are not there are added.
pub(super) fn update_many(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    files::delete_expired(tenant, call);
    let app = call.app(tenant, "app", Permission::Edit)?;
    let id = app.id;
    let upsert = call.parameters.flag("upsert")?.unwrap_or(false);
    if upsert {
        call.require(tenant, app, Permission::Add)?;
    }
    let records = call.parameters.list("records", MOST_RECORDS)?;
    let rights = RecordRights::new(tenant, call, app)?;
    let changes = in_batch(tenant, call, id, |batch| {
        for (place, record) in records.iter().enumerate() {
            let parameters = Parameters::from_json(record.clone());
            update(&rights, batch, &parameters, &format!("records[{place}]"), upsert)?;
        }
        Ok::<_, ApiError>(())
    })?;
    let answers: Vec<Json> = changes
        .written
        .iter()
        .map(|written| {
            let (id, revision) = (written.id.to_string(), written.revision.to_string());
            match (upsert, written.is_new) {
                (false, _) => json!({"id": id, "revision": revision}),
                (true, false) => json!({"id": id, "revision": revision, "operation": "UPDATE"}),
                (true, true) => json!({"id": id, "revision": revision, "operation": "INSERT"}),
            }
        })
        .collect();
    changes.apply(tenant);
    Ok(Answer::json(&json!({"records": answers})))
}

/// `DELETE records.json`.
pub(super) fn delete_many(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.app(tenant, "app", Permission::Delete)?;
    call.parameters.list("ids", MOST_RECORDS)?;
    let ids = call.parameters.ids("ids")?.unwrap_or_default();
    let revisions = call.parameters.optional_list("revisions")?.map_or(&[][..], Vec::as_slice);
    let rights = RecordRights::new(tenant, call, app)?;
    for (place, id) in ids.iter().enumerate() {
        let record = app.records.get(*id).ok_or_else(|| ApiError::record_not_found(*id))?;
        // The vendor's clients write `null` where they have no revision to check.
        let wanted = revisions.get(place).filter(|revision| !revision.is_null());
        let wanted =
            wanted.map(|revision| revision.as_str().map_or_else(|| revision.to_string(), str::to_owned));
        if wanted.is_some_and(|wanted| wanted != "-1" && wanted != record.revision.to_string()) {
            return Err(ApiError::revision_conflict(*id));
        }
        if !rights.of(&record).delete {
            return Err(ApiError::no_privilege());
        }
    }
    let app = app.id;
    if let Some(app) = tenant.apps.get_mut(&app) {
        for id in ids {
            app.records.remove(id);
        }
    }
    Ok(Answer::json(&json!({})))
}

/// Runs writes in one batch and checks them as a whole; they are not stored yet.
fn in_batch<E>(
    tenant: &Tenant,
    call: &Call<'_>,
    app: AppId,
    writes: impl FnOnce(&mut Batch<'_>) -> Result<(), E>,
) -> Result<Changes, ApiError>
where
    ApiError: From<E>,
{
    let app = tenant.apps.get(&app).ok_or_else(|| ApiError::app_not_found(app))?;
    let may_view =
        |id: AppId| tenant.apps.get(&id).is_some_and(|source| call.may(tenant, source, Permission::View));
    let new_file_key = || call.identifiers.download_key(call.now.as_second());
    let context = WriteContext {
        tenant,
        app,
        actor: call.caller.entity(),
        now: call.now,
        time_zone: TimeZone::get(call.caller.timezone()).unwrap_or(TimeZone::UTC),
        administers_app: call.may(tenant, app, Permission::Manage),
        may_view: &may_view,
        new_file_key: &new_file_key,
    };
    let mut batch = Batch::new(context);
    writes(&mut batch)?;
    Ok(batch.finish()?)
}

/// Updates, or with `upsert` perhaps adds, the record that `id` or `updateKey` name.
fn update(
    rights: &RecordRights<'_>,
    batch: &mut Batch<'_>,
    parameters: &Parameters,
    at: &str,
    upsert: bool,
) -> Result<(), ApiError> {
    let mut cells = cells(parameters.get("record"), at)?;
    let id = parameters.optional_id("id")?;
    let key = parameters.get("updateKey");
    let found = match (id, key) {
        (Some(_), Some(_)) => return Err(ApiError::invalid("updateKey", "Specify either id or updateKey.")),
        (None, None) => return Err(ApiError::required("id")),
        (Some(id), None) => batch.get(id).map(|record| record.id),
        (None, Some(key)) => {
            let field = key["field"].as_str().ok_or_else(|| ApiError::required("updateKey.field"))?;
            let value = key.get("value").ok_or_else(|| ApiError::required("updateKey.value"))?;
            let found = batch.find("updateKey", field, value)?;
            if found.is_none() {
                cells.insert(field.to_owned(), json!({"value": value}));
            }
            found
        }
    };
    let Some(found) = found else {
        return match (upsert, id) {
            (true, _) => batch.insert(at, &cells).map(|_| ()).map_err(ApiError::from),
            (false, Some(id)) => Err(ApiError::record_not_found(id)),
            (false, None) => Err(ApiError::new("GAIA_RE20", 404)),
        };
    };
    let record = batch.get(found).ok_or_else(|| ApiError::record_not_found(found))?.into_owned();
    let wanted = parameters.integer("revision")?.filter(|revision| *revision != -1);
    if wanted.is_some_and(|wanted| wanted != record.revision as i64) {
        return Err(ApiError::revision_conflict(found));
    }
    if !rights.of(&record).edit {
        return Err(ApiError::no_privilege());
    }
    Ok(batch.update(at, found, &cells)?)
}

/// The cells of a record; a record that is left out has none.
fn cells(record: Option<&Json>, at: &str) -> Result<Map<String, Json>, ApiError> {
    match record {
        None => Ok(Map::new()),
        Some(Json::Object(cells)) => Ok(cells.clone()),
        Some(_) => Err(ApiError::invalid(at, "Specify an object.")),
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        let mut refusal = Self::new(error.code, error.status);
        // The messages of wrong cells stand beside the cells; the sentence above them is that of the code.
        if error.errors.is_empty() {
            refusal = refusal.with_message(error.message);
        }
        refusal.errors = error.errors;
        refusal
    }
}
