//! The vendor's OpenAPI document, by which the emulator's answers are judged. It is not ours to hand on, so it is used
//! where somebody has put it and nothing is fetched.

use std::path::PathBuf;

use crate::checkout::Checkout;

/// The document that `KINTONE_OPENAPI` names, or the one that lies beside the checkout.
pub(crate) fn find(checkout: &Checkout) -> Option<PathBuf> {
    let named = std::env::var_os("KINTONE_OPENAPI").map(PathBuf::from);
    let beside = checkout.root().join("../shared/reference/kintone-openapi.json.gz");
    named.into_iter().chain([beside]).find(|file| file.is_file())
}
