//! Whether the server answers, or else whether the database opens under the master key.

use std::collections::BTreeSet;

use serde_json::Value;
use tombolo_api::{ConnectionQuery, ConnectionSummary, Health};
use tombolo_platform::start::StartOptions;

use super::Check;
use crate::command::GlobalOptions;
use crate::connect_api::{Api, WhereNothingIs, has_installation, running_server};
use crate::output::Output;

/// Most connections whose hosts are looked up.
const CONNECTIONS_MAX: u32 = 50;
/// Most connections that one line names.
const NAMED_MAX: usize = 10;

/// Looks at the server or the database, and finds the hosts of the connections.
pub async fn look(
    global: &GlobalOptions,
    options: &StartOptions,
    output: Output,
) -> (Vec<Check>, Vec<String>) {
    let mut checks = Vec::new();
    let local = options.postgres.is_none();
    let by_url = global.url.is_some();
    let running = by_url || (local && running_server(&options.data_directory).is_some());
    if !running && local && !has_installation(&options.data_directory) {
        checks.push(Check::good("database", "none yet: the first start makes it"));
        return (checks, Vec::new());
    }
    let api = match Api::connect(global, WhereNothingIs::Refuse, output).await {
        Ok(api) => api,
        Err(error) => {
            let subject = if by_url { "server" } else { "database" };
            checks.push(Check::failed(subject, &error));
            return (checks, Vec::new());
        }
    };
    if running {
        checks.push(match api.get::<Value>("/ready").await {
            Ok(_) => Check::good("server", "it answers, and so does its database"),
            Err(error) => Check::failed("server", &error.into()),
        });
    } else {
        checks.push(Check::good("database", "it opens, and the master key is the right one"));
        checks.push(Check::good("server", "none runs; commands work without"));
    }
    match restored(&api).await {
        Ok(check) => checks.extend(check),
        Err(error) => checks.push(Check::failed("connections", &error)),
    }
    let hosts = match hosts(&api).await {
        Ok(hosts) => hosts.into_iter().collect(),
        Err(error) => {
            checks.push(Check::failed("connections", &error));
            Vec::new()
        }
    };
    api.finish().await;
    (checks, hosts)
}

/// Connections that wait for somebody since the database was restored.
async fn restored(api: &Api) -> anyhow::Result<Option<Check>> {
    let wanted = ConnectionQuery { health: Some(Health::Unverified), ..ConnectionQuery::default() };
    let unverified = api.list_connections(&wanted).await?.connections;
    let is_held = |known: &ConnectionSummary| {
        known.health.failure.as_ref().is_some_and(|failure| failure.code == "restored")
    };
    let names: Vec<String> = unverified.into_iter().filter(is_held).map(|known| known.name).collect();
    if names.is_empty() {
        return Ok(None);
    }
    let more = names.len().saturating_sub(NAMED_MAX);
    let named = names[..names.len() - more].join(", ");
    let named = if more > 0 { format!("{named} and {more} more") } else { named };
    let saw = format!(
        "it was restored from a backup; the refresh tokens of {} connections may be out of date: {named}",
        names.len()
    );
    let fix = "Test each with `tombolo connection test NAME`, which uses its refresh token, unless the original of this database \
               still runs. docs/operating.md tells more.";
    Ok(Some(Check::notice("database", saw, fix)))
}

async fn hosts(api: &Api) -> anyhow::Result<BTreeSet<String>> {
    let wanted = ConnectionQuery { limit: Some(CONNECTIONS_MAX), ..ConnectionQuery::default() };
    let mut hosts = BTreeSet::new();
    for linked in api.list_connections(&wanted).await?.connections {
        hosts.extend(api.read_connection(&linked.id, None).await?.hosts);
    }
    Ok(hosts)
}
