//! Pages in Chromium, as people use them. The programs, and the list of all pages, are in `tests/browser/`.

use crate::app::App;
use crate::node::{SCOPES, run};

/// Runs a program of `tests/browser/` against a server of its own.
async fn in_a_browser(program: &str) {
    let app = App::start_for_browsers(|_, _| {}).await;
    let key = app.key_with_scopes(&SCOPES).await;
    run(&app, &key, &format!("browser/{program}"), &[]).await;
}

/// In both languages, light and dark, wide and narrow: nothing keeps anybody out, and the browser complains about nothing.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_in_every_state() {
    in_a_browser("gallery.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_a_vendor_and_back() {
    in_a_browser("oauth.mjs").await;
}
