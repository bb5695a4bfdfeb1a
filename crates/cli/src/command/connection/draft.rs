//! What a connection is to be made from, as it comes together from flags, a connection string and pasted addresses.

use std::collections::BTreeMap;
use std::path::Path;

use tombolo_api::{
    Connection, FieldValue, Provider, ProviderField, ProviderFieldKind, ProviderGate, ProviderScheme,
};
use tombolo_platform::catalog::{ConnectionString, Language};

use super::secret_source::SecretSource;
use crate::connect_api::Api;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::language::{InBoth as _, either};

/// A draft of a connection. What is given first wins: flags come before a connection string, and that before a pasted
/// address.
pub struct Draft {
    /// The provider.
    pub provider: Provider,
    /// The name that people are to see.
    pub name: Option<String>,
    /// Values by field.
    pub fields: BTreeMap<String, FieldValue>,
    /// Extra settings in any spelling.
    pub settings: BTreeMap<String, String>,
    /// Fields that the connection has already and that stay as they are, unless they are given.
    kept: BTreeMap<String, String>,
    /// The kinds of the gates that the connection passes already.
    kept_gates: Vec<String>,
    /// The positions of the auth schemes that may be used.
    allowed: Vec<usize>,
    /// The position of the one that was chosen.
    chosen: Option<usize>,
}

impl Draft {
    /// An empty draft. `allowed` are the integration's auth schemes; none means all.
    pub fn new(provider: Provider, allowed: &[String], scheme: Option<&str>) -> anyhow::Result<Self> {
        let may = |scheme: &ProviderScheme| {
            !needs_browser(scheme) && (allowed.is_empty() || allowed.contains(&scheme.id))
        };
        let positions = provider.auth_schemes.iter().enumerate();
        let allowed: Vec<usize> =
            positions.filter(|(_, scheme)| may(scheme)).map(|(position, _)| position).collect();
        let mut draft = Self {
            provider,
            name: None,
            fields: BTreeMap::new(),
            settings: BTreeMap::new(),
            kept: BTreeMap::new(),
            kept_gates: Vec::new(),
            allowed,
            chosen: None,
        };
        if draft.allowed.is_empty() {
            let what = format!("no auth scheme of {} may be used with a typed secret", draft.provider.name);
            let fix = "Link the account with `tombolo connection link`, or change the integration.";
            return Err(Failure::new(Exit::Failure, "no_auth_scheme", what, fix).into());
        }
        if let Some(scheme) = scheme {
            draft.choose(scheme)?;
        }
        Ok(draft)
    }

    /// An empty draft for what is given beside an account that a person links in a browser.
    pub fn of_gates(provider: Provider) -> Self {
        Self {
            provider,
            name: None,
            fields: BTreeMap::new(),
            settings: BTreeMap::new(),
            kept: BTreeMap::new(),
            kept_gates: Vec::new(),
            allowed: Vec::new(),
            chosen: None,
        }
    }

    /// Chooses an auth scheme by its id.
    pub fn choose(&mut self, id: &str) -> anyhow::Result<()> {
        let found = self.allowed.iter().find(|position| self.provider.auth_schemes[**position].id == id);
        let Some(position) = found else {
            if self.provider.auth_schemes.iter().any(|scheme| scheme.id == id && needs_browser(scheme)) {
                let what = format!("with `{id}` a person agrees in a browser, so no secret is typed");
                return Err(Failure::usage(what, "Link the account with `tombolo connection link`.").into());
            }
            let known: Vec<&str> = self.schemes().map(|scheme| scheme.id.as_str()).collect();
            let what = format!("there is no auth scheme `{id}` to use here");
            return Err(Failure::usage(what, format!("Choose one of: {}.", known.join(", "))).into());
        };
        self.chosen = Some(*position);
        Ok(())
    }

    /// Keeps what a connection has and was not given: its name, auth scheme, gates, and fields that are no secret. To be
    /// called after everything that was given.
    pub fn keep(&mut self, linked: &Connection) -> anyhow::Result<()> {
        self.name.get_or_insert_with(|| linked.name.clone());
        if !self.scheme_is_clear() {
            self.choose(&linked.auth_scheme)?;
        }
        let given = |field: &&ProviderField| self.fields.contains_key(&field.name);
        let fields = self.provider.fields.iter().filter(|field| !given(field));
        let stored = |field: &ProviderField| {
            Some((field.name.clone(), linked.config.get(&field.name)?.as_str()?.to_owned()))
        };
        self.kept = fields.filter_map(stored).collect();
        self.kept_gates.clone_from(&linked.gates);
        Ok(())
    }

