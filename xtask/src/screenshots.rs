//! `cargo xtask screenshots`: what people see, for somebody to look at. The list of pages and states is
//! `crates/server/tests/browser/pages.mjs`.

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::command::say;
use crate::test::environment::prepare_for_browsers;

/// The test that goes through the list.
const TEST: &str = "browser::every_page_in_every_state";

/// Writes `screenshots/AREA-PAGE-STATE-LANGUAGE-THEME-WIDTH.png` and prints the names. Older pictures of the same pages are
/// replaced, others stay. Faults that the test finds on the way are printed and make this fail; the pictures are written
/// all the same.
pub(crate) fn run(checkout: &Checkout, pages: &[String]) -> Result<()> {
    let environment = prepare_for_browsers(checkout)?;
    let directory = checkout.root().join("screenshots");
    let mut command = checkout.cargo();
    command.args([
        "test",
        "--quiet",
        "-p",
        "tombolo-server",
        "--test",
        "it",
        "--",
        "--exact",
        TEST,
        "--nocapture",
    ]);
    command.envs(environment).env("SCREENSHOTS", &directory);
    if !pages.is_empty() {
        command.env("PAGES", pages.join(","));
    }
    let status = command.status().context("cargo could not be started")?;
    say(&format!("the pictures are in {}", directory.display()));
    if !status.success() {
        bail!("some pages are at fault: see the lines above");
    }
    Ok(())
}
