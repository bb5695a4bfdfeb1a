//! All providers: those in the program, and those of a directory that the operator names.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check;
use crate::diagnostic::Diagnostic;
use crate::errors_from::{Unjoined, join};
use crate::provider::{Common, Provider};

/// The provider files that are part of the program: name and text of each file in `providers/`.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// Providers by id.
#[derive(Debug, Clone)]
pub struct Catalog {
    providers: BTreeMap<String, Arc<Provider>>,
}

impl Catalog {
    /// The providers that are part of the program.
    pub fn built_in() -> Result<Self, Vec<Diagnostic>> {
        Self::read(BUILT_IN.iter().copied())
    }

    /// The built-in providers and those of further files, given as name and text; a file with the id of a built-in
    /// provider replaces it.
    pub fn with_files<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<Diagnostic>> {
        Self::read(BUILT_IN.iter().copied().chain(files))
    }

    fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<Diagnostic>> {
        let common = Common::built_in().map_err(|fault| vec![fault])?;
        let providers = check_each(files, &common)?;
        Ok(Self { providers: join(&providers, &common)? })
    }

    /// The provider of one file beside the built-in ones, of which only those are looked at that it takes rows from.
    pub(crate) fn parse_one(file: &str, text: &str, common: &Common) -> Result<Provider, Vec<Diagnostic>> {
        let checked = check::provider(file, text, common)?;
        let id = checked.provider.id.clone();
        let mut providers = match checked.errors_from {
            Some(_) => check_each(BUILT_IN.iter().copied(), common)?,
            None => BTreeMap::new(),
        };
        providers.insert(id.clone(), checked);
        let mut joined = join(&providers, common)?;
        let provider = joined.remove(&id).expect("what was joined has every id that was put in");
        Ok(Arc::unwrap_or_clone(provider))
    }

    /// The provider with an id.
    pub fn get(&self, id: &str) -> Option<&Arc<Provider>> {
        self.providers.get(id)
    }

    /// Whether a provider of that id is part of the program; an operator's file may stand in its place.
    pub fn is_built_in(id: &str) -> bool {
        BUILT_IN.iter().any(|(file, _)| file.strip_suffix(".yaml") == Some(id))
    }

    /// All providers in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.values()
    }
}

/// The providers of files by id; a later file with the id of an earlier one replaces it.
fn check_each<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
    common: &Common,
) -> Result<BTreeMap<String, Unjoined>, Vec<Diagnostic>> {
    let mut providers = BTreeMap::new();
    let mut faults = Vec::new();
    for (file, text) in files {
        match check::provider(file, text, common) {
            Ok(checked) => drop(providers.insert(checked.provider.id.clone(), checked)),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(providers) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_built_in_and_loads() {
        let catalog = Catalog::built_in().unwrap_or_else(|faults| {
            panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        });
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../providers");
        let mut on_disk: Vec<String> = std::fs::read_dir(directory)
            .expect("the directory of the provider files")
            .filter_map(|entry| entry.expect("readable").file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
            .collect();
        on_disk.sort();
        let loaded: Vec<&str> = catalog.iter().map(|provider| provider.id.as_str()).collect();
        assert_eq!(loaded, on_disk);
    }
}
