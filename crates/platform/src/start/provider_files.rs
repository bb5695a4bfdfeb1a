//! Provider files outside of the program: checked, read from a directory, and made from the format of others.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tombolo_catalog::import::{self, Import};
use tombolo_catalog::{Catalog, Common, Diagnostic, Provider};

use super::StartError;

/// Why a provider file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProviderFileError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}; check the path and its permissions")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It has faults, each with its place and how to mend it.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faults(Vec<Diagnostic>),
}

/// Checks a provider file as the start of an installation does, with nothing else.
pub fn validate_provider(path: &Path) -> Result<Provider, ProviderFileError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ProviderFileError::Unreadable { path: path.to_owned(), source })?;
    let common = Common::built_in().map_err(|fault| ProviderFileError::Faults(vec![fault]))?;
    Provider::parse(&path.display().to_string(), &text, &common).map_err(ProviderFileError::Faults)
}

/// The built-in providers and those of a directory: files of ours, and files in the format of others, of which the entries
/// that cannot be used are left out and told in the log. A file of ours comes before an entry with its id, and so does a
/// provider that is part of the program.
pub fn read_catalog(directory: Option<&Path>) -> Result<Catalog, StartError> {
    let Some(directory) = directory else { return Catalog::built_in().map_err(StartError::Catalog) };
    let failed = |source| StartError::File { path: directory.to_owned(), source };
    let (mut own, mut entries) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        if !is_json && path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text =
            fs::read_to_string(&path).map_err(|source| StartError::File { path: path.clone(), source })?;
        let name = path.display().to_string();
        if import::is_foreign(&text) {
            let import = import::import(&name, &text).map_err(|fault| StartError::Catalog(vec![fault]))?;
            entries.extend(usable(&name, import));
        } else if !is_json {
            own.push((name, text));
        }
    }
    own.sort();
    let built_in = Catalog::built_in().map_err(StartError::Catalog)?;
    entries.retain(|(name, _)| built_in.get(name.trim_end_matches(".yaml")).is_none());
    let files = entries.iter().chain(&own).map(|(name, text)| (name.as_str(), text.as_str()));
    Catalog::with_files(files).map_err(StartError::Catalog)
}

/// The entries that became provider files, by the names of these files.
fn usable(file: &str, import: Import) -> Vec<(String, String)> {
    let all = import.entries.len();
    let mut files = Vec::new();
    for entry in import.entries {
        match entry.outcome {
            Ok(converted) => files.push((format!("{}.yaml", converted.provider.id), converted.text)),
            Err(reason) => tracing::info!(file, entry = entry.id, reason, "an entry is left out"),
        }
    }
    tracing::info!(file, "{} of {all} entries are providers now", files.len());
    files
}

/// Why a file in the format of others cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read, or what it became cannot be written.
    #[error("cannot use {path}: {source}; check the path and its permissions")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is no map of entries.
    #[error("{0}")]
    Format(Diagnostic),
}

/// What became of the providers of an import.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that were written.
    pub files: Vec<PathBuf>,
    /// Ids of providers that are part of the program, which are kept.
    pub kept: Vec<String>,
}

/// Reads a file in the format of others. Writes nothing.
pub fn import_providers(path: &Path) -> Result<Import, ImportError> {
    let text =
        fs::read_to_string(path).map_err(|source| ImportError::File { path: path.to_owned(), source })?;
    import::import(&path.display().to_string(), &text).map_err(ImportError::Format)
}

/// Writes the entries that became providers into a directory, one file for each. Those with the id of a provider that is
/// part of the program are left out unless they are to replace it.
pub fn write_providers(import: &Import, directory: &Path, replace: bool) -> Result<Written, ImportError> {
    let failed = |path: &Path, source| ImportError::File { path: path.to_owned(), source };
    fs::create_dir_all(directory).map_err(|source| failed(directory, source))?;
    let built_in = Catalog::built_in().map_err(|faults| {
        ImportError::Format(faults.into_iter().next().expect("a catalog that does not load has a fault"))
    })?;
    let mut written = Written::default();
    for converted in import.entries.iter().filter_map(|entry| entry.outcome.as_ref().ok()) {
        let id = &converted.provider.id;
        if !replace && built_in.get(id).is_some() {
            written.kept.push(id.clone());
            continue;
        }
        let path = directory.join(format!("{id}.yaml"));
        fs::write(&path, &converted.text).map_err(|source| failed(&path, source))?;
        written.files.push(path);
    }
    Ok(written)
}
