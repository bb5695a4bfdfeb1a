//! No tracked file knows the machine that it was written on.

use super::finding::Finding;
use super::source::Source;

/// Beginnings of paths of somebody's machine. In two pieces each, so that this file does not find itself.
const BEGINNINGS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("/tmp/tar", "get"),
    concat!("C:\\Us", "ers\\"),
];

/// Searches every tracked text file.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for (index, line) in source.text.lines().enumerate() {
            if let Some(beginning) = BEGINNINGS.iter().find(|beginning| begins_a_path(line, beginning)) {
                findings.push(Finding::breach(
                    &source.path,
                    Some(index + 1),
                    format!("`{beginning}` is a path of one machine: write it from the root of the checkout"),
                ));
            }
        }
    }
    findings
}

/// Whether a beginning stands where a path begins, and not in the middle of a longer path or a URL.
fn begins_a_path(line: &str, beginning: &str) -> bool {
    line.match_indices(beginning).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|character| {
            character.is_alphanumeric() || matches!(character, '.' | '-' | '_' | '}' | '*')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::super::source::source;
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found() {
        let text =
            concat!("see /ho", "me/me/notes\nhttps://example.com/ho", "me/page\n$X/ro", "ot/is fine\n");
        let found = lines(&check(&[source("docs/a.md", text)]));
        assert!(found.starts_with("error: docs/a.md:1: "), "{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
}
