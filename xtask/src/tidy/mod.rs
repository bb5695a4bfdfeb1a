//! `cargo xtask tidy`: the project's own rules on style and structure, beyond what rustfmt and clippy know.
//!
//! Each rule is one file with one function from the sources to findings. The rules look at tracked files only.

mod crate_edges;
mod crate_layout;
mod dependencies;
mod finding;
mod length;
mod machine_paths;
mod metadata;
mod provider_names;
mod readme;
mod rust_text;
mod source;
mod sql;

use anyhow::{Result, bail};

use crate::checkout::Checkout;
use crate::command::say;
use finding::Finding;
use metadata::Metadata;

/// Prints what the rules find, and fails when one of them is broken.
pub(crate) fn run(checkout: &Checkout) -> Result<()> {
    let findings = findings(checkout)?;
    for finding in &findings {
        say(&finding.to_string());
    }
    let broken = findings.iter().filter(|finding| finding.breaks_a_rule()).count();
    if broken > 0 {
        bail!("{broken} findings break a rule of the project");
    }
    say(&format!("tidy: no rule is broken, {} notes", findings.len()));
    Ok(())
}

fn findings(checkout: &Checkout) -> Result<Vec<Finding>> {
    let sources = source::read(checkout)?;
    let members = Metadata::read(checkout)?;
    let packages = dependencies::built(checkout)?;
    let mut findings = Vec::new();
    findings.extend(length::check(&sources));
    findings.extend(crate_layout::check(&sources));
    findings.extend(crate_edges::check(&members));
    findings.extend(dependencies::check(&packages));
    findings.extend(provider_names::check(&sources));
    findings.extend(sql::check(&sources));
    findings.extend(machine_paths::check(&sources));
    findings.extend(readme::check(&sources));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_is_tidy() {
        let checkout = Checkout::find().expect("the tests run in a checkout");
        let broken: Vec<String> = findings(&checkout)
            .expect("the sources can be read")
            .iter()
            .filter(|finding| finding.breaks_a_rule())
            .map(ToString::to_string)
            .collect();
        assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    }
}
