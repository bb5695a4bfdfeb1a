//! What the tests find in their environment.

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::checkout::Checkout;
use crate::command::say;
use crate::tools::node::Node;
use crate::tools::{chromium, kintone_openapi, npm_clients, postgresql};

/// Finds or installs everything, saying each step, and returns the variables that tell the tests where it is.
///
/// Everything that cannot be had is named at once, so that nobody has to come back for the next one.
pub(super) fn prepare(checkout: &Checkout) -> Result<Vec<(&'static str, OsString)>> {
    let mut variables: Vec<(&'static str, OsString)> = Vec::new();
    let mut missing = Vec::new();
    match postgresql::find_or_install() {
        Ok(directory) => {
            say(&format!("PostgreSQL: {}", directory.display()));
            variables.push(("PG_BIN", directory.into()));
        }
        Err(error) => missing.push(error),
    }
    for found in [chromium(), node_and_clients(checkout)] {
        match found {
            Ok(found) => variables.extend(found),
            Err(error) => missing.push(error),
        }
    }
    match kintone_openapi::find(checkout) {
        Ok(Some(document)) => {
            say(&format!("Kintone's OpenAPI document: {}", document.display()));
            variables.push(("KINTONE_OPENAPI", document.into()));
        }
        Ok(None) => say(
            "Kintone's OpenAPI document: not here, so the emulator's answers are NOT checked against it in this run \
             (set KINTONE_OPENAPI to the vendor's published document to check them)",
        ),
        Err(error) => missing.push(error),
    }
    if !missing.is_empty() {
        let list: Vec<String> = missing.iter().map(|error| format!("\n- {error:#}")).collect();
        bail!("the tests cannot run, and none is skipped:{}", list.concat());
    }
    Ok(variables)
}

/// What tests in a browser find, and nothing else.
pub(crate) fn prepare_for_browsers(checkout: &Checkout) -> Result<Vec<(&'static str, OsString)>> {
    let mut variables = chromium()?;
    variables.extend(node_and_clients(checkout)?);
    Ok(variables)
}

fn chromium() -> Result<Vec<(&'static str, OsString)>> {
    let browser = chromium::find_or_install()?;
    say(&format!("Chromium: {}", browser.display()));
    Ok(vec![("CHROMIUM_BIN", browser.into())])
}

fn node_and_clients(checkout: &Checkout) -> Result<Vec<(&'static str, OsString)>> {
    let node = Node::find_or_install()?;
    say(&format!("Node.js: {}", node.binary.display()));
    let clients = npm_clients::find_or_install(checkout, &node)?;
    say(&format!("npm clients: {}", clients.display()));
    let path = node.path()?.map(|path| ("PATH", path));
    let variables = [("NODE_BIN", node.binary.into()), ("NPM_CLIENTS_DIR", clients.into())];
    Ok(variables.into_iter().chain(path).collect())
}
