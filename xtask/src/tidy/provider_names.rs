//! Differences between providers are data: the engine names no provider.

use super::finding::Finding;
use super::source::Source;

/// The crates that treat all providers alike. `catalog` holds the files, `cli` the demonstration.
const ENGINE: &[&str] = &["api", "auth", "egress", "platform", "server", "store", "vault"];

/// Searches what ships of the engine for the ids of the provider files, in names and in strings.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let ids: Vec<String> = sources
        .iter()
        .filter_map(|source| source.path.strip_prefix("providers/")?.strip_suffix(".yaml"))
        .flat_map(|id| [id.to_owned(), id.replace('-', "_")])
        .collect();
    sources
        .iter()
        .filter(|source| source.is_rust() && !source.is_test())
        .filter(|source| source.crate_of_src().is_some_and(|name| ENGINE.contains(&name)))
        .filter(|source| !source.path.contains("/hooks/") && !source.path.ends_with("/hooks.rs"))
        .flat_map(|source| check_file(source, &ids))
        .collect()
}

fn check_file(source: &Source, ids: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in source.shipped_lines() {
        let line = line.to_lowercase();
        if let Some(id) = ids.iter().find(|id| has_name(&line, id)) {
            findings.push(Finding::breach(
                &source.path,
                Some(number),
                format!(
                    "names the provider `{id}`: say it in the provider file, or in a hook that the file names"
                ),
            ));
        }
    }
    findings
}

/// Whether a name stands in a line by itself or as a part of a longer name between `_`, `-` and the like, but not as
/// letters in the middle of another word.
fn has_name(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + name.len()..].chars().next();
        let is_edge = |neighbour: Option<char>| !neighbour.is_some_and(char::is_alphanumeric);
        is_edge(before) && is_edge(after)
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::super::source::source;
    use super::*;

    #[test]
    fn a_provider_in_the_engine_is_found() {
        let code = "// acme is only an example here\nif provider == \"acme\" {}\nlet acme_token = 1;\nlet acmeist = 2;\n\
                    #[cfg(test)]\nmod tests {\n    const X: &str = \"acme\";\n}\n";
        let found = check(&[
            source("providers/acme.yaml", ""),
            source("crates/platform/src/proxy.rs", code),
            source("crates/platform/src/hooks/acme.rs", code),
            source("crates/kintone-emulator/src/lib.rs", code),
            source("crates/platform/tests/it/main.rs", code),
        ]);
        insta::assert_snapshot!(lines(&found), @r"
        error: crates/platform/src/proxy.rs:2: names the provider `acme`: say it in the provider file, or in a hook that the file names
        error: crates/platform/src/proxy.rs:3: names the provider `acme`: say it in the provider file, or in a hook that the file names
        ");
    }
}
