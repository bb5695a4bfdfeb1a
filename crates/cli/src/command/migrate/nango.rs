//! `tombolo migrate nango`

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::pin::pin;

use clap::Args;
use tombolo_api::client::ClientError;
use tombolo_api::{ConnectionQuery, ImportConnection, Integration, OAuthClient};
use tombolo_platform::start::Outside;
use tombolo_platform::{Clock as _, SystemClock};

use super::credentials::{Mapped, mapped};
use super::integrations::{Integrations, Usable};
use super::progress::Progress;
use super::report::{ConnectionRow, Fate, Obstacle, Report};
use super::source::{Refusal, Source};
use super::wire::Listed;
use crate::command::connection::secret_source::{SecretSource, secret_or_ask};
use crate::command::serve::stop_signal;
use crate::command::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::language::either;
use crate::output::{Output, say};

/// Where from, and what.
#[derive(Debug, Args)]
pub struct Nango {
    /// The address of the other server's API.
    #[arg(long, value_name = "URL")]
    from: String,
    /// The API key there, from `stdin`, `file:PATH` or `env:NAME`; asked for on a terminal unless given.
    #[arg(long, value_name = "SOURCE")]
    key_from: Option<SecretSource>,
    /// The other server is in a network of one's own (private and loopback addresses), and may speak plain http.
    #[arg(long)]
    private_address: bool,
    /// Write nothing, and tell what would become of everything.
    #[arg(long)]
    dry_run: bool,
    /// Only this integration; can be repeated.
    #[arg(long = "integration", value_name = "KEY")]
    integrations: Vec<String>,
    /// Let the OAuth clients keep the redirect URI /oauth/callback that they were registered with. All of them share it,
    /// which is weaker than one of their own.
    #[arg(long)]
    keep_callback: bool,
    /// Bring the credentials of connections that are here already once more: for when the other server has gone on renewing
    /// them.
    #[arg(long)]
    replace: bool,
}

/// One run.
pub(super) struct Run<'a> {
    pub(super) api: &'a Api,
    pub(super) source: Source,
    pub(super) progress: &'a Progress,
    pub(super) rehearses: bool,
    pub(super) keeps_callback: bool,
    replaces: bool,
    /// The integrations that are here.
    pub(super) ours: Vec<Integration>,
    /// The OAuth clients that are here.
    pub(super) clients: RefCell<Vec<OAuthClient>>,
}

impl Nango {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        let question = either(output.language, "API key of the other server", "移行元サーバーのAPIキー");
        let key = secret_or_ask(self.key_from.as_ref(), question, "--key-from")?.into();
        let options = global.configuration()?.start_options(None)?;
        let outside = Outside::new(&options, self.from.trim_end_matches('/'), &key, self.private_address);
        let source = Source::new(outside.map_err(|error| Failure::from(&error))?);
        let nothing = if self.dry_run { WhereNothingIs::Borrow } else { WhereNothingIs::Install };
        if !self.dry_run {
            say(warning(output));
        }
        on_api(global, nothing, output, async |api| self.on(api, source, output).await).await
    }

    async fn on(&self, api: &Api, source: Source, output: Output) -> anyhow::Result<Exit> {
        let progress = Progress::new(output.language);
        let run = Run {
            api,
            source,
            progress: &progress,
            rehearses: self.dry_run,
            keeps_callback: self.keep_callback,
            replaces: self.replace,
            ours: api.list_integrations().await?,
            clients: RefCell::new(api.list_oauth_clients().await?),
        };
        let mut report = Report {
            from: self.from.clone(),
            dry_run: self.dry_run,
            is_complete: false,
            integrations: Vec::new(),
            connections: Vec::new(),
            next_steps: Vec::new(),
        };
        let ended = {
            let mut stop = pin!(stop_signal());
            run.everything(&self.integrations, &mut report, stop.as_mut()).await
        };
        progress.end();
        report.is_complete = matches!(ended, Ok(true));
        report.next_steps = next_steps(&report, self, output);
        // What was done is told whatever stopped the run.
        output.show(&report, |report| report.words(output))?;
        if !ended? {
            say(either(
                output.language,
                "Stopped. Run the command again to go on: what is here is skipped.",
                "中断しました。もう一度実行すると、登録済みのものを除いて続行します。",
            ));
        }
        Ok(if report.leaves_something() { Exit::Failure } else { Exit::Done })
    }
}

