//! How many requests of a tenant are running.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the running requests of one tenant.
#[derive(Debug, Default, Clone)]
pub(crate) struct RunningCounter(Arc<AtomicUsize>);

/// A running request; it counts until it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    counter: Arc<AtomicUsize>,
    /// How many ran when this one began, itself included.
    pub(crate) at_start: usize,
}

impl RunningCounter {
    /// Counts a request from now on.
    pub(crate) fn enter(&self) -> Running {
        let before = self.0.fetch_add(1, Ordering::AcqRel);
        Running { counter: Arc::clone(&self.0), at_start: before + 1 }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::AcqRel);
    }
}
