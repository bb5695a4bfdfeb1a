//! People who sign in: the first administrator, signing in and out, links for passwords, a person's own page, and the page of
//! those who administer others.
//!
//! Pages for everybody refuse what other sites send; what is typed there is itself what lets somebody in. All others stand
//! behind the guard, and take a [`SignedIn`](crate::routes::signed_in::SignedIn).

mod entry;
mod first;
mod form;
mod invitation;
mod oidc;
mod profile;
mod users;
mod view;

use axum::routing::{get, post};
use axum::{Router, middleware};

use crate::routes::signed_in::{SIGN_IN, guarded};
use crate::routes::users::INVITATION;
use crate::routes::{Routes, SET_UP};

pub(crate) use view::{Looker, refused};

/// A person's own page.
pub(super) const PROFILE: &str = "/profile";
/// The page of those who administer others.
pub(super) const USERS: &str = "/dashboard/users";

/// The routes for everybody, and those for whoever is signed in.
pub(super) fn routes(state: &Routes) -> Router<Routes> {
    let signed_in = Router::new()
        .route("/sign-out", post(entry::sign_out))
        .route("/dashboard/environment", post(profile::choose_environment))
        .route(PROFILE, get(profile::look).post(profile::rename))
        .route(oidc::LINK, post(oidc::link))
        .route(oidc::UNLINK, post(oidc::unlink))
        .route("/profile/password", post(profile::change_password))
        .route("/profile/sign-ins/{id}/end", post(profile::end_sign_in))
        .route(USERS, get(users::look).post(users::invite))
        .route("/dashboard/users/{user}/role", post(users::change_role))
        .route("/dashboard/users/{user}/state", post(users::change_state))
        .route("/dashboard/users/{user}/password-link", post(users::reset))
        .route("/dashboard/provider-requests/{id}", post(users::settle))
        .layer(middleware::from_fn_with_state(state.clone(), guarded));
    Router::new()
        .route(SET_UP, get(first::look).post(first::set_up))
        .route(SIGN_IN, get(entry::look).post(entry::sign_in))
        .route(oidc::BEGIN, get(oidc::begin))
        .route(oidc::CALLBACK, get(oidc::come_back))
        .route(INVITATION, get(invitation::look).post(invitation::choose))
        .merge(signed_in)
}
