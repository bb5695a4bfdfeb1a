//! The endpoints: one flat list, one file for each family.

mod apis;
mod apps;
mod bulk;
mod call;
mod comments;
mod cursors;
mod deploy;
mod edits;
mod error;
mod files;
mod form;
mod message;
mod organizations;
mod process;
mod record_rights;
mod records;
mod rights;
mod settings;
mod spaces;
mod users;

pub(crate) use call::Call;
pub(crate) use error::ApiError;

use std::borrow::Cow;

use http::Method;

use crate::auth::Scheme;
use crate::http::Answer;
use crate::model::{OAuthScope, Tenant};

/// An endpoint.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// Path without the guest space.
    pub(crate) path: &'static str,
    /// Which credentials it takes; none at all means that it asks for none.
    pub(crate) accepts: &'static [Scheme],
    pub(crate) run: Run,
}

/// Endpoints for records and what hangs on them, by which their OAuth scope is told from the one of settings.
const RECORD_PATHS: [&str; 7] = [
    "/k/v1/record.json",
    "/k/v1/records.json",
    "/k/v1/record/comment.json",
    "/k/v1/record/comments.json",
    "/k/v1/record/status.json",
    "/k/v1/records/status.json",
    "/k/v1/record/assignees.json",
];

impl Route {
    /// The scope that an access token needs; `None` when OAuth cannot reach the endpoint.
    pub(crate) fn scope(&self) -> Option<OAuthScope> {
        let (read, write) = match self.path {
            "/k/v1/file.json" => (OAuthScope::FileRead, OAuthScope::FileWrite),
            path if RECORD_PATHS.contains(&path) => (OAuthScope::RecordRead, OAuthScope::RecordWrite),
            _ => (OAuthScope::SettingsRead, OAuthScope::SettingsWrite),
        };
        let scope = if self.method == Method::GET { read } else { write };
        self.accepts.contains(&Scheme::OAuth).then_some(scope)
    }
}

