//! From the `record` of a request to a stored record, and back to the wire.
//!
//! A request writes through one [`Batch`]: [`Batch::insert`] and [`Batch::update`] read and check each record
//! against the app and against what the batch has written so far, and nothing is stored before
//! [`Batch::finish`] has found all of them valid and [`Changes::apply`] puts them into the tenant. So a request
//! is all or nothing, and its refusal lists every wrong cell. [`render::Shown`] writes stored records as JSON text.
//!
//! Field codes that the app does not have are ignored, and so are cells that nobody may write: calculated ones,
//! targets of a lookup, record number, status, assignees, categories. Creator, modifier and the two times can
//! be given with a new record by whoever administers the app; an update ignores them.

mod batch;
mod cell;
mod choice;
mod context;
mod default;
mod entity;
mod error;
mod file;
mod history;
mod lookup;
mod number;
pub mod render;
mod table;
#[cfg(test)]
mod tests;
mod unique;

pub use batch::{Batch, Changes, Written};
pub use context::WriteContext;
pub use error::WriteError;
