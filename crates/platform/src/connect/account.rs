//! An account that is linked on a page of ours, in a connect session: what the page shows, and what becomes of what somebody
//! typed there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;
use tombolo_auth::Typed;
use tombolo_catalog::{AuthScheme, Provider};
use tombolo_store::{Connection, Health};

use super::clients::ClientChoice;
use super::form::{Chosen, as_failed_test, config_of};
use super::session::SessionAccess;
use crate::connection_test::TestReport;
use crate::connections::{ConnectionDraft, CreatedConnection, Watch, texts};
use crate::environments::EnvironmentSettings;
use crate::platform::Platform;
use crate::problem::{Problem, field};
use crate::reconnect::Reconnection;

/// What somebody typed on a page that links an account.
#[derive(Default)]
pub struct TypedAccount {
    /// The id of the auth scheme; the first that the integration allows when absent.
    pub auth_scheme: Option<String>,
    /// What the connection is to be called; made up when absent.
    pub name: Option<String>,
    /// Values by the names of the provider's form, secrets among them.
    pub fields: Typed,
    /// Settings that do not decide where requests go.
    pub settings: BTreeMap<String, String>,
    /// Whether somebody who links a connection again means another account than before.
    pub other_account: bool,
    /// The id of the OAuth client that was chosen; `None` for the one that is used by itself.
    pub oauth_client: Option<String>,
}

/// An integration that a session can link an account through.
pub struct LinkChoice {
    /// The key of the integration, or the id of the provider whose integration is made with its first connection.
    pub key: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its provider.
    pub provider: Arc<Provider>,
}

/// What a page shows to somebody who links an account through an integration.
pub struct LinkForm {
    /// The integration.
    pub choice: LinkChoice,
    /// The ids of the auth schemes that it allows.
    pub schemes: Vec<String>,
    /// What the embedder filled in. Nobody but the embedder changes it.
    pub filled_in: BTreeMap<String, String>,
    /// The fields of secrets that wait in the session already, without their values.
    pub waiting: BTreeSet<String>,
    /// What the connection would be called if nobody chose.
    pub suggested_name: String,
    /// The connection that is linked again.
    pub again: Option<LinkedBefore>,
    /// The embedder's own page about it.
    pub guide: Option<String>,
    /// The OAuth clients to choose from, by auth scheme.
    pub clients: BTreeMap<String, Vec<ClientChoice>>,
    /// Whether somebody may register clients of their own.
    pub may_manage_clients: bool,
}

/// A connection that is linked again, as far as it is no secret.
pub struct LinkedBefore {
    /// Its name, which stays.
    pub name: String,
    /// Its auth scheme.
    pub auth_scheme: String,
    /// Its configuration.
    pub config: BTreeMap<String, String>,
    /// How it is.
    pub health: Health,
    /// Whether the last test did not come to the address at all.
    pub is_lost: bool,
}

impl Platform {
    /// What everybody may know of an environment who links an account there; `None` when there is none of that name.
    pub async fn linking_environment(&self, name: &str) -> Result<Option<EnvironmentSettings>, Problem> {
        let Some(found) = self.store.environment_named(name).await? else { return Ok(None) };
        self.environment_settings(&found.id).await.map(Some)
    }

    /// Everything that the holder of a session can choose from.
    pub async fn link_choices(&self, holder: &SessionAccess) -> Result<Vec<LinkChoice>, Problem> {
        let named = &holder.draft.allowed_integrations;
        if named.is_empty() {
            let mut choices = Vec::new();
            for integration in self.integrations_of_session(holder).await? {
                let provider = self.provider_of(&integration)?;
                let name = Some(integration.display_name);
                choices.push(LinkChoice { key: integration.unique_key, name, provider });
            }
            return Ok(choices);
        }
        let mut choices = Vec::new();
        for key in named {
            choices.push(self.chosen_in(holder, key).await?.into_choice());
        }
        Ok(choices)
    }

