use thiserror::Error;

/// Where randomness comes in. Tests give a seeded source, everything else [`SystemRandom`].
pub trait Random: Send + Sync {
    /// Fills `bytes` completely, or fails and leaves them unspecified: never use them after an error.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable>;
}

/// The operating system gave no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the operating system gave no randomness; check that /dev/urandom or getrandom works in this sandbox"
)]
pub struct RandomnessUnavailable;

/// The operating system's generator, through aws-lc.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place where system randomness enters")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| RandomnessUnavailable)
    }
}
