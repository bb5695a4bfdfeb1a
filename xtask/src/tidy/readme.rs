//! A stranger needs two commands: one that shows the product working, one that runs its tests.

use super::finding::Finding;
use super::source::Source;

/// The heading of the section, and the only commands in it.
const HEADING: &str = "Two commands";
const COMMANDS: &[&str] = &["cargo run --release -- demo", "cargo xtask test"];

/// Checks the section of the README. Without a README there is nothing to check yet.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let Some(readme) = sources.iter().find(|source| source.path == "README.md") else {
        return vec![Finding::note("README.md", None, "does not exist yet")];
    };
    let found = commands(&readme.text);
    if found == COMMANDS {
        return Vec::new();
    }
    let message = format!(
        "the section `{HEADING}` has the commands [{}], it must have exactly [{}]",
        found.join(", "),
        COMMANDS.join(", ")
    );
    vec![Finding::breach("README.md", None, message)]
}

/// The lines of the code blocks in the section, without comments and prompts.
fn commands(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut is_section, mut is_block) = (false, false);
    for line in text.lines() {
        if line.starts_with("```") {
            is_block = !is_block;
        } else if !is_block && line.starts_with('#') {
            is_section = line.trim_start_matches('#').trim().eq_ignore_ascii_case(HEADING);
        } else if is_section && is_block {
            let command = line.split(" #").next().unwrap_or_default().trim().trim_start_matches("$ ");
            if !command.is_empty() && !command.starts_with('#') {
                found.push(command);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::super::source::source;
    use super::*;

    #[test]
    fn the_section_has_exactly_the_two_commands() {
        let good = "# Tombolo\n```\ncargo fetch\n```\n## Two commands\n```sh\n# a comment\ncargo run --release -- demo   # two minutes\n```\n\
                    and\n```sh\n$ cargo xtask test\n```\n## More\n```sh\ncargo doc\n```\n";
        assert_eq!(lines(&check(&[source("README.md", good)])), "");
        let bad = "## Two commands\n```sh\napt-get install cmake\ncargo run --release -- demo\n```\n";
        insta::assert_snapshot!(lines(&check(&[source("README.md", bad)])), @"error: README.md: the section `Two commands` has the commands [apt-get install cmake, cargo run --release -- demo], it must have exactly [cargo run --release -- demo, cargo xtask test]");
    }
}
