//! A connection gets another credential, or goes elsewhere: both need the secret typed again.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tombolo_auth::Typed;
use tombolo_store::{Change, ConnectSessionId, Connection, ConnectionId, ConnectionUpdate, Integration};

use crate::access::{Access, Scope};
use crate::connection_test::{self, TestReport};
use crate::connections::{
    Belonging, ConnectionDraft, CreatedConnection, Watch, check_name, name_taken, object_of, target, texts,
};
use crate::health::{News, health_detail, health_of, noted};
use crate::platform::{Platform, events};
use crate::problem::Problem;

/// What is typed to reconnect. Fields that are no secret keep what they were unless they are given; secrets are never
/// kept: a stored secret does not travel to another host, another scheme or another account.
pub struct Reconnection {
    /// The auth scheme; the connection's own when absent.
    pub auth_scheme: Option<String>,
    /// Typed values by field name, every secret among them.
    pub fields: Typed,
    /// Extra settings that change; an empty value puts one back to its default.
    pub settings: BTreeMap<String, String>,
    /// Another name; the connection's own when absent.
    pub name: Option<String>,
    /// All tags; those of the connection when absent.
    pub tags: Option<BTreeMap<String, String>>,
    /// The embedder's own data, whole; that of the connection when absent.
    pub metadata: Option<Json>,
    /// Whether it is tested first, and changed only when it can be used.
    pub test: bool,
    /// The connect session that this happens in: that ends with it.
    pub session: Option<ConnectSessionId>,
}

impl Platform {
    /// Tests what was typed and puts it in the place of the connection's target and credentials. The id stays; name, tags
    /// and metadata change in the same act, if they are given. When the test fails nothing changes, and the report says
    /// why. Without a test the health is `unverified` afterwards.
    pub async fn reconnect(
        self: &Arc<Self>,
        access: &Access,
        integration: Option<&str>,
        reference: &str,
        typed: Reconnection,
        watch: Watch<'_>,
    ) -> Result<Result<CreatedConnection, TestReport>, Problem> {
        access.require(Scope::UpdateConnection)?;
        let (connection, integration) =
            self.find_connection(&access.environment, integration, reference).await?;
        let mut update =
            ConnectionUpdate::new(access.environment.clone(), connection.id.clone(), connection.version);
        if let Some(name) = &typed.name {
            check_name(name)?;
            self.refuse_taken_name(access, &connection.id, name).await?;
        }
        update.name = typed.name.as_ref().map(|name| name.trim().to_owned());
        update.tags.clone_from(&typed.tags);
        update.metadata.clone_from(&typed.metadata);
        let (test, session) = (typed.test, typed.session.clone());

        let draft = self.merged(&connection, &integration, typed)?;
        let version = connection.sealed_version + 1;
        let prepared = self.prepare(access, &connection.id, version, &draft, watch).await?;
        let report =
            if test { Some(connection_test::run(&prepared.plan, &self.probe(), watch).await?) } else { None };
        if let Some(report) = report.as_ref().filter(|report| !report.available) {
            return Ok(Err(report.clone()));
        }

        update.settings = Some(json!(prepared.settings));
        let sealed = prepared.plan.sealed.sealed.clone();
        update.target = Some((target(&prepared), Some(sealed), prepared.life));
        let mut changes = vec![Change::UpdateConnection(update)];
        if let Some(report) = &report {
            let now = self.now();
            let news = News {
                health: health_of(report, prepared.life.ends_at, now, now),
                detail: health_detail(Some(report)),
                tested_at: Some(now),
                next_test_at: None,
                sealed_version: version,
                outdates: true,
            };
            changes.extend(noted(access, &connection, news));
        }
        changes.extend(session.map(|session| Change::EndConnectSession(access.environment.clone(), session)));
        let detail = json!({ "auth_scheme": prepared.plan.auth_scheme, "tested": test });
        changes.extend(events(access, "connection.reconnected", object_of(&connection), detail, true));
        self.commit(&changes).await?;
        let connection = self.stored(access, &connection.id).await?;
        Ok(Ok(CreatedConnection { connection, integration, report }))
    }

    /// Tests what was typed to reconnect. Nothing changes.
    pub async fn test_reconnection(
        self: &Arc<Self>,
        access: &Access,
        reference: &str,
        typed: Reconnection,
        watch: Watch<'_>,
    ) -> Result<TestReport, Problem> {
        access.require(Scope::UpdateConnection)?;
        let (connection, integration) = self.find_connection(&access.environment, None, reference).await?;
        let draft = self.merged(&connection, &integration, typed)?;
        let version = connection.sealed_version + 1;
        let prepared = self.prepare(access, &connection.id, version, &draft, watch).await?;
        connection_test::run(&prepared.plan, &self.probe(), watch).await
    }

    /// Finds out before the test whether another connection has a name already: a test may cost the vendor a try.
    async fn refuse_taken_name(
        &self,
        access: &Access,
        own: &ConnectionId,
        name: &str,
    ) -> Result<(), Problem> {
        let called = self.store.connections_called(&access.environment, name.trim()).await?;
        if called.iter().all(|connection| connection.id == *own) { Ok(()) } else { Err(name_taken(name)) }
    }

    /// What was typed over what the connection has and is no secret.
    fn merged(
        &self,
        connection: &Connection,
        integration: &Integration,
        typed: Reconnection,
    ) -> Result<ConnectionDraft, Problem> {
        let provider = self.provider_of(integration)?;
        let Reconnection { auth_scheme, mut fields, settings: changed, .. } = typed;
        let mut settings = texts(&connection.settings);
        for (name, value) in texts(&connection.target.config) {
            if provider.config.get(&name).is_some() {
                fields.entry(name).or_insert_with(|| SecretString::from(value));
            } else {
                settings.insert(name, value);
            }
        }
        for (key, value) in changed {
            let known = provider.settings.find(&key).map_or(key.as_str(), |(known, _)| known);
            if value.trim().is_empty() && provider.settings.find(known).is_some() {
                settings.remove(known);
            } else {
                settings.insert(known.to_owned(), value);
            }
        }
        Ok(ConnectionDraft {
            integration: integration.unique_key.clone(),
            name: connection.name.clone(),
            connection_id: None,
            auth_scheme: Some(auth_scheme.unwrap_or_else(|| connection.target.auth_scheme.clone())),
            fields,
            settings,
            tags: BTreeMap::new(),
            metadata: Json::Null,
            belonging: Belonging::default(),
        })
    }
}
