//! People who sign in to the dashboard. The acts belong to the installation, whatever the environment of the key.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderName};
use secrecy::ExposeSecret as _;
use tombolo_api::{InviteUser, PasswordLink, UpdateUser, User, UserRole, UserState, Users};
use tombolo_platform::users::{Invitation, NewPasswordLink, Role};
use tombolo_platform::{Problem, store};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::body::Body;
use super::caller::Caller;
use super::moment::moment;
use super::query::{Named, NoParameters, Query};
use super::refusal::Refusal;
use super::right::{ManageUsers, ReadUsers};

/// Where people choose a password. The secret is the fragment of the link, which browsers send to nobody: so it stands in no
/// log of a server or of a front.
pub(crate) const INVITATION: &str = "/invitation";

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(list_users, invite_user))
        .routes(routes!(update_user))
        .routes(routes!(create_password_link))
}

/// Lists people who sign in
///
/// Those who are disabled too. Scope: `installation:users:read`.
#[utoipa::path(
    get, path = "/users", operation_id = "listUsers", tag = "users",
    responses((status = 200, description = "Everybody, in the order of their logins", body = Users))
)]
async fn list_users(
    State(routes): State<Routes>,
    caller: Caller<ReadUsers>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Users>, Refusal> {
    let found = routes.platform.list_users(&caller.access).await?;
    Ok(Json(Users { users: found.iter().map(wire).collect() }))
}

/// Invites somebody
///
/// The answer shows a link under which they choose a password, good once and for 7 days; nothing is sent. A key invites to no
/// role that may do more than the key. Scope: `installation:users:manage`.
#[utoipa::path(
    post, path = "/users", operation_id = "inviteUser", tag = "users", request_body = InviteUser,
    responses((status = 201, description = "The link", body = PasswordLink))
)]
async fn invite_user(
    State(routes): State<Routes>,
    caller: Caller<ManageUsers>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<InviteUser>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<PasswordLink>), Refusal> {
    let invitation = Invitation {
        login: body.login,
        display_name: body.display_name.unwrap_or_default(),
        role: stored_role(body.role),
    };
    let base = base(&routes)?;
    let link = routes.platform.invite_user(&caller.access, &invitation).await?;
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(link_of(&link, &base))))
}

/// Changes what somebody may do, or shuts them out
///
/// Either signs them out everywhere. The last administrator stays one. Scope: `installation:users:manage`.
#[utoipa::path(
    patch, path = "/users/{user}", operation_id = "updateUser", tag = "users", request_body = UpdateUser,
    params(("user" = String, Path, description = "Id or login")),
    responses((status = 200, description = "The person as they are now", body = User))
)]
async fn update_user(
    State(routes): State<Routes>,
    caller: Caller<ManageUsers>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<UpdateUser>,
) -> Result<Json<User>, Refusal> {
    let (platform, access) = (&routes.platform, &caller.access);
    let mut changed = None;
    if let Some(role) = body.role {
        changed = Some(platform.change_role(access, &reference, stored_role(role)).await?);
    }
    if let Some(enabled) = body.enabled {
        changed = Some(platform.enable_user(access, &reference, enabled).await?);
    }
    let nothing =
        || Problem::invalid("nothing_to_change", "Nothing is to be changed", "Give `role` or `enabled`.");
    Ok(Json(wire(&changed.ok_or_else(nothing)?)))
}

/// Makes a link for another password
///
/// For somebody who forgot theirs. It is good once and for 7 days, and replaces earlier ones; until then the old password is
/// good. Scope: `installation:users:manage`.
#[utoipa::path(
    post, path = "/users/{user}/password-link", operation_id = "createPasswordLink", tag = "users",
    params(("user" = String, Path, description = "Id or login")),
    responses((status = 201, description = "The link", body = PasswordLink))
)]
async fn create_password_link(
    State(routes): State<Routes>,
    caller: Caller<ManageUsers>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<PasswordLink>), Refusal> {
    let base = base(&routes)?;
    let link = routes.platform.reset_password(&caller.access, &reference).await?;
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(link_of(&link, &base))))
}

/// What links begin with. A command that runs without a server knows it from the configuration.
fn base(routes: &Routes) -> Result<String, Problem> {
    match routes.public_url.known() {
        Some(url) => Ok(url.to_owned()),
        None => routes.public_url.needed().map(str::to_owned),
    }
}

/// The link as a person opens it.
pub(crate) fn address(base: &str, link: &NewPasswordLink) -> String {
    format!("{base}{INVITATION}#{}", link.secret.expose_secret())
}

fn link_of(link: &NewPasswordLink, base: &str) -> PasswordLink {
    PasswordLink { user: wire(&link.user), link: address(base, link), expires_at: moment(link.expires_at) }
}

fn wire(user: &store::User) -> User {
    let is_ready = user.has_password || user.identity.is_some();
    User {
        id: user.id.to_string(),
        login: user.login.clone(),
        display_name: user.display_name.clone(),
        role: match user.role {
            Role::Admin => UserRole::Admin,
            Role::Member => UserRole::Member,
            Role::Viewer => UserRole::Viewer,
        },
        state: match user.disabled_at {
            Some(_) => UserState::Disabled,
            None if is_ready => UserState::Active,
            None => UserState::Invited,
        },
        created_at: moment(user.created_at),
        seen_at: user.seen_at.map(moment),
    }
}

fn stored_role(role: UserRole) -> Role {
    match role {
        UserRole::Admin => Role::Admin,
        UserRole::Member => Role::Member,
        UserRole::Viewer => Role::Viewer,
    }
}
