//! `tombolo provider import`

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use serde_json::json;
use tombolo_platform::catalog::import::{Import as Imported, by_auth_mode};
use tombolo_platform::start::{Written, import_providers, write_providers};

use super::GlobalOptions;
use crate::exit::Exit;
use crate::output::{Output, table};

/// Which file is imported, and what of it.
#[derive(Debug, Args)]
pub struct Import {
    /// A YAML or JSON file with one entry for each provider.
    file: PathBuf,
    /// Only tell what would become of each entry.
    #[arg(long)]
    report: bool,
    /// Only this entry; can be repeated.
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Where the provider files are written; the setting `providers.directory` unless given.
    #[arg(long, value_name = "DIRECTORY")]
    into: Option<PathBuf>,
    /// Let an entry take the place of a provider of the same id that is part of the program.
    #[arg(long)]
    replace: bool,
}

impl Import {
    pub fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        let mut imported = import_providers(&self.file)?;
        if !self.only.is_empty() {
            if let Some(unknown) =
                self.only.iter().find(|id| imported.entries.iter().all(|entry| entry.id != **id))
            {
                bail!("{} has no entry `{unknown}`; `--report` lists all of them", self.file.display());
            }
            imported.entries.retain(|entry| self.only.contains(&entry.id));
        }
        let written = if self.report { None } else { Some(self.write(global, &imported)?) };
        output.show(&document(&imported, written.as_ref()), |_| words(&imported, written.as_ref()))?;
        let any = imported.entries.iter().any(|entry| entry.outcome.is_ok());
        Ok(if any { Exit::Done } else { Exit::Failure })
    }

    fn write(&self, global: &GlobalOptions, imported: &Imported) -> anyhow::Result<Written> {
        let configured = global.configuration()?.providers.directory;
        let directory = self.into.clone().unwrap_or(configured);
        if directory.as_os_str().is_empty() {
            bail!(
                "there is no directory for provider files; set `providers.directory` in the configuration, or give one with --into"
            );
        }
        Ok(write_providers(imported, &directory, self.replace)?)
    }
}

fn document(imported: &Imported, written: Option<&Written>) -> serde_json::Value {
    let modes: Vec<_> = by_auth_mode(imported)
        .into_iter()
        .map(|(mode, loaded, all)| json!({ "auth_mode": mode, "loaded": loaded, "entries": all }))
        .collect();
    let entries: Vec<_> = imported
        .entries
        .iter()
        .map(|entry| match &entry.outcome {
            Ok(converted) => json!({
                "id": entry.id, "auth_mode": entry.auth_mode, "loaded": true, "notes": converted.notes,
            }),
            Err(reason) => json!({
                "id": entry.id, "auth_mode": entry.auth_mode, "loaded": false, "reason": reason,
            }),
        })
        .collect();
    let mut document = json!({ "auth_modes": modes, "entries": entries });
    if let Some(written) = written {
        document["files"] = json!(written.files);
        document["kept"] = json!(written.kept);
    }
    document
}

fn words(imported: &Imported, written: Option<&Written>) -> String {
    let mut rows: Vec<[String; 3]> = by_auth_mode(imported)
        .into_iter()
        .map(|(mode, loaded, all)| [mode, loaded.to_string(), all.to_string()])
        .collect();
    let loaded = imported.entries.iter().filter(|entry| entry.outcome.is_ok()).count();
    let all = imported.entries.len();
    rows.push(["all".to_owned(), loaded.to_string(), all.to_string()]);
    let mut parts = vec![table(["auth mode", "load", "entries"], rows)];
    let refused: Vec<[String; 3]> = imported
        .entries
        .iter()
        .filter_map(|entry| {
            let reason = entry.outcome.as_ref().err()?;
            Some([entry.id.clone(), entry.auth_mode.clone(), reason.clone()])
        })
        .collect();
    if !refused.is_empty() {
        parts.push(format!("Not loaded\n{}", table(["entry", "auth mode", "why not"], refused)));
    }
    let noted = imported.entries.iter().filter_map(|entry| Some((&entry.id, entry.outcome.as_ref().ok()?)));
    // A person who asked for a few wants to know all about them; of a thousand nobody reads it.
    if all <= 20 {
        let notes: Vec<String> = noted
            .flat_map(|(id, converted)| converted.notes.iter().map(move |note| format!("{id}: {note}")))
            .collect();
        parts.extend((!notes.is_empty()).then(|| notes.join("\n")));
    }
    if let Some(written) = written {
        let mut told = format!("{} provider files written.", written.files.len());
        if !written.kept.is_empty() {
            told.push_str(" Kept as they are, because they are part of the program: ");
            told.push_str(&written.kept.join(", "));
            told.push('.');
        }
        parts.push(told);
    }
    parts.join("\n\n")
}
