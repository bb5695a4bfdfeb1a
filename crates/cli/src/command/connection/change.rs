//! `tombolo connection update`

use std::collections::BTreeMap;

use clap::Args;
use tombolo_api::{Connection, CreatedConnection, Provider, ReconnectConnection, UpdateConnection};

use super::create::tell_untested;
use super::given::Given;
use super::stages::Stages;
use super::{Named, words};
use crate::command::arguments::{key_value, once};
use crate::connect_api::Api;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::language::either;
use crate::output::{Output, document, say};

/// Change a connection. Name, tags and most settings need no secret. Fields, secrets, the auth scheme and settings that
/// decide where requests go reconnect it: every secret is typed again, the test runs, and only then it changes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tombolo connection update \"Sales\" --name \"Sales of Acme\" --tag team=east
  tombolo connection update \"Sales\" --setting timeout=120 --unset retries
  tombolo connection update \"Sales\"
  tombolo connection update \"Sales\" --secret-from token=env:KINTONE_TOKEN
  tombolo connection update \"Sales\" --secret-from token=env:KINTONE_TOKEN --field certificate=@new.pfx \\
    --secret-from certificate_password=env:PFX_PASSWORD
  tombolo connection update \"Sales\" --field subdomain=acme --secret-from token=file:token.txt

With nothing to change, the secrets are asked for on a terminal. Fields that are no secret stay unless they are given;
an empty field (--field guest_space_id=) takes the old value away. Exits with 4 when the test fails; then nothing was
changed.")]
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
    /// Put an extra setting back to its default; can be repeated.
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    #[command(flatten)]
    given: Given,
}

impl Update {
    pub async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        self.given.refuse_stdin_twice()?;
        let Named { connection, integration } = &self.named;
        let linked = api.read_connection(connection, integration.as_deref()).await?;
        let tags = self.tags(&linked)?;
        let settings = self.given.settings()?;
        let is_plain =
            self.name.is_some() || tags.is_some() || !settings.is_empty() || !self.unset.is_empty();
        if !is_plain && !self.given.is_about_access() && !self.given.may_ask(output) {
            let fix = "See --help for what can; on a terminal the secrets are asked for.";
            return Err(Failure::usage("nothing is to change", fix).into());
        }
        let needs_provider = !settings.is_empty() || !self.unset.is_empty();
        if is_plain && !needs_provider && !self.given.is_about_access() {
            return self.update(api, &linked, tags, None, output).await;
        }
        let provider = api.read_provider(&linked.provider).await?;
        let settings = self.documented_settings(&provider, settings);
        if !is_plain || self.given.is_about_access() || routes(&provider, &settings) {
            return self.reconnect(api, &linked, provider, tags, settings, output).await;
        }
        self.update(api, &linked, tags, Some(settings), output).await
    }

    /// Changes what needs no secret. Settings are sent whole, so what is there is taken along.
    async fn update(
        self,
        api: &Api,
        linked: &Connection,
        tags: Option<BTreeMap<String, String>>,
        settings: Option<BTreeMap<String, String>>,
        output: Output,
    ) -> anyhow::Result<Exit> {
        let settings = settings.map(|changed| {
            let stored = linked.settings.iter();
            let stored = stored.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
            let mut all: BTreeMap<String, String> = stored.chain(changed).collect();
            all.retain(|_, value| !value.is_empty());
            all
        });
        let change = UpdateConnection { name: self.name, settings, tags, ..UpdateConnection::default() };
        let linked = api.update_connection(&linked.id, None, &change).await?;
        output.show(&linked, |linked| words(linked, output.language))?;
        Ok(Exit::Done)
    }

    /// Gives the connection other secrets or another address, and changes the rest in the same act.
    async fn reconnect(
        self,
        api: &Api,
        linked: &Connection,
        provider: Provider,
        tags: Option<BTreeMap<String, String>>,
        settings: BTreeMap<String, String>,
        output: Output,
    ) -> anyhow::Result<Exit> {
        let mut draft = self.given.draft(api, provider, &[]).await?;
        draft.keep(linked)?;
        if self.given.may_ask(output) {
            super::ask::anew(api, &mut draft, output).await?;
        }
        draft.refuse_missing(output.language)?;
        // A connection string may spell a setting otherwise than a flag; the flag wins.
        let in_string = draft.settings.iter();
        let in_string =
            in_string.map(|(key, value)| (documented(&draft.provider, key).to_owned(), value.clone()));
        let settings = in_string.chain(settings).collect();
        let typed = ReconnectConnection {
            auth_scheme: Some(draft.scheme().id.clone()),
            fields: draft.fields,
            settings,
            name: self.name,
            tags,
            metadata: None,
            test: self.given.is_tested(),
        };
        if output.json {
            document(&api.reconnect_connection(&linked.id, None, &typed).await?)?;
            return Ok(Exit::Done);
        }
        let lines = api.watch_reconnect_connection(&linked.id, None, &typed).await?;
        let nothing = either(output.language, "Nothing was changed.", "何も変更していません。");
        Stages::new(output).watch_to_the_end(lines, nothing, tell).await
    }

    /// All tags as they are to be, if any changes.
    fn tags(&self, linked: &Connection) -> anyhow::Result<Option<BTreeMap<String, String>>> {
        if self.tags.is_empty() && self.untag.is_empty() {
            return Ok(None);
        }
        let mut tags = linked.tags.clone();
        tags.extend(once(&self.tags, "--tag")?);
        tags.retain(|key, _| !self.untag.contains(key));
        Ok(Some(tags))
    }

    /// The settings that change, by their documented names; an empty value puts one back to its default.
    fn documented_settings(
        &self,
        provider: &Provider,
        given: BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let unset = self.unset.iter().map(|key| (key.clone(), String::new()));
        let changed = given.into_iter().chain(unset);
        changed.map(|(key, value)| (documented(provider, &key).to_owned(), value)).collect()
    }
}

fn tell(changed: &CreatedConnection) {
    let linked = &changed.connection;
    say(format_args!("\nchanged `{}` ({})", linked.name, linked.id));
    if changed.report.is_none() {
        tell_untested(linked);
    }
}

/// Whether one of these settings decides where requests go, so that the secrets are needed.
fn routes(provider: &Provider, settings: &BTreeMap<String, String>) -> bool {
    provider.settings.iter().any(|setting| setting.routes && settings.contains_key(&setting.field.name))
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
