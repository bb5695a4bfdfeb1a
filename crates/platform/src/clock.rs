//! Where time comes from.

use tombolo_store::Timestamp;

/// A source of wall-clock time. Durations are measured with the monotonic clock, which needs no injection.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the system's clock is read")]
    fn now(&self) -> Timestamp {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_milliseconds(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A random number from the operating system, for ids of a process.
pub fn random_number() -> Result<u64, tombolo_vault::RandomnessUnavailable> {
    use tombolo_vault::Random as _;
    let mut bytes = [0; 8];
    tombolo_vault::SystemRandom.fill(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes))
}
