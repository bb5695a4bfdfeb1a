//! JSON bodies: their size, type and shape are checked before a route sees them.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tombolo_platform::{Problem, ProblemKind};

use super::Routes;
use super::refusal::Refusal;
use super::shape::unfit;

/// Largest body of a route. Bodies of proxied calls have no limit.
const BYTES_MAX: usize = 1024 * 1024;
/// What is read of a body that is too large before the answer is sent: a caller that is still sending would otherwise
/// see its connection break instead of the answer.
const DISCARDED_MAX: usize = 64 * 1024 * 1024;
/// Longest time for a body.
const TIME_MAX: Duration = Duration::from_mins(1);

/// A JSON body of the wanted shape.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Routes> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, routes: &Routes) -> Result<Self, Refusal> {
        JsonBytes::from_request(request, routes).await?.fits().map(Self)
    }
}

/// A JSON body whose shape the route itself finds out.
pub(crate) struct JsonBytes(Bytes);

impl JsonBytes {
    /// The body, if it has this shape.
    pub(crate) fn fits<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let bytes = &self.0;
        match Json::from_bytes(bytes) {
            Ok(Json(value)) => Ok(value),
            Err(JsonRejection::JsonDataError(error)) => Err(unfit("invalid_body", "body", &error).into()),
            Err(_) => {
                let what = if bytes.is_empty() { "The body is empty" } else { "The body is not JSON" };
                let fix = "Send one JSON object, encoded as UTF-8.";
                Err(Problem::invalid("invalid_json", what, fix).into())
            }
        }
    }
}

impl FromRequest<Routes> for JsonBytes {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Routes) -> Result<Self, Refusal> {
        let is_other_type =
            request.headers().get(CONTENT_TYPE).is_some_and(|value| !is_json(value.as_bytes()));
        let read = tokio::time::timeout(TIME_MAX, read(request.into_body())).await;
        let bytes = read.map_err(|_| {
            let what = format!("The body did not arrive within {} seconds", TIME_MAX.as_secs());
            Problem::invalid("body_too_slow", what, "Send it again.")
        })??;
        if is_other_type {
            let fix = "Send JSON with the header `Content-Type: application/json`.";
            let what = "The body is not of a type that this route takes";
            return Err(
                Problem::new(ProblemKind::UnsupportedMediaType, "invalid_content_type", what, fix).into()
            );
        }
        Ok(Self(bytes))
    }
}

/// A JSON body of the wanted shape, or none at all.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<Routes> for OptionalBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, routes: &Routes) -> Result<Self, Refusal> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        Body::from_request(request, routes).await.map(|Body(body)| Self(body))
    }
}

fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"application/json")
}

pub(super) async fn read(mut body: axum::body::Body) -> Result<Bytes, Problem> {
    let mut bytes = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Problem::invalid("body_incomplete", "The body did not arrive whole", "Send it again.")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length <= BYTES_MAX {
            bytes.extend_from_slice(&data);
        } else if length > DISCARDED_MAX {
            break;
        }
    }
    if length > BYTES_MAX {
        let what = format!("The body is larger than {BYTES_MAX} bytes");
        return Err(Problem::new(ProblemKind::TooLarge, "body_too_large", what, "Send less at once."));
    }
    Ok(bytes.freeze())
}
