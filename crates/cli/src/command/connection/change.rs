//! `tombolo connection update`

use std::collections::BTreeMap;

use clap::Args;
use tombolo_api::{Connection, Provider, UpdateConnection};

use super::{Named, words};
use crate::command::arguments::{key_value, once};
use crate::connect_api::Api;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Change what needs no secret. What decides where requests go needs the secrets again: link the account anew.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tombolo connection update \"Sales\" --name \"Sales of Acme\" --tag team=east
  tombolo connection update \"Sales\" --setting timeout=120 --unset retries")]
pub struct Update {
    #[command(flatten)]
    named: Named,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Add or change a tag; can be repeated.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = key_value)]
    tags: Vec<(String, String)>,
    /// Take a tag away; can be repeated.
    #[arg(long, value_name = "KEY")]
    untag: Vec<String>,
    /// Change an extra setting; can be repeated.
    #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = key_value)]
    settings: Vec<(String, String)>,
    /// Put an extra setting back to its default; can be repeated.
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
}

impl Update {
    pub async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        let Named { connection, integration } = &self.named;
        let linked = api.read_connection(connection, integration.as_deref()).await?;
        let change = self.change(api, &linked).await?;
        if change == UpdateConnection::default() {
            return Err(Failure::usage("nothing is to change", "See --help for what can.").into());
        }
        let linked = api.update_connection(&linked.id, None, &change).await?;
        output.show(&linked, |linked| words(linked, output.language))?;
        Ok(Exit::Done)
    }

    /// Tags and settings are sent whole, so what is there is taken along.
    async fn change(&self, api: &Api, linked: &Connection) -> anyhow::Result<UpdateConnection> {
        let mut change = UpdateConnection { name: self.name.clone(), ..UpdateConnection::default() };
        if !self.tags.is_empty() || !self.untag.is_empty() {
            let mut tags = linked.tags.clone();
            tags.extend(once(&self.tags, "--tag")?);
            tags.retain(|key, _| !self.untag.contains(key));
            change.tags = Some(tags);
        }
        if !self.settings.is_empty() || !self.unset.is_empty() {
            let provider = api.read_provider(&linked.provider).await?;
            let mut settings: BTreeMap<String, String> = linked
                .settings
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect();
            for (key, value) in once(&self.settings, "--setting")? {
                settings.insert(documented(&provider, &key).to_owned(), value);
            }
            for key in &self.unset {
                settings.remove(documented(&provider, key));
            }
            change.settings = Some(settings);
        }
        Ok(change)
    }
}

/// The documented name of a setting that may be written in any case, with or without `_`; the server refuses others.
fn documented<'a>(provider: &'a Provider, key: &'a str) -> &'a str {
    let plain = |text: &str| text.replace(['_', '-', ' '], "").to_lowercase();
    let wanted = plain(key);
    let found = provider.settings.iter().find(|setting| {
        plain(&setting.field.name) == wanted || setting.also.iter().any(|other| plain(other) == wanted)
    });
    found.map_or(key, |setting| setting.field.name.as_str())
}