    /// One of them.
    pub async fn link_choice(&self, holder: &SessionAccess, key: &str) -> Result<LinkChoice, Problem> {
        holder.require(key)?;
        Ok(self.chosen_in(holder, key).await?.into_choice())
    }

    /// What a page shows for one of them.
    pub async fn link_form(&self, holder: &SessionAccess, key: &str) -> Result<LinkForm, Problem> {
        holder.require(key)?;
        let chosen = self.chosen_in(holder, key).await?;
        let again = self.connection_of_session(holder, &chosen).await?;
        let suggested_name = match &again {
            Some(connection) => connection.name.clone(),
            None => self.name_for(&holder.linking, &chosen, &holder.belonging()).await?,
        };
        let mut clients = BTreeMap::new();
        for scheme in chosen.allowed().filter(|scheme| scheme.needs_browser()) {
            clients.insert(scheme.id.clone(), self.client_choices(holder, &chosen, scheme).await?);
        }
        Ok(LinkForm {
            clients,
            may_manage_clients: holder.may_manage_clients(),
            schemes: chosen.allowed().map(|scheme| scheme.id.clone()).collect(),
            filled_in: holder.defaults(key).fields,
            waiting: self.held(holder, key).await?.names().map(str::to_owned).collect(),
            suggested_name,
            again: again.map(|connection| LinkedBefore {
                config: texts(&connection.target.config),
                is_lost: is_lost(&connection),
                name: connection.name,
                auth_scheme: connection.target.auth_scheme,
                health: connection.health,
            }),
            guide: holder.draft.guides.get(key).cloned(),
            choice: chosen.into_choice(),
        })
    }

    /// Tests what somebody typed. Nothing is stored.
    pub async fn test_account(
        self: &Arc<Self>,
        holder: &SessionAccess,
        key: &str,
        typed: TypedAccount,
        watch: Watch<'_>,
    ) -> Result<TestReport, Problem> {
        let outcome = match self.account(holder, key, typed).await? {
            Account::New(draft) => self.test_draft(&holder.linking, &draft, watch).await,
            Account::Again(connection, typed) => {
                self.test_reconnection(&holder.linking, connection.id.as_str(), typed, watch).await
            }
        };
        outcome.map_err(as_failed_test)
    }

    /// Links an account with what somebody typed: tests it, and stores nothing when it cannot be used. The session ends with
    /// it.
    pub async fn link_account(
        self: &Arc<Self>,
        holder: &SessionAccess,
        key: &str,
        typed: TypedAccount,
        watch: Watch<'_>,
    ) -> Result<Result<CreatedConnection, TestReport>, Problem> {
        let other_account = typed.other_account;
        let outcome = match self.account(holder, key, typed).await? {
            Account::New(draft) => self.create_connection(&holder.linking, &draft, true, watch).await,
            Account::Again(connection, typed) => {
                if !other_account {
                    let chosen = self.chosen_in(holder, key).await?;
                    let scheme = chosen.scheme_called(typed.auth_scheme.as_deref())?;
                    self.require_same_account(&connection, &chosen.provider, scheme, &typed.fields).await?;
                }
                self.reconnect(&holder.linking, None, connection.id.as_str(), typed, watch).await
            }
        };
        outcome.map_err(as_failed_test)
    }

