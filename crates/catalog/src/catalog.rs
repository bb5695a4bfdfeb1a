//! All providers: those in the program, and those of a directory that the operator names.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
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
        let mut providers = BTreeMap::new();
        let mut faults = Vec::new();
        for (file, text) in files {
            match Provider::parse(file, text, &common) {
                Ok(provider) => {
                    providers.insert(provider.id.clone(), Arc::new(provider));
                }
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(Self { providers }) } else { Err(faults) }
    }

    /// The provider with an id.
    pub fn get(&self, id: &str) -> Option<&Arc<Provider>> {
        self.providers.get(id)
    }

    /// All providers in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.values()
    }
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
