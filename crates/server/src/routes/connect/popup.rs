//! The window in which a person links an account at the vendor.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use tombolo_platform::Problem;
use tombolo_platform::connect::PopupRequest;

use super::holder::{BrowserQuery, socket_of};
use crate::routes::Routes;
use crate::routes::access::RequestId;
use crate::routes::oauth_pages;
use crate::routes::query::{Named, Preferred};

/// Sends a window on its way to the vendor
///
/// In a connect session, whose token stands in the query as `connect_session_token`. A page comes first that says
/// whom the account is linked for. The outcome is told to the socket that `ws_client_id` names, and to whoever opened the window.
#[utoipa::path(
    get, path = "/oauth/connect/{key}", operation_id = "beginInPopup", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    responses(
        (status = 303, description = "To the page that says whom the account is linked for"),
        (status = "default", description = "A page that says what is wrong", body = String, content_type = "text/html"),
    )
)]
pub(super) async fn begin_in_popup(
    State(routes): State<Routes>,
    Named(key): Named,
    RequestId(id): RequestId,
    RawQuery(query): RawQuery,
    Preferred(language): Preferred,
) -> Response {
    let query = query.unwrap_or_default();
    match begin(&routes, &key, &query).await {
        Ok(response) => response,
        Err(problem) => {
            if let Some(socket) = socket_of(&query) {
                routes.platform.tell_of_refusal(&socket, &key, &problem);
            }
            oauth_pages::refused(&routes, &problem, language, &id)
        }
    }
}

async fn begin(routes: &Routes, key: &str, query: &str) -> Result<Response, Problem> {
    let query = BrowserQuery::read(query)?;
    let holder = query.holder(routes).await?;
    let public_url = routes.public_url.needed()?;
    let request = PopupRequest {
        fields: query.params.into_iter().collect(),
        scopes: query.user_scope,
        authorization_parameters: query.authorization_params.into_iter().collect::<BTreeMap<_, _>>(),
        socket: query.socket,
        ..PopupRequest::default()
    };
    let begun = routes.platform.begin_in_session(&holder, key, request).await?;
    oauth_pages::to_the_question(public_url, &begun)
}
