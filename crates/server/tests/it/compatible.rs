//! The published clients of the compatible API, unchanged. `NPM_CLIENTS_DIR` names the folder whose `node_modules` holds
//! them; `cargo xtask test` sets it.

use std::path::Path;
use std::process::Command;

use rstest::rstest;

use crate::app::{App, Engine, TOKEN};

/// Runs a script of the clients against a server.
async fn run(app: &App, script: &str, variables: &[(&str, String)]) {
    let Some(clients) = std::env::var_os("NPM_CLIENTS_DIR") else {
        eprintln!("NOT RUN: {script} is not run, because NPM_CLIENTS_DIR is unset");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm").join(script);
    let scopes = ["environment:*", "environment:connections:read_credentials"];
    let key = app.key_with_scopes(&scopes).await;
    let mut node = Command::new(std::env::var_os("NODE_BIN").unwrap_or_else(|| "node".into()));
    node.arg(script)
        .env("NPM_CLIENTS_DIR", clients)
        .env("BASE_URL", app.url())
        .env("API_KEY", key)
        .env("KINTONE_TOKEN", TOKEN)
        .envs(variables.iter().map(|(name, value)| (*name, value)));
    let output = tokio::task::spawn_blocking(move || node.output().expect("node runs")).await;
    let output = output.expect("node ends");
    let (printed, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && printed.ends_with("all passed\n"), "{printed}{complained}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_back_end_client(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let app = App::start_on(engine).await;
    run(&app, "nango-node.mjs", &[]).await;
}
