//! Where other people's packages may come from, under which licences, and which may not come at all.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::finding::Finding;
use crate::checkout::Checkout;
use crate::command::output;

/// Licences that let us ship one binary under Apache-2.0.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages that stay out, and why.
const BANNED: &[(&str, &str)] = &[
    ("ring", "aws-lc-rs is the one cryptographic library: two of them panic at the first TLS connection"),
    ("openssl", "aws-lc-rs is the one cryptographic library, and the binary links nothing of the system's"),
    (
        "openssl-sys",
        "aws-lc-rs is the one cryptographic library, and the binary links nothing of the system's",
    ),
    ("native-tls", "rustls is the one TLS library"),
    ("reqwest", "every outbound request goes through egress"),
];

/// A package that is built into the product or into its tests on this platform.
pub(super) struct Package {
    name: String,
    version: String,
    /// An expression of SPDX names; empty when the package names none.
    licence: String,
    is_from_repository: bool,
}

/// Every package that is built. `cargo metadata` would also list those that only a feature nobody switches on needs.
pub(super) fn built(checkout: &Checkout) -> Result<Vec<Package>> {
    let mut tree = checkout.cargo();
    tree.args(["tree", "--workspace", "--prefix", "none", "--format", "{p}|{l}"]);
    let tree = output(&mut tree)?;
    let lines: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    lines
        .into_iter()
        .filter(|line| !line.is_empty())
        .map(|line| Package::read(line).with_context(|| format!("cargo tree wrote `{line}`")))
        .collect()
}

/// Checks every package that is built.
pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(check_package).collect()
}

impl Package {
    /// Reads `name v1.2.3 (where it comes from)|licence`; what comes from the registry has no parenthesis with a URL.
    fn read(line: &str) -> Option<Self> {
        let (package, licence) = line.split_once('|')?;
        let mut words = package.split(' ');
        Some(Self {
            name: words.next()?.to_owned(),
            version: words.next()?.strip_prefix('v')?.to_owned(),
            licence: licence.to_owned(),
            is_from_repository: words.any(|word| word.contains("://")),
        })
    }
}

fn check_package(package: &Package) -> Vec<Finding> {
    let Package { name, version, licence, is_from_repository } = package;
    let breach =
        |message: String| Finding::breach("Cargo.lock", None, format!("{name} {version}: {message}"));
    let mut findings = Vec::new();
    if let Some((_, reason)) = BANNED.iter().find(|(banned, _)| banned == name) {
        findings.push(breach(format!("banned, {reason}. `cargo tree -i {name}` shows who brings it")));
    }
    if *is_from_repository {
        findings.push(breach("comes from a repository: use a published version".to_owned()));
    }
    if licence.is_empty() {
        findings.push(breach("names no licence".to_owned()));
    } else if !is_permitted(licence) {
        findings.push(breach(format!("the licence `{licence}` is not one of those we can ship")));
    }
    findings
}

/// Whether an SPDX expression can be met with permitted licences. `AND` binds closer than `OR`; a `/` is the old way of
/// writing `OR`.
fn is_permitted(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (permitted, rest) = any_of(&words);
    permitted && rest.is_empty()
}

fn any_of<'a, 'b>(words: &'a [&'b str]) -> (bool, &'a [&'b str]) {
    let (mut permitted, mut rest) = all_of(words);
    while let Some(("OR", after)) = rest.split_first().map(|(word, after)| (*word, after)) {
        let (next, after) = all_of(after);
        (permitted, rest) = (permitted | next, after);
    }
    (permitted, rest)
}

fn all_of<'a, 'b>(words: &'a [&'b str]) -> (bool, &'a [&'b str]) {
    let (mut permitted, mut rest) = one(words);
    while let Some(("AND", after)) = rest.split_first().map(|(word, after)| (*word, after)) {
        let (next, after) = one(after);
        (permitted, rest) = (permitted & next, after);
    }
    (permitted, rest)
}

fn one<'a, 'b>(words: &'a [&'b str]) -> (bool, &'a [&'b str]) {
    match words {
        ["(", rest @ ..] => match any_of(rest) {
            (permitted, [")", rest @ ..]) => (permitted, rest),
            (_, rest) => (false, rest),
        },
        [licence, "WITH", exception, rest @ ..] => {
            (LICENCES.contains(&format!("{licence} WITH {exception}").as_str()), rest)
        }
        [licence, rest @ ..] => (LICENCES.contains(licence), rest),
        [] => (false, words),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::*;

    #[test]
    fn an_expression_is_read_as_spdx_means_it() {
        for (expression, expected) in [
            ("MIT", true),
            ("MIT OR Apache-2.0", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0", false),
            ("Apache-2.0 OR GPL-2.0-only", true),
            ("MIT AND GPL-2.0-only", false),
            ("(MIT OR GPL-2.0-only) AND Unicode-3.0", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("GPL-2.0 WITH Classpath-exception-2.0", false),
            ("ISC AND (Apache-2.0 OR ISC) AND OpenSSL", true),
            ("(MIT", false),
            ("", false),
        ] {
            assert_eq!(is_permitted(expression), expected, "{expression}");
        }
    }

    #[test]
    fn a_package_that_may_not_come_is_named_with_the_reason() {
        let packages = [
            "good v1.0.0|MIT",
            "ours v0.1.0 (/checkout/crates/ours)|Apache-2.0",
            "ring v0.17.14|ISC",
            "fork v1.0.0 (https://forge.test/fork#0123abcd)|MIT",
            "closed v1.0.0 (proc-macro)|",
            "copyleft v1.2.1+spec-1.1.0|AGPL-3.0-only",
        ]
        .map(|line| Package::read(line).expect(line));
        insta::assert_snapshot!(lines(&check(&packages)), @r"
        error: Cargo.lock: ring 0.17.14: banned, aws-lc-rs is the one cryptographic library: two of them panic at the first TLS connection. `cargo tree -i ring` shows who brings it
        error: Cargo.lock: fork 1.0.0: comes from a repository: use a published version
        error: Cargo.lock: closed 1.0.0: names no licence
        error: Cargo.lock: copyleft 1.2.1+spec-1.1.0: the licence `AGPL-3.0-only` is not one of those we can ship
        ");
    }
}
