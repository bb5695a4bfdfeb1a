//! Reading records: one, or those that a query selects.

use http::HeaderName;

use super::record_rights::RecordRights;
use super::{ApiError, Call};
use crate::http::{Answer, Parameters};
use crate::model::{App, Found, Permission, Tenant};
use crate::query::{self, DEFAULT_LIMIT};
use crate::write::render::Shown;

/// Field codes that one request may name.
const MOST_FIELDS: usize = 1_000;

/// `GET record.json`.
pub(super) fn one(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.app(tenant, "app", Permission::View)?;
    let id = call.parameters.id("id")?;
    let record = RecordRights::new(tenant, call, app)?.viewable(id)?;
    let mut content = b"{\"record\":".to_vec();
    Shown::all(app).record(Found::Stored(&record), &mut content);
    content.push(b'}');
    Ok(Answer::json_bytes(content))
}

/// `GET records.json`.
pub(super) fn many(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let app = call.app(tenant, "app", Permission::View)?;
    let fields = answer_fields(&call.parameters)?;
    let text = call.parameters.optional_text("query")?.unwrap_or_default();
    let counts = call.parameters.flag("totalCount")?.unwrap_or(false);
    let context = call.query_context(tenant);
    let mut result = query::run(app, &context, &text, DEFAULT_LIMIT)?;
    result.ids = RecordRights::new(tenant, call, app)?.retain_viewable(result.ids);
    let mut content = Vec::with_capacity(64 + result.ids.len() * 512);
    content.extend_from_slice(b"{\"records\":");
    shown(app, fields.as_deref()).records(result.ids.iter().copied(), &mut content);
    let total = if counts {
        format!(",\"totalCount\":\"{}\"}}", result.total())
    } else {
        ",\"totalCount\":null}".to_owned()
    };
    content.extend_from_slice(total.as_bytes());
    let answer = Answer::json_bytes(content);
    Ok(if result.is_aborted {
        answer.with_header(HeaderName::from_static("x-cybozu-warning"), query::ABORTED)
    } else {
        answer
    })
}

/// The fields that are to be answered; `None` for all.
pub(super) fn answer_fields(parameters: &Parameters) -> Result<Option<Vec<String>>, ApiError> {
    let Some(codes) = parameters.texts("fields")? else { return Ok(None) };
    if codes.len() > MOST_FIELDS {
        return Err(ApiError::invalid("fields", "At most 1,000 field codes are possible."));
    }
    Ok((!codes.is_empty()).then_some(codes))
}

/// What an answer shows of each record.
pub(super) fn shown<'a>(app: &'a App, fields: Option<&[String]>) -> Shown<'a> {
    fields.map_or_else(|| Shown::all(app), |fields| Shown::only(app, fields))
}