/// What an endpoint does, and which lock it needs for that.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    Read(fn(&Tenant, &Call<'_>) -> Result<Answer, ApiError>),
    Write(fn(&mut Tenant, &Call<'_>) -> Result<Answer, ApiError>),
    /// A write whose body is a file.
    Upload(fn(&mut Tenant, &Call<'_>) -> Result<Answer, ApiError>),
}

const NOBODY: &[Scheme] = &[];
const ALL: &[Scheme] = &[Scheme::Password, Scheme::ApiToken, Scheme::OAuth, Scheme::Session];
const NO_OAUTH: &[Scheme] = &[Scheme::Password, Scheme::ApiToken, Scheme::Session];
const NO_TOKEN: &[Scheme] = &[Scheme::Password, Scheme::OAuth, Scheme::Session];
const USER_ONLY: &[Scheme] = &[Scheme::Password, Scheme::Session];
const USER_API: &[Scheme] = &[Scheme::Password, Scheme::UserApiToken, Scheme::Session];

const fn read(
    path: &'static str,
    accepts: &'static [Scheme],
    run: fn(&Tenant, &Call<'_>) -> Result<Answer, ApiError>,
) -> Route {
    Route { method: Method::GET, path, accepts, run: Run::Read(run) }
}

const fn write(
    method: Method,
    path: &'static str,
    accepts: &'static [Scheme],
    run: fn(&mut Tenant, &Call<'_>) -> Result<Answer, ApiError>,
) -> Route {
    Route { method, path, accepts, run: Run::Write(run) }
}

/// Every endpoint.
pub(crate) static ROUTES: [Route; 74] = [
    read("/k/v1/apis.json", NOBODY, apis::list),
    // Records
    read("/k/v1/record.json", ALL, records::one),
    write(Method::POST, "/k/v1/record.json", ALL, edits::add_one),
    write(Method::PUT, "/k/v1/record.json", ALL, edits::update_one),
    read("/k/v1/records.json", ALL, records::many),
    write(Method::POST, "/k/v1/records.json", ALL, edits::add_many),
    write(Method::PUT, "/k/v1/records.json", ALL, edits::update_many),
    write(Method::DELETE, "/k/v1/records.json", ALL, edits::delete_many),
    read("/k/v1/records/cursor.json", NO_OAUTH, cursors::next),
    write(Method::POST, "/k/v1/records/cursor.json", NO_OAUTH, cursors::open),
    write(Method::DELETE, "/k/v1/records/cursor.json", NO_OAUTH, cursors::close),
    write(Method::POST, "/k/v1/bulkRequest.json", NO_OAUTH, bulk::run),
    read("/k/v1/record/comments.json", ALL, comments::list),
    write(Method::POST, "/k/v1/record/comment.json", ALL, comments::add),
    write(Method::DELETE, "/k/v1/record/comment.json", ALL, comments::delete),
    write(Method::PUT, "/k/v1/record/status.json", ALL, process::update_one),
    write(Method::PUT, "/k/v1/records/status.json", ALL, process::update_many),
    write(Method::PUT, "/k/v1/record/assignees.json", ALL, process::assign),
    read("/k/v1/file.json", ALL, files::download),
    Route { method: Method::POST, path: "/k/v1/file.json", accepts: ALL, run: Run::Upload(files::upload) },
    // Apps
    read("/k/v1/app.json", ALL, apps::one),
    read("/k/v1/apps.json", NO_TOKEN, apps::many),
    read("/k/v1/apps/statistics.json", USER_ONLY, apps::statistics),
    read("/k/v1/app/form/fields.json", ALL, form::fields),
    read("/k/v1/app/form/layout.json", ALL, form::layout),
    read("/k/v1/form.json", ALL, form::old_form),
    read("/k/v1/app/views.json", ALL, settings::views),
    read("/k/v1/app/settings.json", ALL, settings::general),
    read("/k/v1/app/status.json", ALL, settings::status),
    read("/k/v1/app/customize.json", NO_TOKEN, settings::customize),
    read("/k/v1/app/actions.json", ALL, settings::actions),
    read("/k/v1/app/reports.json", ALL, settings::reports),
    read("/k/v1/app/plugins.json", NO_OAUTH, settings::plugins),
    read("/k/v1/app/adminNotes.json", NO_OAUTH, settings::admin_notes),
    read("/k/v1/app/notifications/general.json", ALL, settings::general_notifications),
    read("/k/v1/app/notifications/perRecord.json", ALL, settings::record_notifications),
    read("/k/v1/app/notifications/reminder.json", ALL, settings::reminders),
    read("/k/v1/app/acl.json", ALL, rights::of_app),
    read("/k/v1/record/acl.json", ALL, rights::of_records),
    read("/k/v1/field/acl.json", ALL, rights::of_fields),
    read("/k/v1/records/acl/evaluate.json", USER_ONLY, rights::evaluate),
    // Settings before they are deployed
    write(Method::POST, "/k/v1/preview/app.json", NO_TOKEN, deploy::create_app),
    read("/k/v1/preview/app/deploy.json", ALL, deploy::state),
    write(Method::POST, "/k/v1/preview/app/deploy.json", ALL, deploy::deploy),
    read("/k/v1/preview/app/form/fields.json", ALL, form::fields),
    write(Method::POST, "/k/v1/preview/app/form/fields.json", ALL, deploy::add_fields),
    write(Method::PUT, "/k/v1/preview/app/form/fields.json", ALL, deploy::update_fields),
    write(Method::DELETE, "/k/v1/preview/app/form/fields.json", ALL, deploy::delete_fields),
    read("/k/v1/preview/app/form/layout.json", ALL, form::layout),
    read("/k/v1/preview/form.json", ALL, form::old_form),
    read("/k/v1/preview/app/views.json", ALL, settings::views),
    read("/k/v1/preview/app/settings.json", ALL, settings::general),
    read("/k/v1/preview/app/status.json", ALL, settings::status),
    read("/k/v1/preview/app/customize.json", NO_TOKEN, settings::customize),
    read("/k/v1/preview/app/actions.json", ALL, settings::actions),
    read("/k/v1/preview/app/reports.json", ALL, settings::reports),
    read("/k/v1/preview/app/plugins.json", NO_OAUTH, settings::plugins),
    read("/k/v1/preview/app/adminNotes.json", NO_OAUTH, settings::admin_notes),
    read("/k/v1/preview/app/acl.json", ALL, rights::of_app),
    read("/k/v1/preview/record/acl.json", ALL, rights::of_records),
    read("/k/v1/preview/field/acl.json", ALL, rights::of_fields),
    // Spaces
    read("/k/v1/space.json", USER_ONLY, spaces::one),
    read("/k/v1/space/members.json", USER_ONLY, spaces::members),
    read("/k/v1/spaces/statistics.json", USER_ONLY, spaces::statistics),
    // User API
    read("/v1/users.json", USER_API, users::list),
    write(Method::POST, "/v1/users.json", USER_API, users::add),
    write(Method::PUT, "/v1/users.json", USER_API, users::update),
    write(Method::DELETE, "/v1/users.json", USER_API, users::delete),
    read("/v1/user/organizations.json", USER_API, users::organizations_of_user),
    read("/v1/user/groups.json", USER_API, users::groups_of_user),
    read("/v1/organizations.json", USER_API, organizations::list),
    read("/v1/organization/users.json", USER_API, organizations::users),
    read("/v1/groups.json", USER_API, organizations::groups),
    read("/v1/group/users.json", USER_API, organizations::users_of_group),
];

/// A path without its guest space, and the guest space that it names. One that is no number is not found.
pub(crate) fn split_guest_space(path: &str) -> Result<(Cow<'_, str>, Option<u64>), ApiError> {
    match path.strip_prefix("/k/guest/").and_then(|rest| rest.split_once('/')) {
        None => Ok((Cow::Borrowed(path), None)),
        Some((space, rest)) => {
            let space = space.parse().map_err(|_| ApiError::new("CB_IL02", 404))?;
            Ok((Cow::Owned(format!("/k/{rest}")), Some(space)))
        }
    }
}

/// The endpoint of this method and path without guest space. An unknown path is not found; a known one refuses other methods.
pub(crate) fn find(method: &Method, path: &str) -> Result<&'static Route, ApiError> {
    let mut known_path = path.starts_with("/k/v1/apis/");
    for route in &ROUTES {
        if route.path == path {
            if route.method == *method {
                return Ok(route);
            }
            known_path = true;
        }
    }
    if known_path && *method == Method::GET {
        return Ok(&apis::DETAIL);
    }
    Err(if known_path { ApiError::illegal_request() } else { ApiError::new("CB_IL02", 404) })
}
