//! What the person in front has named by a variable of the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The path in a variable, `None` when it is not set. One that cannot be used is an error: to take something else in its
/// place would hide the slip.
pub(crate) fn path(variable: &str, wanted: &str, is_usable: fn(&Path) -> bool) -> Result<Option<PathBuf>> {
    checked(variable, std::env::var_os(variable), wanted, is_usable)
}

fn checked(
    variable: &str,
    value: Option<OsString>,
    wanted: &str,
    is_usable: fn(&Path) -> bool,
) -> Result<Option<PathBuf>> {
    let Some(path) = value.map(PathBuf::from) else { return Ok(None) };
    if !is_usable(&path) {
        bail!("{variable} is {}, which is not {wanted}: set it to that, or unset it", path.display());
    }
    Ok(Some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_and_cannot_be_used_is_not_replaced() {
        let named = |value: Option<&str>| {
            checked("THE_FILE", value.map(OsString::from), "a file that is there", Path::is_file)
        };
        assert_eq!(named(None).expect("nothing is named"), None);
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert_eq!(named(Some(manifest)).expect("usable"), Some(manifest.into()));
        for unusable in ["/nowhere/at/all", "/", ""] {
            let error = named(Some(unusable)).expect_err("named and not usable").to_string();
            let expected = format!(
                "THE_FILE is {unusable}, which is not a file that is there: set it to that, or unset it"
            );
            assert_eq!(error, expected);
        }
    }
}
