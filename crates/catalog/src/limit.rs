//! What a vendor allows: requests in flight, lengths of URLs, and what may be sent again.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

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
    /// Response headers beside `Retry-After` that say how many seconds to wait.
    pub after: Vec<String>,
    /// Response headers that say at which moment to come back: seconds or milliseconds since 1970, a date, or seconds from
    /// now.
    pub at: Vec<String>,
    /// The response header that says how much may still be sent: a refusal with 0 is one for the moment.
    pub remaining: Option<String>,
    /// Statuses beside 429 and 502 to 504 with which the vendor says that it cannot at the moment.
    pub statuses: Vec<StatusRange>,
}

/// A status such as `403`, or a hundred of them such as `5xx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusRange {
    /// One status.
    One(u16),
    /// All that begin with this digit.
    Hundred(u16),
}

impl StatusRange {
    /// Whether a status is meant.
    pub fn covers(self, status: u16) -> bool {
        match self {
            Self::One(known) => known == status,
            Self::Hundred(digit) => status / 100 == digit,
        }
    }

    fn read(text: &str) -> Option<Self> {
        if let Some(digit) = text.strip_suffix("xx") {
            return digit.parse().ok().filter(|digit| matches!(digit, 4 | 5)).map(Self::Hundred);
        }
        text.parse().ok().filter(|status| matches!(status, 400..=599)).map(Self::One)
    }
}

impl<'de> Deserialize<'de> for StatusRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = StatusRange;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a status from 400 to 599, `4xx` or `5xx`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<StatusRange, E> {
                StatusRange::read(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<StatusRange, E> {
                StatusRange::read(&number.to_string())
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// How a vendor parts long lists. Kept for whoever reads lists; calls go through as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pagination {
    /// The way: by a link, a cursor, or an offset.
    pub kind: PaginationKind,
    /// Where in an answer the items are; the whole answer when absent.
    pub items: Option<String>,
    /// The parameter that asks for so many items, and the most that are asked for.
    pub limit_parameter: Option<String>,
    /// How many items are asked for.
    pub limit: Option<u32>,
    /// The relation in the header `Link` that leads on.
    pub link_relation: Option<String>,
    /// Where in an answer the link that leads on is.
    pub link_member: Option<String>,
    /// Where in an answer the cursor is.
    pub cursor_member: Option<String>,
    /// The parameter that takes the cursor.
    pub cursor_parameter: Option<String>,
    /// The parameter that takes the offset.
    pub offset_parameter: Option<String>,
    /// The first offset.
    pub offset_start: Option<u32>,
    /// Whether the offset counts pages, not items.
    pub offset_counts_pages: bool,
    /// Whether the parameters travel in the body.
    pub in_body: bool,
}

/// The way in which a vendor parts long lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaginationKind {
    /// An answer has the link to the next.
    #[default]
    Link,
    /// An answer has a text that the next request takes along.
    Cursor,
    /// Requests count.
    Offset,
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
