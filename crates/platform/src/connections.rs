//! Connections: made, tested, changed and deleted. One tail for every auth scheme.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tombolo_auth::Typed;
use tombolo_catalog::{GateKind, Provider};
use tombolo_store::{
    Change, ConnectSessionId, Connection, ConnectionId, ConnectionUpdate, EndUser, EnvironmentId, Health,
    Integration, NewConnection, Object, Target,
};

use crate::access::{Access, Scope};
use crate::connect::tags_of;
use crate::connection_test::{self, TestEvent, TestReport};
use crate::credentials::{Place, Purpose};
use crate::health::{News, health_detail, health_of, noted};
use crate::integrations::IntegrationDraft;
use crate::platform::{Platform, events};
use crate::preparation::{Prepared, accept_settings};
use crate::problem::{Problem, ProblemKind, field};
use crate::proxy::{Freshness, Plan, PlanSource};

/// Somebody who watches a test.
pub type Watch<'a> = &'a mut (dyn FnMut(TestEvent) + Send);

/// What somebody gave to make a connection, or to test one before it is made.
pub struct ConnectionDraft {
    /// The integration's key, or the provider's id: then the integration of that name is used or made.
    pub integration: String,
    /// What people call the connection. May be empty in a mere test.
    pub name: String,
    /// Names it in the API; its id when absent.
    pub connection_id: Option<String>,
    /// The auth scheme; the provider's first one when absent.
    pub auth_scheme: Option<String>,
    /// Typed values by field name, secrets among them.
    pub fields: Typed,
    /// Extra settings in any spelling.
    pub settings: BTreeMap<String, String>,
    /// For finding it.
    pub tags: BTreeMap<String, String>,
    /// The embedder's own data.
    pub metadata: Json,
    /// Whom it belongs to.
    pub belonging: Belonging,
}

/// Whom a connection belongs to, as its embedder says.
#[derive(Debug, Clone, Default)]
pub struct Belonging {
    /// The person.
    pub end_user: Option<EndUser>,
    /// Where webhook events about it go instead of the environment's receivers.
    pub webhook_url: Option<String>,
    /// The connect session that it is made in: that ends with it.
    pub session: Option<ConnectSessionId>,
}

impl Belonging {
    /// What ends the session, in the act that the session was for.
    pub(crate) fn ends(&self, environment: &EnvironmentId) -> Option<Change> {
        self.session.clone().map(|session| Change::EndConnectSession(environment.clone(), session))
    }
}

/// A connection that was made, and what its test found.
pub struct CreatedConnection {
    /// The stored connection.
    pub connection: Connection,
    /// Its integration.
    pub integration: Integration,
    /// The test; `None` when it was left out on request.
    pub report: Option<TestReport>,
}

/// What becomes of a deleted connection's tokens at the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// They are given back in a moment, and again if the vendor does not answer; the audit trail tells the outcome.
    Soon,
    /// The vendor takes none back, as far as its provider file tells: they end when they end, or in its own settings.
    Nothing,
}

impl Platform {
    /// Tests a draft; nothing is stored.
    pub async fn test_draft(
        self: &Arc<Self>,
        access: &Access,
        draft: &ConnectionDraft,
        watch: Watch<'_>,
    ) -> Result<TestReport, Problem> {
        access.require(Scope::CreateConnection)?;
        let id = self.new_connection_id()?;
        let prepared = self.prepare(access, &id, NewConnection::SEALED_VERSION, draft, watch).await?;
        connection_test::run(&prepared.plan, &self.probe(), watch).await
    }

