//! `tombolo connection create`

use clap::Args;
use tombolo_api::{CreateConnection, CreatedConnection};

use super::draft::Draft;
use super::secret_source::{SecretSource, field_from, string_from};
use super::stages::Stages;
use crate::command::arguments::{key_value, may_ask, once};
use crate::connect_api::Api;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, document, line, say};

/// Link an account: test it stage by stage, and store it when it can be used. On a terminal what is missing is asked for.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tombolo connection create
  tombolo connection create --provider kintone --name Sales --paste https://acme.kintone.com/k/12/
  tombolo connection create --provider kintone --name Sales --field subdomain=acme --field app=12 \\
    --secret-from token=env:KINTONE_TOKEN
  echo \"$STRING\" | tombolo connection create --provider kintone --name Sales --from -

A connection string is what other products take:
  AuthScheme=APIToken;Url=https://acme.kintone.com;APIToken=…,…;AppId=1,2;GuestSpaceId=5;BasicAuthUser=…

Exits with 4 when the test fails; then nothing was stored.")]
pub struct Create {
    /// The provider's id; the integration of that name is used or made.
    #[arg(long, value_name = "ID", conflicts_with = "integration")]
    provider: Option<String>,
    /// The key of an integration.
    #[arg(long, value_name = "KEY")]
    integration: Option<String>,
    /// What people are to call the connection.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Names it in the API; its id unless given.
    #[arg(long, value_name = "ID")]
    connection_id: Option<String>,
    /// How it authenticates; `tombolo provider show` lists the ways.
    #[arg(long, value_name = "SCHEME")]
    auth_scheme: Option<String>,
    /// A field that is no secret; can be repeated.
    #[arg(long = "field", short, value_name = "KEY=VALUE", value_parser = key_value)]
    fields: Vec<(String, String)>,
    /// A field from `stdin`, `file:PATH` or `env:NAME`, for secrets; can be repeated.
    #[arg(long = "secret-from", value_name = "KEY=SOURCE", value_parser = field_from)]
    secrets: Vec<(String, SecretSource)>,
    /// An extra setting; can be repeated.
    #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = key_value)]
    settings: Vec<(String, String)>,
    /// A tag, for finding it; can be repeated.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = key_value)]
    tags: Vec<(String, String)>,
    /// A connection string: `-` for stdin, a file, or `env:NAME`.
    #[arg(long, value_name = "SOURCE", value_parser = string_from)]
    from: Option<SecretSource>,
    /// The address of a page of the vendor's: fills the fields that can be read from it.
    #[arg(long, value_name = "URL")]
    paste: Option<String>,
    /// Store it without a test; its health is then `unverified`.
    #[arg(long)]
    no_test: bool,
    /// Never ask, even on a terminal.
    #[arg(long)]
    no_input: bool,
}

impl Create {
    pub async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        SecretSource::refuse_stdin_twice(self.secrets.iter().map(|(_, source)| source).chain(&self.from))?;
        let ask = may_ask() && !self.no_input && !output.json;
        let test = !self.no_test;
        let draft = self.draft(api, ask, output).await?;
        if output.json {
            document(&api.create_connection(&draft).await?)?;
            return Ok(Exit::Done);
        }
        let stages = Stages::new(output);
        let lines = api.watch_create_connection(&draft).await?;
        match stages.watch_creation(lines).await? {
            Ok(created) => {
                tell(&created, test);
                match &created.report {
                    Some(report) => stages.conclusion(report)?,
                    None => line(&created.connection.id)?,
                }
                Ok(Exit::Done)
            }
            Err(report) => {
                say("Nothing was stored.");
                stages.conclusion(&report)?;
                Ok(Exit::Refused)
            }
        }
    }

    /// Everything that was given, and the answers to what was not.
    async fn draft(self, api: &Api, ask: bool, output: Output) -> anyhow::Result<CreateConnection> {
        let (key, provider, allowed) = match (self.provider, self.integration) {
            (_, Some(key)) => {
                let integration = api.read_integration(&key).await?;
                (key, integration.provider, integration.auth_schemes)
            }
            (Some(provider), None) => (provider.clone(), provider, Vec::new()),
            (None, None) if ask => {
                let provider = super::ask::provider(api, output.language).await?;
                (provider.clone(), provider, Vec::new())
            }
            (None, None) => {
                let fix = "Add --provider ID; `tombolo provider list` shows the ids.";
                return Err(Failure::usage("which provider?", fix).into());
            }
        };
        let provider = api.read_provider(&provider).await?;
        let mut draft = Draft::new(provider, &allowed, self.auth_scheme.as_deref())?;
        draft.name = self.name;
        draft.give_fields(once(&self.fields, "--field")?)?;
        for (field, source) in &self.secrets {
            draft.give_secret(field, source.read()?)?;
        }
        draft.give_settings(once(&self.settings, "--setting")?);
        if let Some(source) = &self.from {
            draft.give_connection_string(api, &source.read()?).await?;
        }
        if let Some(pasted) = &self.paste {
            draft.give_pasted(api, pasted).await?;
        }
        if ask {
            super::ask::missing(api, &mut draft, output).await?;
        }
        draft.refuse_missing(output.language)?;
        let auth_scheme = draft.scheme().id.clone();
        Ok(CreateConnection {
            provider_config_key: key,
            name: draft.name.unwrap_or_default(),
            connection_id: self.connection_id,
            auth_scheme: Some(auth_scheme),
            fields: draft.fields,
            settings: draft.settings,
            tags: once(&self.tags, "--tag")?,
            test: !self.no_test,
            ..CreateConnection::default()
        })
    }
}

/// What was made, and what to do with it.
fn tell(created: &CreatedConnection, tested: bool) {
    let linked = &created.connection;
    say(format_args!("\nlinked `{}` ({})", linked.name, linked.id));
    if tested {
        say(format_args!("call it: tombolo request -c {} GET /…", quoted(&linked.name)));
    } else {
        say(format_args!("it was not tested: tombolo connection test {}", quoted(&linked.name)));
    }
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.chars().all(plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}
