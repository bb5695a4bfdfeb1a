//! Long files and long functions are questions about the design.

use super::finding::Finding;
use super::source::Source;

/// Lines that ship in one file.
const LONGEST_FILE: usize = 600;
/// Lines from `fn` to the closing brace.
const LONGEST_FUNCTION: usize = 80;

/// A file that is too long breaks the rule, a function that is too long is a note. Tests and generated files may be as
/// long as they are.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let hand_written =
        sources.iter().filter(|source| source.is_rust() && !source.is_test() && !source.is_generated());
    hand_written.flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Finding> {
    let lines = source.shipped_lines();
    let mut findings = Vec::new();
    if lines.len() > LONGEST_FILE {
        findings.push(Finding::breach(
            &source.path,
            None,
            format!(
                "{} lines without its tests, more than {LONGEST_FILE}: split it by what it is about",
                lines.len()
            ),
        ));
    }
    for (index, (number, line)) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indentation = line.len() - line.trim_start().len();
        let end = format!("{}}}", &line[..indentation]);
        let length = lines[index..].iter().position(|(_, line)| *line == end).unwrap_or(0) + 1;
        if length > LONGEST_FUNCTION {
            findings.push(Finding::note(
                &source.path,
                Some(*number),
                format!("`{name}` has {length} lines, more than {LONGEST_FUNCTION}"),
            ));
        }
    }
    findings
}

/// The name of the function that a line begins.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let is_declaration = before.split_whitespace().all(|word| {
        word.starts_with("pub") || word.ends_with(')') || matches!(word, "async" | "const" | "in")
    });
    let name = after.split(['(', '<']).next()?;
    (is_declaration && !name.is_empty() && !line.trim_end().ends_with(';')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::super::source::source;
    use super::*;

    #[test]
    fn long_files_break_the_rule_and_long_functions_are_noted() {
        let long_function = format!(
            "impl X {{\n    pub(crate) async fn slow(&self) {{\n{}    }}\n}}\n",
            "        a;\n".repeat(90)
        );
        let found = check(&[
            source("crates/a/src/long.rs", &"// a comment\nlet x = 1;\n".repeat(301)),
            source(
                "crates/a/src/tested.rs",
                &format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    x;\n".repeat(700)),
            ),
            source("crates/a/src/function.rs", &long_function),
            source(
                "crates/a/src/made.rs",
                &format!("// {}{}", concat!("@", "generated\n"), "x\n".repeat(700)),
            ),
            source("crates/a/tests/it/main.rs", &"x\n".repeat(700)),
        ]);
        insta::assert_snapshot!(lines(&found), @r"
        error: crates/a/src/long.rs: 602 lines without its tests, more than 600: split it by what it is about
        note: crates/a/src/function.rs:2: `slow` has 92 lines, more than 80
        ");
    }
}
