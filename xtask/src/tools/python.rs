//! Python, for the packages of `PyPI` that carry a program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::{apt, on_path};
use crate::command::run;

/// Makes a virtual environment in a directory of its own, with exactly these packages.
///
/// A virtual environment, because Debian's Python refuses packages beside its own (PEP 668).
pub(crate) fn virtual_environment(directory: &Path, packages: &[&str]) -> Result<()> {
    let python = find_or_install()?;
    if directory.exists() {
        std::fs::remove_dir_all(directory)
            .with_context(|| format!("{} is half made and cannot be removed", directory.display()))?;
    }
    run(Command::new(python).args(["-m", "venv"]).arg(directory))?;
    run(Command::new(directory.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(packages))
}

fn find_or_install() -> Result<PathBuf> {
    if let Some(python) = find() {
        return Ok(python);
    }
    apt::install(&["python3", "python3-venv"], "Python with virtual environments")?;
    find().context("apt installed python3-venv, but `python3 -m venv` still does not work")
}

/// A Python that can make virtual environments: Debian's own cannot until `python3-venv` is there.
fn find() -> Option<PathBuf> {
    let candidates = [on_path("python3"), Some(PathBuf::from("/usr/bin/python3"))];
    candidates.into_iter().flatten().find(|python| {
        let mut probe = Command::new(python);
        probe.args(["-c", "import venv, ensurepip"]).stdin(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    })
}
