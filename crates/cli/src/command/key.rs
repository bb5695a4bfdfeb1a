//! `tombolo key`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tombolo_platform::start::{KeyPlace, StartError, StartOptions, current_master_key, make_key_file};

use super::GlobalOptions;
use crate::connect_api::{Api, WhereNothingIs, has_installation, master_key, nothing_there, running_server};
use crate::exit::Exit;
use crate::output::{Output, properties, say};

/// The master key, which every secret is sealed under.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Show which master key is in use and where it is. The key itself is never shown.
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
    let options = global.configuration()?.start_options(master_key())?;
    let local = options.postgres.is_none();
    let is_new = local && !has_installation(&options.data_directory);
    let (key, place) = match current_master_key(&options) {
        Err(StartError::KeyMissing { .. }) if is_new => {
            return Err(nothing_there(&options.data_directory).into());
        }
        found => found?,
    };
    let place = match place {
        KeyPlace::Text => "the variable TOMBOLO_MASTER_KEY".to_owned(),
        KeyPlace::File(path) => path.display().to_string(),
    };
    let server = local && running_server(&options.data_directory).is_some();
    let data_keys = if server || is_new { None } else { Some(data_keys(global, output).await?) };
    let id = key.id().to_string();
    let status = json!({ "id": id, "place": place, "data_keys": data_keys });
    output.show(&status, |_| {
        let counted = match data_keys {
            Some(count) => count.to_string(),
            None if server => "held by the running server, which opened them with this key".to_owned(),
            None => "none yet".to_owned(),
        };
        properties([("id", id), ("where", place), ("data keys", counted)])
    })?;
    Ok(Exit::Done)
}

/// How many data keys the master key wraps. Opening the installation checks that the key is the right one.
async fn data_keys(global: &GlobalOptions, output: Output) -> anyhow::Result<usize> {
    let here = GlobalOptions { url: None, ..global.clone() };
    let api = Api::connect(&here, WhereNothingIs::Refuse, output).await?;
    let counted = async {
        let Some(started) = api.installed() else { return Ok(0) };
        let store = started.platform.store();
        let mut count = 0;
        for environment in store.environments().await? {
            count += store.data_keys(&environment.id).await?.len();
        }
        anyhow::Ok(count)
    }
    .await;
    api.finish().await;
    counted
}
