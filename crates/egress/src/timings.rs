use std::time::{Duration, Instant};

/// Where the time of one request went, in microseconds.
///
/// The first three are zero on a reused connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Name resolution.
    pub dns: u32,
    /// TCP connect, and the tunnel through a proxy server where there is one.
    pub tcp: u32,
    /// TLS handshake.
    pub tls: u32,
    /// From handing the request to the connection until the response head was there.
    pub first_byte: u32,
    /// The connection had served a request before.
    pub reused: bool,
    /// A kept-alive connection turned out to be closed before anything was written to it,
    /// and the request went out on a new one.
    pub retried_stale: bool,
}

/// Whole microseconds since `start`; 71 minutes are the most that it can say.
pub(crate) fn micros_since(start: Instant) -> u32 {
    micros(start.elapsed())
}

pub(crate) fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}
