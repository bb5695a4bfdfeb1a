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
    /// The source of the test: without it there is nothing to generate yet.
    source: &'static str,
    /// The test's full name.
    test: &'static str,
}

const FILES: &[Generated] = &[Generated {
    path: "docs/openapi.json",
    package: "tombolo-server",
    source: "crates/server/tests/it/document.rs",
    test: "document::the_checked_in_document_is_that_of_the_routes",
}];

/// Writes the files, or with `check` fails when one would change.
pub(crate) fn run(checkout: &Checkout, check: bool) -> Result<()> {
    let mut stale = Vec::new();
    for file in FILES {
        if !checkout.root().join(file.source).is_file() {
            say(&format!("{}: nothing to do, {} does not exist yet", file.path, file.source));
        } else if !check {
            file.write(checkout).with_context(|| format!("{} could not be made", file.path))?;
            say(&format!("{}: written", file.path));
        } else if let Err(error) = file.compare(checkout) {
            say(&format!("{}: {error:#}", file.path));
            stale.push(file.path);
        } else {
            say(&format!("{}: up to date", file.path));
        }
    }
    if !stale.is_empty() {
        bail!("not up to date: {}. Run `cargo xtask generate` and commit the result", stale.join(", "));
    }
    Ok(())
}

impl Generated {
    fn write(&self, checkout: &Checkout) -> Result<()> {
        self.run_test(checkout.cargo().args(["test", "--package", self.package]).env(WRITE, "1"))
    }

    /// Asks for the whole workspace, as the tests do: with one package alone its dependencies would be built anew, with
    /// other features.
    fn compare(&self, checkout: &Checkout) -> Result<()> {
        self.run_test(checkout.cargo().args(["test", "--workspace"]).env_remove(WRITE))
    }

    /// Runs the test. A name that matches none would otherwise pass for success.
    fn run_test(&self, cargo: &mut std::process::Command) -> Result<()> {
        let printed = output(cargo.args(["--test", "it", "--", "--exact", self.test]))?;
        if !printed.lines().any(|line| line == format!("test {} ... ok", self.test)) {
            bail!("there is no test `{}` in {}", self.test, self.source);
        }
        Ok(())
    }
}
