//! Pages in Chromium, as people use them. The programs, and the list of all pages, are in `tests/browser/`.

use std::sync::Arc;

use serde_json::json;
use tombolo_kintone_emulator::{Simulator, SimulatorOptions};
use tombolo_platform::catalog::Catalog;
use tombolo_platform::start::ConnectToOption;

use crate::app::App;
use crate::node::{SCOPES, run};

/// Runs a program of `tests/browser/` against a server of its own, beside which the emulated vendor and a simulated one are
/// reached.
async fn in_a_browser(program: &str) {
    let simulated = Catalog::built_in().expect("the files load");
    let simulated = Arc::clone(simulated.get("oomnitza").expect("it is built in"));
    let simulator = Simulator::start(SimulatorOptions::new(simulated)).await.expect("the simulator starts");
    let app = App::start_for_browsers(|options, directory| {
        let providers = directory.join("providers");
        std::fs::create_dir(&providers).expect("a directory");
        std::fs::write(providers.join("hostile.yaml"), include_str!("../browser/hostile.yaml"))
            .expect("a file");
        options.provider_directory = Some(providers);
        let address = simulator.http_address();
        options.egress.connect_to.extend(simulator.hosts().into_iter().map(|host| ConnectToOption {
            host,
            address,
            authority: None,
            browser_address: None,
            without_tls: true,
        }));
    })
    .await;
    let scopes = [&SCOPES[..], &["installation:*"]].concat();
    let key = app.key_with_scopes(&scopes).await;
    let accepted = simulator.form(&simulator.credentials()[0]).expect("a form that can be filled in");
    let variables = [("OOMNITZA", json!(accepted).to_string())];
    run(&app, &key, &format!("browser/{program}"), &variables).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_linked_in_the_connect_ui() {
    in_a_browser("connect.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connect_ui_among_pages_of_others() {
    in_a_browser("strangers.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_are_texts() {
    in_a_browser("hostile.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard() {
    in_a_browser("dashboard.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_helps_on_pages_of_the_dashboard() {
    in_a_browser("dashboard-tools.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_element_in_a_page_of_an_embedder() {
    in_a_browser("element.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_choose_and_register_oauth_clients() {
    in_a_browser("oauth-clients.mjs").await;
}
