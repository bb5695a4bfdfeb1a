//! `tombolo connection link` and `tombolo connection confirm`

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use clap::Args;
use tombolo_api::{Authorization, AuthorizationStage, CreateAuthorization, CreatedConnection, FieldValue};
use tombolo_platform::catalog::Language;

use super::draft::Draft;
use super::secret_source::{SecretSource, field_from};
use crate::command::arguments::{Confirmation, key_value, may_ask, moment, once, quoted};
use crate::connect_api::Api;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::language::either;
use crate::output::{Output, document, json_line, line, properties, say};

/// How often it is looked whether the person has come back.
const PAUSE: Duration = Duration::from_secs(1);

/// Link an account at the vendor with a browser (OAuth): prints a link, waits for the person who opens it, and makes the
/// connection once you confirm whose account it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tombolo connection link --provider kintone --name Sales
  tombolo connection link --provider kintone --name Sales --field app=12 --oauth-client Acme --yes
  tombolo connection link --provider kintone --name Sales --field certificate=@me.pfx \\
    --secret-from certificate_password=env:PFX_PASSWORD
  tombolo connection link --provider kintone --name Sales --no-wait

The link is printed to standard output: open it yourself, or send it to the person whose account it is, and to nobody
else. Needs a running server and an OAuth client: `tombolo oauth-client create`. With --json it prints one object on one
line for the link, and another for the connection. Exits with 4 when the person or the vendor refused.")]
pub struct Link {
    /// The provider's id; the integration of that name is used or made.
    #[arg(long, value_name = "ID", conflicts_with = "integration", required_unless_present = "integration")]
    provider: Option<String>,
    /// The key of an integration.
    #[arg(long, value_name = "KEY")]
    integration: Option<String>,
    /// What people are to call the connection.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Names it in the API; its id unless given.
    #[arg(long, value_name = "ID")]
    connection_id: Option<String>,
    /// The auth scheme; the provider's first one that needs a browser unless given.
    #[arg(long, value_name = "SCHEME")]
    auth_scheme: Option<String>,
    /// The OAuth client, by name or id; the only one that fits unless given.
    #[arg(long, value_name = "CLIENT")]
    oauth_client: Option<String>,
    /// A field that is no secret, or a file as KEY=@PATH; can be repeated. Where the OAuth client is registered is known
    /// already.
    #[arg(long = "field", short, value_name = "KEY=VALUE", value_parser = key_value)]
    fields: Vec<(String, String)>,
    /// A field of a gate from `stdin`, `file:PATH` or `env:NAME`, for secrets; can be repeated.
    #[arg(long = "secret-from", value_name = "KEY=SOURCE", value_parser = field_from)]
    secrets: Vec<(String, SecretSource)>,
    /// A scope to ask for; can be repeated; those of the OAuth client unless given.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// An extra setting; can be repeated.
    #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = key_value)]
    settings: Vec<(String, String)>,
    /// A tag, for finding it; can be repeated.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = key_value)]
    tags: Vec<(String, String)>,
    /// Print the link and end; confirm later with `tombolo connection confirm`.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    confirmation: Confirmation,
}

/// Confirm that the account of an authorization is that of the person whom the link was for; makes the connection.
#[derive(Debug, Args)]
pub struct Confirm {
    /// The id that `tombolo connection link` told.
    authorization: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Link {
    pub async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        let (fields, gate_fields) = self.split_fields(api).await?;
        let draft = CreateAuthorization {
            integration: self.provider.or(self.integration).unwrap_or_default(),
            name: self.name,
            connection_id: self.connection_id,
            auth_scheme: self.auth_scheme,
            oauth_client: self.oauth_client,
            fields,
            gate_fields,
            settings: once(&self.settings, "--setting")?,
            tags: once(&self.tags, "--tag")?,
            scopes: self.scopes,
            ..CreateAuthorization::default()
        };
        let link = api.create_authorization(&draft).await?;
        if output.json {
            json_line(&link)?;
        } else {
            line(&link.url)?;
        }
        let what = either(
            output.language,
            "Open this link in a browser, or send it to the person whose account it is. It can be opened until",
            "このリンクをブラウザーで開くか、アカウントの持ち主だけに送ってください。有効期限:",
        );
        say(format_args!("{what} {}", moment(link.expires_at)));
        if self.no_wait {
            say(how_to_confirm(&link.id, output.language));
            return Ok(Exit::Done);
        }
        let authorization = wait(api, &link.id, output).await?;
        if let Some(connection) = &authorization.connection {
            // Somebody confirmed it elsewhere.
            let linked = api.read_connection(connection, None).await?;
            return tell(&CreatedConnection { connection: linked, report: None }, output);
        }
        confirm(api, &authorization, &self.confirmation, output).await
    }
}

impl Link {
    /// The fields that are no secret, and those of gates.
    async fn split_fields(
        &self,
        api: &Api,
    ) -> anyhow::Result<(BTreeMap<String, String>, BTreeMap<String, FieldValue>)> {
        SecretSource::refuse_stdin_twice(self.secrets.iter().map(|(_, source)| source))?;
        let mut fields = once(&self.fields, "--field")?;
        let provider = match (&self.provider, &self.integration) {
            (None, Some(key)) => api.read_integration(key).await?.provider,
            (provider, _) => provider.clone().unwrap_or_default(),
        };
        let provider = api.read_provider(&provider).await?;
        let of_gates: Vec<String> =
            provider.gates.iter().flat_map(|gate| &gate.fields).map(|field| field.name.clone()).collect();
        let mut draft = Draft::of_gates(provider);
        let (given, rest) = fields.into_iter().partition(|(name, _)| of_gates.contains(name));
        fields = rest;
        draft.give_fields(given)?;
        for (name, source) in &self.secrets {
            draft.give_secret(name, source)?;
        }
        Ok((fields, draft.fields))
    }
}

