use serde_json::Value as Json;

use crate::commit::Act;
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::{EnvironmentId, IntegrationId, OAuthClientId};
use crate::name::{check_text, check_url_key};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// A provider configured in an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Integration {
    /// Names it for ever.
    pub id: IntegrationId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Names it in the API; unique among the live integrations of its environment.
    pub unique_key: String,
    /// The provider's key in the catalog.
    pub provider: String,
    /// What people see.
    pub display_name: String,
    /// The ids of the auth schemes that connections may use; empty means all of the provider's.
    pub auth_schemes: Vec<String>,
    /// Values for new connections where none is given: a JSON object.
    pub defaults: Json,
    /// The OAuth client through which its connections are authorised unless another one is named.
    pub oauth_client: Option<OAuthClientId>,
    /// Grows with every change.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An integration to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewIntegration {
    /// Its id.
    pub id: IntegrationId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Names it in the API.
    pub unique_key: String,
    /// The provider's key in the catalog.
    pub provider: String,
    /// What people see.
    pub display_name: String,
    /// The ids of the auth schemes that connections may use; empty means all of the provider's.
    pub auth_schemes: Vec<String>,
    /// Values for new connections where none is given: a JSON object.
    pub defaults: Json,
    /// The OAuth client through which its connections are authorised unless another one is named.
    pub oauth_client: Option<OAuthClientId>,
}

/// New values for an integration; `None` keeps what is there.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegrationUpdate {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Which one.
    pub id: IntegrationId,
    /// The version that was read; another one is a conflict.
    pub expected_version: u64,
    /// Names it in the API.
    pub unique_key: Option<String>,
    /// What people see.
    pub display_name: Option<String>,
    /// The ids of the auth schemes that connections may use.
    pub auth_schemes: Option<Vec<String>>,
    /// Values for new connections where none is given: a JSON object.
    pub defaults: Option<Json>,
    /// The OAuth client through which its connections are authorised unless another one is named.
    pub oauth_client: Option<OAuthClientId>,
}

const COLUMNS: &str = "id, environment_id, unique_key, provider, display_name, auth_schemes, defaults, version, \
                       created_at, updated_at, oauth_client_id";
const DISPLAY_NAME: &str = "the name of an integration";

impl Store {
    /// The environment's live integrations in the order of their keys.
    pub async fn integrations(&self, environment: &EnvironmentId) -> Result<Vec<Integration>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM integrations WHERE environment_id = $1 AND deleted_at IS NULL ORDER BY unique_key"
        ));
        self.database.read(select.bind(environment)).await?.into_iter().map(read).collect()
    }

    /// The live integration with this key.
    pub async fn integration(
        &self,
        environment: &EnvironmentId,
        unique_key: &str,
    ) -> Result<Option<Integration>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM integrations WHERE environment_id = $1 AND unique_key = $2 AND deleted_at IS NULL"
        ));
        self.database.read_one(select.bind(environment).bind(unique_key)).await?.map(read).transpose()
    }

    /// The live integration with this id.
    pub async fn integration_by_id(
        &self,
        environment: &EnvironmentId,
        id: &IntegrationId,
    ) -> Result<Option<Integration>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM integrations WHERE environment_id = $1 AND id = $2 AND deleted_at IS NULL"
        ));
        self.database.read_one(select.bind(environment).bind(id)).await?.map(read).transpose()
    }
}

fn read(mut row: Row) -> Result<Integration, StoreError> {
    let mut integration = Integration {
        id: row.parsed()?,
        environment_id: row.parsed()?,
        unique_key: row.text()?,
        provider: row.text()?,
        display_name: row.text()?,
        auth_schemes: row.json()?,
        defaults: row.json()?,
        oauth_client: None,
        version: row.counter()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    };
    integration.oauth_client = row.optional_parsed()?;
    Ok(integration)
}

