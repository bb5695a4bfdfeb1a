use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep};

/// A moment that can be moved at no cost.
///
/// A timer per request would be registered and removed millions of times for nothing. This one is registered
/// once per connection: moving the moment later only notes it, and the timer, when it fires early, is set anew.
#[derive(Debug)]
pub(crate) struct Deadline {
    due: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(crate) fn new(due: Instant) -> Self {
        Self { due, timer: Box::pin(tokio::time::sleep_until(due)) }
    }

    pub(crate) fn set(&mut self, due: Instant) {
        self.due = due;
        if self.timer.deadline() > due {
            self.timer.as_mut().reset(due);
        }
    }

    /// Ready once the moment has passed.
    pub(crate) fn poll_passed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            if self.timer.deadline() >= self.due {
                return Poll::Ready(());
            }
            let due = self.due;
            self.timer.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Deadline;

    #[tokio::test]
    async fn the_moment_that_counts_is_the_last_one_set() {
        let start = Instant::now();
        let mut deadline = Deadline::new(start + Duration::from_millis(20));
        deadline.set(start + Duration::from_mins(5));
        deadline.set(start + Duration::from_millis(60));
        std::future::poll_fn(|context| deadline.poll_passed(context)).await;
        assert!(start.elapsed() >= Duration::from_millis(60));

        // Once passed it can be used again.
        let again = Instant::now();
        deadline.set(again + Duration::from_millis(30));
        std::future::poll_fn(|context| deadline.poll_passed(context)).await;
        assert!(again.elapsed() >= Duration::from_millis(30));
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
