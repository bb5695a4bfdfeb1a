//! `tombolo provider`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tombolo_api::{Provider as Known, ProviderField, ProviderQuery};
use tombolo_platform::catalog::Language;
use tombolo_platform::start::{ProviderFileError, validate_provider};

use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::language::InBoth as _;
use crate::output::{Output, properties, table};

/// What can be linked.
#[derive(Debug, Subcommand)]
pub enum Provider {
    /// List the providers.
    List(List),
    /// Show what it takes to link an account of a provider: fields, ways to authenticate, settings.
    Show(Show),
    /// Check a provider file, with no server and no network. Exits with 1 when it has faults.
    #[command(after_help = "Example:
  tombolo provider validate providers/acme.yaml

Each fault is printed as FILE:LINE:COLUMN with what to write instead.")]
    Validate(Validate),
    /// Turn the published provider file of another product into provider files, with no server and no network.
    #[command(after_help = "Examples:
  tombolo provider import providers.yaml --report
  tombolo provider import providers.yaml
  tombolo provider import providers.yaml --only acme --into ./providers

Every entry becomes a provider file that you can read and change, or is listed with the reason why it cannot.")]
    Import(super::provider_import::Import),
}

/// Which providers are listed.
#[derive(Debug, Args)]
pub struct List {
    /// Only those whose id or name holds this text.
    search: Option<String>,
}

/// Which provider is shown.
#[derive(Debug, Args)]
pub struct Show {
    /// The provider's id.
    id: String,
}

/// Which file is checked.
#[derive(Debug, Args)]
pub struct Validate {
    /// The provider file.
    file: PathBuf,
}

impl Provider {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Validate(validate) => validate.run(output),
            Self::Import(import) => import.run(global, output),
            Self::List(List { search }) => {
                on_api(global, WhereNothingIs::Borrow, output, async |api| {
                    let providers = api.list_providers(&ProviderQuery { search }).await?;
                    output.show(&providers, |providers| list(providers, output.language))?;
                    Ok(Exit::Done)
                })
                .await
            }
            Self::Show(Show { id }) => {
                on_api(global, WhereNothingIs::Borrow, output, async |api: &Api| {
                    let provider = api.read_provider(&id).await?;
                    output.show(&provider, |provider| words(provider, output.language))?;
                    Ok(Exit::Done)
                })
                .await
            }
        }
    }
}

impl Validate {
    fn run(self, output: Output) -> anyhow::Result<Exit> {
        let file = self.file.display().to_string();
        let faults = match validate_provider(&self.file) {
            Ok(provider) => {
                let answer = json!({ "file": file, "valid": true, "provider": provider.id, "faults": [] });
                let name = provider.name.get(output.language);
                output.show(&answer, |_| format!("{file}: valid, {} ({name})", provider.id))?;
                return Ok(Exit::Done);
            }
            Err(ProviderFileError::Faults(faults)) => faults,
            Err(error) => return Err(error.into()),
        };
        let listed: Vec<_> = faults
            .iter()
            .map(|fault| {
                let (line, column) = (fault.place.line, fault.place.column);
                json!({ "file": fault.file, "line": line, "column": column, "message": fault.message, "fix": fault.fix })
            })
            .collect();
        output.show(&json!({ "file": file, "valid": false, "faults": listed }), |_| {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })?;
        Ok(Exit::Failure)
    }
}

fn list(providers: &[Known], language: Language) -> String {
    let rows = providers.iter().map(|provider| {
        let schemes: Vec<&str> = provider.auth_schemes.iter().map(|scheme| scheme.id.as_str()).collect();
        [
            provider.name.clone(),
            provider.title.in_language(language).to_owned(),
            schemes.join(", "),
            provider.description.in_language(language).to_owned(),
        ]
    });
    table(["id", "name", "auth schemes", "what it is"], rows)
}

fn words(provider: &Known, language: Language) -> String {
    let mut parts = vec![properties([
        ("id", provider.name.clone()),
        ("name", provider.title.in_language(language).to_owned()),
        ("what it is", provider.description.in_language(language).to_owned()),
        ("documentation", provider.docs.clone()),
    ])];
    parts.push(format!("Fields\n{}", fields(&provider.fields, language)));
    for scheme in &provider.auth_schemes {
        let name = scheme.name.in_language(language);
        let explain = scheme.explain.as_ref().map_or("", |text| text.in_language(language));
        let fields = fields(&scheme.fields, language);
        parts.push(format!("Auth scheme {}: {name}\n  {explain}\n{fields}", scheme.id));
    }
    for gate in &provider.gates {
        let explain = gate.explain.as_ref().map_or("", |text| text.in_language(language));
        let fields = fields(&gate.fields, language);
        parts.push(format!("{}\n  {explain}\n{fields}", gate.name.in_language(language)));
    }
    let settings = provider.settings.iter().map(|setting| {
        [
            format!("  {}", setting.field.name),
            setting.field.default.clone().unwrap_or_default(),
            setting.field.label.in_language(language).to_owned(),
        ]
    });
    parts.push(format!("Settings\n{}", table(["  setting", "default", "meaning"], settings)));
    parts.join("\n\n")
}

fn fields(fields: &[ProviderField], language: Language) -> String {
    let rows = fields.iter().map(|field| {
        let needed = match (field.optional, &field.default) {
            (true, _) => "optional".to_owned(),
            (false, Some(default)) => format!("default {default}"),
            (false, None) => "needed".to_owned(),
        };
        let kind = if field.secret { "secret".to_owned() } else { kind(field) };
        let label = field.label.in_language(language).to_owned();
        [format!("  {}", field.name), needed, kind, label]
    });
    table(["  field", "needed", "kind", "meaning"], rows)
}

fn kind(field: &ProviderField) -> String {
    if field.choices.is_empty() { super::arguments::wire_name(field.kind) } else { field.choices.join(" | ") }
}
