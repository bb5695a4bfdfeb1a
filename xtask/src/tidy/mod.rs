//! `cargo xtask tidy`.
use anyhow::Result;

use crate::checkout::Checkout;

pub(crate) fn run(checkout: &Checkout) -> Result<()> {
    checkout.tracked_files().map(drop)
}
