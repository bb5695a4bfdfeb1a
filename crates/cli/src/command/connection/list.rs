//! `tombolo connection list`

use clap::Args;
use tombolo_api::{ConnectionQuery, Connections, Health};

use crate::command::arguments::{Page, from_wire_name, key_value, moment_or_dash, once, wire_name};
use crate::connect_api::Api;
use crate::exit::Exit;
use crate::output::{Output, say, table};

/// Which connections are listed; everything given must hold.
#[derive(Debug, Args)]
pub struct List {
    /// Whose name or connection id begins with this text.
    search: Option<String>,
    /// Only those of the integration with this key.
    #[arg(long, value_name = "KEY")]
    integration: Option<String>,
    /// Only those with this health: unverified, active, expiring, failing or `needs_reconnecting`.
    #[arg(long, value_name = "HEALTH", value_parser = from_wire_name::<Health>)]
    health: Option<Health>,
    /// Only those with this tag.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    tag: Option<(String, String)>,
    #[command(flatten)]
    page: Page,
}

impl List {
    pub async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        let wanted = ConnectionQuery {
            search: self.search,
            integration_id: self.integration,
            health: self.health,
            tags: once(self.tag.as_slice(), "--tag")?,
            limit: Some(self.page.limit.unwrap_or(100)),
            cursor: self.page.cursor,
            ..ConnectionQuery::default()
        };
        let page = api.list_connections(&wanted).await?;
        output.show(&page, words)?;
        if let (Some(cursor), false) = (&page.next_cursor, output.json) {
            say(format_args!("more: --cursor {cursor}"));
        }
        Ok(Exit::Done)
    }
}

fn words(page: &Connections) -> String {
    if page.connections.is_empty() {
        return "no connections: link an account with `tombolo connection create`".to_owned();
    }
    let rows = page.connections.iter().map(|linked| {
        [
            linked.name.clone(),
            linked.provider_config_key.clone(),
            linked.auth_scheme.clone(),
            wire_name(linked.health.status),
            moment_or_dash(linked.health.tested_at),
            linked.id.clone(),
        ]
    });
    table(["name", "integration", "auth scheme", "health", "tested", "id"], rows)
}
