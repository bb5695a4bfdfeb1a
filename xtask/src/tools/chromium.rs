//! Chromium: what people see is tested in a real browser.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{apt, named, on_path};

/// The names under which systems have it.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The browser: that of `CHROMIUM_BIN`, otherwise one on the path, otherwise Debian's package.
pub(crate) fn find_or_install() -> Result<PathBuf> {
    let is_there = |file: &std::path::Path| file.is_file();
    if let Some(named) = named::path("CHROMIUM_BIN", "the program of Chromium", is_there)? {
        return Ok(named);
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    apt::install(&["chromium"], "Chromium")?;
    find().context("apt installed Chromium, but there is no `chromium` on the path")
}

fn find() -> Option<PathBuf> {
    NAMES.into_iter().find_map(on_path)
}