impl Run<'_> {
    /// Moves everything, one thing after the other. `false` when it was asked to stop before the end.
    async fn everything(
        &self,
        wanted: &[String],
        report: &mut Report,
        mut stop: std::pin::Pin<&mut impl Future<Output = anyhow::Result<()>>>,
    ) -> anyhow::Result<bool> {
        let mut listed = self.source.integrations(self.progress).await.map_err(ending)?;
        if let Some(unknown) = wanted.iter().find(|key| listed.iter().all(|known| known.unique_key != **key))
        {
            let what = format!("the other server has no integration `{unknown}`");
            return Err(
                Failure::new(Exit::NotFound, "unknown_integration", what, "Check its key there.").into()
            );
        }
        listed.retain(|known| wanted.is_empty() || wanted.contains(&known.unique_key));
        let connections = self.source.connections(wanted, self.progress).await.map_err(ending)?;
        self.progress.expect(listed.len() + connections.len());
        let mut integrations = Integrations::new();
        for known in &listed {
            self.progress.next(&known.unique_key);
            let (row, usable) = self.move_integration(known).await?;
            report.integrations.push(row);
            integrations.insert(known.unique_key.clone(), usable);
            if has_ended(&mut stop).await {
                return Ok(false);
            }
        }
        let here = self.here().await?;
        for known in &connections {
            self.progress.next(&known.connection_id);
            let is_here = here.contains(known);
            let (fate, notes) = match integrations.get(&known.provider_config_key) {
                _ if is_here && !self.replaces => (Fate::AlreadyThere, Vec::new()),
                Some(Ok(usable)) => {
                    // A stop cuts off the wait for the other product, never what is written here.
                    let read = tokio::select! {
                        read = self.source.connection(known, self.progress) => read,
                        _ = &mut stop => return Ok(false),
                    };
                    self.move_connection(known, usable, read).await?
                }
                Some(Err(obstacle)) => (Fate::CannotMove(obstacle.clone()), Vec::new()),
                None => continue,
            };
            let (integration, connection_id) =
                (known.provider_config_key.clone(), known.connection_id.clone());
            report.connections.push(ConnectionRow { integration, connection_id, fate, notes });
        }
        Ok(true)
    }

    /// The connections that are here.
    async fn here(&self) -> Result<BTreeSet<Listed>, ClientError> {
        let (mut here, mut query) = (BTreeSet::new(), ConnectionQuery::default());
        loop {
            let page = self.api.list_connections(&query).await?;
            here.extend(page.connections.into_iter().map(|known| Listed {
                provider_config_key: known.provider_config_key,
                connection_id: known.connection_id,
            }));
            if page.next_cursor.is_none() {
                return Ok(here);
            }
            query.cursor = page.next_cursor;
        }
    }

    async fn move_connection(
        &self,
        listed: &Listed,
        usable: &Usable,
        read: Result<super::wire::Full, Refusal>,
    ) -> anyhow::Result<(Fate, Vec<String>)> {
        let connection = match read {
            Ok(connection) => connection,
            Err(Refusal::Said { status, code, message }) => {
                return Ok((Fate::CannotMove(not_shown(status.as_u16(), &code, &message)), Vec::new()));
            }
            Err(Refusal::Over(failure)) => return Err((*failure).into()),
        };
        let now = jiff::Timestamp::from_millisecond(SystemClock.now().as_milliseconds())?;
        let Mapped { import, notes } = match mapped(listed, connection, usable, now) {
            Ok(mapped) => mapped,
            Err(obstacle) => return Ok((Fate::CannotMove(obstacle), Vec::new())),
        };
        if self.rehearses {
            return Ok((Fate::CanMove, notes));
        }
        match self.imported(import).await.map_err(Obstacle::of) {
            Ok(()) => Ok((Fate::Moved, notes)),
            Err(Ok(obstacle)) => Ok((Fate::CannotMove(obstacle), notes)),
            Err(Err(error)) => Err(error.into()),
        }
    }

    /// Imports under the first name that is free.
    async fn imported(&self, mut import: ImportConnection) -> Result<(), ClientError> {
        let wanted = import.name.clone().unwrap_or_default();
        let id: String = import.connection_id.clone().unwrap_or_default().chars().take(50).collect();
        for name in [Some(wanted.clone()), Some(format!("{wanted} ({id})")), None] {
            let is_last = name.is_none();
            import.name = name;
            match self.api.import_connection(&import).await {
                Err(error) if !is_last && error.api().is_some_and(|error| error.code == "name_taken") => {}
                other => return other.map(drop),
            }
        }
        Ok(())
    }
}

