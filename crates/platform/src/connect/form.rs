//! An account that is linked with what somebody typed, in a connect session.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tombolo_auth::Typed;
use tombolo_catalog::{AuthMode, AuthScheme, GateKind, Provider};
use tombolo_store::{Connection, Integration};

use super::held::refuse_secrets;
use super::session::SessionAccess;
use crate::access::Access;
use crate::connection_test::TestReport;
use crate::connections::{Belonging, ConnectionDraft, CreatedConnection};
use crate::platform::Platform;
use crate::preparation::{is_setting, split_settings};
use crate::problem::{Problem, ProblemKind};
use crate::reconnect::Reconnection;

/// What somebody typed, in the words of the compatible API.
pub struct GivenCredentials {
    /// The kind of credential.
    pub mode: AuthMode,
    /// Its parts by name, such as `apiKey`.
    pub values: Typed,
}

/// An integration, or the provider whose integration is made with its first connection.
pub(crate) struct Chosen {
    pub(crate) provider: Arc<Provider>,
    pub(crate) integration: Option<Integration>,
    pub(crate) key: String,
}

impl Platform {
    /// Links an account with what was typed: tests it, and stores nothing when it cannot be used. The session ends with it.
    /// `config` are the fields that are no credential; what the embedder filled in beforehand stands above them.
    pub async fn link_in_session(
        self: &Arc<Self>,
        holder: &SessionAccess,
        key: &str,
        given: GivenCredentials,
        config: BTreeMap<String, String>,
    ) -> Result<CreatedConnection, Problem> {
        holder.require(key)?;
        let chosen = self.chosen_in(holder, key).await?;
        let scheme = chosen.scheme(given.mode)?;
        refuse_settings(&chosen.provider, &config)?;
        refuse_secrets(&chosen.provider, scheme, &config)?;
        let defaults = holder.defaults(key).fields;
        let (mut fields, settings) = merged(&chosen.provider, scheme, given, config, &defaults);
        let again = self.connection_of_session(holder, &chosen).await?;
        let held = self.held(holder, key).await?;
        let config = config_of(&chosen.provider, &fields);
        held.refuse_host_of_browser(&chosen.provider, scheme, &config, &defaults, again.as_ref())?;
        held.add_to(&mut fields);
        let outcome = if let Some(connection) = again {
            let typed = Reconnection {
                auth_scheme: Some(scheme.id.clone()),
                fields,
                settings,
                name: None,
                tags: None,
                metadata: None,
                test: true,
                session: Some(holder.session.id.clone()),
            };
            self.reconnect(&holder.linking, None, connection.id.as_str(), typed, &mut |_| {}).await
        } else {
            let draft = ConnectionDraft {
                integration: chosen.key.clone(),
                name: self.name_for(&holder.linking, &chosen, &holder.belonging()).await?,
                connection_id: None,
                auth_scheme: Some(scheme.id.clone()),
                fields,
                settings,
                tags: holder.draft.tags.clone(),
                metadata: json!({}),
                belonging: holder.belonging(),
            };
            self.create_connection(&holder.linking, &draft, true, &mut |_| {}).await
        };
        outcome.map_err(as_failed_test)?.map_err(|report| test_failed(&report))
    }

    /// Why an account cannot be linked from the vendor's side, which begins with a webhook of the vendor's.
    pub async fn refuse_outbound(&self, holder: &SessionAccess, key: &str) -> Problem {
        let chosen = match holder.require(key) {
            Ok(()) => self.chosen_in(holder, key).await,
            Err(problem) => Err(problem),
        };
        match chosen {
            Ok(chosen) => chosen.no_scheme("from the vendor's side"),
            Err(problem) => problem,
        }
    }

    /// What the browser of a session chose. A provider that nobody has used in the environment yet has to be named by the
    /// session itself: a browser does not make integrations of its own choice.
    pub(super) async fn chosen_in(&self, holder: &SessionAccess, key: &str) -> Result<Chosen, Problem> {
        let chosen = self.chosen(&holder.linking, key).await?;
        if chosen.integration.is_none() && !holder.names(key) {
            let what = format!("There is no integration `{key}`");
            return Err(Problem::not_found("unknown_provider_config", what));
        }
        Ok(chosen)
    }

    pub(crate) async fn chosen(&self, access: &Access, key: &str) -> Result<Chosen, Problem> {
        let integration = self.store.integration(&access.environment, key).await?;
        let provider = match &integration {
            Some(integration) => self.provider_of(integration)?,
            None => self.known_provider(key)?,
        };
        Ok(Chosen { provider, integration, key: key.to_owned() })
    }

    /// The connection that a session links again; it has to be one of the integration that the browser names.
    pub(super) async fn connection_of_session(
        &self,
        holder: &SessionAccess,
        chosen: &Chosen,
    ) -> Result<Option<Connection>, Problem> {
        let Some(id) = &holder.session.connection else { return Ok(None) };
        let connection = self.stored(&holder.linking, id).await?;
        let fits = chosen.integration.as_ref().is_some_and(|known| known.id == connection.integration_id);
        if fits { Ok(Some(connection)) } else { Err(other_integration()) }
    }

    /// A name that no connection has yet, from what is known of the integration and of the person.
    pub(crate) async fn name_for(
        &self,
        access: &Access,
        chosen: &Chosen,
        of: &Belonging,
    ) -> Result<String, Problem> {
        let what = chosen.integration.as_ref().map_or(&chosen.provider.name.en, |known| &known.display_name);
        let who = of.end_user.as_ref();
        let who = who.map(|user| user.display_name.as_ref().or(user.email.as_ref()).unwrap_or(&user.id));
        let wanted = match who {
            Some(who) => format!("{what} – {who}"),
            None => what.clone(),
        };
        let wanted: String = wanted.chars().filter(|character| !character.is_control()).take(200).collect();
        for number in 1..100 {
            let name = if number == 1 { wanted.clone() } else { format!("{wanted} ({number})") };
            if self.store.connections_called(&access.environment, &name).await?.is_empty() {
                return Ok(name);
            }
        }
        // Somebody has a hundred accounts of one kind: the id is unique, and can be changed for a better name.
        Ok(format!("{wanted} ({})", self.new_connection_id()?))
    }
}

