//! Connect sessions: the embedder's back end makes one, and a browser links an account in it. The paths, and what the
//! browser's routes read and answer, are those of the compatible API.

mod credentials;
mod form;
mod holder;
mod popup;
mod session;
mod sessions;
mod socket;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use holder::{IntegrationsCaller, listed};
pub(super) use session::end_user;
pub(super) use sessions::{end_user_of, text_of};

use super::Routes;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(sessions::create_connect_session))
        .routes(routes!(sessions::create_reconnect_session))
        .routes(routes!(session::read_connect_session, session::end_connect_session))
        .routes(routes!(session::hand_over_fields))
        .routes(routes!(session::take_telemetry))
        .routes(routes!(form::link_by_api_key))
        .routes(routes!(form::link_by_basic))
        .routes(routes!(form::link_by_client_credentials))
        .routes(routes!(form::link_by_two_step))
        .routes(routes!(form::link_by_jwt))
        .routes(routes!(form::link_by_token))
        .routes(routes!(form::link_by_bill))
        .routes(routes!(form::link_by_signature))
        .routes(routes!(form::link_by_aws_role))
        .routes(routes!(form::link_unauthenticated))
        .routes(routes!(form::link_outbound))
        .routes(routes!(form::finish_installation))
        .routes(routes!(popup::begin_in_popup))
        .routes(routes!(socket::open_socket))
}