/// Whether somebody asked for the end.
async fn has_ended(stop: &mut std::pin::Pin<&mut impl Future<Output = anyhow::Result<()>>>) -> bool {
    tokio::select! {
        biased;
        _ = stop => true,
        () = std::future::ready(()) => false,
    }
}

/// A refusal that leaves nothing to be done.
fn ending(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Over(failure) => *failure,
        Refusal::Said { code, message, .. } => {
            let what = format!("the other server does not list what it has ({code}: {message})");
            let fix =
                "Use a key with the scopes environment:integrations:list and environment:connections:list.";
            Failure::new(Exit::NotPermitted, "source_list_refused", what, fix)
        }
    }
}

/// Why one connection is not shown.
fn not_shown(status: u16, code: &str, message: &str) -> Obstacle {
    let relink = "Have the account linked again here; nobody can use it there either.";
    match (status, code) {
        (403, _) => Obstacle::new(
            "credentials_not_visible",
            "the key may not read credentials",
            "Use a key with the scope environment:connections:read_credentials, and run the command again.",
        ),
        (404, _) => Obstacle::new("gone", "it was deleted there meanwhile", "Nothing has to be done."),
        (424, _) => Obstacle::new(
            "refresh_exhausted",
            format!("its token could not be renewed there: {message}"),
            relink,
        ),
        _ if code == "invalid_credentials" => Obstacle::new(
            "invalid_credentials",
            format!("its credentials are not good any more: {message}"),
            relink,
        ),
        _ => Obstacle::new(
            "not_shown",
            format!("the other server does not show it ({code}: {message})"),
            "Look at the connection there, and run the command again.",
        ),
    }
}

/// Only one server may renew tokens.
fn warning(output: Output) -> String {
    either(
        output.language,
        "!! From now on the OTHER server must not renew tokens any more: many vendors take a refresh token only once.\n!! Stop it as soon as this run has ended, and start it again only to go back. See docs/switching.md.",
        "!! これ以降、移行元のサーバーでトークンを更新しないでください。リフレッシュトークンを一度しか受け付けないサービスが多くあります。\n!! この処理が終わりしだい移行元を停止し、元に戻すとき以外は起動しないでください。docs/switching.mdを参照してください。",
    )
    .to_owned()
}

fn next_steps(report: &Report, asked: &Nango, output: Output) -> Vec<String> {
    let language = output.language;
    let mut steps = Vec::new();
    if asked.dry_run {
        steps.push(either(
            language,
            "Nothing was written. Run the command again without --dry-run once nobody calls the other server any more.",
            "何も書き込んでいません。移行元の利用を止めてから、--dry-runを付けずに実行してください。",
        ));
    } else {
        steps.push(either(
            language,
            "STOP the other server now, so that it renews no token any more.",
            "移行元のサーバーを今すぐ停止してください。動いたままだとトークンが更新され、移行したトークンが使えなくなります。",
        ));
        steps.push(either(
            language,
            "Point your programs at this server; `tombolo api-key import` lets them keep their key.",
            "プログラムの接続先をこのサーバーに変更してください。「tombolo api-key import」で既存のAPIキーも使えます。",
        ));
    }
    if report.integrations.iter().any(|row| row.redirect_uri.is_some() && !row.shared_callback) {
        steps.push(either(
            language,
            "Register each redirect URI above with its vendor, before somebody links an account.",
            "新しいアカウントを接続する前に、上のリダイレクトURIを各サービスに登録してください。",
        ));
    }
    if report.integrations.iter().any(|row| row.shared_callback) {
        steps.push(either(
            language,
            "Let the address of the other server's /oauth/callback lead to this server; register redirect URIs of their own with the vendors when you can.",
            "移行元の/oauth/callbackのアドレスをこのサーバーに向けてください。可能になりしだい、個別のリダイレクトURIを各サービスに登録してください。",
        ));
    }
    steps.into_iter().map(str::to_owned).collect()
}
