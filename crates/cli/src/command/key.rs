//! `tombolo key`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tombolo_api::Keys;
use tombolo_platform::start::{KeyPlace, StartError, StartOptions, current_master_key, make_key_file};

use super::arguments::moment;
use super::{GlobalOptions, on_api};
use crate::connect_api::{WhereNothingIs, has_installation, master_key, nothing_there};
use crate::exit::Exit;
use crate::output::{Output, properties, say, table};

/// The master key, which every secret is sealed under.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Show which master key is in use and where it is, and how many secrets the data keys below it sealed. No key itself
    /// is ever shown.
    #[command(after_help = "Example:
  tombolo key status

With --url the API key needs the scope installation:keys:read.")]
    Status,
    /// Make a new master key file, readable by its owner only. It is not put into use.
    #[command(after_help = "Example:
  tombolo key generate /etc/tombolo/master.key
  TOMBOLO_MASTER_KEY_FILE=/etc/tombolo/master.key tombolo serve --database postgres://…

Several servers on one PostgreSQL database need the same key. Keep a copy apart from the database: without the key no
secret can be read again.")]
    Generate(Generate),
}

/// Where the key goes.
#[derive(Debug, Args)]
pub struct Generate {
    /// The file; it must not exist.
    file: PathBuf,
}

impl Key {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Status => status(global, output).await,
            Self::Generate(Generate { file }) => {
                let random = StartOptions::in_directory(PathBuf::new()).random;
                let key = make_key_file(&file, &*random)?;
                let made = json!({ "id": key.id().to_string(), "file": file });
                output.show(&made, |_| format!("{}  {}", key.id(), file.display()))?;
                say("Back it up now, apart from the database.");
                Ok(Exit::Done)
            }
        }
    }
}

async fn status(global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
    let options = if global.url.is_some() { None } else { Some(start_options(global)?) };
    let here = options.as_ref().map(current_master_key);
    let nothing = options.filter(|options| options.postgres.is_none());
    if let Some(options) = nothing.filter(|options| !has_installation(&options.data_directory)) {
        return match here {
            Some(Ok((key, place))) => supplied(&key.id().to_string(), &place, output),
            Some(Err(error)) if !matches!(error, StartError::KeyMissing { .. }) => Err(error.into()),
            _ => Err(nothing_there(&options.data_directory).into()),
        };
    }
    on_api(global, WhereNothingIs::Refuse, output, async |api| {
        let keys = api.read_keys().await?;
        // A server may have another key than this command would find, such as one in its own environment.
        let found = here.and_then(Result::ok).filter(|(key, _)| key.id().to_string() == keys.master_key_id);
        let place = found.map(|(_, place)| in_words(&place));
        let count: usize = keys.environments.iter().map(|environment| environment.data_keys.len()).sum();
        let status = json!({
            "id": keys.master_key_id, "place": place, "data_keys": count, "environments": keys.environments,
        });
        output.show(&status, |_| words(&keys, place, count))?;
        Ok(Exit::Done)
    })
    .await
}

fn start_options(global: &GlobalOptions) -> anyhow::Result<StartOptions> {
    global.configuration()?.start_options(master_key())
}

/// A key that was supplied for an installation that is not there yet.
fn supplied(id: &str, place: &KeyPlace, output: Output) -> anyhow::Result<Exit> {
    let place = in_words(place);
    let status = json!({ "id": id, "place": place, "data_keys": 0, "environments": [] });
    output.show(&status, |_| {
        properties([("id", id.to_owned()), ("where", place.clone()), ("data keys", "none yet".to_owned())])
    })?;
    Ok(Exit::Done)
}

fn in_words(place: &KeyPlace) -> String {
    match place {
        KeyPlace::Text => "the variable TOMBOLO_MASTER_KEY".to_owned(),
        KeyPlace::File(path) => path.display().to_string(),
    }
}

fn words(keys: &Keys, place: Option<String>, count: usize) -> String {
    let place = place.unwrap_or_else(|| "held by the server".to_owned());
    let head =
        properties([("id", keys.master_key_id.clone()), ("where", place), ("data keys", count.to_string())]);
    let rows = keys.environments.iter().flat_map(|environment| {
        environment.data_keys.iter().map(|key| {
            [
                environment.environment.clone(),
                key.version.to_string(),
                key.sealed.to_string(),
                key.master_key_id.clone(),
                moment(key.created_at),
            ]
        })
    });
    format!("{head}\n\n{}", table(["environment", "version", "sealed", "master key", "created"], rows))
}
