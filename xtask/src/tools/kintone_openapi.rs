//! The vendor's OpenAPI document, by which the emulator's answers are judged. It is not ours to hand on, so it is used
//! where somebody has put it and nothing is fetched.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::named;
use crate::checkout::Checkout;

/// The document that `KINTONE_OPENAPI` names, otherwise the one that lies beside the checkout, if it does.
pub(crate) fn find(checkout: &Checkout) -> Result<Option<PathBuf>> {
    if let Some(named) = named::path("KINTONE_OPENAPI", "a file that is there", Path::is_file)? {
        return Ok(Some(named));
    }
    let beside = checkout.root().join("../shared/reference/kintone-openapi.json.gz");
    Ok(Some(beside).filter(|file| file.is_file()))
}
