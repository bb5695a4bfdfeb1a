//! What an exchange of one secret for another asks for, and how it ends. No IO: whoever drives it sends.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::credentials::Credentials;

/// What an exchange does next.
#[derive(Debug)]
pub enum Step {
    /// This is to be sent, once; the answer goes back into the exchange.
    Send(ExchangeRequest),
    /// There are new credentials.
    Done(Tokens),
    /// There are none.
    Failed(ExchangeFailure),
}

/// A request of an exchange. It carries secrets: nothing but egress may look at it.
pub struct ExchangeRequest {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// The headers, without those that frame the body.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

impl std::fmt::Debug for ExchangeRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ExchangeRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

/// The answer to a request of an exchange.
#[derive(Debug)]
pub struct ExchangeAnswer<'a> {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

/// What an exchange yields.
#[derive(Debug)]
pub struct Tokens {
    /// The new credentials, complete: what the exchange did not replace is kept.
    pub credentials: Credentials,
    /// How long the access token lives; `None` when nobody says.
    pub expires_in: Option<Duration>,
    /// How long the refresh token lives; `None` when nobody says.
    pub refresh_expires_in: Option<Duration>,
    /// What the vendor grants, if it says so.
    pub scope: Option<String>,
    /// Fields of the configuration that the answer filled.
    pub config: BTreeMap<String, String>,
}

/// Why there are no new credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeFailure {
    /// What was to be exchanged is not valid any more: only a person can link the account again.
    #[error("the vendor no longer accepts the authorisation ({code})")]
    Dead {
        /// The vendor's code, such as `invalid_grant`.
        code: String,
        /// The vendor's own words.
        description: Option<String>,
    },
    /// The vendor refuses the client or the request: whoever set the client up can help.
    #[error("the vendor refuses the request for a token ({code})")]
    Refused {
        /// The vendor's code, such as `invalid_client`.
        code: String,
        /// The vendor's own words.
        description: Option<String>,
    },
    /// It may work later.
    #[error("the vendor cannot give a token at the moment ({what})")]
    Passing {
        /// What came instead.
        what: String,
        /// How long the vendor asks to wait.
        retry_after: Option<Duration>,
    },
    /// The answer has no token where one belongs.
    #[error("the vendor's answer is no token answer: {0}")]
    Malformed(String),
    /// The stored secret lacks what the exchange needs.
    #[error("the connection has nothing to exchange: link the account again")]
    Nothing,
}
