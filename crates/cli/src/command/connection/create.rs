//! `tombolo connection create`

use clap::Args;
use tombolo_api::{Connection, CreateConnection, CreatedConnection};

use super::given::Given;
use super::stages::Stages;
use crate::command::arguments::{key_value, once, quoted};
use crate::connect_api::Api;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::language::either;
use crate::output::{Output, document, say};

/// Link an account: test it stage by stage, and store it when it can be used. On a terminal what is missing is asked for.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tombolo connection create
  tombolo connection create --provider kintone --name Sales --paste https://acme.kintone.com/k/12/
  tombolo connection create --provider kintone --name Sales --field subdomain=acme --field app=12 \\
    --secret-from token=env:KINTONE_TOKEN
  tombolo connection create --provider kintone --name Sales --field subdomain=acme --field app=12 \\
    --secret-from token=env:KINTONE_TOKEN --field certificate=@me.pfx --secret-from certificate_password=env:PFX_PASSWORD
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
    /// A tag, for finding it; can be repeated.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = key_value)]
    tags: Vec<(String, String)>,
    #[command(flatten)]
    given: Given,
}

impl Create {
    pub async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        self.given.refuse_stdin_twice()?;
        let ask = self.given.may_ask(output);
        let draft = self.draft(api, ask, output).await?;
        if output.json {
            document(&api.create_connection(&draft).await?)?;
            return Ok(Exit::Done);
        }
        let lines = api.watch_create_connection(&draft).await?;
        let nothing = either(output.language, "Nothing was stored.", "何も保存していません。");
        Stages::new(output).watch_to_the_end(lines, nothing, tell).await
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
        let mut draft = self.given.draft(api, provider, &allowed).await?;
        draft.name = self.name;
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
            test: self.given.is_tested(),
            ..CreateConnection::default()
        })
    }
}

/// What was made, and what to do with it.
fn tell(created: &CreatedConnection) {
    let linked = &created.connection;
    say(format_args!("\nlinked `{}` ({})", linked.name, linked.id));
    if created.report.is_some() {
        say(format_args!("call it: tombolo request -c {} GET /…", quoted(&linked.name)));
    } else {
        tell_untested(linked);
    }
}

/// What is to be done with a connection that was stored without a test.
pub fn tell_untested(linked: &Connection) {
    say(format_args!("it was not tested: tombolo connection test {}", quoted(&linked.name)));
}
