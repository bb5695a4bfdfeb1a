//! Files: upload, then attach by writing a record, then download under another key.

use http::HeaderName;
use http::StatusCode;
use http::header::CONTENT_DISPOSITION;
use jiff::SignedDuration;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::{ApiError, Call};
use crate::auth::Caller;
use crate::http::{Answer, first_file};
use crate::model::{StoredFile, Tenant};

/// How long an upload waits for a record to take it.
const UNATTACHED_FOR: SignedDuration = SignedDuration::from_hours(3 * 24);

/// `POST file.json`: one file per upload.
pub(super) fn upload(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let content_type = call.request.header("content-type").unwrap_or_default();
    if !content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(ApiError::illegal_request());
    }
    let part = first_file(content_type, &call.request.body).ok_or_else(|| ApiError::required("file"))?;
    delete_expired(tenant, call);
    let key = call.identifiers.uuid();
    let file = StoredFile {
        name: part.name,
        content_type: part.content_type,
        content: part.content,
        uploaded_at: call.now,
        attached: false,
    };
    tenant.files.insert(key.clone(), file);
    Ok(Answer::json(&json!({"fileKey": key})))
}

/// `GET file.json`: only a file that a record holds, by its download key.
pub(super) fn download(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let key = call.parameters.text("fileKey")?;
    if let Caller::Tokens(grants) = call.caller
        && !grants.iter().any(|grant| grant.permissions.contains(&crate::model::Permission::View))
    {
        return Err(ApiError::token_not_permitted());
    }
    let file = tenant.files.get(&key).filter(|file| file.attached);
    let file = file.ok_or_else(|| ApiError::new("GAIA_BL01", 404))?;
    let name = utf8_percent_encode(&file.name, NON_ALPHANUMERIC);
    Ok(Answer::new(StatusCode::OK, &file.content_type, file.content.clone())
        .with_header(CONTENT_DISPOSITION, &format!("attachment; filename*=UTF-8''{name}"))
        .with_header(HeaderName::from_static("x-content-type-options"), "nosniff"))
}

/// Forgets uploads that no record took in time.
pub(super) fn delete_expired(tenant: &mut Tenant, call: &Call<'_>) {
    let oldest = call.now - UNATTACHED_FOR;
    tenant.files.retain(|_, file| file.attached || file.uploaded_at > oldest);
}
