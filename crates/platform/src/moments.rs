//! Time and chance for requests that are signed.

use std::sync::Arc;

use tombolo_auth::Moment;
use tombolo_vault::Random;

use crate::clock::Clock;
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// Where moments come from.
#[derive(Clone)]
pub(crate) struct Moments {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl Platform {
    /// Where moments come from.
    pub(crate) fn moments(&self) -> Moments {
        Moments { clock: Arc::clone(&self.clock), random: Arc::clone(&self.random) }
    }
}

impl Moments {
    /// A moment of its own for each request.
    pub(crate) fn next(&self) -> Result<Moment, Problem> {
        let mut random = [0; 16];
        self.random.fill(&mut random).map_err(|error| {
            let fix = "Check the operating system's random number generator.";
            Problem::new(ProblemKind::Internal, "no_randomness", error.to_string(), fix)
        })?;
        Ok(Moment { milliseconds: self.clock.now().as_milliseconds(), random })
    }
}
