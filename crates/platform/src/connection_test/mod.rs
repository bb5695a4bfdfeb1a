//! The staged connection test: from the host's name to what the credential may do.
//!
//! Every request has a connection of its own, goes out exactly once and never writes anything.

mod judge;
mod placement;
mod report;
mod run;

pub(crate) use judge::verdict;
pub(crate) use placement::{PairedFields, place};
pub use report::{Details, Outcome, StageReport, TestEvent, TestReport, Verdict};
pub(crate) use run::run;
