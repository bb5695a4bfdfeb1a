//! Which crate may use which: the direction of the parts. A new edge is a decision, made here and nowhere else.

use super::finding::Finding;
use super::metadata::{DependencyKind, Metadata, Package};

/// The edges that the design allows, by the names of the folders.
const ALLOWED: &[(&str, &[&str])] = &[
    ("cli", &["server", "platform", "kintone-emulator", "api", "catalog", "egress", "store", "vault"]),
    ("server", &["platform", "api"]),
    ("platform", &["auth", "store", "egress", "catalog", "vault", "api"]),
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

/// Checks every dependency that the manifests of the checkout declare.
pub(super) fn check(members: &Metadata) -> Vec<Finding> {
    members.packages.iter().flat_map(check_package).collect()
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
        let packages = vec![
            package("tombolo", &[("tombolo-server", None), ("clap", None), ("tombolo-auth", None)]),
            package("tombolo-server", &[("axum", None), ("tombolo-store", None), ("tombolo-vault", dev)]),
            package("tombolo-platform", &[("axum", None), ("tombolo-server", None), ("tombolo-server", dev)]),
            package(
                "tombolo-vault",
                &[("tombolo-vault", dev), ("tombolo-kintone-emulator", dev), ("sqlx", None)],
            ),
            package("tombolo-helpers", &[]),
        ];
        insta::assert_snapshot!(lines(&check(&Metadata { packages })), @r"
        error: crates/cli/Cargo.toml: `cli` may not use `auth`. It may use server, platform, kintone-emulator, api, catalog, egress, store, vault; move the code to where it belongs
        error: crates/server/Cargo.toml: `server` may not use `store`. It may use platform, api; move the code to where it belongs
        error: crates/platform/Cargo.toml: `platform` may not use axum: `server` alone speaks HTTP to our callers
        error: crates/platform/Cargo.toml: `platform` may not use `server`: that would be a circle. It may use auth, store, egress, catalog, vault, api; move the code to where it belongs
        error: crates/platform/Cargo.toml: `platform` may not use `server`: that would be a circle. It may use auth, store, egress, catalog, vault, api; move the code to where it belongs
        error: crates/vault/Cargo.toml: `vault` may not use sqlx: `store` alone speaks to the database
        error: crates/helpers/Cargo.toml: the crate `helpers` has no place in the design yet: give it one in xtask/src/tidy/crate_edges.rs
        ");
    }
}
