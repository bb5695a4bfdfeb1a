//! Published npm packages that the tests use as black-box users and peers: clients of the vendor and of the compatible API,
//! an identity provider, and what drives a browser. Versions and checksums are pinned in
//! `xtask/npm-clients`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::cache_directory;
use super::node::Node;
use crate::checkout::Checkout;
use crate::command::{run, say};

/// The directory whose `node_modules` has the clients.
pub(crate) fn find_or_install(checkout: &Checkout, node: &Node) -> Result<PathBuf> {
    let pins = checkout.root().join("xtask/npm-clients");
    let directory = cache_directory()?.join("npm-clients");
    let wanted = std::fs::read_to_string(pins.join("package-lock.json")).context("npm-clients")?;
    // The copy of the lock file is written last, so it also says that the installation came to its end.
    let done = directory.join("installed-lock.json");
    if std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted)
        && directory.join("node_modules").is_dir()
    {
        return Ok(directory);
    }
    say(&format!("installing the vendor's npm clients into {}", directory.display()));
    std::fs::create_dir_all(&directory)?;
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(pins.join(file), directory.join(file))
            .with_context(|| format!("{file} of the npm clients"))?;
    }
    let mut npm = node.npm();
    // A cache of its own: that of the user may be missing or belong to somebody else.
    npm.arg("--cache").arg(cache_directory()?.join("npm"));
    npm.current_dir(&directory).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
    ]);
    if let Some(path) = node.path()? {
        npm.env("PATH", path);
    }
    run(&mut npm).context("the vendor's npm clients could not be installed")?;
    std::fs::write(done, wanted)?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_of_the_tests_are_written_for_the_pinned_versions() {
        let checkout = Checkout::find().expect("the tests run in a checkout");
        let dependencies = |path: &str| {
            let text = std::fs::read_to_string(checkout.root().join(path)).expect(path);
            let package: serde_json::Value = serde_json::from_str(&text).expect(path);
            package["dependencies"].clone()
        };
        let pinned = dependencies("xtask/npm-clients/package.json");
        let written_for = dependencies("crates/kintone-emulator/tests/npm/package.json");
        for (client, version) in written_for.as_object().expect("dependencies") {
            assert_eq!(&pinned[client], version, "{client}");
        }
    }
}
