//! `cargo xtask generate`: files that are made from the code and checked in, so that a change of them is seen in review.
//!
//! Each is made by the test that compares it with the code, so that plain `cargo test` finds a stale one too.

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::command::{output, say};

/// Tells the tests to write the files instead of comparing them.
const WRITE: &str = "UPDATE_GENERATED";

/// A checked-in file and the integration test that makes it.
struct Generated {
    /// The file, from the root of the checkout.
    path: &'static str,
    package: &'static str,
    /// The test's full name.
    test: &'static str,
}

const FILES: &[Generated] = &[
    Generated {
        path: "docs/openapi.json",
        package: "tombolo-server",
        test: "document::the_checked_in_document_is_that_of_the_routes",
    },
    Generated {
        path: "docs/configuration.md",
        package: "tombolo-server",
        test: "manual::settings::the_page_of_the_settings_is_that_of_the_file",
    },
];

/// Writes the files.
pub(crate) fn run(checkout: &Checkout) -> Result<()> {
    for file in FILES {
        file.write(checkout).with_context(|| format!("{} could not be made", file.path))?;
        say(&format!("{}: written", file.path));
    }
    Ok(())
}

impl Generated {
    /// Runs the test. A name that matches none would otherwise pass for success.
    fn write(&self, checkout: &Checkout) -> Result<()> {
        let mut cargo = checkout.cargo();
        cargo.args(["test", "--package", self.package, "--test", "it", "--", "--exact", self.test]);
        let printed = output(cargo.env(WRITE, "1"))?;
        if !printed.lines().any(|line| line == format!("test {} ... ok", self.test)) {
            bail!("{} has no test `{}`", self.package, self.test);
        }
        Ok(())
    }
}