impl Confirm {
    pub async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        let authorization = api.read_authorization(&self.authorization).await?;
        if authorization.stage == AuthorizationStage::Failed {
            return Err(failed(&authorization).into());
        }
        if authorization.stage != AuthorizationStage::Unconfirmed {
            // There is nothing to ask about; the server says why.
            return tell(&api.confirm_authorization(&authorization.id).await?, output);
        }
        confirm(api, &authorization, &self.confirmation, output).await
    }
}

/// Waits until the person has come back, and tells how far they are.
async fn wait(api: &Api, id: &str, output: Output) -> anyhow::Result<Authorization> {
    let mut progress = Progress::new(output);
    loop {
        let authorization = api.read_authorization(id).await?;
        progress.show(&authorization);
        match authorization.stage {
            AuthorizationStage::Unconfirmed | AuthorizationStage::Linked if !expired(&authorization) => {
                progress.end();
                return Ok(authorization);
            }
            _ if authorization.is_over => {
                progress.end();
                return Err(failed(&authorization).into());
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whether its time ran out before it came to an end.
fn expired(authorization: &Authorization) -> bool {
    authorization.is_over && authorization.stage != AuthorizationStage::Linked
}

/// One line that says how far the person is: written over on a terminal, else written anew when it changes.
struct Progress {
    language: Language,
    rewrites: bool,
    shown: String,
}

impl Progress {
    fn new(output: Output) -> Self {
        Self { language: output.language, rewrites: std::io::stderr().is_terminal(), shown: String::new() }
    }

    fn show(&mut self, authorization: &Authorization) {
        let (en, ja) = match authorization.stage {
            AuthorizationStage::Waiting => {
                ("waiting until somebody opens the link", "リンクが開かれるのを待っています")
            }
            AuthorizationStage::Started => {
                ("the link was opened; waiting for the answer", "リンクが開かれました。応答を待っています")
            }
            AuthorizationStage::Answered => ("testing the account", "アカウントをテストしています"),
            AuthorizationStage::Unconfirmed | AuthorizationStage::Linked => {
                ("the account can be used", "アカウントを使用できます")
            }
            AuthorizationStage::Failed => ("it did not work", "接続できませんでした"),
        };
        let text = either(self.language, en, ja);
        if self.shown == text {
            return;
        }
        text.clone_into(&mut self.shown);
        if self.rewrites {
            // To the beginning of the line, which is emptied first.
            eprint!("\r\u{1b}[2K{text} …");
        } else {
            say(text);
        }
    }

    fn end(&self) {
        if self.rewrites {
            eprintln!();
        }
    }
}

/// Shows what would be linked, asks, and links it.
async fn confirm(
    api: &Api,
    authorization: &Authorization,
    confirmation: &Confirmation,
    output: Output,
) -> anyhow::Result<Exit> {
    say(format_args!("\n{}\n", words(authorization)));
    if !confirmation.is_given() && (output.json || !may_ask()) {
        let what = either(
            output.language,
            "the account is not linked yet: somebody has to confirm whose it is",
            "まだ接続されていません。アカウントの持ち主の確認が必要です",
        );
        return Err(Failure::usage(what, how_to_confirm(&authorization.id, output.language)).into());
    }
    let question = either(
        output.language,
        "Is it the account of the person whom the link was for?",
        "リンクを送った相手のアカウントに間違いありませんか？",
    );
    confirmation.ask(question)?;
    tell(&api.confirm_authorization(&authorization.id).await?, output)
}

fn words(authorization: &Authorization) -> String {
    let pairs = |map: &BTreeMap<String, String>| {
        map.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
    };
    properties([
        ("name", authorization.name.clone()),
        ("integration", authorization.integration.clone()),
        ("fields", pairs(&authorization.config)),
        ("scopes", authorization.scopes.join(", ")),
        ("until", moment(authorization.expires_at)),
    ])
}

/// What was made, and what to do with it.
fn tell(created: &CreatedConnection, output: Output) -> anyhow::Result<Exit> {
    let linked = &created.connection;
    if output.json {
        document(created)?;
        return Ok(Exit::Done);
    }
    say(format_args!("linked `{}` ({})", linked.name, linked.id));
    say(format_args!("call it: tombolo request -c {} GET /…", quoted(&linked.name)));
    line(&linked.id)?;
    Ok(Exit::Done)
}

fn how_to_confirm(id: &str, language: Language) -> String {
    let word = either(
        language,
        "Confirm it once the person has come back:",
        "相手の操作が終わったら、次のコマンドで確認してください:",
    );
    format!("{word} tombolo connection confirm {id}")
}

/// Why nothing was linked.
fn failed(authorization: &Authorization) -> Failure {
    if let Some(problem) = &authorization.problem {
        let failure = Failure::new(Exit::Refused, "", problem.message.clone(), problem.fix.clone());
        return Failure { code: problem.code.clone().into(), ..failure };
    }
    let what = "nobody came to the end of the link in time";
    Failure::new(Exit::Failure, "link_over", what, "Make another one with `tombolo connection link`.")
}
