//! What a tenant allows at the same time: running requests and open cursors.

mod cursors;
mod daily;
mod running;

pub(crate) use cursors::{Cursor, Cursors};
pub(crate) use daily::DailyRequests;
pub(crate) use running::{Running, RunningCounter};

/// Requests that a tenant runs at the same time.
pub(crate) const MAXIMUM_RUNNING: usize = 100;
/// Cursors that a tenant keeps at the same time.
pub(crate) const MAXIMUM_CURSORS: usize = 10;
/// Minutes after which an unused cursor is gone.
pub(crate) const CURSOR_MINUTES: i64 = 10;
/// Longest request target in bytes.
pub(crate) const MAXIMUM_TARGET: usize = 8_192;
