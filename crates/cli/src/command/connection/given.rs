//! What an account is linked with, from wherever it comes: the same options for a new connection and for a changed one.

use std::collections::BTreeMap;

use clap::Args;
use tombolo_api::Provider;

use super::draft::Draft;
use super::secret_source::{SecretSource, field_from, string_from};
use crate::command::arguments::{key_value, may_ask, once};
use crate::connect_api::Api;
use crate::output::Output;

/// Fields, secrets and settings.
#[derive(Debug, Args)]
pub struct Given {
    /// How it authenticates; `tombolo provider show` lists the ways.
    #[arg(long, value_name = "SCHEME")]
    auth_scheme: Option<String>,
    /// A field that is no secret, or a file as KEY=@PATH; can be repeated.
    #[arg(long = "field", short, value_name = "KEY=VALUE", value_parser = key_value)]
    fields: Vec<(String, String)>,
    /// A field from `stdin`, `file:PATH` or `env:NAME`, for secrets; can be repeated.
    #[arg(long = "secret-from", value_name = "KEY=SOURCE", value_parser = field_from)]
    secrets: Vec<(String, SecretSource)>,
    /// An extra setting; can be repeated.
    #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = key_value)]
    settings: Vec<(String, String)>,
    /// A connection string: `-` for stdin, a file, or `env:NAME`.
    #[arg(long, value_name = "SOURCE", value_parser = string_from)]
    from: Option<SecretSource>,
    /// The address of a page of the vendor's: fills the fields that can be read from it.
    #[arg(long, value_name = "URL")]
    paste: Option<String>,
    /// Store it without a test; its health is then `unverified`.
    #[arg(long)]
    no_test: bool,
    /// Never ask, even on a terminal.
    #[arg(long)]
    no_input: bool,
}

impl Given {
    /// Refuses to take two things from stdin: it can be read once.
    pub fn refuse_stdin_twice(&self) -> anyhow::Result<()> {
        SecretSource::refuse_stdin_twice(self.secrets.iter().map(|(_, source)| source).chain(&self.from))
    }

    /// Whether what is missing may be asked for.
    pub fn may_ask(&self, output: Output) -> bool {
        may_ask() && !self.no_input && !output.json
    }

    /// Whether the connection is to be tested before it is stored.
    pub fn is_tested(&self) -> bool {
        !self.no_test
    }

    /// Whether anything was given that needs the secrets, whatever the settings say.
    pub fn is_about_access(&self) -> bool {
        self.auth_scheme.is_some()
            || !self.fields.is_empty()
            || !self.secrets.is_empty()
            || self.from.is_some()
            || self.paste.is_some()
            || self.no_test
    }

    /// The extra settings, in the spelling in which they were given.
    pub fn settings(&self) -> anyhow::Result<BTreeMap<String, String>> {
        once(&self.settings, "--setting")
    }

    /// A draft of all that was given; secrets are read now. `allowed` are the integration's auth schemes; none means all.
    pub async fn draft(&self, api: &Api, provider: Provider, allowed: &[String]) -> anyhow::Result<Draft> {
        let mut draft = Draft::new(provider, allowed, self.auth_scheme.as_deref())?;
        draft.give_fields(once(&self.fields, "--field")?)?;
        for (field, source) in &self.secrets {
            draft.give_secret(field, source)?;
        }
        draft.give_settings(self.settings()?);
        if let Some(source) = &self.from {
            draft.give_connection_string(api, &source.read()?).await?;
        }
        if let Some(pasted) = &self.paste {
            draft.give_pasted(api, pasted).await?;
        }
        Ok(draft)
    }
}
