//! What the permissions of app and records come to for the caller.

use std::sync::Arc;

use super::call::concerns;
use super::{ApiError, Call};
use crate::auth::Caller;
use crate::model::{App, Permission, Record, RecordRight, RightHolder, Tenant, User};
use crate::query::{self, Selection};

/// What the caller may do with one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordPermission {
    pub(super) view: bool,
    pub(super) edit: bool,
    pub(super) delete: bool,
}

/// What the caller may do with the records of an app: the app's permissions, narrowed by the first record permission
/// whose condition a record meets. Tokens stand above record permissions.
pub(super) struct RecordRights<'a> {
    app: &'a App,
    of_app: RecordPermission,
    user: Option<&'a User>,
    narrowed: Vec<(Selection<'a>, &'a RecordRight)>,
}

impl<'a> RecordRights<'a> {
    pub(super) fn new(tenant: &'a Tenant, call: &'a Call<'_>, app: &'a App) -> Result<Self, ApiError> {
        let of_app = RecordPermission {
            view: call.may(tenant, app, Permission::View),
            edit: call.may(tenant, app, Permission::Edit),
            delete: call.may(tenant, app, Permission::Delete),
        };
        let Caller::User(user) = call.caller else {
            return Ok(Self { app, of_app, user: None, narrowed: Vec::new() });
        };
        let context = call.query_context(tenant);
        let narrowed = app.record_rights.iter().map(|right| {
            let selection = query::selection(app, &context, &right.filter_cond)?;
            Ok((selection, right))
        });
        Ok(Self { app, of_app, user: Some(user), narrowed: narrowed.collect::<Result<_, ApiError>>()? })
    }

    pub(super) fn of(&self, record: &Record) -> RecordPermission {
        let narrowed = self.narrowed.iter().find(|(selection, _)| selection.contains(record));
        let (Some(user), Some((_, right))) = (self.user, narrowed) else { return self.of_app };
        let row = right.entities.iter().find(|row| {
            serde_json::from_value::<RightHolder>(row["entity"].clone())
                .is_ok_and(|holder| concerns(&holder, user, &record.creator.code))
        });
        let allowed = |member: &str| row.is_some_and(|row| row[member].as_bool().unwrap_or(false));
        RecordPermission {
            view: self.of_app.view && allowed("viewable"),
            edit: self.of_app.edit && allowed("editable"),
            delete: self.of_app.delete && allowed("deletable"),
        }
    }

    /// The record of this id, if the caller may view it.
    pub(super) fn viewable(&self, id: u64) -> Result<Arc<Record>, ApiError> {
        self.record(id, |permission| permission.view)
    }

    /// Of these ids those of records that are there and that the caller may view. Without record permissions no record
    /// has to be looked at: those that are gone are left out where the others are written.
    pub(super) fn retain_viewable(&self, ids: Vec<u64>) -> Vec<u64> {
        if self.narrowed.is_empty() {
            return if self.of_app.view { ids } else { Vec::new() };
        }
        let view = |id: &u64| self.app.records.get(*id).is_some_and(|record| self.of(&record).view);
        ids.into_iter().filter(view).collect()
    }

    /// The record of this id, if the caller may edit it.
    pub(super) fn editable(&self, id: u64) -> Result<Arc<Record>, ApiError> {
        self.record(id, |permission| permission.edit)
    }

    fn record(&self, id: u64, allows: fn(RecordPermission) -> bool) -> Result<Arc<Record>, ApiError> {
        let record = self.app.records.get(id).ok_or_else(|| ApiError::record_not_found(id))?;
        if allows(self.of(&record)) { Ok(record) } else { Err(ApiError::no_privilege()) }
    }
}
