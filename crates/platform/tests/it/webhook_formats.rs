//! What receivers see: published libraries accept it, and those of the compatible product know its words.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tombolo_platform::webhooks::WebhookFormat;
use tombolo_platform::{ConnectionChange, ConnectionDraft};

use crate::faults::{password, tokens};
use crate::receiver::{Behaviour, Delivery};
use crate::webhooks::{CUSTOMERS, Hooked};
use crate::world::Backend;

/// Runs the libraries on deliveries. `NPM_CLIENTS_DIR` names the folder whose `node_modules` holds them; `cargo xtask test`
/// sets it.
async fn accepted(secret: &str, deliveries: &[Delivery]) -> Result<(), String> {
    let Some(clients) = std::env::var_os("NPM_CLIENTS_DIR") else {
        eprintln!("NOT RUN: no published library checks the signatures, because NPM_CLIENTS_DIR is unset");
        return Ok(());
    };
    let deliveries: Vec<Value> = deliveries
        .iter()
        .map(|delivery| {
            let headers: serde_json::Map<String, Value> = delivery
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().expect("text").into()))
                .collect();
            json!({ "headers": headers, "body": String::from_utf8_lossy(&delivery.body) })
        })
        .collect();
    let input = json!({ "secret": secret, "deliveries": deliveries }).to_string();
    tokio::task::spawn_blocking(move || {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm/verify-webhooks.mjs");
        let mut node = Command::new(std::env::var_os("NODE_BIN").unwrap_or_else(|| "node".into()));
        node.arg(script).env("NPM_CLIENTS_DIR", clients);
        node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = node.spawn().expect("node runs");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("read");
        let output = child.wait_with_output().expect("node ends");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() && printed.ends_with("all passed\n") {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    })
    .await
    .expect("not cancelled")
}

#[tokio::test(flavor = "multi_thread")]
async fn published_libraries_accept_the_signatures_also_while_a_secret_is_changed_over() {
    let hooked = Hooked::start(Backend::Sqlite).await;
    let (_, first) = hooked.webhook("crm", &[]).await;
    hooked.link("案件管理 & <Sales>").await;
    hooked.work().await;
    accepted(&first, &hooked.receiver.got()).await.expect("accepted");

    let (platform, access) = (&hooked.world.platform, &hooked.world.access);
    let (_, second) = platform.rotate_webhook_secret(access, "crm").await.expect("rotated");
    hooked.receiver.forget();
    hooked.link("During").await;
    hooked.work().await;
    let during = hooked.receiver.got();
    accepted(second.expose(), &during).await.expect("the new secret is good at once");
    assert_eq!(during[0].header("webhook-signature").split(' ').count(), 2);
    if std::env::var_os("NPM_CLIENTS_DIR").is_some() {
        let refusal = accepted(&first, &during).await.expect_err("one header has room for one signature");
        assert!(refusal.contains("the compatible header does not fit"), "{refusal}");
    }
    hooked.clock.by(std::time::Duration::from_hours(25));
    hooked.receiver.forget();
    hooked.link("After").await;
    hooked.work().await;
    assert_eq!(hooked.receiver.got()[0].header("webhook-signature").split(' ').count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_of_the_compatible_product_get_its_words() {
    let hooked = Hooked::start(Backend::Sqlite).await;
    let (_, secret) =
        hooked.webhook_at("app", "https://hooks.example.com/nango", WebhookFormat::Nango, &[]).await;
    let (platform, access) = (&hooked.world.platform, &hooked.world.access);
    hooked.link("Sales").await;
    let with_password = password("Anna", "anna", "demo-password-anna");
    let draft = ConnectionDraft { connection_id: Some("user-7".to_owned()), ..with_password };
    let draft = ConnectionDraft { tags: [("team".to_owned(), "east".to_owned())].into(), ..draft };
    assert!(hooked.world.create(&draft).await.expect("accepted").is_ok());
    // No word for this one.
    let renamed = ConnectionChange { name: Some("Anna 2".to_owned()), ..ConnectionChange::default() };
    platform.update_connection(access, None, "Anna", renamed).await.expect("renamed");
    hooked.world.kintone().set_password("demo", "anna", "changed").expect("a user");
    platform.test_connection(access, None, "Anna 2", &mut |_| {}).await.expect("tested");
    hooked.world.kintone().set_password("demo", "anna", "demo-password-anna").expect("a user");
    platform.test_connection(access, None, "Anna 2", &mut |_| {}).await.expect("tested");
    hooked.work().await;

    let mut got = hooked.receiver.got();
    if std::env::var_os("NPM_CLIENTS_DIR").is_some() {
        accepted(&secret, &got).await.expect("accepted");
    }
    got.sort_by(|one, two| one.header("webhook-id").cmp(two.header("webhook-id")));
    let bodies: Vec<String> = got
        .iter()
        .map(|one| {
            let mut body = one.json();
            if body["connectionId"] != "user-7" {
                body["connectionId"] = json!("…");
            }
            body.to_string()
        })
        .collect();
    insta::assert_snapshot!(bodies.join("\n"), @r#"
    {"from":"nango","type":"auth","connectionId":"…","providerConfigKey":"kintone","authMode":"API_KEY","provider":"kintone","environment":"default","operation":"creation","success":true,"tags":{}}
    {"from":"nango","type":"auth","connectionId":"user-7","providerConfigKey":"kintone","authMode":"BASIC","provider":"kintone","environment":"default","operation":"creation","success":true,"tags":{"team":"east"}}
    {"from":"nango","type":"auth","connectionId":"user-7","providerConfigKey":"kintone","authMode":"BASIC","provider":"kintone","environment":"default","operation":"refresh","success":false,"tags":{"team":"east"},"error":{"type":"wrong_password","description":"The credentials are no longer accepted: the account has to be linked again."}}
    {"from":"nango","type":"auth","connectionId":"user-7","providerConfigKey":"kintone","authMode":"BASIC","provider":"kintone","environment":"default","operation":"refresh","success":true,"tags":{"team":"east"}}
    "#);
    let states: Vec<String> = hooked
        .deliveries("app")
        .await
        .into_iter()
        .map(|(state, attempts)| format!("{state}: {attempts}"))
        .collect();
    assert_eq!(states.iter().filter(|state| *state == "skipped: skipped").count(), 1, "{states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_a_connection_go_to_its_own_address_in_the_compatible_format() {
    let hooked = Hooked::start(Backend::Sqlite).await;
    hooked.webhook_at("app", "https://hooks.example.com/all", WebhookFormat::Nango, &[]).await;
    hooked.webhook("crm", &[]).await;
    let mut draft = tokens("Own", CUSTOMERS, "1");
    draft.belonging.webhook_url = Some("https://hooks.example.com/own".to_owned());
    // What happens there says nothing about the receiver of the webhook.
    hooked.receiver.then([Behaviour::Answers(410, None, ""), Behaviour::Answers(410, None, "")]);
    assert!(hooked.world.create(&draft).await.expect("accepted").is_ok());
    hooked.work().await;
    let mut paths: Vec<String> = hooked.receiver.got().into_iter().map(|one| one.path).collect();
    paths.sort();
    assert_eq!(paths, ["/in?tenant=1", "/own"]);
    assert!(hooked.read("app").await.disabled_at.is_none());
    assert!(hooked.read("crm").await.disabled_at.is_some());
    let told = hooked.deliveries("app").await;
    assert_eq!(told.last().expect("a delivery").1, "gone 410", "given up at once");
}
