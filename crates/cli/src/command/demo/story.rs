//! The story: link three accounts, see each tested stage by stage, call through them.

use std::time::Instant;

use anyhow::{Context as _, bail};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tombolo_api::CreateConnection;
use tombolo_api::client::full;

use super::sample::{TOKENS, samples};
use super::world::World;
use crate::command::connection::stages::Stages;

/// Tells the story; every step says what it did and how long it took.
pub async fn tell(world: &World, stages: Stages) -> anyhow::Result<()> {
    for (number, sample) in samples().into_iter().enumerate() {
        println!("\n{}. Link \"{}\": {}", number + 1, sample.draft.name, sample.title);
        link(world, &sample.draft, stages).await?;
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
async fn link(world: &World, draft: &CreateConnection, stages: Stages) -> anyhow::Result<()> {
    let report = match world.client.watch_create_connection(draft).await {
        Err(error) if error.api().is_some_and(|problem| problem.code == "name_taken") => {
            println!("   it is linked already; testing it again");
            stages.watch_test(world.client.watch_test_connection(&draft.name, None).await?).await?
        }
        started => match stages.watch_creation(started?).await? {
            Ok(created) => created.report.context("a tested connection has a report")?,
            Err(report) => report,
        },
    };
    stages.conclusion(&report)?;
    if !report.available {
        bail!("the connection \"{}\" cannot be used", draft.name);
    }
    Ok(())
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
