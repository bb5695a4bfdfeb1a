//! Connect sessions: short rights of a browser to link one account, given by the embedder's back end and good for that
//! and nothing else.

mod account;
mod check;
mod clients;
mod form;
mod held;
mod look;
mod popup;
mod reconnect_link;
mod same_account;
mod session;
mod sockets;

pub use account::{LinkChoice, LinkForm, LinkedBefore, TypedAccount};
pub(crate) use check::tags_of;
pub use clients::{ClientChoice, ClientForm, OAuthClientRight, OwnClient, TypedClient};
pub use form::GivenCredentials;
pub(crate) use form::{Chosen, merged, named, test_failed};
pub use look::{ConnectUi, ConnectUiChange};
pub use popup::{BegunWindow, PopupRequest, WindowState};
pub use reconnect_link::LinkToHandOn;
pub use session::{
    ConnectSessionDraft, CreatedConnectSession, IntegrationDefaults, Reconnected, SessionAccess,
};
pub(crate) use sockets::Sockets;
pub use sockets::{Socket, SocketNews};
pub use tombolo_auth::Typed;

use crate::problem::Problem;

impl Problem {
    /// How the compatible API calls what has ended an authorization in a window.
    pub fn popup_error_type(&self) -> &'static str {
        match self.code {
            "connection_test_failed" => "connection_validation_failed",
            "authorization_denied" | "no_code" => "callback_err",
            "authorization_refused" => "state_cookie_err",
            "state_unknown" => "state_err",
            "unknown_provider_config" => "unknown_config_key",
            "invalid_auth_mode" => "auth_mode_err",
            "invalid_body" | "invalid_query_params" => "url_param_err",
            "no_oauth_client" | "several_oauth_clients" | "oauth_client_unfinished" => "provider_config_err",
            "unknown_connection" => "connection_not_found",
            code if code.starts_with("token_") || code == "authorization_dead" => "token_err",
            _ => "unknown_err",
        }
    }
}
