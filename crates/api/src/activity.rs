use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One call through a connection. Times are in microseconds; those of phases that did not happen are 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProxiedCall {
    /// Names the call in answers and logs.
    pub request_id: String,
    /// When it arrived.
    pub at: Timestamp,
    /// The id of the connection.
    pub connection: String,
    /// The key of the integration.
    pub integration: String,
    /// The id of the caller's API key; empty for the operator.
    pub api_key: String,
    /// The HTTP method.
    pub method: String,
    /// The path with the names of its query parameters, without their values.
    pub path: String,
    /// The status that the caller got; `null` if it went away before.
    pub status: Option<u16>,
    /// What went wrong on our way; `null` for nothing.
    pub error: Option<String>,
    /// How often it was sent to the upstream.
    pub attempts: u16,
    /// Bytes of the request's body.
    pub bytes_up: u64,
    /// Bytes of the answer's body.
    pub bytes_down: u64,
    /// Waiting for the upstream's limit.
    pub queue_micros: u64,
    /// Resolving the name.
    pub dns_micros: u64,
    /// Connecting.
    pub tcp_micros: u64,
    /// The TLS handshake.
    pub tls_micros: u64,
    /// From the request's last byte to the answer's first.
    pub first_byte_micros: u64,
    /// From arrival to the last byte.
    pub total_micros: u64,
    /// Whether it went over a connection that was open already.
    pub pooled: bool,
}

/// One page of the log of calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Activity {
    /// Newest first. As many as were asked for, unless this is the last page, or a filter finds so little that the rest of
    /// the log is left for the next one.
    pub calls: Vec<ProxiedCall>,
    /// Where the next page begins; `null` on the last one, and only there.
    pub next_cursor: Option<String>,
}

/// Which calls are shown; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ActivityQuery {
    /// Through this connection: its id, connection id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Through the integration with this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
    /// With a status of this class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusClass>,
    /// Only those that failed: status 400 and above, or an error on our way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<bool>,
    /// At most this many, 100 unless given, 1000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The first digit of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum StatusClass {
    /// 200 to 299.
    #[serde(rename = "2xx")]
    Success,
    /// 300 to 399.
    #[serde(rename = "3xx")]
    Redirection,
    /// 400 to 499.
    #[serde(rename = "4xx")]
    ClientError,
    /// 500 to 599.
    #[serde(rename = "5xx")]
    ServerError,
}

impl StatusClass {
    /// The digit that the statuses of this class begin with.
    pub fn first_digit(self) -> u16 {
        match self {
            Self::Success => 2,
            Self::Redirection => 3,
            Self::ClientError => 4,
            Self::ServerError => 5,
        }
    }
}
