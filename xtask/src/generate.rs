//! `cargo xtask generate`: files that are made from the code and checked in, so that a change of them is seen in review.

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::command::{output, say};

/// A checked-in file and how it is made.
struct Generated {
    /// The file, from the root of the checkout.
    path: &'static str,
    /// The source that makes it: without it there is nothing to generate yet.
    source: &'static str,
    /// The arguments of `tombolo` that print the file.
    arguments: &'static [&'static str],
}

const FILES: &[Generated] = &[Generated {
    path: "docs/openapi.json",
    source: "crates/cli/src/command/openapi.rs",
    arguments: &["openapi"],
}];

/// Writes the files, or with `check` fails when one would change.
pub(crate) fn run(checkout: &Checkout, check: bool) -> Result<()> {
    let mut stale = Vec::new();
    for file in FILES {
        if !checkout.root().join(file.source).is_file() {
            say(&format!("{}: nothing to do, {} does not exist yet", file.path, file.source));
            continue;
        }
        let fresh = file.make(checkout).with_context(|| format!("{} could not be made", file.path))?;
        let place = checkout.root().join(file.path);
        let is_current = std::fs::read_to_string(&place).is_ok_and(|present| present == fresh);
        if is_current {
            say(&format!("{}: up to date", file.path));
        } else if check {
            stale.push(file.path);
        } else {
            std::fs::write(&place, fresh)?;
            say(&format!("{}: written", file.path));
        }
    }
    if !stale.is_empty() {
        bail!("not up to date: {}. Run `cargo xtask generate` and commit the result", stale.join(", "));
    }
    Ok(())
}

impl Generated {
    fn make(&self, checkout: &Checkout) -> Result<String> {
        let mut cargo = checkout.cargo();
        let made = output(cargo.args(["run", "--quiet", "--package", "tombolo", "--"]).args(self.arguments))?;
        Ok(format!("{}\n", made.trim_end()))
    }
}
