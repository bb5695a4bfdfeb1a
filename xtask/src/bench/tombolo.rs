//! Tombolo as a subject: the program as it is shipped, with one connection whose secret the upstream wants to see.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::process::{Process, Scratch, free_port};
use super::program::build;
use super::subject::{Running, SUBJECT_CORE, Subject};
use super::upstream::{HOST, SECRET, SECRET_HEADER, Upstream};
use crate::checkout::Checkout;
use crate::command::output;

/// The name of provider, integration and connection.
const NAME: &str = "bench";

/// Builds the program as it is shipped, starts it on the core of the subjects with one connection whose secret is
/// [`Upstream::SECRET`](super::upstream::SECRET), and waits until it is ready.
pub(super) fn as_subject(checkout: &Checkout, upstream: &Upstream, tls: bool) -> Result<Running> {
    let program = build(checkout, "dist")?;
    let scratch = Scratch::new()?;
    let port = free_port()?;
    write_files(scratch.path(), port, upstream, tls)?;
    let configuration = scratch.path().join("tombolo.toml");
    let arguments = ["serve", "--config", &configuration.display().to_string()];
    let mut process = Process::start(SUBJECT_CORE, &program, &arguments, scratch)?;
    let base = format!("http://127.0.0.1:{port}");
    process.wait_for(&format!("{base}/health"))?;

    let command = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("--config").arg(&configuration).args(arguments).env("BENCH_SECRET", SECRET);
        output(&mut command)
    };
    let create = ["connection", "create", "--provider", NAME, "--name", NAME, "--no-test"];
    command(&[&create[..], &["--secret-from", "token=env:BENCH_SECRET"]].concat())?;
    let key = command(&["api-key", "create", NAME])?;
    let headers = vec![
        format!("Authorization: Bearer {}", key.trim()),
        format!("Connection-Id: {NAME}"),
        format!("Provider-Config-Key: {NAME}"),
    ];
    Ok(Running { subject: Subject::Tombolo, process, base_url: format!("{base}/proxy"), headers })
}

/// The provider file and the configuration: one proxy thread, and the upstream's host mapped to its port.
fn write_files(directory: &Path, port: u16, upstream: &Upstream, tls: bool) -> Result<()> {
    let providers = directory.join("providers");
    std::fs::create_dir(&providers)?;
    std::fs::write(providers.join(format!("{NAME}.yaml")), provider())?;
    let way = if tls {
        format!(
            "address = \"127.0.0.1:{}\", authority_file = \"{}\"",
            upstream.https_port,
            upstream.authority().display()
        )
    } else {
        format!("address = \"127.0.0.1:{}\", without_tls = true", upstream.http_port)
    };
    let configuration = format!(
        "data_dir = \"{data}\"\n[server]\nlisten = \"127.0.0.1:{port}\"\nproxy_threads = 1\n\
         [providers]\ndirectory = \"{providers}\"\n[verification]\nevery_hours = 0\n\
         [egress]\nconnect_to = [{{ host = \"{HOST}\", {way} }}]\n[log]\nfilter = \"warn\"\n",
        data = directory.join("data").display(),
        providers = providers.display(),
    );
    std::fs::write(directory.join("tombolo.toml"), configuration)?;
    Ok(())
}

fn provider() -> String {
    format!(
        "id: {NAME}
name: {{ en: Benchmark, ja: ベンチマーク }}
description: {{ en: The upstream of the benchmark., ja: ベンチマークの接続先です。 }}
documentation: https://example.com/
hosts: [{HOST}]
base_url: https://{HOST}
auth:
  - id: token
    name: {{ en: Token, ja: トークン }}
    type: api_key
    header: {SECRET_HEADER}
    fields:
      token: {{ label: {{ en: Token, ja: トークン }}, secret: true }}
strip_headers: [{SECRET_HEADER}]
test:
  - id: credential
    name: {{ en: The credential is accepted, ja: 認証情報が受け付けられる }}
    request: {{ path: /check }}
    accept: {{ json: true }}
"
    )
}
