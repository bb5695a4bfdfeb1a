//! `tombolo oauth-client`

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use inquire::{Password, PasswordDisplayMode, Text};
use tombolo_api::{CreateOAuthClient, OAuthClient as Registered, UpdateOAuthClient};

use super::arguments::{Confirmation, key_value, may_ask, moment, once, quoted, unasked};
use super::connection::secret_source::SecretSource;
use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::language::either;
use crate::output::{Output, line, properties, say, table};

/// Look after the OAuth clients that are registered with vendors. Every command takes a client's name or id.
#[derive(Debug, Subcommand)]
pub enum OAuthClient {
    /// List the OAuth clients.
    List,
    /// Make an OAuth client, and print the redirect URI to register with the vendor.
    #[command(after_help = "Examples:
  tombolo oauth-client create --provider kintone --name Acme --field subdomain=acme
  tombolo oauth-client create --provider kintone --name Acme --field subdomain=acme \\
    --client-id l.1.… --secret-from env:CLIENT_SECRET

The redirect URI comes first, alone on standard output: register it with the vendor. The id and the secret that the
vendor then shows are asked for on a terminal, or given later with `tombolo oauth-client update`.")]
    Create(Create),
    /// Show an OAuth client with everything but its secret.
    Show(Named),
    /// Change an OAuth client. With nothing to change, its id and secret are asked for on a terminal.
    Update(Update),
    /// Delete an OAuth client that no connection needs.
    Delete(Delete),
}

/// What an OAuth client is made from.
#[derive(Debug, Args)]
pub struct Create {
    /// The provider's id.
    #[arg(long, value_name = "ID")]
    provider: String,
    /// What people are to call it.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The auth scheme; the provider's first one that needs a client unless given.
    #[arg(long, value_name = "SCHEME")]
    auth_scheme: Option<String>,
    /// Where it is registered, such as subdomain=acme; can be repeated.
    #[arg(long = "field", short, value_name = "KEY=VALUE", value_parser = key_value)]
    fields: Vec<(String, String)>,
    /// Keep the redirect URI /oauth/callback that it was registered with for another product. All such clients share it,
    /// which is weaker than one of its own.
    #[arg(long)]
    shared_callback: bool,
    #[command(flatten)]
    registration: Registration,
}

/// What the vendor showed, and what is asked for.
#[derive(Debug, Args)]
pub struct Registration {
    /// Its public id at the vendor.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Its secret from `stdin`, `file:PATH` or `env:NAME`.
    #[arg(long, value_name = "SOURCE")]
    secret_from: Option<SecretSource>,
    /// A scope to ask people for; can be repeated; those of the provider's file unless given.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Never ask, even on a terminal.
    #[arg(long)]
    no_input: bool,
}

/// One OAuth client.
#[derive(Debug, Args)]
pub struct Named {
    /// The client's name or id.
    client: String,
}

/// What changes; what is left out stays.
#[derive(Debug, Args)]
pub struct Update {
    /// The client's name or id.
    client: String,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Ask for the scopes of the provider's file.
    #[arg(long, conflicts_with = "scopes")]
    default_scopes: bool,
    #[command(flatten)]
    registration: Registration,
}

/// What is deleted.
#[derive(Debug, Args)]
pub struct Delete {
    /// The client's name or id.
    client: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl OAuthClient {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        let nothing = match self {
            Self::Create(_) => WhereNothingIs::Install,
            _ => WhereNothingIs::Refuse,
        };
        on_api(global, nothing, output, async |api| self.on(api, output).await).await
    }

    async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List => output.show(&api.list_oauth_clients().await?, |all| list(all))?,
            Self::Create(create) => create.on(api, output).await?,
            Self::Show(Named { client }) => output.show(&api.read_oauth_client(&client).await?, words)?,
            Self::Update(update) => update.on(api, output).await?,
            Self::Delete(Delete { client, confirmation }) => {
                let known = api.read_oauth_client(&client).await?;
                confirmation.ask(&format!("Delete the OAuth client `{}` ({})?", known.name, known.id))?;
                api.delete_oauth_client(&known.id).await?;
                let answer = serde_json::json!({ "deleted": known.id, "name": known.name });
                output.show(&answer, |_| format!("deleted `{}`", known.name))?;
            }
        }
        Ok(Exit::Done)
    }
}

impl Create {
    async fn on(self, api: &Api, output: Output) -> anyhow::Result<()> {
        let registration = self.registration;
        let asks = registration.is_empty() && registration.may_ask(output);
        let draft = CreateOAuthClient {
            name: self.name,
            provider: self.provider,
            auth_scheme: self.auth_scheme,
            client_id: registration.client_id.clone(),
            client_secret: registration.secret()?,
            config: once(&self.fields, "--field")?,
            scopes: registration.scopes.clone(),
            shared_callback: self.shared_callback,
        };
        let made = api.create_oauth_client(&draft).await?;
        if output.json {
            return output.show(&made, words);
        }
        tell_redirect_uri(&made, output)?;
        say(format_args!("made the OAuth client `{}` ({})", made.name, made.id));
        if !made.client_id.is_empty() {
            return Ok(());
        }
        if asks && made.redirect_uri.is_some() {
            let (client_id, client_secret) = ask(None, output)?;
            if client_id.is_some() || client_secret.is_some() {
                let change = UpdateOAuthClient { client_id, client_secret, ..UpdateOAuthClient::default() };
                let changed = api.update_oauth_client(&made.id, &change).await?;
                say(format_args!("changed the OAuth client `{}`", changed.name));
                return Ok(());
            }
        }
        let then = either(
            output.language,
            "Register the redirect URI with the vendor, then give the id and the secret that it shows:",
            "リダイレクトURIをサービス側に登録し、表示されたクライアントIDとシークレットを設定してください:",
        );
        let name = quoted(&made.name);
        say(format_args!("{then}\n  tombolo oauth-client update {name} --client-id ID --secret-from stdin"));
        Ok(())
    }
}