    /// Tests a draft and stores it when it can be used, or without a test when `test` is false: its health is then
    /// `unverified`. When the test fails nothing is stored, and the report says why.
    pub async fn create_connection(
        self: &Arc<Self>,
        access: &Access,
        draft: &ConnectionDraft,
        test: bool,
        watch: Watch<'_>,
    ) -> Result<Result<CreatedConnection, TestReport>, Problem> {
        access.require(Scope::CreateConnection)?;
        check_name(&draft.name)?;
        // Nobody chose the name of a connection that is made in a session.
        let is_made_up = draft.belonging.session.is_some();
        if !is_made_up
            && !self.store.connections_called(&access.environment, draft.name.trim()).await?.is_empty()
        {
            return Err(name_taken(&draft.name));
        }
        let id = self.new_connection_id()?;
        let prepared = self.prepare(access, &id, NewConnection::SEALED_VERSION, draft, watch).await?;
        let report = if test {
            let report = connection_test::run(&prepared.plan, &self.probe(), watch).await?;
            if !report.available {
                return Ok(Err(report));
            }
            Some(report)
        } else {
            None
        };
        let (mut name, mut prepared) = (draft.name.trim().to_owned(), prepared);
        let mut is_renamed = false;
        loop {
            match self.insert_connection(access, &id, (&name, draft), &prepared, report.as_ref()).await {
                // Somebody else made the integration since it was looked for.
                Err(problem) if problem.code == "unique_key_taken" && prepared.integration.is_none() => {
                    prepared.integration =
                        self.store.integration(&access.environment, &draft.integration).await?;
                }
                // Somebody else took the name meanwhile; the id is unique, and can be changed for a better name.
                Err(problem) if problem.code == "name_taken" && is_made_up && !is_renamed => {
                    name = format!("{name} ({id})");
                    is_renamed = true;
                }
                outcome => break outcome?,
            }
        }
        let (connection, integration) = self.find_connection(&access.environment, None, id.as_str()).await?;
        Ok(Ok(CreatedConnection { connection, integration, report }))
    }

    /// Stores a connection, and the integration that it is the first of, in one act.
    async fn insert_connection(
        &self,
        access: &Access,
        id: &ConnectionId,
        (name, draft): (&str, &ConnectionDraft),
        prepared: &Prepared,
        report: Option<&TestReport>,
    ) -> Result<(), Problem> {
        let plan = &prepared.plan;
        let (integration_id, mut changes) = match &prepared.integration {
            Some(integration) => (integration.id.clone(), Vec::new()),
            None => {
                self.new_integration(access, &plan.provider, &IntegrationDraft::of_provider(&plan.provider))?
            }
        };
        let new = NewConnection {
            id: id.clone(),
            environment_id: access.environment.clone(),
            integration_id,
            name: name.to_owned(),
            connection_id: draft.connection_id.clone(),
            target: target(prepared),
            sealed: Some(plan.sealed.sealed.clone()),
            life: prepared.life,
            settings: json!(prepared.settings),
            health: report.map_or(Health::Unverified, |report| {
                health_of(report, prepared.life.ends_at, self.now(), self.now())
            }),
            health_detail: health_detail(report),
            last_tested_at: report.map(|_| self.now()),
            tags: draft.tags.clone(),
            metadata: draft.metadata.clone(),
            end_user: draft.belonging.end_user.clone(),
            webhook_url: draft.belonging.webhook_url.clone(),
        };
        let detail = json!({
            "provider": plan.provider.id,
            "integration": plan.integration,
            "auth_scheme": plan.auth_scheme,
            "tested": report.is_some(),
        });
        let object = Object { kind: "connection".into(), id: id.to_string(), label: new.name.clone() };
        changes.push(Change::InsertConnection(new));
        changes.extend(draft.belonging.ends(&access.environment));
        changes.extend(events(access, "connection.created", object, detail, true));
        self.commit(&changes).await.map(drop)
    }

    /// Tests a stored connection and notes how it did. A credential that was refused is tried again by this, and by
    /// nothing else.
    pub async fn test_connection(
        self: &Arc<Self>,
        access: &Access,
        integration: Option<&str>,
        reference: &str,
        watch: Watch<'_>,
    ) -> Result<TestReport, Problem> {
        access.require(Scope::UpdateConnection)?;
        let (connection, integration) =
            self.find_connection(&access.environment, integration, reference).await?;
        let connection = self.with_trusted_tokens(access, connection).await?;
        let connection = self.with_fresh_tokens(connection).await?;
        let plan = Arc::new(self.compile_stored(&connection, &integration).await?);
        let report = connection_test::run(&plan, &self.probe(), watch).await?;
        let mut news = News::of_test(&connection, &report, self.now());
        news.outdates = report.learned != plan.learned;
        let detail =
            json!({ "available": report.available, "verdict": report.verdict().map(|verdict| &verdict.is) });
        let mut changes = noted(access, &connection, news);
        changes.extend(events(access, "connection.tested", object_of(&connection), detail, false));
        self.commit(&changes).await?;
        Ok(report)
    }

