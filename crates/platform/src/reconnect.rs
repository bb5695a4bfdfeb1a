//! A connection gets another credential, or goes elsewhere: both need the secret typed again.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tombolo_auth::Typed;
use tombolo_store::{Change, Connection, ConnectionHealth, ConnectionUpdate, Integration};

use crate::access::{Access, Scope};
use crate::connection_test::{self, TestReport};
use crate::connections::{
    ConnectionDraft, CreatedConnection, Watch, health_detail, health_of, object_of, target, texts,
};
use crate::platform::{Platform, events};
use crate::problem::Problem;

/// What is typed to reconnect. Fields that are no secret keep what they were unless they are given; secrets are never
/// kept: a stored secret does not travel to another host, another scheme or another account.
pub struct Reconnection {
    /// The auth scheme; the connection's own when absent.
    pub auth_scheme: Option<String>,
    /// Typed values by field name, every secret among them.
    pub fields: Typed,
    /// Extra settings that change.
    pub settings: BTreeMap<String, String>,
}

impl Platform {
    /// Tests what was typed and puts it in the place of the connection's target and credentials. Id, name, tags and
    /// metadata stay. When the test fails nothing changes, and the report says why.
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
        let draft = self.merged(&connection, &integration, typed)?;
        let version = connection.sealed_version + 1;
        let prepared = self.prepare(access, &connection.id, version, &draft, watch).await?;
        let report = connection_test::run(&prepared.plan, &self.probe(), watch).await?;
        if !report.available {
            return Ok(Err(report));
        }
        let mut update =
            ConnectionUpdate::new(access.environment.clone(), connection.id.clone(), connection.version);
        update.settings = Some(json!(prepared.settings));
        update.target = Some((target(&prepared.plan), Some(prepared.plan.sealed.sealed.clone())));
        let health = ConnectionHealth {
            environment_id: access.environment.clone(),
            id: connection.id.clone(),
            sealed_version: version,
            health: health_of(&report),
            detail: health_detail(Some(&report)),
            tested_at: Some(self.now()),
            outdates: true,
        };
        let detail = json!({ "auth_scheme": prepared.plan.auth_scheme });
        let mut changes = vec![Change::UpdateConnection(update), Change::RecordHealth(health)];
        changes.extend(events(access, "connection.reconnected", object_of(&connection), detail, true));
        self.commit(&changes).await?;
        let connection = self.stored(access, &connection.id).await?;
        Ok(Ok(CreatedConnection { connection, integration, report: Some(report) }))
    }

    /// What was typed over what the connection has and is no secret.
    fn merged(
        &self,
        connection: &Connection,
        integration: &Integration,
        typed: Reconnection,
    ) -> Result<ConnectionDraft, Problem> {
        let provider = self.provider_of(integration)?;
        let Reconnection { auth_scheme, mut fields, settings: changed } = typed;
        let mut settings = texts(&connection.settings);
        for (name, value) in texts(&connection.target.config) {
            if provider.config.get(&name).is_some() {
                fields.entry(name).or_insert_with(|| SecretString::from(value));
            } else {
                settings.insert(name, value);
            }
        }
        for (key, value) in changed {
            let known = provider.settings.find(&key).map(|(known, _)| known.to_owned());
            settings.insert(known.unwrap_or(key), value);
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
        })
    }
}
