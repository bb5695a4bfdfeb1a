//! What the operator measures: the limits towards upstreams, and what the log of calls had to leave out.

use crate::platform::Platform;
use crate::proxy::HostLoad;

/// A moment's figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlatformFigures {
    /// The load of every upstream host that was called since the start, by host.
    pub hosts: Vec<HostLoad>,
    /// How many calls the log had to leave out since the start.
    pub activity_dropped: u64,
}

impl Platform {
    /// The figures of this moment.
    pub fn figures(&self) -> PlatformFigures {
        PlatformFigures { hosts: self.governors.loads(), activity_dropped: self.activity_dropped() }
    }
}