    /// The connection with a refresh token that is known to be good. When the database was restored since it was written,
    /// only its use can show that; whoever asks for a test wants it.
    async fn with_trusted_tokens(
        self: &Arc<Self>,
        access: &Access,
        connection: Connection,
    ) -> Result<Connection, Problem> {
        if connection.restored_at.is_none() {
            return Ok(connection);
        }
        let (environment, id) = (&connection.environment_id, &connection.id);
        let mut changes = vec![Change::TrustRestored(environment.clone(), id.clone())];
        let object = object_of(&connection);
        changes.extend(events(access, "connection.restored_tokens_used", object, json!(null), false));
        self.commit(&changes).await?;
        // Where no end is known, there may be nothing to renew: the test shows whether the token is good.
        if connection.life.renew_at.is_some() {
            self.renew(environment, id, connection.sealed_version).await?;
        }
        self.stored(access, id).await
    }

    /// Changes name, tags, metadata or settings that do not decide where requests go. Other settings need the secrets
    /// again, so they are refused here.
    pub async fn update_connection(
        self: &Arc<Self>,
        access: &Access,
        integration: Option<&str>,
        reference: &str,
        change: ConnectionChange,
    ) -> Result<(Connection, Integration), Problem> {
        access.require(Scope::UpdateConnection)?;
        let (connection, integration) =
            self.find_connection(&access.environment, integration, reference).await?;
        if let Some(name) = &change.name {
            check_name(name)?;
        }
        let provider = self.provider_of(&integration)?;
        let settings = match &change.settings {
            None => None,
            Some(given) => {
                let (settings, routing) = accept_settings(&provider, given)?;
                if !routing.is_empty() {
                    let names: Vec<&str> = routing.keys().map(String::as_str).collect();
                    return Err(Problem::new(
                        ProblemKind::Conflict,
                        "secret_needed",
                        format!("{} decides where requests go", names.join(", ")),
                        "Reconnect the connection: such a change needs its secrets typed again.",
                    ));
                }
                Some(json!(settings))
            }
        };
        let mut update =
            ConnectionUpdate::new(access.environment.clone(), connection.id.clone(), connection.version);
        update.name = change.name.as_ref().map(|name| name.trim().to_owned());
        update.settings = settings;
        update.tags = tags_after(&connection, change.tags, change.end_user.as_ref())?;
        update.metadata = change.metadata;
        if let Some(url) = change.webhook_url.as_ref().filter(|url| !url.is_empty()) {
            self.check_webhook_url(url)?;
        }
        update.webhook_url = change.webhook_url.map(|url| Some(url).filter(|url| !url.is_empty()));
        update.end_user = change.end_user;
        let detail = json!({
            "name": update.name, "settings": update.settings.is_some(), "tags": update.tags.is_some(),
            "metadata": update.metadata.is_some(), "end_user": update.end_user.is_some(),
            "webhook_url": update.webhook_url.is_some(),
        });
        let mut changes = vec![Change::UpdateConnection(update)];
        changes.extend(events(access, "connection.updated", object_of(&connection), detail, true));
        self.commit(&changes).await?;
        Ok((self.stored(access, &connection.id).await?, integration))
    }