pub(crate) async fn insert(act: &mut Act<'_>, new: &NewIntegration) -> Result<(), StoreError> {
    check_url_key("integration", &new.unique_key)?;
    check_text(DISPLAY_NAME, &new.display_name)?;
    refuse_taken_key(act, &new.environment_id, &new.unique_key, &new.id).await?;
    let statement = query(
        "INSERT INTO integrations (id, environment_id, unique_key, provider, display_name, auth_schemes, defaults, \
         version, created_at, updated_at, oauth_client_id) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8, $9)",
    );
    let statement = statement
        .bind(&new.id)
        .bind(&new.environment_id)
        .bind(new.unique_key.as_str())
        .bind(new.provider.as_str())
        .bind(new.display_name.as_str())
        .bind(&Json::from(new.auth_schemes.clone()))
        .bind(&new.defaults)
        .bind(act.at)
        .bind(new.oauth_client.as_ref());
    act.transaction.execute(statement).await.map(drop)
}

pub(crate) async fn update(act: &mut Act<'_>, update: &IntegrationUpdate) -> Result<(), StoreError> {
    if let Some(unique_key) = &update.unique_key {
        check_url_key("integration", unique_key)?;
        refuse_taken_key(act, &update.environment_id, unique_key, &update.id).await?;
    }
    if let Some(display_name) = &update.display_name {
        check_text(DISPLAY_NAME, display_name)?;
    }
    let statement = query(
        "UPDATE integrations SET unique_key = COALESCE($1, unique_key), display_name = COALESCE($2, display_name), \
         auth_schemes = COALESCE($3, auth_schemes), defaults = COALESCE($4, defaults), version = version + 1, \
         oauth_client_id = COALESCE($9, oauth_client_id), updated_at = $5 \
         WHERE environment_id = $6 AND id = $7 AND version = $8 AND deleted_at IS NULL",
    );
    let statement = statement
        .bind(update.unique_key.as_deref())
        .bind(update.display_name.as_deref())
        .bind(update.auth_schemes.clone().map(|schemes| Json::from(schemes).to_string()))
        .bind(update.defaults.as_ref().map(Json::to_string))
        .bind(act.at)
        .bind(&update.environment_id)
        .bind(&update.id)
        .bind(update.expected_version)
        .bind(update.oauth_client.as_ref());
    if act.transaction.execute(statement).await? == 1 {
        return Ok(());
    }
    require_live(act, &update.environment_id, &update.id).await?;
    Err(StoreError::version_conflict("integration", &update.id))
}

/// Frees the key; refused while the integration has connections.
pub(crate) async fn delete(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &IntegrationId,
) -> Result<(), StoreError> {
    require_live(act, environment, id).await?;
    let used = query(
        "SELECT id FROM connections WHERE environment_id = $1 AND integration_id = $2 AND deleted_at IS NULL LIMIT 1",
    );
    if act.transaction.row(used.bind(environment).bind(id)).await?.is_some() {
        return Err(StoreError::IntegrationInUse { id: id.to_string() });
    }
    let statement = query(
        "UPDATE integrations SET deleted_at = $1, updated_at = $1, version = version + 1 \
         WHERE environment_id = $2 AND id = $3",
    );
    act.transaction.execute(statement.bind(act.at).bind(environment).bind(id)).await.map(drop)
}

pub(crate) async fn require_live(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &IntegrationId,
) -> Result<(), StoreError> {
    let select =
        query("SELECT id FROM integrations WHERE environment_id = $1 AND id = $2 AND deleted_at IS NULL");
    match act.transaction.row(select.bind(environment).bind(id)).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::not_found("integration", id)),
    }
}

async fn refuse_taken_key(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    unique_key: &str,
    except: &IntegrationId,
) -> Result<(), StoreError> {
    let select = query(
        "SELECT id FROM integrations WHERE environment_id = $1 AND unique_key = $2 AND id <> $3 AND deleted_at IS NULL",
    );
    match act.transaction.row(select.bind(environment).bind(unique_key).bind(except)).await? {
        Some(_) => Err(StoreError::UniqueKeyTaken { object: "integration", key: unique_key.to_owned() }),
        None => Ok(()),
    }
}
