//! The text of our own tables' SQL stands in `store` and nowhere else.

use super::finding::Finding;
use super::source::Source;

/// How a statement begins.
const BEGINNINGS: &[&str] =
    &["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "ALTER TABLE ", "DROP TABLE "];

/// Searches what ships of the other crates.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let elsewhere = sources.iter().filter(|source| {
        source.is_rust() && !source.is_test() && source.crate_of_src().is_some_and(|name| name != "store")
    });
    elsewhere.flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in source.shipped_lines() {
        if let Some(beginning) = BEGINNINGS.iter().find(|beginning| line.contains(*beginning)) {
            findings.push(Finding::breach(
                &source.path,
                Some(number),
                format!("`{}` outside of `store`: give `store` a function for it", beginning.trim_end()),
            ));
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
    fn statements_outside_of_the_store_are_found() {
        let code = "/// SELECT is SQL.\nconst A: &str = \"SELECT id FROM connection\";\nconst B: &str = \"select\";\nconst C: &str = \"UPDATE job SET state = 1\";\n";
        let found = check(&[source("crates/platform/src/a.rs", code), source("crates/store/src/a.rs", code)]);
        insta::assert_snapshot!(lines(&found), @r"
        error: crates/platform/src/a.rs:2: `SELECT` outside of `store`: give `store` a function for it
        error: crates/platform/src/a.rs:4: `UPDATE` outside of `store`: give `store` a function for it
        ");
    }
}
