//! Several writes in one request: all of them or none.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value as Json, json};

use super::{ApiError, Call, Run};
use crate::auth::{Caller, Scheme};
use crate::http::{Answer, Parameters};
use crate::model::{App, AppId, Tenant};

/// Requests of one bulk request.
const MOST_REQUESTS: usize = 20;

/// What a bulk request may contain.
const CONTAINED: [(Method, &str); 8] = [
    (Method::POST, "/k/v1/record.json"),
    (Method::PUT, "/k/v1/record.json"),
    (Method::POST, "/k/v1/records.json"),
    (Method::PUT, "/k/v1/records.json"),
    (Method::DELETE, "/k/v1/records.json"),
    (Method::PUT, "/k/v1/record/status.json"),
    (Method::PUT, "/k/v1/records/status.json"),
    (Method::PUT, "/k/v1/record/assignees.json"),
];

/// `bulkRequest.json`: runs the requests one after the other; when one fails, everything is as it was before.
pub(super) fn run(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let requests = call.parameters.list("requests", MOST_REQUESTS)?;
    let files = tenant.files.clone();
    let mut before: BTreeMap<AppId, App> = BTreeMap::new();
    let mut results = Vec::with_capacity(requests.len());
    for (place, request) in requests.iter().enumerate() {
        match run_one(tenant, call, request, &mut before) {
            Ok(result) => results.push(result),
            Err(mut error) => {
                tenant.apps.append(&mut before);
                tenant.files = files;
                error.within = Some((requests.len(), place));
                return Err(error);
            }
        }
    }
    Ok(Answer::json(&json!({"results": results})))
}

fn run_one(
    tenant: &mut Tenant,
    call: &Call<'_>,
    request: &Json,
    before: &mut BTreeMap<AppId, App>,
) -> Result<Json, ApiError> {
    let api = request["api"].as_str().ok_or_else(|| ApiError::required("requests.api"))?;
    let method = request["method"].as_str().ok_or_else(|| ApiError::required("requests.method"))?;
    let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())
        .map_err(|_| ApiError::invalid("requests.method", "Specify POST, PUT or DELETE."))?;
    let (path, guest_space) = super::split_guest_space(api)?;
    if !CONTAINED.iter().any(|(known, contained)| *known == method && *contained == path) {
        return Err(ApiError::invalid("requests.api", "The API cannot be part of a bulk request."));
    }
    let route = super::find(&method, &path)?;
    if matches!(call.caller, Caller::Tokens(_)) && !route.accepts.contains(&Scheme::ApiToken) {
        return Err(ApiError::token_not_permitted());
    }
    let Run::Write(run) = route.run else { return Err(ApiError::illegal_request()) };
    let call = call.within(Parameters::from_json(request["payload"].clone()), guest_space);
    if let Some(id) = call.parameters.optional_id("app")?
        && let Some(app) = tenant.apps.get(&id)
    {
        before.entry(id).or_insert_with(|| app.clone());
    }
    let answer = run(tenant, &call)?;
    serde_json::from_slice(&answer.content).map_err(|_| ApiError::illegal_request())
}
