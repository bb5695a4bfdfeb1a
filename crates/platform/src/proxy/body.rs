//! The body of a call: streamed, held so that it can be sent again, or held because it is signed.

use bytes::{Bytes, BytesMut};
use http::Method;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tombolo_egress::Body;

use super::call::CallBody;
use super::selection::PEEK_BYTES;
use crate::problem::Problem;

/// Bodies up to this size are held so that a call can be sent again; larger ones stream and go out once.
const REPLAY_BYTES: u64 = 1024 * 1024;
/// Largest body of a request that is signed as a whole.
const SIGNED_BYTES: usize = 16 * 1024 * 1024;

/// A body that is ready to be sent.
pub(super) enum OutgoingBody {
    Full(Bytes),
    Stream(Body),
    Gone,
}

/// Takes the body over: small ones into memory, so that they can be looked at and sent again; others as a stream of
/// which only the beginning is read, and only if it may tell what the call is about.
pub(super) async fn receive(
    method: &Method,
    body: CallBody,
    body_may_tell: bool,
) -> Result<(OutgoingBody, Bytes), Problem> {
    let mut incoming = match body {
        CallBody::Full(bytes) => return Ok((OutgoingBody::Full(bytes.clone()), bytes)),
        CallBody::Incoming(incoming) if incoming.is_end_stream() => {
            return Ok((OutgoingBody::Full(Bytes::new()), Bytes::new()));
        }
        CallBody::Incoming(incoming) => incoming,
    };
    let small = incoming.size_hint().exact().is_some_and(|length| length <= REPLAY_BYTES);
    // Vendors and the servers before them dislike a GET with a body of unknown length.
    let wants_length = *method == Method::GET && incoming.size_hint().exact().is_none();
    let most = match (small || wants_length, body_may_tell) {
        (true, _) => REPLAY_BYTES as usize,
        (false, true) => PEEK_BYTES,
        (false, false) => return Ok((OutgoingBody::Stream(Body::incoming(incoming)), Bytes::new())),
    };
    let mut read = BytesMut::new();
    while read.len() < most {
        let Some(frame) = incoming.frame().await else { break };
        let frame = frame.map_err(|error| {
            let what = format!("The body of the request broke off: {error}");
            Problem::invalid("body_broken_off", what, "Send the request again.")
        })?;
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
    }
    let read = read.freeze();
    if incoming.is_end_stream() {
        Ok((OutgoingBody::Full(read.clone()), read))
    } else {
        Ok((OutgoingBody::Stream(Body::peeked(read.clone(), incoming)), read))
    }
}

/// Takes the whole body into memory, because it is signed.
pub(super) async fn held(body: CallBody) -> Result<(OutgoingBody, Bytes), Problem> {
    let mut incoming = match body {
        CallBody::Full(bytes) => return Ok((OutgoingBody::Full(bytes.clone()), bytes)),
        CallBody::Incoming(incoming) => incoming,
    };
    let mut read = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| {
            let what = format!("The body of the request broke off: {error}");
            Problem::invalid("body_broken_off", what, "Send the request again.")
        })?;
        if let Ok(data) = frame.into_data() {
            if read.len() + data.len() > SIGNED_BYTES {
                let what = format!(
                    "The body is larger than {} MB, and requests of this connection are signed as a whole",
                    SIGNED_BYTES >> 20
                );
                return Err(Problem::invalid("body_too_large_to_sign", what, "Send it in parts."));
            }
            read.extend_from_slice(&data);
        }
    }
    let read = read.freeze();
    Ok((OutgoingBody::Full(read.clone()), read))
}
