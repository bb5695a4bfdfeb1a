//! Reads the provider format of others, a map of entries, and turns each entry into a provider file of ours.
//!
//! Nothing is interpreted when a call is made: an entry becomes the text of a provider file, which goes through the same
//! checks as every other. An entry that cannot become one says exactly why.

mod entry;
mod fields;
mod hosts;
mod names;
mod notes;
mod scheme_oauth;
mod scheme_special;
mod schemes;
mod test;
mod words;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::catalog::Catalog;
use crate::diagnostic::Diagnostic;
use crate::provider::{Common, Provider};
use entry::Entry;

/// What became of a file.
#[derive(Debug)]
pub struct Import {
    /// Every entry, in the order of the ids.
    pub entries: Vec<ImportedEntry>,
}

/// What became of one entry.
#[derive(Debug)]
pub struct ImportedEntry {
    /// Its id.
    pub id: String,
    /// What it calls its way to authenticate.
    pub auth_mode: String,
    /// The provider, or why there is none.
    pub outcome: Result<Box<Converted>, String>,
}

/// An entry that became a provider.
#[derive(Debug)]
pub struct Converted {
    /// The text of its provider file.
    pub text: String,
    /// The same, checked.
    pub provider: Provider,
    /// What somebody should know who uses it: what is asked for instead of being looked up, what is not checked.
    pub notes: Vec<String>,
}

/// Whether a text is a map of entries, and not one provider file of ours.
pub fn is_foreign(text: &str) -> bool {
    read(text).is_ok_and(|entries| {
        !entries.contains_key("id")
            && !entries.is_empty()
            && entries.values().all(|entry| entry.get("auth_mode").is_some() || entry.get("alias").is_some())
    })
}

/// Reads a map of entries in YAML or JSON.
pub fn import(file: &str, text: &str) -> Result<Import, Diagnostic> {
    let entries = read(text).map_err(|error| Diagnostic {
        file: file.to_owned(),
        place: error.location().map(Into::into).unwrap_or_default(),
        message: format!("the file cannot be read: {error}"),
        fix: "give a YAML or JSON file with one entry for each provider".to_owned(),
    })?;
    let common = Common::built_in()?;
    let converted = entries.keys().map(|id| convert(id, &entries, &common));
    let mut entries: Vec<ImportedEntry> = converted.collect();
    entries.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Import { entries })
}

fn read(text: &str) -> Result<Map<String, Value>, serde_saphyr::Error> {
    let options = serde_saphyr::options! { with_snippet: false, budget: None };
    serde_saphyr::from_str_with_options(text, options)
}

fn convert(id: &str, entries: &Map<String, Value>, common: &Common) -> ImportedEntry {
    let merged = merged(id, entries, 0);
    let auth_mode = merged.get("auth_mode").and_then(Value::as_str).unwrap_or("(none)").to_owned();
    let outcome = provider_of(id, merged, common);
    ImportedEntry { id: id.to_owned(), auth_mode, outcome }
}

/// An entry over the one that it is an alias of.
fn merged(id: &str, entries: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let own = entries.get(id).and_then(Value::as_object).cloned().unwrap_or_default();
    let Some(alias) = own.get("alias").and_then(Value::as_str).filter(|_| depth < 8) else { return own };
    let mut all = merged(alias, entries, depth + 1);
    all.extend(own);
    all.remove("alias");
    all
}

fn provider_of(id: &str, merged: Map<String, Value>, common: &Common) -> Result<Box<Converted>, String> {
    let mut entry = Entry::new(id, merged)?;
    let schemes = schemes::of(&mut entry)?;
    let test = test::of(&mut entry);
    let document = document(&mut entry, &schemes, test)?;
    let file = format!("{}.yaml", entry.id);
    let text =
        serde_saphyr::to_string(&document).map_err(|error| format!("it cannot be written: {error}"))?;
    let provider = Catalog::parse_one(&file, &text, common).map_err(|faults| told(&faults))?;
    Ok(Box::new(Converted { text, provider, notes: entry.notes.into_texts() }))
}

/// The first two faults in a line; the others mostly follow from them.
fn told(faults: &[Diagnostic]) -> String {
    let told: Vec<&str> = faults.iter().take(2).map(|fault| fault.message.as_str()).collect();
    told.join("; ")
}

fn document(entry: &mut Entry, schemes: &[Value], test: Value) -> Result<Value, String> {
    let base_url = entry.base_url()?;
    let name = entry.text("display_name").unwrap_or(&entry.id).to_owned();
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| drop(document.insert(key.to_owned(), value));
    put("id", json!(entry.id));
    put("name", words::same(&name));
    put("description", json!({ "en": format!("The API of {name}."), "ja": format!("{name}のAPIです。") }));
    put("documentation", json!(entry.text("docs").unwrap_or_default()));
    put("categories", entry.raw.get("categories").cloned().unwrap_or_else(|| json!([])));
    // Last, because schemes and test may have asked for fields that no definition has.
    let config = entry.config_fields();
    put("hosts", json!(entry.hosts()?));
    put("base_url", json!(base_url));
    put("config", config);
    if entry.shows_certificate() {
        let name = json!({ "en": "Client certificate", "ja": "クライアント証明書" });
        put("gates", json!([{ "type": "client_certificate", "name": name }]));
    }
    put("auth", json!(schemes));
    put("test", test);
    if let Some(retry) = test::retry(entry) {
        put("retry", retry);
    }
    if let Some(pagination) = test::pagination(entry) {
        put("pagination", pagination);
    }
    Ok(Value::Object(document))
}

/// How many entries of each way to authenticate became providers: name, number that did, number of all.
pub fn by_auth_mode(import: &Import) -> Vec<(String, usize, usize)> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for entry in &import.entries {
        let (loaded, all) = counts.entry(&entry.auth_mode).or_default();
        *loaded += usize::from(entry.outcome.is_ok());
        *all += 1;
    }
    let mut rows: Vec<_> =
        counts.into_iter().map(|(mode, (loaded, all))| (mode.to_owned(), loaded, all)).collect();
    rows.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    rows
}
