//! Every crate has the same shape: a README that is its documentation, and one integration test program.

use super::finding::Finding;
use super::source::Source;

const DOCUMENTATION: &str = "#![doc = include_str!(\"../README.md\")]";

/// Checks the roots of the crates and the folders of their tests.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("crates/")) {
        let parts: Vec<&str> = source.path.split('/').collect();
        match parts.as_slice() {
            [_, _, "src", "lib.rs"] if !source.text.starts_with(DOCUMENTATION) => {
                findings.push(Finding::breach(
                    &source.path,
                    Some(1),
                    format!("the crate's README is its documentation: begin with `{DOCUMENTATION}`"),
                ));
            }
            [_, name, "tests", file] if source.is_rust() => findings.push(Finding::breach(
                &source.path,
                None,
                format!(
                    "one test program for each crate: make {file} a module of crates/{name}/tests/it/main.rs"
                ),
            )),
            [_, _, "Cargo.toml"] if !source.text.contains("[lints]\nworkspace = true") => {
                findings.push(Finding::breach(
                    &source.path,
                    None,
                    "the lints of the workspace are not switched on: add `[lints]` with `workspace = true`",
                ));
            }
            _ => {}
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::super::source::source;
    use super::*;

    #[test]
    fn a_crate_of_another_shape_is_refused() {
        let found = check(&[
            source("crates/a/src/lib.rs", "//! A crate.\n"),
            source("crates/b/src/lib.rs", &format!("{DOCUMENTATION}\n")),
            source("crates/a/tests/proxy.rs", ""),
            source("crates/a/tests/it/main.rs", ""),
            source("crates/a/Cargo.toml", "[package]\n"),
        ]);
        insta::assert_snapshot!(lines(&found), @r#"
        error: crates/a/src/lib.rs:1: the crate's README is its documentation: begin with `#![doc = include_str!("../README.md")]`
        error: crates/a/tests/proxy.rs: one test program for each crate: make proxy.rs a module of crates/a/tests/it/main.rs
        error: crates/a/Cargo.toml: the lints of the workspace are not switched on: add `[lints]` with `workspace = true`
        "#);
    }
}
