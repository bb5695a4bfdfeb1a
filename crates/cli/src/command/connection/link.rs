//! `tombolo connection link` and `tombolo connection confirm`

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::mpsc;
use tombolo_api::{
    Authorization, AuthorizationStage, ConfirmAuthorization, CreateAuthorization, CreatedAuthorization,
    CreatedConnection, FieldValue,
};
use tombolo_platform::catalog::Language;

use super::draft::Draft;
use super::landing::Landing;
use super::secret_source::{SecretSource, field_from};
use crate::command::arguments::{key_value, may_ask, moment, once, quoted, unasked};
use crate::connect_api::Api;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::language::either;
use crate::output::{Output, document, json_line, line, say};

/// How often it is looked whether the person has come back.
const PAUSE: Duration = Duration::from_secs(1);

/// Link an account at the vendor with a browser (OAuth): prints a link, waits for the person who opens it, and makes the
/// connection once it is certain whose account it is: the browser is on this machine, or the person tells you the code that
/// it shows.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tombolo connection link --provider kintone --name Sales
  tombolo connection link --provider kintone --name Sales --field app=12 --oauth-client Acme
  tombolo connection link --provider kintone --name Sales --field certificate=@me.pfx \\
    --secret-from certificate_password=env:PFX_PASSWORD
  tombolo connection link --provider kintone --name Sales --no-wait

The link is printed to standard output: open it yourself, or send it to the person whose account it is, and to nobody
else. The page at the end of the way leads back to this command; on another device it shows a code, which is typed here or
given to `tombolo connection confirm`. Needs a running server and an OAuth client: `tombolo oauth-client create`. With --json it prints one object on one
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
}

/// Confirm that the account of an authorization is that of the person whom the link was for, with the code that their
/// browser showed them; tests the account and makes the connection.
#[derive(Debug, Args)]
pub struct Confirm {
    /// The id that `tombolo connection link` told.
    authorization: String,
    /// The code that the person told you; asked for unless given.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Your own id of the person, if the link was made for one.
    #[arg(long, value_name = "ID")]
    end_user: Option<String>,
}

impl Link {
    pub async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        let (fields, gate_fields) = self.split_fields(api).await?;
        let landing = if self.no_wait { None } else { Some(Landing::open().await?) };
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
            return_url: landing.as_ref().map(|landing| landing.url.clone()),
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
        match landing {
            None => {
                say(how_to_confirm(&link.id, output.language));
                Ok(Exit::Done)
            }
            Some(landing) => wait(api, &link, &landing, output).await,
        }
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
        let code = match self.code {
            Some(code) => code,
            None if may_ask() => {
                let question =
                    either(output.language, "The code that the page showed:", "画面に表示されたコード:");
                inquire::Text::new(question).prompt().map_err(unasked)?
            }
            None => {
                let what = either(output.language, "the code is missing", "コードが指定されていません");
                return Err(Failure::usage(what, how_to_confirm(&authorization.id, output.language)).into());
            }
        };
        tell(&confirm(api, &authorization.id, &code.into(), self.end_user).await?, output)
    }
}

/// Waits until the person has come back with what proves it, and makes the connection.
async fn wait(
    api: &Api,
    link: &CreatedAuthorization,
    landing: &Landing,
    output: Output,
) -> anyhow::Result<Exit> {
    let mut progress = Progress::new(output);
    let mut typed = Typed::default();
    let landed = landing.proof(&link.id, output.language);
    tokio::pin!(landed);
    loop {
        let authorization = api.read_authorization(&link.id).await?;
        progress.show(&authorization);
        match authorization.stage {
            AuthorizationStage::Linked => {
                // Somebody confirmed it elsewhere.
                progress.end();
                let connection = authorization.connection.unwrap_or_default();
                let linked = api.read_connection(&connection, None).await?;
                return tell(&CreatedConnection { connection: linked, report: None }, output);
            }
            _ if authorization.is_over => {
                progress.end();
                return Err(failed(&authorization).into());
            }
            AuthorizationStage::Unconfirmed => typed.ask(&mut progress, &link.id),
            _ => {}
        }
        tokio::select! {
            proof = &mut landed => {
                progress.end();
                return tell(&confirm(api, &link.id, &proof, None).await?, output);
            }
            Some(code) = typed.next() => match confirm(api, &link.id, &code, None).await {
                Ok(created) => return tell(&created, output),
                // It was mistyped; the server counts how often.
                Err(error) if error.api().is_some_and(|problem| problem.code == "proof_refused") => {
                    say(either(output.language, "this is not the code; type it again:", "コードが違います。もう一度入力してください:"));
                }
                Err(error) => return Err(error.into()),
            },
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// What somebody types at the terminal, once they have been asked for it.
#[derive(Default)]
struct Typed {
    lines: Option<mpsc::Receiver<SecretString>>,
}

impl Typed {
    /// Says what is to be done, once.
    fn ask(&mut self, progress: &mut Progress, id: &str) {
        if self.lines.is_some() {
            return;
        }
        let (sender, lines) = mpsc::channel(1);
        self.lines = Some(lines);
        if !may_ask() {
            progress.note(&how_to_confirm(id, progress.language));
            return;
        }
        let words = either(
            progress.language,
            "go on in the browser, or type the code that it shows:",
            "ブラウザーで次へ進むか、表示されたコードを入力してください:",
        );
        progress.note(words);
        // Reading cannot be given up; a thread of its own does not keep the program from ending.
        std::thread::spawn(move || {
            for text in std::io::stdin().lines().map_while(Result::ok) {
                if !text.trim().is_empty() && sender.blocking_send(text.into()).is_err() {
                    return;
                }
            }
        });
    }

    /// The next line; none as long as nobody was asked.
    async fn next(&mut self) -> Option<SecretString> {
        self.lines.as_mut()?.recv().await
    }
}

async fn confirm(
    api: &Api,
    id: &str,
    proof: &SecretString,
    end_user_id: Option<String>,
) -> Result<CreatedConnection, tombolo_api::client::ClientError> {
    let proof = Some(FieldValue::from(proof.expose_secret()));
    api.confirm_authorization(id, &ConfirmAuthorization { proof, end_user_id }).await
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
            AuthorizationStage::Unconfirmed => ("the person has agreed", "許可されました"),
            AuthorizationStage::Linked => ("the account is linked", "アカウントを接続しました"),
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

    /// Says something below the line.
    fn note(&self, words: &str) {
        self.end();
        say(words);
    }

    fn end(&self) {
        if self.rewrites {
            eprintln!();
        }
    }
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
        "Confirm it with the code that the page at the end shows:",
        "最後の画面に表示されるコードを指定して、次のコマンドで確認してください:",
    );
    format!("{word} tombolo connection confirm {id} --code CODE")
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
