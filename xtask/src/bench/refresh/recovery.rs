//! A process is killed at each step of a refresh, and the other one takes over.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::installation::{Installation, LATE};
use super::vendor::{HoldAt, Vendor};

/// How long a refresh may take to come to the step at which its process is killed.
const PATIENCE: Duration = Duration::from_secs(30);
/// The process that is killed, and the one that takes over.
const VICTIM: usize = 0;
const HEIR: usize = 1;

/// Where the process is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    BeforeRequest,
    RequestSent,
    TokensReplaced,
    BeforeCommit,
    AfterCommit,
}

/// A kill, and what has to come of it.
pub(super) struct Case {
    step: Step,
    /// Whether the vendor takes the last refresh token once more.
    pub(super) is_lenient: bool,
    /// Whether the connection must go on by itself. A strict vendor that has replaced the tokens cannot be told from a
    /// dead authorization by anybody; then the answer has to say so.
    must_go_on: bool,
}

/// What came of a kill.
pub(super) struct Recovery {
    /// From the kill to the answer of the other process.
    pub(super) took: Duration,
    /// Whether the answer is the one that has to come.
    pub(super) is_right: bool,
    /// What was answered.
    pub(super) answer: String,
    /// Rights to renew that are still held.
    pub(super) held_leases: String,
}

/// Every step, at a strict vendor and, where it makes a difference, at a lenient one.
pub(super) const CASES: [Case; 7] = [
    Case { step: Step::BeforeRequest, is_lenient: false, must_go_on: true },
    Case { step: Step::RequestSent, is_lenient: false, must_go_on: true },
    Case { step: Step::TokensReplaced, is_lenient: false, must_go_on: false },
    Case { step: Step::TokensReplaced, is_lenient: true, must_go_on: true },
    Case { step: Step::BeforeCommit, is_lenient: false, must_go_on: false },
    Case { step: Step::BeforeCommit, is_lenient: true, must_go_on: true },
    Case { step: Step::AfterCommit, is_lenient: false, must_go_on: true },
];

impl Case {
    /// What the table calls it.
    pub(super) fn name(&self) -> &'static str {
        match (self.step, self.is_lenient) {
            (Step::BeforeRequest, _) => "before the request",
            (Step::RequestSent, _) => "request sent, vendor did nothing",
            (Step::TokensReplaced, false) => "tokens replaced, no answer",
            (Step::TokensReplaced, true) => "tokens replaced, no answer, lenient vendor",
            (Step::BeforeCommit, false) => "answered, not committed",
            (Step::BeforeCommit, true) => "answered, not committed, lenient vendor",
            (Step::AfterCommit, _) => "after the commit",
        }
    }

    /// Kills the one process in the middle of a refresh of this family, and measures the other. Both run afterwards.
    pub(super) fn run(
        &self,
        installation: &mut Installation,
        vendor: &Vendor,
        family: u32,
    ) -> Result<Recovery> {
        vendor.end([family]);
        let lock = match self.step {
            // Read between the noting of the refresh and the request.
            Step::BeforeRequest => {
                Some(installation.postgres.lock("LOCK TABLE oauth_clients IN ACCESS EXCLUSIVE MODE")?)
            }
            // Written with the tokens.
            Step::BeforeCommit => {
                let row =
                    format!("SELECT 1 FROM connections WHERE name = '{LATE} {family}' FOR NO KEY UPDATE");
                Some(installation.postgres.lock(&row)?)
            }
            Step::RequestSent => {
                vendor.hold(family, HoldAt::Unprocessed);
                None
            }
            Step::TokensReplaced => {
                vendor.hold(family, HoldAt::Unanswered);
                None
            }
            Step::AfterCommit => None,
        };
        let mut caller = installation.caller(VICTIM)?;
        let call = thread::spawn(move || caller.call(LATE, &family.to_string()));
        match self.step {
            Step::BeforeRequest | Step::BeforeCommit => installation.postgres.wait_for_blocked(PATIENCE)?,
            Step::RequestSent | Step::TokensReplaced => {
                if !vendor.wait_for_held(PATIENCE) {
                    bail!("no refresh has arrived");
                }
            }
            // Nobody is answered before the tokens are stored.
            Step::AfterCommit => {
                while !call.is_finished() {
                    thread::sleep(Duration::from_millis(1));
                }
            }
        }
        installation.kill(VICTIM)?;
        let killed = Instant::now();
        drop(lock);
        vendor.let_go();
        // Whoever called the process that is gone has lost its connection.
        let _ = call.join();
        let (status, said) = installation.caller(HEIR)?.call(LATE, &family.to_string())?;
        let took = killed.elapsed();
        let is_right = if self.must_go_on {
            status == 200
        } else {
            said.contains("authorization_dead") && said.contains("ended without a word")
        };
        let held_leases = installation.held_leases()?;
        installation.start_again(VICTIM)?;
        Ok(Recovery { took, is_right, answer: format!("{status} {said}"), held_leases })
    }
}
