//! The proxy: a caller's request goes out with the credential of a connection, and the answer streams back.

mod answer;
mod body;
mod call;
mod governor;
mod headers;
mod json_scan;
mod long_url;
pub mod path;
mod plan;
mod query;
mod retry;
mod selection;

pub use answer::{Answer, AnswerBody};
pub use call::{Call, CallBody, Lane, send};
pub(crate) use call::{header_lines, is_json};
pub(crate) use governor::Governors;
pub use governor::HostLoad;
pub(crate) use plan::{Freshness, PlanSource, certified_prefix, origin, route_options};
pub use plan::{Learned, Plan};