impl Chosen {
    /// The first scheme of a kind that the integration allows.
    pub(crate) fn scheme(&self, mode: AuthMode) -> Result<&AuthScheme, Problem> {
        let found = self.allowed().find(|scheme| scheme.auth_mode() == mode);
        found.ok_or_else(|| self.no_scheme(&format!("with {}", mode.name())))
    }

    /// The first scheme for which a person agrees in a browser.
    pub(super) fn scheme_with_person(&self) -> Result<&AuthScheme, Problem> {
        let found = self.allowed().find(|scheme| scheme.needs_browser());
        found.ok_or_else(|| self.no_scheme("in a window at the vendor"))
    }

    pub(super) fn allowed(&self) -> impl Iterator<Item = &AuthScheme> {
        let listed = self.integration.as_ref().map_or(&[][..], |known| &known.auth_schemes);
        self.provider.auth.iter().filter(move |scheme| listed.is_empty() || listed.contains(&scheme.id))
    }

    /// Fields of the account and settings among what the embedder filled in, under the names of the provider's file.
    pub(super) fn split(
        &self,
        scheme: &AuthScheme,
        filled_in: &BTreeMap<String, String>,
    ) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        split_settings(&self.provider, named(&self.provider, scheme, filled_in.clone()))
    }

    pub(super) fn no_scheme(&self, how: &str) -> Problem {
        let mut modes: Vec<&str> = self.allowed().map(|scheme| scheme.auth_mode().name()).collect();
        modes.sort_unstable();
        modes.dedup();
        let what = format!("`{}` cannot be linked {how}", self.key);
        Problem::invalid("invalid_auth_mode", what, format!("Choose among: {}.", modes.join(", ")))
    }
}

/// Fields and settings of everything that was given. Nobody but the embedder decides what the embedder filled in.
pub(crate) fn merged(
    provider: &Provider,
    scheme: &AuthScheme,
    given: GivenCredentials,
    config: BTreeMap<String, String>,
    defaults: &BTreeMap<String, String>,
) -> (Typed, BTreeMap<String, String>) {
    let mut fields = Typed::new();
    let mut config = named(provider, scheme, config);
    for (name, value) in with_certificate(provider, scheme, given.values) {
        let field = scheme.field_named(&name);
        let beside = provider.config_named(scheme, &name);
        if scheme.fields.get(&field).is_none() && provider.config.get(&beside).is_some() {
            // The clients send some fields of the configuration among the credentials.
            config.insert(beside, value.expose_secret().to_owned());
        } else {
            fields.insert(field, value);
        }
    }
    config.extend(named(provider, scheme, defaults.clone()));
    let (of_account, settings) = split_settings(provider, config);
    fields.extend(of_account.into_iter().map(|(name, value)| (name, SecretString::from(value))));
    (fields, settings)
}

/// What is configuration among what was typed.
pub(super) fn config_of(provider: &Provider, fields: &Typed) -> BTreeMap<String, String> {
    let config = fields.iter().filter(|(name, _)| provider.config.get(name).is_some());
    config.map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect()
}

/// The configuration under the names that the provider's file has.
pub(crate) fn named(
    provider: &Provider,
    scheme: &AuthScheme,
    config: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    config.into_iter().map(|(name, value)| (provider.config_named(scheme, &name), value)).collect()
}

/// A certificate and its key, which the compatible API sends as two texts in PEM, as what opens the provider's gate.
fn with_certificate(provider: &Provider, scheme: &AuthScheme, mut values: Typed) -> Typed {
    let has_gate = provider.gates.iter().any(|gate| gate.kind == GateKind::ClientCertificate);
    let is_own = scheme.fields.get("client_certificate").is_some();
    if !has_gate || is_own {
        return values;
    }
    if let Some(certificate) = values.remove("client_certificate") {
        let key = values.remove("client_private_key");
        let key = key.as_ref().map_or("", |key| key.expose_secret());
        let both = format!("{}\n{key}", certificate.expose_secret());
        values.insert("certificate".to_owned(), both.into());
    }
    values
}

/// A browser gives the fields of its account. Settings, such as a proxy server, are the embedder's to decide.
pub(super) fn refuse_settings(provider: &Provider, config: &BTreeMap<String, String>) -> Result<(), Problem> {
    match config.keys().find(|name| is_setting(provider, name)) {
        None => Ok(()),
        Some(name) => {
            let what = format!("`{name}` is a setting, which a browser does not choose");
            let fix = "Have the back end fill it in as it makes the session.";
            Err(Problem::invalid("setting_not_allowed", what, fix))
        }
    }
}

/// What the compatible API answers when a credential does not pass its test.
pub(crate) fn test_failed(report: &TestReport) -> Problem {
    report.as_problem(ProblemKind::Invalid)
}

/// A credential that yields no token has not passed its test either, for whoever typed it.
pub(super) fn as_failed_test(problem: Problem) -> Problem {
    if !matches!(problem.code, "token_refused" | "authorization_dead") {
        return problem;
    }
    let fix = "Check what you typed against what the vendor shows.";
    Problem::invalid("connection_test_failed", problem.what, fix)
}

fn other_integration() -> Problem {
    let what = "The connect session is for a connection of another integration";
    Problem::new(ProblemKind::Invalid, "integration_not_allowed", what, "Make a session for it.")
}
