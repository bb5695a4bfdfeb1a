//! Who writes, when, into which app, and what that person may do.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{App, AppId, Entity, Tenant};

/// What a write depends on beside the request.
#[derive(Clone)]
pub struct WriteContext<'a> {
    /// The directory, the uploaded files, and the apps that lookups copy from.
    pub tenant: &'a Tenant,
    /// The app that is written to; it is one of the tenant's.
    pub app: &'a App,
    /// Who becomes creator or modifier.
    pub actor: Entity,
    /// The present.
    pub now: Timestamp,
    /// Decides which day it is where a field's default is the present day.
    pub time_zone: TimeZone,
    /// Whether the caller administers the app, and so may say who made a record and when.
    pub administers_app: bool,
    /// Whether the caller may view the records of this app, which a lookup needs.
    pub may_view: &'a dyn Fn(AppId) -> bool,
    /// Yields a download key that is not in use.
    pub new_file_key: &'a dyn Fn() -> String,
}