    /// What was typed with what the embedder and the connection before say to it.
    async fn account(
        self: &Arc<Self>,
        holder: &SessionAccess,
        key: &str,
        typed: TypedAccount,
    ) -> Result<Account, Problem> {
        holder.require(key)?;
        let chosen = self.chosen_in(holder, key).await?;
        let again = self.connection_of_session(holder, &chosen).await?;
        let scheme = chosen.scheme_called(typed.auth_scheme.as_deref())?;
        let TypedAccount { name, mut fields, mut settings, .. } = typed;
        refuse_routing_settings(&chosen.provider, &settings)?;
        let filled_in = holder.defaults(key).fields;
        let (of_account, filled_settings) = chosen.split(scheme, &filled_in);
        fields.extend(of_account.into_iter().map(|(name, value)| (name, value.into())));
        settings.extend(filled_settings);
        let held = self.held(holder, key).await?;
        let config = config_of(&chosen.provider, &fields);
        held.refuse_host_of_browser(&chosen.provider, scheme, &config, &filled_in, again.as_ref())?;
        held.add_to(&mut fields);
        let auth_scheme = Some(scheme.id.clone());
        if let Some(connection) = again {
            let typed = Reconnection {
                auth_scheme,
                fields,
                settings,
                name: None,
                tags: None,
                metadata: None,
                test: true,
                session: Some(holder.session.id.clone()),
            };
            return Ok(Account::Again(Box::new(connection), typed));
        }
        let name = self.chosen_name(holder, &chosen, name).await?;
        Ok(Account::New(ConnectionDraft {
            integration: chosen.key,
            name,
            connection_id: None,
            auth_scheme,
            fields,
            settings,
            tags: holder.draft.tags.clone(),
            metadata: json!({}),
            belonging: holder.belonging(),
        }))
    }

    /// The name that somebody chose, as long as no connection has it, or one that is made up.
    pub(super) async fn chosen_name(
        &self,
        holder: &SessionAccess,
        chosen: &Chosen,
        name: Option<String>,
    ) -> Result<String, Problem> {
        let Some(name) = name else {
            return self.name_for(&holder.linking, chosen, &holder.belonging()).await;
        };
        let name = name.trim();
        if self.store.connections_called(&holder.access.environment, name).await?.is_empty() {
            return Ok(name.to_owned());
        }
        let en = "Another connection has this name already. Choose another one.";
        let ja = "この接続名はすでに使われています。別の名前を入力してください。";
        Err(Problem::fields(vec![field("name", "taken", en, ja)]))
    }
}

/// What is linked: a new account, or one of a connection that there is.
enum Account {
    New(ConnectionDraft),
    Again(Box<Connection>, Reconnection),
}

impl Chosen {
    pub(super) fn into_choice(self) -> LinkChoice {
        let name = self.integration.map(|integration| integration.display_name);
        LinkChoice { key: self.key, name, provider: self.provider }
    }

    /// The auth scheme with an id among those that the integration allows; the first when nobody chose.
    pub(super) fn scheme_called(&self, id: Option<&str>) -> Result<&AuthScheme, Problem> {
        let Some(id) = id else {
            let first = self.allowed().next();
            return first.ok_or_else(|| self.no_scheme("without an auth scheme"));
        };
        let found = self.allowed().find(|scheme| scheme.id == id);
        found.ok_or_else(|| self.no_scheme(&format!("with `{}`", id.chars().take(80).collect::<String>())))
    }
}

/// What a test finds where the address leads nowhere, or to somebody else.
const LOST: [&str; 8] = [
    "no_such_tenant",
    "name_not_found",
    "connection_refused",
    "connect_timeout",
    "certificate_name_mismatch",
    "tls_failed",
    "redirected",
    "address_refused",
];

fn is_lost(connection: &Connection) -> bool {
    connection.health_detail["verdict"]["is"].as_str().is_some_and(|found| LOST.contains(&found))
}

/// Where requests go is not for whoever links an account to say, beyond the fields of the account.
pub(super) fn refuse_routing_settings(
    provider: &Provider,
    settings: &BTreeMap<String, String>,
) -> Result<(), Problem> {
    let routes = |name: &&String| provider.settings.find(name).is_some_and(|(_, setting)| setting.routes);
    match settings.keys().find(routes) {
        None => Ok(()),
        Some(name) => {
            let en = "This setting is for whoever runs the integration.";
            let ja = "この設定は連携の管理者だけが変更できます。";
            Err(Problem::fields(vec![field(&format!("settings.{name}"), "not_allowed", en, ja)]))
        }
    }
}
