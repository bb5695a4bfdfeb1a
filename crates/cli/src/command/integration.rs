//! `tombolo integration`

use clap::{Args, Subcommand};
use tombolo_api::{CreateIntegration, Integration as Configured, UpdateIntegration};

use super::arguments::{Confirmation, moment};
use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, properties, table};

/// Configure providers.
#[derive(Debug, Subcommand)]
pub enum Integration {
    /// List the integrations.
    List,
    /// Configure a provider. Linking an account does this by itself; an integration of one's own narrows it.
    #[command(after_help = "Examples:
  tombolo integration create --provider kintone
  tombolo integration create --provider kintone --key kintone-tokens --auth-scheme api_token")]
    Create(Create),
    /// Show an integration.
    Show(Named),
    /// Change an integration.
    Update(Update),
    /// Delete an integration that has no connections.
    Delete(Delete),
}

/// What an integration is made from.
#[derive(Debug, Args)]
pub struct Create {
    /// The provider's id.
    #[arg(long, value_name = "ID")]
    provider: String,
    /// Names the integration in requests; the provider's id unless given.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// What people see; the provider's name unless given.
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// An auth scheme that connections may use; can be repeated; all unless given.
    #[arg(long = "auth-scheme", value_name = "SCHEME")]
    auth_schemes: Vec<String>,
    /// The OAuth client through which its connections are authorised unless another one is named: its id or name.
    #[arg(long, value_name = "CLIENT")]
    oauth_client: Option<String>,
}

/// One integration.
#[derive(Debug, Args)]
pub struct Named {
    /// The integration's key.
    key: String,
}

/// What changes; what is left out stays.
#[derive(Debug, Args)]
pub struct Update {
    /// The integration's key.
    key: String,
    /// Another key.
    #[arg(long, value_name = "KEY")]
    new_key: Option<String>,
    /// What people are to see.
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// An auth scheme that connections may use; can be repeated.
    #[arg(long = "auth-scheme", value_name = "SCHEME", conflicts_with = "all_auth_schemes")]
    auth_schemes: Vec<String>,
    /// Connections may use every auth scheme of the provider.
    #[arg(long)]
    all_auth_schemes: bool,
    /// The OAuth client through which its connections are authorised unless another one is named: its id or name.
    #[arg(long, value_name = "CLIENT")]
    oauth_client: Option<String>,
}

/// What is deleted.
#[derive(Debug, Args)]
pub struct Delete {
    /// The integration's key.
    key: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Integration {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        let nothing = match self {
            Self::Create(_) => WhereNothingIs::Install,
            _ => WhereNothingIs::Refuse,
        };
        on_api(global, nothing, output, async |api| self.on(api, output).await).await
    }

    async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List => output.show(&api.list_integrations().await?, |all| list(all))?,
            Self::Create(Create { provider, key, display_name, auth_schemes, oauth_client }) => {
                let unique_key = key.unwrap_or_else(|| provider.clone());
                let draft = CreateIntegration {
                    provider,
                    unique_key,
                    display_name,
                    auth_schemes,
                    oauth_client,
                    ..CreateIntegration::default()
                };
                output.show(&api.create_integration(&draft).await?, words)?;
            }
            Self::Show(Named { key }) => output.show(&api.read_integration(&key).await?, words)?,
            Self::Update(update) => {
                let Update { key, new_key, display_name, auth_schemes, all_auth_schemes, oauth_client } =
                    update;
                let chosen = all_auth_schemes || !auth_schemes.is_empty();
                let change = UpdateIntegration {
                    unique_key: new_key,
                    display_name,
                    auth_schemes: chosen.then_some(auth_schemes),
                    oauth_client,
                    ..UpdateIntegration::default()
                };
                if change == UpdateIntegration::default() {
                    return Err(Failure::usage("nothing is to change", "See --help for what can.").into());
                }
                output.show(&api.update_integration(&key, &change).await?, words)?;
            }
            Self::Delete(Delete { key, confirmation }) => {
                confirmation.ask(&format!("Delete the integration `{key}`?"))?;
                api.delete_integration(&key).await?;
                output.show(&serde_json::json!({ "deleted": key }), |_| format!("deleted `{key}`"))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(all: &[Configured]) -> String {
    if all.is_empty() {
        return "no integrations yet: `tombolo connection create` makes one by itself".to_owned();
    }
    let rows = all
        .iter()
        .map(|one| [one.unique_key.clone(), one.provider.clone(), one.display_name.clone(), schemes(one)]);
    table(["key", "provider", "name", "auth schemes"], rows)
}

fn schemes(one: &Configured) -> String {
    if one.auth_schemes.is_empty() { "all".to_owned() } else { one.auth_schemes.join(", ") }
}

fn words(one: &Configured) -> String {
    properties([
        ("key", one.unique_key.clone()),
        ("provider", one.provider.clone()),
        ("name", one.display_name.clone()),
        ("auth schemes", schemes(one)),
        ("created", moment(one.created_at)),
        ("updated", moment(one.updated_at)),
    ])
}
