use tombolo_vault::Sealed;

use super::{Connection, Target, TokenLife, hosts};
use crate::commit::Act;
use crate::database::{Query, Row, query};
use crate::error::StoreError;
use crate::id::{ConnectionId, EnvironmentId, IntegrationId};
use crate::name::name_key;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// The columns of table `c` in the order of [`read`].
pub(super) const COLUMNS: &str = "c.id, c.environment_id, c.integration_id, c.name, c.connection_id, c.auth_scheme, c.config, c.gates, c.hosts, \
     c.sealed, c.sealed_version, c.settings, c.health, c.health_detail, c.tags, c.metadata, c.version, c.created_at, \
     c.updated_at, c.last_tested_at, c.oauth_client_id, c.expires_at, c.renew_at, c.ends_at, c.end_user, c.webhook_url, \
     c.certificate_expires_at, c.health_since, c.next_test_at, c.sealed_at, c.restored_at";

impl Store {
    /// The live connection with this id.
    pub async fn connection(
        &self,
        environment: &EnvironmentId,
        id: &ConnectionId,
    ) -> Result<Option<Connection>, StoreError> {
        self.database.read_one(by_id(environment, id)).await?.map(read).transpose()
    }

    /// The live connection that the API names with `integration` and `connection_id`.
    pub async fn connection_of_integration(
        &self,
        environment: &EnvironmentId,
        integration: &IntegrationId,
        connection_id: &str,
    ) -> Result<Option<Connection>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM connections c WHERE c.environment_id = $1 AND c.connection_id = $2 \
             AND c.integration_id = $3 AND c.deleted_at IS NULL"
        ));
        let select = select.bind(environment).bind(connection_id).bind(integration);
        self.database.read_one(select).await?.map(read).transpose()
    }

    /// The live connection with this name, however it is written.
    pub async fn connection_named(
        &self,
        environment: &EnvironmentId,
        name: &str,
    ) -> Result<Option<Connection>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM connections c \
             WHERE c.environment_id = $1 AND c.name_key = $2 AND c.deleted_at IS NULL"
        ));
        let select = select.bind(environment).bind(name_key(name)?);
        self.database.read_one(select).await?.map(read).transpose()
    }

    /// The live connections that `reference` may mean: the one with that id, the one of that name, or those with that
    /// connection id (one in each integration). More than one means that the caller must say which integration.
    pub async fn connections_called(
        &self,
        environment: &EnvironmentId,
        reference: &str,
    ) -> Result<Vec<Connection>, StoreError> {
        // What cannot be a name is simply not found by name.
        let name = name_key(reference).unwrap_or_default();
        let select = query(format!(
            "SELECT {COLUMNS} FROM connections c \
             WHERE c.environment_id = $1 AND c.name_key = $2 AND c.deleted_at IS NULL \
             UNION SELECT {COLUMNS} FROM connections c \
             WHERE c.environment_id = $1 AND c.connection_id = $3 AND c.deleted_at IS NULL \
             UNION SELECT {COLUMNS} FROM connections c \
             WHERE c.environment_id = $1 AND c.id = $3 AND c.deleted_at IS NULL LIMIT 10"
        ));
        let rows = self.database.read(select.bind(environment).bind(name).bind(reference)).await?;
        rows.into_iter().map(read).collect()
    }
}

/// The live connection with this id, as the transaction sees it.
pub(super) async fn in_act(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &ConnectionId,
) -> Result<Option<Connection>, StoreError> {
    act.transaction.row(by_id(environment, id)).await?.map(read).transpose()
}

fn by_id(environment: &EnvironmentId, id: &ConnectionId) -> Query {
    let select = format!(
        "SELECT {COLUMNS} FROM connections c WHERE c.environment_id = $1 AND c.id = $2 AND c.deleted_at IS NULL"
    );
    query(select).bind(environment).bind(id)
}

pub(super) fn read(mut row: Row) -> Result<Connection, StoreError> {
    let mut connection = Connection {
        id: row.parsed()?,
        environment_id: row.parsed()?,
        integration_id: row.parsed()?,
        name: row.text()?,
        connection_id: row.text()?,
        target: Target {
            auth_scheme: row.text()?,
            config: row.json()?,
            gates: row.json()?,
            hosts: hosts::from_json(&row.text()?)?,
            oauth_client: None,
            certificate_expires_at: None,
        },
        sealed: row.optional_bytes()?.map(Sealed::from_bytes).transpose()?,
        life: TokenLife::default(),
        sealed_version: row.counter()?,
        settings: row.json()?,
        health: row.parsed()?,
        health_detail: row.json()?,
        health_since: Timestamp::default(),
        next_test_at: None,
        sealed_at: Timestamp::default(),
        restored_at: None,
        tags: row.json()?,
        metadata: row.json()?,
        version: row.counter()?,
        created_at: row.time()?,
        updated_at: row.time()?,
        last_tested_at: row.optional_time()?,
        end_user: None,
        webhook_url: None,
    };
    connection.target.oauth_client = row.optional_parsed()?;
    connection.life = TokenLife {
        expires_at: row.optional_time()?,
        renew_at: row.optional_time()?,
        ends_at: row.optional_time()?,
    };
    connection.end_user = row.json()?;
    connection.webhook_url = row.optional_text()?;
    connection.target.certificate_expires_at = row.optional_time()?;
    connection.health_since = row.time()?;
    connection.next_test_at = row.optional_time()?;
    connection.sealed_at = row.time()?;
    connection.restored_at = row.optional_time()?;
    Ok(connection)
}