    /// Puts data of the embedder's own in the place of what connections of an integration have, or beside it when `merge`
    /// is true: then members of the same name are replaced. All of them or none.
    pub async fn put_metadata(
        &self,
        access: &Access,
        integration: &str,
        connection_ids: &[String],
        metadata: &serde_json::Map<String, Json>,
        merge: bool,
    ) -> Result<(), Problem> {
        access.require(Scope::UpdateConnection)?;
        let mut changes = Vec::new();
        for id in connection_ids {
            let (connection, _) = self.find_connection(&access.environment, Some(integration), id).await?;
            let mut whole = metadata.clone();
            if merge && let Json::Object(known) = &connection.metadata {
                whole.clone_from(known);
                whole.extend(metadata.clone());
            }
            let mut update =
                ConnectionUpdate::new(access.environment.clone(), connection.id.clone(), connection.version);
            update.metadata = Some(Json::Object(whole));
            changes.push(Change::UpdateConnection(update));
            let detail = json!({ "metadata": true });
            changes.extend(events(access, "connection.updated", object_of(&connection), detail, true));
        }
        self.commit(&changes).await.map(drop)
    }

    /// Deletes a connection; its secrets are emptied at once, and its tokens given back where the vendor takes them.
    pub async fn delete_connection(
        self: &Arc<Self>,
        access: &Access,
        integration: Option<&str>,
        reference: &str,
    ) -> Result<Revoked, Problem> {
        access.require(Scope::DeleteConnection)?;
        loop {
            let (connection, integration) =
                self.find_connection(&access.environment, integration, reference).await?;
            let mut changes = self.revocation_of(&connection, &integration.provider);
            let revoked = if changes.is_empty() { Revoked::Nothing } else { Revoked::Soon };
            changes.push(Change::DeleteConnection(access.environment.clone(), connection.id.clone()));
            changes.extend(events(access, "connection.deleted", object_of(&connection), Json::Null, true));
            match self.commit(&changes).await {
                // Its tokens were renewed meanwhile: the new ones are those to give back.
                Err(problem) if problem.code == "version_conflict" => {}
                outcome => return outcome.map(|_| revoked),
            }
        }
    }

    /// Compiles a stored connection.
    pub(crate) async fn compile_stored(
        &self,
        connection: &Connection,
        integration: &Integration,
    ) -> Result<Plan, Problem> {
        let provider = self.provider_of(integration)?;
        let Some(sealed) = connection.sealed.clone() else {
            return Err(Problem::new(
                ProblemKind::Unusable,
                "no_credentials",
                "The connection has no credentials",
                "Reconnect it: its secrets have to be typed again.",
            ));
        };
        let sealed = self.safe.stored(&self.store, place_of(connection), sealed).await?;
        let config = texts(&connection.target.config);
        let settings = all_settings(&provider, texts(&connection.settings), &config);
        let source = PlanSource {
            environment: connection.environment_id.clone(),
            connection: Some(connection.id.clone()),
            connection_id: connection.connection_id.clone(),
            integration: integration.unique_key.clone(),
            auth_scheme: connection.target.auth_scheme.clone(),
            gates: gates_of(connection),
            learned: serde_json::from_value(connection.health_detail["learned"].clone()).unwrap_or_default(),
            freshness: Freshness {
                expires_at: connection.life.expires_at,
                renewable_since: scheme_is_renewable(&provider, connection).then_some(connection.sealed_at),
            },
            refused: connection.health == Health::NeedsReconnecting,
            moments: self.moments(),
            provider,
            config,
            settings,
            sealed,
        };
        Plan::compile(source, &self.egress, &self.governors)
    }

    pub(crate) fn new_connection_id(&self) -> Result<ConnectionId, Problem> {
        ConnectionId::generate(self.now(), &*self.random).map_err(|error| {
            let fix = "Check the operating system's random number generator.";
            Problem::new(ProblemKind::Internal, "no_randomness", error.to_string(), fix)
        })
    }

    pub(crate) async fn stored(&self, access: &Access, id: &ConnectionId) -> Result<Connection, Problem> {
        let found = self.store.connection(&access.environment, id).await?;
        found
            .ok_or_else(|| Problem::not_found("unknown_connection", format!("There is no connection `{id}`")))
    }
}

