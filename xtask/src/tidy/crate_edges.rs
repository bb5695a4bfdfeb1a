//! Which crate may use which: the direction of the parts. A new edge is a decision, made here and nowhere else.

use super::finding::Finding;
use super::metadata::{DependencyKind, Metadata, Package};

/// The edges that the design allows, by the names of the folders. ARCHITECTURE.md names the same.
const ALLOWED: &[(&str, &[&str])] = &[
    ("cli", &["server", "platform", "api", "kintone-emulator"]),
    ("server", &["platform", "api"]),
    ("platform", &["auth", "store", "egress", "catalog", "vault"]),
    ("auth", &["catalog"]),
    ("store", &["vault"]),
    ("kintone-emulator", &["catalog"]),
    ("api", &[]),
    ("catalog", &[]),
    ("egress", &[]),
    ("vault", &[]),
    ("xtask", &[]),
];

/// Packages from elsewhere that only some of our crates may know, and why.
const RESERVED: &[(&str, &[&str], &str)] = &[
    ("axum", &["server"], "`server` alone speaks HTTP to our callers"),
    ("utoipa-axum", &["server"], "`server` alone speaks HTTP to our callers"),
    ("sqlx", &["store"], "`store` alone speaks to the database"),
    ("inquire", &["cli"], "`cli` alone speaks to a terminal"),
    ("indicatif", &["cli"], "`cli` alone speaks to a terminal"),
];

/// The crate that tests of any other may use.
const FOR_TESTS: &str = "kintone-emulator";

/// Checks every dependency that the manifests of the checkout declare, and that each allowed edge is there.
pub(super) fn check(members: &Metadata) -> Vec<Finding> {
    members.packages.iter().flat_map(check_package).chain(unused(members)).collect()
}

/// An edge that nobody uses would let the next one who takes it pass without a decision.
fn unused(members: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (from, allowed) in ALLOWED {
        let package = members.packages.iter().find(|package| folder(&package.name) == *from);
        for to in *allowed {
            let is_used = package.is_some_and(|package| {
                package.dependencies.iter().any(|dependency| {
                    folder(&dependency.name) == *to && dependency.kind != Some(DependencyKind::Dev)
                })
            });
            if !is_used {
                let message =
                    format!("`{from}` does not use `{to}`: take the edge away here and in ARCHITECTURE.md");
                findings.push(Finding::breach(file!(), None, message));
            }
        }
    }
    findings
}

fn check_package(package: &Package) -> Vec<Finding> {
    let from = folder(&package.name);
    let manifest =
        if from == "xtask" { "xtask/Cargo.toml".to_owned() } else { format!("crates/{from}/Cargo.toml") };
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == from) else {
        let message =
            format!("the crate `{from}` has no place in the design yet: give it one in {}", file!());
        return vec![Finding::breach(manifest, None, message)];
    };
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let is_for_tests = dependency.kind == Some(DependencyKind::Dev);
        if let Some((name, owners, reason)) = RESERVED.iter().find(|(name, ..)| *name == dependency.name)
            && !is_for_tests
            && !owners.contains(&from)
        {
            findings.push(Finding::breach(&manifest, None, format!("`{from}` may not use {name}: {reason}")));
        }
        let to = folder(&dependency.name);
        let is_ours = ALLOWED.iter().any(|(name, _)| *name == to);
        let is_allowed = if is_for_tests {
            to == from || to == FOR_TESTS || reachable(from).contains(&to)
        } else {
            allowed.contains(&to)
        };
        if is_ours && !is_allowed {
            let may = if allowed.is_empty() { "none of our crates".to_owned() } else { allowed.join(", ") };
            let why = if reachable(to).contains(&from) { ": that would be a circle" } else { "" };
            findings.push(Finding::breach(
                &manifest,
                None,
                format!(
                    "`{from}` may not use `{to}`{why}. It may use {may}; move the code to where it belongs"
                ),
            ));
        }
    }
    findings
}

/// The folder of one of our packages, which is its name without the project's.
fn folder(package: &str) -> &str {
    match package {
        "tombolo" => "cli",
        other => other.strip_prefix("tombolo-").unwrap_or(other),
    }
}

/// Everything that a crate may use, over any number of edges.
fn reachable(from: &str) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        let edges = ALLOWED.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, edges)| edges);
        for edge in edges.iter().copied() {
            if !found.contains(&edge) {
                found.push(edge);
                open.push(edge);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::super::metadata::Dependency;
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<DependencyKind>)]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|(name, kind)| Dependency { name: (*name).to_owned(), kind: *kind })
            .collect();
        Package { name: name.to_owned(), dependencies }
    }

    #[test]
    fn only_the_edges_of_the_design_pass() {
        let dev = Some(DependencyKind::Dev);
        let packages = [
            package("tombolo", &[("tombolo-server", None), ("clap", None), ("tombolo-auth", None)]),
            package("tombolo-server", &[("axum", None), ("tombolo-store", None), ("tombolo-vault", dev)]),
            package("tombolo-platform", &[("axum", None), ("tombolo-server", None), ("tombolo-server", dev)]),
            package(
                "tombolo-vault",
                &[("tombolo-vault", dev), ("tombolo-kintone-emulator", dev), ("sqlx", None)],
            ),
            package("tombolo-helpers", &[]),
        ];
        let found: Vec<Finding> = packages.iter().flat_map(check_package).collect();
        insta::assert_snapshot!(lines(&found), @r"
        error: crates/cli/Cargo.toml: `cli` may not use `auth`. It may use server, platform, api, kintone-emulator; move the code to where it belongs
        error: crates/server/Cargo.toml: `server` may not use `store`. It may use platform, api; move the code to where it belongs
        error: crates/platform/Cargo.toml: `platform` may not use axum: `server` alone speaks HTTP to our callers
        error: crates/platform/Cargo.toml: `platform` may not use `server`: that would be a circle. It may use auth, store, egress, catalog, vault; move the code to where it belongs
        error: crates/platform/Cargo.toml: `platform` may not use `server`: that would be a circle. It may use auth, store, egress, catalog, vault; move the code to where it belongs
        error: crates/vault/Cargo.toml: `vault` may not use sqlx: `store` alone speaks to the database
        error: crates/helpers/Cargo.toml: the crate `helpers` has no place in the design yet: give it one in xtask/src/tidy/crate_edges.rs
        ");
    }

    #[test]
    fn an_edge_that_no_manifest_uses_is_no_edge() {
        let mut packages: Vec<Package> = ALLOWED
            .iter()
            .map(|(from, allowed)| {
                let names: Vec<String> = allowed.iter().map(|to| format!("tombolo-{to}")).collect();
                let used: Vec<_> = names.iter().map(|name| (name.as_str(), None)).collect();
                package(&format!("tombolo-{from}"), &used)
            })
            .collect();
        assert!(unused(&Metadata { packages: packages.clone() }).is_empty());
        for package in packages.iter_mut().filter(|package| package.name == "tombolo-store") {
            package.dependencies[0].kind = Some(DependencyKind::Dev);
        }
        insta::assert_snapshot!(
            lines(&unused(&Metadata { packages })),
            @"error: xtask/src/tidy/crate_edges.rs: `store` does not use `vault`: take the edge away here and in ARCHITECTURE.md"
        );
    }
}
