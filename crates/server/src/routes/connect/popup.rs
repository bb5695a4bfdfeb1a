//! The window in which a person links an account at the vendor.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use secrecy::ExposeSecret as _;
use tombolo_platform::connect::{Popup, PopupRequest};
use tombolo_platform::{Problem, ProblemKind};

use super::holder::{BrowserQuery, language};
use crate::routes::Routes;
use crate::routes::access::RequestId;
use crate::routes::oauth_pages;
use crate::routes::query::Named;

/// Sends a window to the vendor
///
/// In a connect session, whose token stands in the query as `connect_session_token`. Only this browser can finish. The
/// outcome is told to the socket that `ws_client_id` names, and to whoever opened the window.
#[utoipa::path(
    get, path = "/oauth/connect/{key}", operation_id = "beginInPopup", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    responses(
        (status = 303, description = "To the vendor's page, or to one that says whose account is linked for whom"),
        (status = "default", description = "A page that says what is wrong", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn begin_in_popup(
    State(routes): State<Routes>,
    Named(key): Named,
    RequestId(id): RequestId,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let mut socket = None;
    match begin(&routes, &key, query, &mut socket).await {
        Ok(response) => response,
        Err(problem) => {
            if let Some(socket) = &socket
                && let Err(unsaid) = routes.platform.tell_of_refusal(socket, &key, &problem).await
            {
                tracing::warn!(problem = %unsaid, "a socket could not be told why its authorization did not begin");
            }
            oauth_pages::refused(&problem, language(headers.get(ACCEPT_LANGUAGE)), &id)
        }
    }
}

async fn begin(
    routes: &Routes,
    key: &str,
    query: Option<String>,
    socket: &mut Option<String>,
) -> Result<Response, Problem> {
    let query = BrowserQuery::read(&query.unwrap_or_default())?;
    socket.clone_from(&query.socket);
    let holder = query.holder(routes).await?;
    let public_url = routes.public_url.needed()?;
    let request = PopupRequest {
        fields: query.params.into_iter().collect(),
        scopes: query.user_scope,
        authorization_parameters: query.authorization_params.into_iter().collect::<BTreeMap<_, _>>(),
        socket: query.socket,
    };
    match routes.platform.begin_in_session(&holder, key, request, public_url).await? {
        Popup::Vendor(beginning) => oauth_pages::to_the_vendor(routes, &beginning),
        Popup::Question(secret) => {
            let location = format!("{public_url}/oauth/start/{}", secret.expose_secret());
            oauth_pages::see_other(&location).ok_or_else(|| {
                let fix = "Report it with the request id; the log of the server says more.";
                Problem::new(ProblemKind::Internal, "internal_error", "This server made a mistake", fix)
            })
        }
    }
}
