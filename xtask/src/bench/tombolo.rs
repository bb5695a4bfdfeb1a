//! Tombolo as a subject.

use anyhow::{Result, bail};

use super::subject::Running;
use super::upstream::Upstream;
use crate::checkout::Checkout;

/// Builds the program as it is shipped, starts it on the core of the subjects with one connection whose secret is
/// [`Upstream::SECRET`](super::upstream::SECRET), and waits until it is ready.
pub(super) fn as_subject(_checkout: &Checkout, _upstream: &Upstream, _tls: bool) -> Result<Running> {
    bail!("the server cannot be started by the benchmark yet: measure the others with `--only direct,nginx`")
}
