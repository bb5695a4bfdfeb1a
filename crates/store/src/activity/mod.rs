//! The log of calls. Every call goes into a packed block; failed and slow ones also get a row with detail.

mod block_reader;
mod blocks;
mod details;
mod dictionary;
mod encoding;

pub use blocks::{ActivityCursor, ActivityFilter, ActivityPage, CallRecord};
pub use details::{CallDetail, CallDetailFilter};
pub use encoding::{BlockEncoder, Call, CorruptBlock, EncodedBlock, Phases, calls_in};