    /// The fields that stay as they are, with their values.
    pub fn kept(&self) -> impl Iterator<Item = (&ProviderField, &str)> {
        let fields = self.provider.fields.iter();
        fields.filter_map(|field| Some((field, self.kept.get(&field.name)?.as_str())))
    }

    /// The auth schemes that may be used.
    pub fn schemes(&self) -> impl Iterator<Item = &ProviderScheme> {
        self.allowed.iter().map(|position| &self.provider.auth_schemes[*position])
    }

    /// Whether the auth scheme follows from what was given: it was chosen, is the only one, or has a given field to itself.
    pub fn scheme_is_clear(&self) -> bool {
        self.chosen.is_some() || self.allowed.len() == 1 || self.matching().count() == 1
    }

    /// The auth scheme: the chosen one, the one that the given fields belong to, or the first.
    pub fn scheme(&self) -> &ProviderScheme {
        let mut matching = self.matching();
        let first = self.allowed[0];
        let position = match (self.chosen, matching.next(), matching.next()) {
            (Some(chosen), _, _) => chosen,
            (None, Some(only), None) => only,
            (None, _, _) => first,
        };
        &self.provider.auth_schemes[position]
    }

    fn matching(&self) -> impl Iterator<Item = usize> {
        self.allowed.iter().copied().filter(|position| {
            let scheme = &self.provider.auth_schemes[*position];
            scheme.fields.iter().any(|field| self.fields.contains_key(&field.name))
        })
    }

    /// Takes fields from arguments. Secrets are refused, because arguments can be seen by others.
    pub fn give_fields(&mut self, given: BTreeMap<String, String>) -> anyhow::Result<()> {
        for (name, value) in given {
            let field = self.known(&name)?;
            if let Some(path) = value.strip_prefix('@').filter(|_| field.kind == ProviderFieldKind::File) {
                self.give(&name, SecretSource::File(path.into()).read_file()?);
                continue;
            }
            if field.kind == ProviderFieldKind::File && field.secret {
                let what = format!("`{name}` is a file, and what it holds is a secret");
                return Err(Failure::usage(what, format!("Give its place: --field {name}=@PATH")).into());
            }
            if field.secret {
                let what = format!(
                    "`{name}` is a secret: an argument shows in the process list and the shell's history"
                );
                let fix = format!(
                    "Give it with --secret-from {name}=stdin, {name}=file:PATH or {name}=env:NAME, or leave it out and type it when asked."
                );
                return Err(Failure::usage(what, fix).into());
            }
            self.give(&name, value);
        }
        Ok(())
    }

    /// Takes a field from where secrets come from.
    pub fn give_secret(&mut self, name: &str, source: &SecretSource) -> anyhow::Result<()> {
        let is_file = self.known(name)?.kind == ProviderFieldKind::File;
        let value = if is_file { source.read_file()? } else { source.read()? };
        self.give(name, value);
        Ok(())
    }

    /// Takes a value unless there is one.
    pub fn give(&mut self, name: &str, value: String) {
        self.fields.entry(name.to_owned()).or_insert_with(|| FieldValue::from(value));
    }

    /// Takes extra settings.
    pub fn give_settings(&mut self, given: BTreeMap<String, String>) {
        self.settings.extend(given);
    }

    /// Takes what a connection string holds. Keys that are no fields are settings, which the server checks.
    pub async fn give_connection_string(&mut self, api: &Api, text: &str) -> anyhow::Result<()> {
        let parsed = ConnectionString::parse(text)
            .map_err(|error| Failure::usage(error.to_string(), "Write Key=Value;Key=Value."))?;
        let mut pasted = Vec::new();
        for (key, value) in parsed.into_fields(&self.provider.connection_string) {
            match key.as_str() {
                "paste" => pasted.push(value),
                "auth_scheme" if self.chosen.is_none() => {
                    let wanted = value.to_lowercase();
                    let known = self.provider.connection_string_schemes.get(&wanted).cloned();
                    match known.unwrap_or(wanted).as_str() {
                        "" => {}
                        scheme => self.choose(scheme)?,
                    }
                }
                "auth_scheme" => {}
                _ if self.is_place_of_file(&key, &value) => {
                    self.give(&key, SecretSource::File(value.into()).read_file()?);
                }
                _ if self.known(&key).is_ok() => self.give(&key, value),
                _ => drop(self.settings.entry(key).or_insert(value)),
            }
        }
        for address in pasted {
            self.give_pasted(api, &address).await?;
        }
        Ok(())
    }

