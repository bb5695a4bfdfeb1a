//! The vendor's published clients, which are installed apart: `NPM_CLIENTS_DIR` names the folder whose
//! `node_modules` holds what `tests/npm/package.json` lists.

use std::path::Path;
use std::process::Command;

use crate::client::{CUSTOMERS, ORDERS, PRODUCTS_VIEW, service};

async fn run(tenant: &str, script: &'static str, credential: Vec<(&'static str, String)>) {
    let Some(clients) = std::env::var_os("NPM_CLIENTS_DIR") else {
        eprintln!("NOT RUN: {script} is not run, because NPM_CLIENTS_DIR is unset");
        return;
    };
    let service = service().await;
    let base_url = format!("http://localhost:{}/t/{tenant}", service.emulator.http_address().port());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm").join(script);
    let output = tokio::task::spawn_blocking(move || {
        let mut node = Command::new("node");
        node.arg(script).env("NPM_CLIENTS_DIR", clients).env("BASE_URL", base_url).envs(credential);
        node.output().expect("node runs")
    })
    .await
    .unwrap();
    let (printed, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}{complained}");
    assert!(printed.ends_with("all passed\n"), "{printed}{complained}");
}

fn tokens() -> Vec<(&'static str, String)> {
    vec![("API_TOKENS", [CUSTOMERS, ORDERS, PRODUCTS_VIEW].join(","))]
}

fn user() -> Vec<(&'static str, String)> {
    vec![("USERNAME_", "anna".to_owned()), ("PASSWORD", "demo-password-anna".to_owned())]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_javascript_client_with_tokens() {
    run("demo", "rest-api-client.mjs", tokens()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_javascript_client_with_a_password() {
    run("demo", "rest-api-client.mjs", user()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_tool_with_tokens() {
    run("demo", "cli.mjs", tokens()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_tool_with_a_password() {
    run("demo", "cli.mjs", user()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_javascript_client_in_a_guest_space_behind_basic() {
    let mut credential = vec![
        ("BASIC_USERNAME", "gate".to_owned()),
        ("BASIC_PASSWORD", "sample-gate-password".to_owned()),
        ("USERNAME_", "suzuki".to_owned()),
        ("PASSWORD", "sample:password:suzuki".to_owned()),
    ];
    run("sample", "guest-space.mjs", credential.clone()).await;
    credential.truncate(2);
    credential.push(("API_TOKENS", "sampleTokenGuestKadai0000000000000000000".to_owned()));
    run("sample", "guest-space.mjs", credential).await;
}