impl Update {
    async fn on(self, api: &Api, output: Output) -> anyhow::Result<()> {
        let Self { client, name, default_scopes, registration } = self;
        let known = api.read_oauth_client(&client).await?;
        let scopes = (default_scopes || !registration.scopes.is_empty()).then(|| registration.scopes.clone());
        let mut change = UpdateOAuthClient {
            name,
            client_id: registration.client_id.clone(),
            client_secret: registration.secret()?,
            scopes,
        };
        if change == UpdateOAuthClient::default() && registration.may_ask(output) {
            tell_redirect_uri(&known, output)?;
            (change.client_id, change.client_secret) = ask(Some(&known), output)?;
        }
        if change == UpdateOAuthClient::default() {
            let fix = "See --help for what can; on a terminal the id and the secret are asked for.";
            return Err(Failure::usage("nothing is to change", fix).into());
        }
        output.show(&api.update_oauth_client(&known.id, &change).await?, words)
    }
}

impl Registration {
    /// Whether neither id nor secret was given.
    fn is_empty(&self) -> bool {
        self.client_id.is_none() && self.secret_from.is_none()
    }

    fn may_ask(&self, output: Output) -> bool {
        may_ask() && !self.no_input && !output.json
    }

    fn secret(&self) -> anyhow::Result<Option<String>> {
        self.secret_from.as_ref().map(SecretSource::read).transpose()
    }
}

/// Tells what is to be copied to the vendor, before anything is asked.
fn tell_redirect_uri(client: &Registered, output: Output) -> anyhow::Result<()> {
    if let Some(uri) = &client.redirect_uri {
        return line(uri);
    }
    say(either(
        output.language,
        "The redirect URI begins with the URL of the server: start it with `tombolo serve`, then see `tombolo oauth-client show`.",
        "リダイレクトURIにはサーバーのURLが必要です。「tombolo serve」で起動してから「tombolo oauth-client show」で確認してください。",
    ));
    Ok(())
}

/// Asks for what the vendor shows; what is left empty stays.
fn ask(known: Option<&Registered>, output: Output) -> anyhow::Result<(Option<String>, Option<String>)> {
    let language = output.language;
    let help = either(
        language,
        "Register the redirect URI above with the vendor, then copy this from there. Empty: later.",
        "上のリダイレクトURIをサービス側に登録し、表示された値を貼り付けてください。後で設定する場合は空のままにします。",
    );
    let present = known.map_or("", |known| known.client_id.as_str());
    let question = either(language, "Client ID", "クライアントID");
    let client_id =
        Text::new(question).with_help_message(help).with_initial_value(present).prompt().map_err(unasked)?;
    let question = either(language, "Client secret", "クライアントシークレット");
    let secret = Password::new(question)
        .without_confirmation()
        .with_display_mode(PasswordDisplayMode::Masked)
        .prompt()
        .map_err(unasked)?;
    let given = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    Ok((given(client_id).filter(|id| id != present), given(secret)))
}

fn list(all: &[Registered]) -> String {
    if all.is_empty() {
        return "no OAuth clients yet: make one with `tombolo oauth-client create`".to_owned();
    }
    let rows = all.iter().map(|client| {
        [
            client.name.clone(),
            client.provider.clone(),
            pairs(&client.config),
            state(client),
            client.id.clone(),
        ]
    });
    table(["name", "provider", "registered at", "state", "id"], rows)
}

/// Whether people can be sent to the vendor with it.
fn state(client: &Registered) -> String {
    match (client.client_id.is_empty(), client.has_secret) {
        (true, _) => "to be registered".to_owned(),
        (false, false) => "without a secret".to_owned(),
        (false, true) => "ready".to_owned(),
    }
}

fn pairs(config: &BTreeMap<String, String>) -> String {
    config.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

const SHARED: &str =
    "the redirect URI is that of all clients that were taken over: weaker than one of its own";

fn words(client: &Registered) -> String {
    properties([
        ("redirect URI", client.redirect_uri.clone().unwrap_or_default()),
        (
            "owner",
            client.owner.as_ref().map(|owner| format!("{} {}", owner.kind, owner.id)).unwrap_or_default(),
        ),
        ("shared", if client.shared_callback { SHARED } else { "" }.to_owned()),
        ("name", client.name.clone()),
        ("id", client.id.clone()),
        ("provider", client.provider.clone()),
        ("auth scheme", client.auth_scheme.clone()),
        ("registered at", pairs(&client.config)),
        ("client id", client.client_id.clone()),
        ("secret", if client.has_secret { "given" } else { "none" }.to_owned()),
        ("scopes", client.scopes.join(", ")),
        ("created", moment(client.created_at)),
        ("updated", moment(client.updated_at)),
    ])
}
