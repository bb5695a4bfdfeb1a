//! The directory of endpoints, which asks for no credential.

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::{ApiError, Call, NOBODY, ROUTES, Route, Run};
use crate::http::Answer;
use crate::model::Tenant;

/// `apis/{name}/{method}.json`.
pub(super) static DETAIL: Route =
    Route { method: Method::GET, path: "/k/v1/apis/*", accepts: NOBODY, run: Run::Read(detail) };

/// `apis.json`: every endpoint of the record service with a link to its description.
#[expect(clippy::unnecessary_wraps, reason = "every endpoint has this signature")]
pub(super) fn list(_: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let apis: Map<String, Json> = ROUTES
        .iter()
        .filter_map(name)
        .map(|name| {
            let link = format!("apis/{name}.json");
            (name, json!({"link": link}))
        })
        .collect();
    Ok(Answer::json(&json!({"baseUrl": base_url(call), "apis": apis})))
}

/// The description of one endpoint. The schemas are open: what a call must look like is in the vendor's
/// documents.
fn detail(_: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let wanted = call.request.path.split_once("/apis/").and_then(|(_, rest)| rest.strip_suffix(".json"));
    let route = ROUTES.iter().find(|route| name(route).as_deref() == wanted);
    let route = route.ok_or_else(|| ApiError::new("CB_IL02", 404))?;
    Ok(Answer::json(&json!({
        "id": name(route),
        "baseUrl": base_url(call),
        "path": route.path.trim_start_matches("/k/v1/"),
        "httpMethod": route.method.as_str(),
        "request": {"type": "object"},
        "response": {"type": "object"},
        "schemas": {},
    })))
}

/// `records/get` for `GET /k/v1/records.json`; `None` for endpoints of the User API.
fn name(route: &Route) -> Option<String> {
    let path = route.path.strip_prefix("/k/v1/")?.strip_suffix(".json")?;
    Some(format!("{path}/{}", route.method.as_str().to_ascii_lowercase()))
}

fn base_url(call: &Call<'_>) -> String {
    let host = call.request.header("host").unwrap_or("localhost");
    let prefix = call.request.path.split_once("/k/").map_or("", |(prefix, _)| prefix);
    format!("https://{host}{prefix}/k/v1/")
}
