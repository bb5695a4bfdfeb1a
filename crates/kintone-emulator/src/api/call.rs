//! One call of an endpoint, and what its caller may do.

use jiff::Timestamp;

use super::ApiError;
use crate::auth::Caller;
use crate::http::{Parameters, Request};
use crate::identifiers::Identifiers;
use crate::model::{App, AppId, AppRight, Permission, RightHolder, Tenant, User};
use crate::query::QueryContext;
use crate::world::TenantSlot;

/// A call with everything that an endpoint needs beside the tenant.
pub(crate) struct Call<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) parameters: Parameters,
    /// The guest space that the path names.
    pub(crate) guest_space: Option<u64>,
    pub(crate) now: Timestamp,
    pub(crate) request: &'a Request,
    pub(crate) slot: &'a TenantSlot,
    pub(crate) identifiers: &'a Identifiers,
}

impl Call<'_> {
    /// The same call with other parameters and another path, as a bulk request contains it.
    pub(crate) fn within(&self, parameters: Parameters, guest_space: Option<u64>) -> Self {
        Self { parameters, guest_space, ..*self }
    }

    /// Whether the call is about settings that are not in force yet.
    pub(crate) fn is_preview(&self) -> bool {
        self.request.path.contains("/preview/")
    }

    /// The app that a parameter names, if the caller may do this with it.
    pub(crate) fn app<'t>(
        &self,
        tenant: &'t Tenant,
        parameter: &str,
        permission: Permission,
    ) -> Result<&'t App, ApiError> {
        self.app_of_id(tenant, self.parameters.id(parameter)?, permission)
    }

    /// The app of this id, if the path is right for it and the caller may do this with it.
    pub(crate) fn app_of_id<'t>(
        &self,
        tenant: &'t Tenant,
        id: AppId,
        permission: Permission,
    ) -> Result<&'t App, ApiError> {
        let app = self.reachable_app(tenant, id)?;
        self.require(tenant, app, permission)?;
        Ok(app)
    }

    /// The app of this id, if any permission for it lets its definition be read.
    pub(crate) fn visible_app<'t>(&self, tenant: &'t Tenant, id: AppId) -> Result<&'t App, ApiError> {
        let app = self.reachable_app(tenant, id)?;
        let permissions =
            [Permission::View, Permission::Add, Permission::Edit, Permission::Delete, Permission::Manage];
        if permissions.into_iter().any(|permission| self.may(tenant, app, permission)) {
            return Ok(app);
        }
        self.require(tenant, app, Permission::View).map(|()| app)
    }

    fn reachable_app<'t>(&self, tenant: &'t Tenant, id: AppId) -> Result<&'t App, ApiError> {
        let app = tenant.apps.get(&id).filter(|app| app.is_live || self.is_preview());
        let app = app.ok_or_else(|| ApiError::app_not_found(id))?;
        self.slot.daily_requests().count(id, self.now);
        match (tenant.guest_space_of(app), self.guest_space) {
            (Some(_), None) => Err(ApiError::new("GAIA_IL23", 400)),
            (belongs, named) if belongs != named => Err(ApiError::no_privilege()),
            _ => Ok(app),
        }
    }

    /// Refuses the call unless the caller may do this with the app.
    pub(crate) fn require(&self, tenant: &Tenant, app: &App, permission: Permission) -> Result<(), ApiError> {
        if self.may(tenant, app, permission) {
            return Ok(());
        }
        Err(match self.caller {
            Caller::Tokens(_) => ApiError::token_not_permitted(),
            _ => ApiError::no_privilege(),
        })
    }

    /// Whether the caller may do this with the app.
    pub(crate) fn may(&self, tenant: &Tenant, app: &App, permission: Permission) -> bool {
        match self.caller {
            Caller::Nobody | Caller::UserApi(_) => false,
            Caller::Tokens(grants) => {
                grants.iter().any(|grant| grant.app == app.id && grant.permissions.contains(&permission))
            }
            Caller::User(user) => is_member(tenant, app, user) && user_may(app, user, permission),
        }
    }

    /// What a query of this caller depends on.
    pub(crate) fn query_context<'t>(&'t self, tenant: &'t Tenant) -> QueryContext<'t> {
        let login_name = match self.caller {
            Caller::User(user) => user.code.as_str(),
            _ => crate::model::ADMINISTRATOR,
        };
        QueryContext::new(tenant, login_name, self.now)
    }
}

/// Apps of private and guest spaces are for the members of the space alone.
fn is_member(tenant: &Tenant, app: &App, user: &User) -> bool {
    let Some(space) = app.space.and_then(|id| tenant.space(id)) else { return true };
    !(space.is_private || space.is_guest) || user.administrator || space.members.contains(&user.code)
}

/// The first row of the permission table that is about the user decides.
fn user_may(app: &App, user: &User, permission: Permission) -> bool {
    if app.rights.is_empty() {
        return true;
    }
    let row = app.rights.iter().find(|right| concerns(&right.entity, user, &app.creator.code));
    row.is_some_and(|right| permits(right, permission))
}

/// Whether a right that is given to `holder` is given to the user.
pub(crate) fn concerns(holder: &RightHolder, user: &User, creator: &str) -> bool {
    let code = holder.code.as_deref().unwrap_or_default();
    match holder.kind.as_str() {
        "USER" => user.code == code,
        "GROUP" => code == "everyone" || user.groups.iter().any(|group| group == code),
        "ORGANIZATION" => user.organizations.iter().any(|organization| organization == code),
        "CREATOR" => user.code == creator,
        _ => false,
    }
}

fn permits(right: &AppRight, permission: Permission) -> bool {
    match permission {
        Permission::View => right.record_viewable,
        Permission::Add => right.record_addable,
        Permission::Edit => right.record_editable,
        Permission::Delete => right.record_deletable,
        Permission::Manage => right.app_editable,
    }
}
