use std::time::Duration;

/// A moment as milliseconds since 1970-01-01T00:00:00Z. The store never reads a clock: callers pass the moment in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    const MILLISECONDS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

    /// The moment that lies this many milliseconds after the epoch.
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the epoch.
    pub const fn as_milliseconds(self) -> i64 {
        self.0
    }

    /// The moment `duration` later; stops at the end of time instead of wrapping.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(milliseconds(duration)))
    }

    /// The moment `duration` earlier; stops at the beginning of time instead of wrapping.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(milliseconds(duration)))
    }

    /// How much later this is than another moment; zero when it is not.
    pub fn since(self, other: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(other.0)).unwrap_or(0))
    }

    /// Days since the epoch, in UTC.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(Self::MILLISECONDS_PER_DAY)
    }
}

/// A duration as whole milliseconds; durations beyond 292 million years count as that.
pub(crate) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