    /// Whether a connection string names a file instead of holding what is in it.
    fn is_place_of_file(&self, name: &str, value: &str) -> bool {
        self.known(name).is_ok_and(|field| field.kind == ProviderFieldKind::File)
            && Path::new(value).is_file()
    }

    /// Takes the fields that can be read from an address of the vendor's.
    pub async fn give_pasted(&mut self, api: &Api, address: &str) -> anyhow::Result<()> {
        let pasted = api.read_pasted(&self.provider.name, address).await?;
        if pasted.fields.is_empty() {
            let what = format!("this is no address of {}", self.provider.title.en);
            let fix =
                "Copy the address of one of its pages from the browser, or give the fields with --field.";
            return Err(Failure::usage(what, fix).into());
        }
        for (name, value) in pasted.fields {
            self.give(&name, value);
        }
        Ok(())
    }

    /// The fields that have to be given and were not, in the order of the form.
    pub fn missing(&self) -> Vec<&ProviderField> {
        let scheme = self.scheme();
        let paired = |field: &ProviderField| scheme.secrets_by.as_ref() == Some(&field.name);
        let of_gates = self.provider.gates.iter().filter(|gate| self.passes(gate));
        let needed = |field: &&ProviderField| !field.optional && field.default.is_none();
        self.provider
            .fields
            .iter()
            .filter(|field| needed(field) || paired(field))
            .chain(scheme.fields.iter().filter(needed))
            .chain(
                of_gates
                    .flat_map(|gate| gate.fields.iter().filter(|field| gate.needed.contains(&field.name))),
            )
            .filter(|field| !self.fields.contains_key(&field.name) && !self.kept.contains_key(&field.name))
            .collect()
    }

    fn has_unknown_choice(&self) -> bool {
        let of_gates = self.provider.gates.iter().flat_map(|gate| &gate.fields);
        let mut choices = of_gates.filter(|field| field.kind == ProviderFieldKind::Choice);
        choices.any(|field| {
            let is_choice = |given: &FieldValue| {
                field.choices.iter().any(|choice| *given == FieldValue::from(choice.as_str()))
            };
            self.fields.get(&field.name).is_some_and(|given| !is_choice(given))
        })
    }

    /// Whether a gate's fields are needed: some were given, or the connection passes it already. An empty field leaves
    /// the gate out.
    pub fn passes(&self, gate: &ProviderGate) -> bool {
        let mut given = gate.fields.iter().filter_map(|field| self.fields.get(&field.name)).peekable();
        match given.peek() {
            Some(_) => given.any(|value| *value != FieldValue::from("")),
            None => self.kept_gates.contains(&gate.kind),
        }
    }

    /// Fails with a list of what was not given.
    pub fn refuse_missing(&self, language: Language) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        if self.name.is_none() {
            let what = either(language, "what people are to call the connection", "接続名");
            lines.push(format!("--name NAME  {what}"));
        }
        // About a choice that the form does not know, the server says more than that something is missing.
        let missing = if self.has_unknown_choice() { Vec::new() } else { self.missing() };
        for field in missing {
            let label = field.label.in_language(language);
            lines.push(if field.kind == ProviderFieldKind::File {
                format!("--field {}=@PATH  {label}", field.name)
            } else if field.secret {
                format!("--secret-from {0}=SOURCE  {label}", field.name)
            } else {
                format!("--field {}=VALUE  {label}", field.name)
            });
        }
        if lines.is_empty() {
            return Ok(());
        }
        let what = format!(
            "{} more {} needed",
            lines.len(),
            if lines.len() == 1 { "thing is" } else { "things are" }
        );
        Err(Failure::usage(what, lines.join("\n  ")).into())
    }

    /// A field of the form, whatever the auth scheme.
    fn known(&self, name: &str) -> anyhow::Result<&ProviderField> {
        let all = || {
            let schemes = self.provider.auth_schemes.iter().flat_map(|scheme| &scheme.fields);
            let gates = self.provider.gates.iter().flat_map(|gate| &gate.fields);
            self.provider.fields.iter().chain(schemes).chain(gates)
        };
        all().find(|field| field.name == name).ok_or_else(|| {
            let names: Vec<&str> = all().map(|field| field.name.as_str()).collect();
            let what = format!("{} has no field `{name}`", self.provider.title.en);
            Failure::usage(what, format!("The fields are: {}.", names.join(", "))).into()
        })
    }
}

/// Whether an account is linked this way by a person at the vendor.
fn needs_browser(scheme: &ProviderScheme) -> bool {
    scheme.auth_mode == "OAUTH2"
}
