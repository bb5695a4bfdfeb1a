//! Programs of Node.js beside the tests, with the published packages that they need. `NPM_CLIENTS_DIR` names the folder whose
//! `node_modules` holds those, `CHROMIUM_BIN` the browser; `cargo xtask test` sets both.

use std::path::Path;
use std::process::Command;

use crate::app::{App, OTHER_TOKEN, PASSWORD, TOKEN};

/// Everything, and what has to be granted by its name.
pub const SCOPES: [&str; 2] = ["environment:*", "environment:connections:read_credentials"];

/// Runs a program of `tests/` against a server, with a key of the default environment. Its last line has to say that
/// all passed.
pub async fn run(app: &App, key: &str, program: &str, variables: &[(&str, String)]) {
    for needed in ["NPM_CLIENTS_DIR", "CHROMIUM_BIN"] {
        if std::env::var_os(needed).is_none() {
            eprintln!("NOT RUN: {program} is not run, because {needed} is unset");
            return;
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(program);
    let mut node = Command::new(std::env::var_os("NODE_BIN").unwrap_or_else(|| "node".into()));
    node.arg(path)
        .env("BASE_URL", app.url())
        .env("API_KEY", key)
        .env("VENDOR_CONTROL_URL", app.vendor_control_url())
        .env("VENDOR_TOKEN", TOKEN)
        .env("VENDOR_OTHER_TOKEN", OTHER_TOKEN)
        .env("VENDOR_PASSWORD", PASSWORD)
        .envs(variables.iter().map(|(name, value)| (*name, value)));
    let output = tokio::task::spawn_blocking(move || node.output().expect("node runs")).await;
    let output = output.expect("node ends");
    let (printed, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{printed}{complained}");
    assert!(output.status.success() && printed.ends_with("all passed\n"), "{program} failed");
}
