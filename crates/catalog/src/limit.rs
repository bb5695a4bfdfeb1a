//! What a vendor allows: requests in flight, lengths of URLs, and what may be sent again.

use serde::Deserialize;

use crate::path_rule::CallPattern;

/// Limits that the proxy keeps on behalf of a vendor.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests in flight at one host.
    pub concurrency: Option<Concurrency>,
    /// Longest URL, and what to do beyond.
    pub long_url: Option<LongUrl>,
}

/// Requests in flight at one host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concurrency {
    /// The vendor's own limit for a host, shared with everybody else who uses it.
    pub max: u32,
    /// What we start with: well below the limit, because people's browsers share it.
    pub start: u32,
    /// The header in which the vendor says how many requests are running.
    pub running_header: Option<String>,
    /// The header in which the vendor says what its limit is.
    pub limit_header: Option<String>,
}

/// A GET with a longer URL becomes a POST with the parameters in its body.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongUrl {
    /// Longest path and query in bytes.
    pub max: usize,
    /// The header that names the method that is meant.
    pub override_header: String,
}

/// What may be sent again after a failure.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Error codes with which the vendor says that nothing was done: every method may be sent again.
    pub nothing_done: Vec<String>,
    /// Calls that are never sent again, because they change something by being asked.
    pub never: Vec<CallPattern>,
}

/// Where a vendor's error answer keeps its parts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorBody {
    /// The JSON member with the error code.
    pub code: Option<String>,
    /// The JSON member with the request id.
    pub id: Option<String>,
    /// The JSON member with the message.
    pub message: Option<String>,
    /// The response header that repeats the code.
    pub code_header: Option<String>,
}
