//! An account that a person links at the vendor: the window that is opened for it, and how it does.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::ACCEPT;
use serde_json::{Value, json};
use tombolo_platform::Problem;
use tombolo_platform::connect::{SessionAccess, WindowState};

use super::linking::{arrived, asked_again};
use super::problem::{Refused, error_type_of, in_words_of};
use super::visit::{Visit, refuse_other_sites};
use crate::pages::form::{Posted, told_problem};
use crate::routes::Routes;
use crate::routes::oauth_pages::{address_of_question, to_the_question};

/// Sends a browser on its way to the vendor, by way of the page that says whom the account is linked for. A script is told
/// the address instead, and opens a window with it.
pub(super) async fn begin(
    State(routes): State<Routes>,
    Path(environment): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Refused> {
    let (visit, holder) = arrived(&routes, &environment, &headers, &posted).await?;
    begun(&routes, &visit, &holder, &headers, &posted).await
}

/// The same, for a form that came to the step for typed secrets.
pub(super) async fn begun(
    routes: &Routes,
    visit: &Visit,
    holder: &SessionAccess,
    headers: &HeaderMap,
    posted: &Posted,
) -> Result<Response, Refused> {
    let is_script = headers.get(ACCEPT).is_some_and(|accepted| accepted == "application/json");
    let outcome = async {
        let public_url = routes.public_url.needed()?;
        let key = posted.text("integration");
        let begun = routes.platform.begin_account(holder, key, posted.account()).await?;
        if is_script {
            let location = address_of_question(public_url, &begun);
            let authorization = begun.authorization.as_str();
            return Ok(Json(json!({ "location": location, "authorization": authorization })).into_response());
        }
        to_the_question(public_url, &begun)
    };
    match outcome.await {
        Ok(response) => Ok(response),
        Err(problem) if is_script => Ok(Json(told_problem(&visit.shell, posted, &problem)).into_response()),
        Err(problem) => asked_again(routes, visit, holder, posted, problem).await,
    }
}

/// How a window does that was opened in the session, for the page that waits for it. Whoever has the session's token may
/// ask, also when the session has ended: it ends as the account is linked.
pub(super) async fn state(
    State(routes): State<Routes>,
    Path(environment): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Refused> {
    let chosen = (posted.text("lang"), posted.text("theme"));
    let visit = Visit::new(&routes, &environment, &headers, chosen).await?;
    let asked = async {
        refuse_other_sites(&headers)?;
        routes.platform.window_state(posted.text("session_token"), posted.text("authorization")).await
    };
    let told = match asked.await {
        Ok(state) => told(&visit, &posted, state),
        Err(problem) => unknown(&visit, &problem),
    };
    Ok(Json(told).into_response())
}

fn told(visit: &Visit, posted: &Posted, state: WindowState) -> Value {
    let shell = &visit.shell;
    match state {
        WindowState::Open => json!({ "state": "open" }),
        WindowState::Waiting { connection_id } => {
            json!({ "state": "waiting", "connectionId": connection_id })
        }
        WindowState::Linked { connection_id, name } => json!({
            "state": "linked",
            "connectionId": connection_id,
            "title": shell.say_with("linked-title", "provider", posted.text("provider")),
            "called": shell.say_with("linked-name", "name", &name),
        }),
        WindowState::Failed { code, what, fix } => {
            let (what, fix) = in_words_of(shell, &code, &what, &fix);
            json!({ "state": "failed", "errorType": error_type_of(&code), "what": what, "fix": fix })
        }
    }
}

fn unknown(visit: &Visit, problem: &Problem) -> Value {
    let (what, fix) = in_words_of(&visit.shell, problem.code, &problem.what, &problem.fix);
    json!({ "state": "failed", "errorType": error_type_of(problem.code), "what": what, "fix": fix })
}
