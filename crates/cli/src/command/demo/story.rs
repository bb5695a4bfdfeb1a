//! The story: link three accounts, see each tested stage by stage, call through them.

use std::time::Instant;

use anyhow::{Context as _, bail};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tombolo_api::client::full;
use tombolo_api::{CreateConnection, CreateProgress, Outcome, StageReport, TestProgress};

use super::sample::{TOKENS, samples};
use super::world::World;

/// Tells the story; every step says what it did and how long it took.
pub async fn tell(world: &World) -> anyhow::Result<()> {
    for (number, sample) in samples().into_iter().enumerate() {
        println!("\n{}. Link \"{}\": {}", number + 1, sample.draft.name, sample.title);
        link(world, &sample.draft).await?;
    }
    println!("\n4. Call through the connections; the secrets stay with the server");
    for sample in samples() {
        let (path, expected) = sample.read;
        let answer = call(world, &sample.draft.name, Method::GET, path, None).await?;
        if !answer.body.to_string().contains(expected) {
            bail!("the answer of {path} does not hold \"{expected}\": {}", answer.body);
        }
    }
    println!("\n5. Write through a connection");
    let order = serde_json::json!({
        "app": 2,
        "record": {
            "order_number": { "value": format!("DEMO-{}", std::process::id()) },
            "customer": { "value": "C001" },
            "order_date": { "value": "2026-01-31" },
        },
    });
    let added = call(world, TOKENS, Method::POST, "/k/v1/record.json", Some(&order)).await?;
    let id = added.body["id"].as_str().context("the new record has an id")?.to_owned();
    let read = call(world, TOKENS, Method::GET, &format!("/k/v1/record.json?app=2&id={id}"), None).await?;
    let copied = &read.body["record"]["customer_name"]["value"];
    println!("   the lookup of the new order copied {copied}");
    if copied != "Alder Trading" {
        bail!("the lookup did not copy the customer's name: {copied}");
    }
    Ok(())
}

/// Links an account, or tests it again when an earlier demo in the same directory has linked it.
async fn link(world: &World, draft: &CreateConnection) -> anyhow::Result<()> {
    let mut progress = match world.client.watch_create_connection(draft).await {
        Err(error) if error.api().is_some_and(|problem| problem.code == "name_taken") => {
            println!("   it is linked already; testing it again");
            return test_again(world, &draft.name).await;
        }
        started => started?,
    };
    while let Some(line) = progress.next().await? {
        match line {
            CreateProgress::Started { .. } => {}
            CreateProgress::Ended(stage) => show(&stage),
            CreateProgress::Created(created) => {
                let report = created.report.context("a tested connection has a report")?;
                println!("   {}", report.conclusion.en);
            }
            CreateProgress::Problem { problem } => bail!("{}", problem.message),
        }
    }
    Ok(())
}

async fn test_again(world: &World, name: &str) -> anyhow::Result<()> {
    let mut progress = world.client.watch_test_connection(name, None).await?;
    while let Some(line) = progress.next().await? {
        match line {
            TestProgress::Started { .. } => {}
            TestProgress::Ended(stage) => show(&stage),
            TestProgress::Report(report) => {
                println!("   {}", report.conclusion.en);
                if !report.available {
                    bail!("the connection \"{name}\" can no longer be used");
                }
            }
            TestProgress::Problem { problem } => bail!("{}", problem.message),
        }
    }
    Ok(())
}

fn show(stage: &StageReport) {
    let mark = match stage.outcome {
        Outcome::Passed => "✓",
        Outcome::Failed => "✗",
        Outcome::NotPermitted => "–",
        Outcome::Skipped => return,
    };
    let subject = stage.subject.as_ref().map(|subject| format!(" ({subject})")).unwrap_or_default();
    let note = stage.details.as_ref().and_then(|details| details.note.as_deref());
    let note = note.map(|note| format!("  {note}")).unwrap_or_default();
    let milliseconds = f64::from(stage.micros) / 1000.0;
    println!("   {mark} {}{subject}  {milliseconds:.1} ms{note}", stage.name.en);
    if let Some(verdict) = &stage.verdict {
        println!("     {} {}", verdict.says.en, verdict.fix.en);
    }
}

/// The answer of a proxied call.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// Calls through a connection and says how it went; anything but 2xx is an error.
async fn call(
    world: &World,
    connection: &str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Answer> {
    let started = Instant::now();
    let answer = send(world, connection, &method, path, body).await?;
    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    println!("   {method} {path}  {}  {milliseconds:.1} ms  via \"{connection}\"", answer.status);
    if !(200..300).contains(&answer.status) {
        bail!("{method} {path} answered {}: {}", answer.status, answer.body);
    }
    Ok(answer)
}

/// Sends one proxied call.
pub async fn send(
    world: &World,
    connection: &str,
    method: &Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Answer> {
    let encoded: String =
        percent_encoding::utf8_percent_encode(connection, percent_encoding::NON_ALPHANUMERIC).collect();
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/proxy{path}"))
        .header("connection-id", encoded)
        .header("provider-config-key", "kintone");
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let bytes = body.map(Value::to_string).unwrap_or_default();
    let response = world.client.send(request.body(full(bytes))?).await?;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
}
