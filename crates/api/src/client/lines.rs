//! Answers of one JSON object per line.

use std::marker::PhantomData;

use bytes::{Buf as _, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

use super::error::ClientError;
use super::transport::TransportError;

/// Longest line.
const LINE_MAX: usize = 16 * 1024 * 1024;

/// The lines of an answer, as they come.
pub struct Lines<Line> {
    body: Incoming,
    /// What arrived and was not given out.
    waiting: BytesMut,
    line: PhantomData<fn() -> Line>,
}

impl<Line: DeserializeOwned> Lines<Line> {
    pub(super) fn new(body: Incoming) -> Self {
        Self { body, waiting: BytesMut::new(), line: PhantomData }
    }

    /// The next line; `None` after the last one. An answer that breaks off within a line is an error.
    pub async fn next(&mut self) -> Result<Option<Line>, ClientError> {
        loop {
            if let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') {
                let line = self.waiting.split_to(end);
                self.waiting.advance(1);
                if line.is_empty() {
                    continue;
                }
                return serde_json::from_slice(&line).map(Some).map_err(ClientError::unreadable);
            }
            if self.waiting.len() > LINE_MAX {
                return Err(ClientError::Unreadable("a line has no end".to_owned()));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.waiting.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(TransportError::Interrupted(error.to_string()).into()),
                None if self.waiting.is_empty() => return Ok(None),
                None => return Err(TransportError::Interrupted("it ended within a line".to_owned()).into()),
            }
        }
    }
}
