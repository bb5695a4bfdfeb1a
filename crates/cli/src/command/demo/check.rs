//! What must hold besides the story: refusals, redaction, the log and the audit trail.

use anyhow::{Context as _, bail, ensure};
use http::Method;
use tombolo_api::client::{ApiClient, Transport};
use tombolo_api::{ActivityQuery, FieldValue};

use super::sample::{GUEST, TOKENS, samples};
use super::story::send;
use super::world::World;

/// Checks what a visitor of the demo does not see.
pub async fn check(world: &World) -> anyhow::Result<()> {
    println!("\nChecks");
    the_upstream_saw_its_own_credential_only(world).await?;
    paths_stay_inside(world).await?;
    strangers_are_refused(world).await?;
    a_failed_test_stores_nothing(world).await?;
    no_secret_is_on_the_disk(world)?;
    the_log_has_the_calls(world).await?;
    Ok(())
}

fn held(what: &str) {
    println!("   ✓ {what}");
}

async fn the_upstream_saw_its_own_credential_only(world: &World) -> anyhow::Result<()> {
    let kintone = world.emulator.control();
    kintone.clear_requests();
    let answer = send(world, TOKENS, &Method::GET, "/k/v1/app.json?id=2", None).await?;
    ensure!(answer.status == 200, "the call was answered with {}", answer.status);
    let seen = kintone.requests();
    let seen = seen.first().context("the emulator saw the call")?;
    ensure!(
        seen.header("x-cybozu-api-token") == Some("demoTokenOrdersAll0000000000000000000000"),
        "only the token of the app that the call is about goes out"
    );
    ensure!(seen.header("authorization").is_none(), "our API key does not reach the upstream");
    held("the upstream saw the token of the one app, and nothing of the caller's");
    Ok(())
}

async fn paths_stay_inside(world: &World) -> anyhow::Result<()> {
    for (path, status) in
        [("/k/guest/6/v1/records.json?app=21", 403), ("/k/v1/../../admin", 400), ("/k/v1/%2e%2e/x", 400)]
    {
        let answer = send(world, GUEST, &Method::GET, path, None).await?;
        ensure!(answer.status == status, "{path} was answered with {} instead of {status}", answer.status);
    }
    held("no path leaves the guest space");
    Ok(())
}

async fn strangers_are_refused(world: &World) -> anyhow::Result<()> {
    for client in [
        ApiClient::new(Transport::url(&world.url)?),
        ApiClient::new(Transport::url(&world.url)?).with_key("tmb_000000000000_nobody".into()),
    ] {
        match client.list_connections(&tombolo_api::ConnectionQuery::default()).await {
            Err(error) if error.api().is_some_and(|problem| problem.status == 401) => {}
            other => bail!("a stranger was answered with {other:?}"),
        }
    }
    held("without a valid API key nothing is answered");
    Ok(())
}

async fn a_failed_test_stores_nothing(world: &World) -> anyhow::Result<()> {
    let [mut sample, ..] = samples();
    "Refused".clone_into(&mut sample.draft.name);
    let unknown = ["unknownToken0000000000000000000000000000"; 3].join(",");
    sample.draft.fields.insert("token".to_owned(), FieldValue::from(unknown));
    match world.client.create_connection(&sample.draft).await {
        Err(error) if error.api().is_some_and(|problem| problem.code == "connection_test_failed") => {}
        other => bail!("a token that nobody knows was answered with {other:?}"),
    }
    ensure!(
        world.client.read_connection("Refused", None).await.is_err(),
        "a connection whose test failed was stored"
    );
    held("a connection whose test fails is not stored");
    Ok(())
}

fn no_secret_is_on_the_disk(world: &World) -> anyhow::Result<()> {
    let mut read = 0;
    for entry in std::fs::read_dir(&world.data_directory)? {
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path)?;
        read += bytes.len();
        for sample in samples() {
            for (field, value) in sample.draft.fields {
                let secret = field.contains("token") || field.contains("password");
                let texts = value.into_typed();
                for text in texts.split(',').filter(|_| secret) {
                    let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
                    ensure!(!found, "{} holds a secret in the clear", path.display());
                }
            }
        }
    }
    ensure!(read > 10_000, "the data directory holds the database");
    held("no secret stands in the clear in the data directory");
    Ok(())
}

async fn the_log_has_the_calls(world: &World) -> anyhow::Result<()> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    loop {
        let activity = world.client.list_activity(&ActivityQuery::default()).await?;
        let logged = serde_json::to_string(&activity)?;
        if logged.contains("/k/v1/app.json?id") {
            ensure!(!logged.contains("id=2"), "values of a query reached the log");
            break;
        }
        ensure!(std::time::Instant::now() < deadline, "the calls did not reach the log: {logged}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let audit = world.client.verify_audit_events().await?;
    ensure!(audit.broken.is_none(), "the audit trail is broken: {audit:?}");
    held("the log has the calls without query values, and the audit trail is intact");
    Ok(())
}
