//! An account that is linked with what somebody typed, in a connect session.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use tombolo_auth::Typed;
use tombolo_catalog::{AuthMode, AuthScheme, Provider};
use tombolo_store::{Connection, Integration};

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
        let (fields, settings) =
            merged(&chosen.provider, scheme, given, config, &holder.defaults(key).fields);
        let outcome = if let Some(connection) = self.connection_of_session(holder, &chosen).await? {
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
            self.reconnect(&holder.linking, None, connection.id.as_str(), typed, &mut |_| {}).await?
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
            self.create_connection(&holder.linking, &draft, true, &mut |_| {}).await?
        };
        outcome.map_err(|report| test_failed(&report))
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
        let allowed = |scheme: &&AuthScheme| {
            let listed = self.integration.as_ref().map_or(&[][..], |known| &known.auth_schemes);
            listed.is_empty() || listed.contains(&scheme.id)
        };
        let found = self.provider.auth.iter().filter(allowed).find(|scheme| scheme.auth_mode() == mode);
        found.ok_or_else(|| {
            let modes: Vec<&str> =
                self.provider.auth.iter().filter(allowed).map(|scheme| scheme.auth_mode().name()).collect();
            let what = format!("`{}` cannot be linked with {}", self.key, mode.name());
            Problem::invalid("invalid_auth_mode", what, format!("Choose among: {}.", modes.join(", ")))
        })
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
    let mut fields: Typed =
        given.values.into_iter().map(|(name, value)| (scheme.field_named(&name).to_owned(), value)).collect();
    let mut config = config;
    config.extend(defaults.clone());
    let (of_account, settings) = split_settings(provider, config);
    fields.extend(of_account.into_iter().map(|(name, value)| (name, SecretString::from(value))));
    (fields, settings)
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

fn other_integration() -> Problem {
    let what = "The connect session is for a connection of another integration";
    Problem::new(ProblemKind::Invalid, "integration_not_allowed", what, "Make a session for it.")
}
