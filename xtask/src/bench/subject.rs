//! What is measured: one of several ways from the load generator to the upstream.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use super::process::Process;
use super::upstream::{self, Upstream};
use super::{nginx, tombolo};
use crate::checkout::Checkout;
use crate::command::output;

/// The core that the subject alone has.
pub(super) const SUBJECT_CORE: u32 = 0;
/// The core that the upstream and the load generator share.
pub(super) const OTHER_CORE: u32 = 1;

/// The ways, in the order in which they take turns.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Subject {
    /// The upstream itself, without a proxy.
    Direct,
    /// nginx, which checks a key and puts a header onto the request.
    Nginx,
    /// Ours, which does the same with a sealed secret.
    Tombolo,
}

/// A subject that has been started. It ends when this is dropped.
pub(super) struct Running {
    /// Which one it is.
    pub(super) subject: Subject,
    /// The process that does the work: its CPU time and memory are measured.
    pub(super) process: Process,
    /// Where the load generator sends its requests: scheme, host, port and perhaps a prefix of the path.
    pub(super) base_url: String,
    /// The headers that the load generator sends, as `Name: value`.
    pub(super) headers: Vec<String>,
}

impl Subject {
    /// What the tables call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Direct => "upstream, no proxy",
            Self::Nginx => "nginx",
            Self::Tombolo => "Tombolo",
        }
    }

    /// Starts it on the core of the subjects, and waits until it answers. With `tls` it speaks TLS to the upstream.
    pub(super) fn start(
        self,
        checkout: &Checkout,
        nginx_program: &Path,
        upstream: &Upstream,
        tls: bool,
    ) -> Result<Running> {
        match self {
            Self::Direct => upstream::as_subject(nginx_program),
            Self::Nginx => nginx::as_subject(nginx_program, upstream, tls),
            Self::Tombolo => tombolo::as_subject(checkout, upstream, tls),
        }
    }
}

impl Running {
    /// Proves that the subject does its work: the upstream sees the secret, and somebody without the key gets nothing.
    pub(super) fn check(&self) -> Result<()> {
        let name = self.subject.name();
        let with_key = self.status(&self.headers)?;
        if with_key != "200" {
            bail!(
                "{name} answers {with_key} where the upstream should have seen the injected secret and answered 200"
            );
        }
        let without_key = self.status(&[])?;
        if without_key == "200" {
            bail!("{name} answers 200 to a caller without a key");
        }
        Ok(())
    }

    fn status(&self, headers: &[String]) -> Result<String> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--max-time", "10", "--output", "/dev/null", "--write-out", "%{http_code}"]);
        for header in headers {
            curl.args(["--header", header]);
        }
        let status = output(curl.arg(format!("{}{}", self.base_url, upstream::CHECK_PATH)));
        status.with_context(|| format!("{} does not answer", self.subject.name()))
    }
}
