//! The tracked text files, as the rules see them.

use std::path::Path;

use anyhow::{Context, Result};

use super::rust_text;
use crate::checkout::Checkout;

/// A tracked file that is UTF-8 text.
pub(super) struct Source {
    /// The path from the root of the checkout, with `/`.
    pub(super) path: String,
    /// The whole text.
    pub(super) text: String,
}

/// All tracked text files. Pictures and archives are left out.
pub(super) fn read(checkout: &Checkout) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in checkout.tracked_files()? {
        let bytes = std::fs::read(checkout.root().join(&path)).with_context(|| path.clone())?;
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source { path, text });
        }
    }
    Ok(sources)
}

impl Source {
    /// Whether it is Rust.
    pub(super) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }

    /// Whether the whole file is there for tests.
    pub(super) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.contains("/tests/") || self.path.contains("/benches/") || name.ends_with("tests.rs")
    }

    /// Whether a program wrote the file and says so in its first lines.
    pub(super) fn is_generated(&self) -> bool {
        // Written in two pieces, so that this file does not say it of itself.
        self.text.lines().take(5).any(|line| line.contains(concat!("@", "generated")))
    }

    /// The name of the crate folder below `crates/`, for a file in its `src`.
    pub(super) fn crate_of_src(&self) -> Option<&str> {
        let (name, rest) = self.path.strip_prefix("crates/")?.split_once('/')?;
        rest.starts_with("src/").then_some(name)
    }

    /// The lines of Rust that ship, numbered from 1: no comments, no test modules.
    pub(super) fn shipped_lines(&self) -> Vec<(usize, String)> {
        rust_text::without_tests(&rust_text::without_comments(&self.text))
    }
}

/// A source for the tests of the rules.
#[cfg(test)]
pub(super) fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}
