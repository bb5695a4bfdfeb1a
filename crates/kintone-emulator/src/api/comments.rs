//! The comments of a record.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::record_rights::RecordRights;
use super::{ApiError, Call};
use crate::http::{Answer, Parameters};
use crate::model::{Comment, Permission, Record, Tenant};

/// Comments of one answer.
const PAGE: i64 = 10;
/// Longest text of a comment, in characters.
const LONGEST_TEXT: usize = 65_535;
/// Most mentions of a comment.
const MOST_MENTIONS: usize = 10;

/// `record/comments.json`, newest first unless asked otherwise.
pub(super) fn list(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let record = record(tenant, call)?;
    let limit = call.parameters.integer("limit")?.unwrap_or(PAGE);
    if !(0..=PAGE).contains(&limit) {
        return Err(ApiError::invalid("limit", "Specify a number from 0 to 10."));
    }
    let offset = call.parameters.integer("offset")?.unwrap_or(0);
    let offset = usize::try_from(offset).map_err(|_| ApiError::invalid("offset", "Specify 0 or more."))?;
    let order = call.parameters.optional_text("order")?.unwrap_or_else(|| "desc".to_owned());
    let mut comments: Vec<&Comment> = record.comments.iter().collect();
    match order.as_str() {
        "asc" => {}
        "desc" => comments.reverse(),
        _ => return Err(ApiError::invalid("order", "Specify asc or desc.")),
    }
    let before = offset.min(comments.len()) > 0;
    let after = comments.len() > offset + limit as usize;
    let page: Vec<Json> = comments.into_iter().skip(offset).take(limit as usize).map(describe).collect();
    let (older, newer) = if order == "asc" { (before, after) } else { (after, before) };
    Ok(Answer::json(&json!({"comments": page, "older": older, "newer": newer})))
}

/// `POST record/comment.json`.
pub(super) fn add(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let mut record = Record::clone(&*record(tenant, call)?);
    let comment = call.parameters.get("comment").cloned().ok_or_else(|| ApiError::required("comment"))?;
    let comment = Parameters::from_json(comment);
    let text = comment.optional_text("text")?.unwrap_or_default();
    if text.chars().count() > LONGEST_TEXT {
        return Err(ApiError::invalid("comment.text", "The text is too long."));
    }
    let mentions = mentions(tenant, comment.optional_list("mentions")?.map_or(&[], Vec::as_slice))?;
    if text.is_empty() && mentions.is_empty() {
        return Err(ApiError::required("comment.text"));
    }
    let names: Vec<String> = mentions.iter().map(|(code, _)| tenant.user_entity(code).name).collect();
    let text = if names.is_empty() { text } else { format!("{} \n{text}", names.join(" ")) };
    let id = record.comments.last().map_or(1, |last| last.id + 1);
    let creator = call.caller.entity();
    record.comments.push(Comment { id, text, created_at: call.now, creator, mentions });
    put(tenant, call, record)?;
    Ok(Answer::json(&json!({"id": id.to_string()})))
}

/// `DELETE record/comment.json`: only one's own.
pub(super) fn delete(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let mut record = Record::clone(&*record(tenant, call)?);
    let id = call.parameters.id("comment")?;
    let position = record.comments.iter().position(|comment| comment.id == id);
    let position = position.ok_or_else(|| ApiError::new("GAIA_RE02", 400))?;
    if record.comments[position].creator.code != call.caller.entity().code {
        return Err(ApiError::no_privilege());
    }
    record.comments.remove(position);
    put(tenant, call, record)?;
    Ok(Answer::json(&json!({})))
}

fn record(tenant: &Tenant, call: &Call<'_>) -> Result<Arc<Record>, ApiError> {
    let app = call.app(tenant, "app", Permission::View)?;
    let id = call.parameters.id("record")?;
    RecordRights::new(tenant, call, app)?.viewable(id)
}

fn put(tenant: &mut Tenant, call: &Call<'_>, record: Record) -> Result<(), ApiError> {
    let id = call.parameters.id("app")?;
    let app = tenant.apps.get_mut(&id).ok_or_else(|| ApiError::app_not_found(id))?;
    app.records.put(record);
    Ok(())
}

/// Reads `[{code, type}]` and checks that those who are mentioned exist.
fn mentions(tenant: &Tenant, list: &[Json]) -> Result<Vec<(String, String)>, ApiError> {
    if list.len() > MOST_MENTIONS {
        return Err(ApiError::invalid("comment.mentions", "At most 10 mentions are possible."));
    }
    list.iter()
        .map(|mention| {
            let code = mention["code"].as_str().unwrap_or_default();
            let kind = mention["type"].as_str().unwrap_or_default();
            match kind {
                "USER" if tenant.user(code).is_none() => Err(ApiError::new("GAIA_IL26", 400)),
                "ORGANIZATION" if tenant.organization(code).is_none() => Err(ApiError::new("GAIA_IL28", 400)),
                "GROUP" if tenant.group(code).is_none() => Err(ApiError::new("GAIA_IL28", 400)),
                "USER" | "ORGANIZATION" | "GROUP" => Ok((code.to_owned(), kind.to_owned())),
                _ => Err(ApiError::invalid("comment.mentions.type", "Specify USER, GROUP or ORGANIZATION.")),
            }
        })
        .collect()
}

fn describe(comment: &Comment) -> Json {
    let mentions: Vec<Json> =
        comment.mentions.iter().map(|(code, kind)| json!({"code": code, "type": kind})).collect();
    json!({
        "id": comment.id.to_string(),
        "text": comment.text,
        "createdAt": comment.created_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "creator": comment.creator,
        "mentions": mentions,
    })
}
