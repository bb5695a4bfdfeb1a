//! `tombolo api-key`

use clap::{Args, Subcommand};
use jiff::Timestamp;
use tombolo_api::{ApiKey as Known, ApiKeys, CreateApiKey, ImportApiKey};

use super::arguments::{Confirmation, moment};
use super::connection::secret_source::{SecretSource, secret_or_ask};
use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::language::either;
use crate::output::{Output, say, table};

/// The keys with which programs call the API.
#[derive(Debug, Subcommand)]
pub enum ApiKey {
    /// Make a key. It is printed this once; only what can check it is stored.
    #[command(after_help = "Examples:
  TOMBOLO_API_KEY=$(tombolo api-key create ci)
  tombolo api-key create reports --scope environment:proxy --expires 2027-01-01T00:00:00Z")]
    Create(Create),
    /// Accept a key of Nango, so that programs that hold it go on without a change.
    #[command(after_help = "Examples:
  tombolo api-key import backend --from env:NANGO_SECRET_KEY
  tombolo api-key import backend --from stdin --scope 'environment:*' \\
    --scope environment:connections:read_credentials < key.txt

The key is a UUID. On a terminal it is asked for unless --from says where it is. Scopes are as for a key that is made:
reading access tokens back takes environment:connections:read_credentials by its name.")]
    Import(Import),
    /// List the keys, without their secrets.
    List,
    /// Refuse a key from now on.
    Revoke(Revoke),
}

/// What a key is made from.
#[derive(Debug, Args)]
pub struct Create {
    /// What people are to call it.
    name: String,
    /// What its holder may do, such as environment:proxy; can be repeated; everything in its environment unless given.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// From when on it is to be refused, such as 2027-01-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    expires: Option<Timestamp>,
}

/// A key that somebody has already.
#[derive(Debug, Args)]
pub struct Import {
    /// What people are to call it.
    name: String,
    /// The key from `stdin`, `file:PATH` or `env:NAME`.
    #[arg(long, value_name = "SOURCE")]
    from: Option<SecretSource>,
    /// What its holder may do, such as environment:proxy; can be repeated; everything in its environment unless given.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// From when on it is to be refused, such as 2027-01-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    expires: Option<Timestamp>,
}

/// What is revoked.
#[derive(Debug, Args)]
pub struct Revoke {
    /// The key's name or id.
    key: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl ApiKey {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        let nothing = match self {
            Self::Create(_) | Self::Import(_) => WhereNothingIs::Install,
            _ => WhereNothingIs::Refuse,
        };
        on_api(global, nothing, output, async |api| self.on(api, output).await).await
    }

    async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Create(Create { name, scopes, expires }) => {
                let draft = CreateApiKey {
                    display_name: name,
                    scopes: (!scopes.is_empty()).then_some(scopes),
                    expires_at: expires,
                };
                let created = api.create_api_key(&draft).await?;
                output.show(&created, |created| created.secret.clone())?;
                say("This key is shown this once: keep it where your program finds it.");
            }
            Self::Import(Import { name, from, scopes, expires }) => {
                let question = either(output.language, "API key of Nango", "NangoのAPIキー");
                let key = secret_or_ask(from.as_ref(), question, "--from")?;
                let existing = ImportApiKey {
                    display_name: name,
                    key: key.into(),
                    scopes: (!scopes.is_empty()).then_some(scopes),
                    expires_at: expires,
                };
                let imported = api.import_api_key(&existing).await?;
                output.show(&imported, |key| format!("accepts `{}` ({})", key.display_name, key.id))?;
            }
            Self::List => output.show(&api.list_api_keys().await?, list)?,
            Self::Revoke(Revoke { key, confirmation }) => {
                confirmation.ask(&format!("Revoke the API key `{key}`?"))?;
                api.revoke_api_key(&key).await?;
                output.show(&serde_json::json!({ "revoked": key }), |_| format!("revoked `{key}`"))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(keys: &ApiKeys) -> String {
    if keys.data.is_empty() {
        return "no API keys yet: make one with `tombolo api-key create NAME`".to_owned();
    }
    let rows = keys.data.iter().map(|key| {
        [
            key.display_name.clone(),
            key.id.clone(),
            key.scopes.join(", "),
            moment(key.created_at),
            key.last_used_on.map_or_else(|| "never".to_owned(), |day| day.to_string()),
            state(key),
        ]
    });
    table(["name", "id", "scopes", "created", "last used", "state"], rows)
}

fn state(key: &Known) -> String {
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", moment(at)),
        (None, Some(at)) => format!("until {}", moment(at)),
        (None, None) => "without end".to_owned(),
    }
}
