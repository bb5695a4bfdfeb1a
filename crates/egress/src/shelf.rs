use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::client::conn::http1::SendRequest;

use crate::body::Body;
use crate::deadline::Deadline;
use crate::origin::Origin;
use crate::pool_key::PoolKey;

/// The idle connections of one pool key.
#[derive(Debug)]
pub(crate) struct Shelf {
    key: PoolKey,
    idle_max: usize,
    state: Mutex<State>,
}

/// A connection that no request is using, or that one request has to itself.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) sender: SendRequest<Body>,
    pub(crate) deadline: Deadline,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Idle>,
    retired: bool,
}

#[derive(Debug)]
struct Idle {
    line: Line,
    /// How often the pool was swept since the connection was put here: a clock that costs nothing.
    sweeps: u8,
}

/// A connection goes when it is found idle for the fourth time; the sweeps are a quarter of the idle time apart.
pub(crate) const SWEEPS_UNTIL_DROPPED: u8 = 4;

impl Shelf {
    pub(crate) fn new(key: PoolKey, idle_max: usize) -> Self {
        Self { key, idle_max, state: Mutex::default() }
    }

    pub(crate) fn origin(&self) -> &Origin {
        self.key.origin()
    }

    /// The connection used last, since the others may then become idle for long enough to go.
    pub(crate) fn take(&self) -> Option<Line> {
        let mut state = self.lock();
        while let Some(mut idle) = state.idle.pop() {
            if idle.line.sender.is_ready() {
                return Some(idle.line);
            }
            if !idle.line.sender.is_closed() {
                // Its driver has not caught up, or is still sending a body that was answered early.
                idle.sweeps = 0;
                let ready = state.idle.iter().rposition(|other| other.line.sender.is_ready());
                let found = ready.map(|position| state.idle.remove(position).line);
                state.idle.push(idle);
                return found;
            }
        }
        None
    }

    /// Gives a connection back. It is dropped if it is closed, if there are enough, or if the key is retired.
    pub(crate) fn put(&self, line: Line) {
        let mut state = self.lock();
        if !state.retired && state.idle.len() < self.idle_max && !line.sender.is_closed() {
            state.idle.push(Idle { line, sweeps: 0 });
        }
    }

    /// Drops what is closed or has been idle for too long; true if nothing is left.
    pub(crate) fn sweep(&self) -> bool {
        let mut state = self.lock();
        for idle in &mut state.idle {
            idle.sweeps += 1;
        }
        state.idle.retain(|idle| idle.sweeps < SWEEPS_UNTIL_DROPPED && !idle.line.sender.is_closed());
        state.idle.is_empty()
    }

    /// Drops every idle connection now, and those in use when their request is done.
    pub(crate) fn retire(&self) {
        let mut state = self.lock();
        state.retired = true;
        state.idle.clear();
    }

    pub(crate) fn idle_count(&self) -> usize {
        self.lock().idle.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
