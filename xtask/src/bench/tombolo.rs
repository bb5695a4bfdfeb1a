//! Tombolo as a subject.
//!
//! It has to do what nginx does in `nginx.rs`: let nobody in without a key, and put `SECRET` into the header
//! `SECRET_HEADER` of every request. Its connection's host is `HOST`, which `egress.connect_to` sends to the upstream's
//! port, with `authority_file` or `without_tls` as the option `--tls` says. Provider file, configuration and data
//! directory belong into a `Scratch`, which goes with the process.

use anyhow::{Result, bail};

use super::subject::Running;
use super::upstream::Upstream;
use crate::checkout::Checkout;

/// Builds the program as it is shipped, starts it on the core of the subjects with one connection whose secret is
/// [`Upstream::SECRET`](super::upstream::SECRET), and waits until it is ready.
pub(super) fn as_subject(_checkout: &Checkout, _upstream: &Upstream, _tls: bool) -> Result<Running> {
    bail!("the server cannot be started by the benchmark yet: measure the others with `--only direct,nginx`")
}