/// What may change about a connection without its secrets; `None` keeps what is there.
#[derive(Debug, Default)]
pub struct ConnectionChange {
    /// What people call it.
    pub name: Option<String>,
    /// Extra settings; all of them, not only those that change.
    pub settings: Option<BTreeMap<String, String>>,
    /// For finding it.
    pub tags: Option<BTreeMap<String, String>>,
    /// The embedder's own data.
    pub metadata: Option<Json>,
    /// Whom it belongs to.
    pub end_user: Option<EndUser>,
    /// Where webhook events about it go; an empty text for the environment's receivers.
    pub webhook_url: Option<String>,
}

/// The tags that a connection has after a change: those of its person follow the person.
fn tags_after(
    connection: &Connection,
    given: Option<BTreeMap<String, String>>,
    end_user: Option<&EndUser>,
) -> Result<Option<BTreeMap<String, String>>, Problem> {
    match (given, end_user) {
        (None, None) => Ok(None),
        (Some(given), None) => tags_of(&given, connection.end_user.as_ref()).map(Some),
        (given, Some(user)) => {
            let given = match given {
                Some(given) => tags_of(&given, None)?,
                None => connection.tags.clone(),
            };
            let known = tags_of(&BTreeMap::new(), Some(user))?;
            Ok(Some(given.into_iter().chain(known).collect()))
        }
    }
}

pub(crate) fn target(prepared: &Prepared) -> Target {
    let plan = &prepared.plan;
    Target {
        auth_scheme: plan.auth_scheme.clone(),
        config: json!(plan.config),
        gates: json!(plan.gates),
        hosts: plan.sealed.place.hosts.clone(),
        oauth_client: None,
        certificate_expires_at: prepared.certificate_expires_at,
    }
}

/// Whether new tokens can be had without a person.
fn scheme_is_renewable(provider: &Provider, connection: &Connection) -> bool {
    let scheme = provider.scheme(&connection.target.auth_scheme);
    scheme.is_some_and(|scheme| {
        scheme.is_renewed() && (!scheme.needs_browser() || connection.target.oauth_client.is_some())
    })
}

/// The gates that a connection comes through.
pub(crate) fn gates_of(connection: &Connection) -> Vec<GateKind> {
    serde_json::from_value(connection.target.gates.clone()).unwrap_or_default()
}

/// Where the credentials of a connection belong.
pub(crate) fn place_of(connection: &Connection) -> Place {
    Place {
        environment: connection.environment_id.clone(),
        purpose: Purpose::Credentials,
        object: connection.id.to_string(),
        version: connection.sealed_version,
        hosts: connection.target.hosts.clone(),
    }
}

pub(crate) fn object_of(connection: &Connection) -> Object {
    Object { kind: "connection".into(), id: connection.id.to_string(), label: connection.name.clone() }
}

pub(crate) fn texts(value: &Json) -> BTreeMap<String, String> {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

/// Every setting of a connection: what was given over the defaults. Those that decide where requests go stand among the
/// configuration.
pub(crate) fn all_settings(
    provider: &Provider,
    given: BTreeMap<String, String>,
    config: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut settings = provider.settings.defaults();
    settings.extend(given);
    let routing = config.iter().filter(|(key, _)| provider.settings.find(key).is_some());
    settings.extend(routing.map(|(key, value)| (key.clone(), value.clone())));
    settings
}

pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    let trimmed = name.trim();
    let fault = if trimmed.is_empty() {
        field("name", "required", "A connection needs a name.", "接続名を入力してください。")
    } else if trimmed.chars().count() > 255 || trimmed.chars().any(char::is_control) {
        field(
            "name",
            "pattern",
            "A name has at most 255 characters and no line breaks.",
            "接続名は改行を含まない255文字以内で入力してください。",
        )
    } else {
        return Ok(());
    };
    Err(Problem::fields(vec![fault]))
}

pub(crate) fn name_taken(name: &str) -> Problem {
    let what = format!("There is a connection named `{}` already", name.trim());
    Problem::new(ProblemKind::Conflict, "name_taken", what, "Choose another name.")
}
