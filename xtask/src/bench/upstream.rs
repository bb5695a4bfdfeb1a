//! The upstream of the benchmark: an nginx that answers from memory, with and without TLS, and only to those who bring
//! the secret.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::nginx;
use super::process::{Process, Scratch, free_port};
use super::subject::{OTHER_CORE, Running, SUBJECT_CORE, Subject};
use crate::command::output;

/// The header that carries the secret to the upstream.
pub(super) const SECRET_HEADER: &str = "X-Bench-Token";
/// The secret, which proves nothing but that it arrived.
pub(super) const SECRET: &str = "bench-upstream-secret-0123456789";
/// Answers 200 to those who bring the secret, 403 to others.
pub(super) const CHECK_PATH: &str = "/check";
/// Answers with 1 KiB of JSON.
pub(super) const SMALL_PATH: &str = "/small";
/// Answers with 100 MB.
pub(super) const LARGE_PATH: &str = "/large";
/// The name in the certificate of the TLS port.
pub(super) const HOST: &str = "upstream.bench.test";

/// The length of the large body.
pub(super) const LARGE_BYTES: usize = 100_000_000;

/// A running upstream.
pub(super) struct Upstream {
    process: Process,
    /// The port that speaks plain HTTP.
    pub(super) http_port: u16,
    /// The port that speaks TLS, with a certificate for [`HOST`].
    pub(super) https_port: u16,
}

impl Upstream {
    /// Starts one on the core that the subjects do not have.
    pub(super) fn start(program: &Path) -> Result<Self> {
        Self::start_on(OTHER_CORE, program)
    }

    /// The certificate authority that issued the upstream's certificate, as a PEM file.
    pub(super) fn authority(&self) -> PathBuf {
        self.process.directory().join("certificate.pem")
    }

    fn start_on(core: u32, program: &Path) -> Result<Self> {
        let (http_port, https_port) = (free_port()?, free_port()?);
        let scratch = Scratch::new()?;
        make_certificate(scratch.path())?;
        std::fs::write(scratch.path().join("large"), vec![b'x'; LARGE_BYTES])
            .context("there is no room for the large body")?;
        let small = small_body();
        let servers = format!(
            r#"
    map $http_x_bench_token $refused {{ default 1; "{SECRET}" 0; }}
    server {{
        listen 127.0.0.1:{http_port} backlog=1024;
        listen 127.0.0.1:{https_port} ssl backlog=1024;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        root .;
        default_type application/json;
        location = {CHECK_PATH} {{ if ($refused) {{ return 403; }} return 200 '{{}}'; }}
        location = {SMALL_PATH} {{ return 200 '{small}'; }}
        location = {LARGE_PATH} {{ }}
    }}"#
        );
        let url = format!("http://127.0.0.1:{http_port}{SMALL_PATH}");
        let process = nginx::start(core, program, scratch, &servers, &url)?;
        Ok(Self { process, http_port, https_port })
    }
}

/// A second upstream, on the core of the subjects: what the machine gives when there is no proxy at all.
pub(super) fn as_subject(program: &Path) -> Result<Running> {
    let upstream = Upstream::start_on(SUBJECT_CORE, program)?;
    Ok(Running {
        subject: Subject::Direct,
        base_url: format!("http://127.0.0.1:{}", upstream.http_port),
        headers: vec![format!("{SECRET_HEADER}: {SECRET}")],
        process: upstream.process,
    })
}

/// 1 KiB of JSON.
fn small_body() -> String {
    let start = r#"{"records":[{"text":""#;
    let end = r#""}]}"#;
    format!("{start}{}{end}", "x".repeat(1024 - start.len() - end.len()))
}

/// A certificate that is its own authority, good for a day.
fn make_certificate(directory: &Path) -> Result<()> {
    let mut openssl = Command::new("openssl");
    openssl.current_dir(directory).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
    ]);
    openssl.args(["-nodes", "-days", "1", "-keyout", "key.pem", "-out", "certificate.pem"]);
    openssl.args(["-subj", &format!("/CN={HOST}"), "-addext", &format!("subjectAltName=DNS:{HOST}")]);
    output(&mut openssl).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_body_is_json_of_a_kibibyte() {
        let body = small_body();
        assert_eq!(body.len(), 1024);
        serde_json::from_str::<serde_json::Value>(&body).expect("JSON");
    }
}
