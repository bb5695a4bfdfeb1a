use std::fmt;
use std::str::FromStr;

use serde_json::Value as Json;
use thiserror::Error;
use tombolo_vault::{HostSet, Sealed};

use crate::commit::Act;
use crate::connections::{self, hosts};
use crate::database::{Row, query};
use crate::environments::count_sealed;
use crate::error::StoreError;
use crate::id::{EnvironmentId, OAuthClientId};
use crate::name::name_key;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// A client that is registered with a vendor: people agree that it may act for them.
#[derive(Debug, Clone, PartialEq)]
pub struct OAuthClient {
    /// Names it for ever; part of what its secret is bound to.
    pub id: OAuthClientId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// The provider's key in the catalog.
    pub provider: String,
    /// The provider's auth scheme.
    pub auth_scheme: String,
    /// What people call it; unique in its environment.
    pub name: String,
    /// The last part of its redirect URI, which no other client shares.
    pub callback: String,
    /// Whether it was registered with the redirect URI that clients of the compatible API share: an answer for one of them
    /// can then be passed off as one for another.
    pub shared_callback: bool,
    /// Its public id at the vendor.
    pub client_id: String,
    /// The fields of the provider that say where it is registered: a JSON object, empty when it is good for everybody.
    pub config: Json,
    /// The scopes that are asked for; empty for those of the provider's file.
    pub scopes: Vec<String>,
    /// The hosts that its secret is bound to; none when the provider's file decides.
    pub hosts: HostSet,
    /// Its secret, if it has one.
    pub sealed: Option<Sealed>,
    /// The record version that `sealed` is bound to.
    pub sealed_version: u64,
    /// Who made it in a connect session and has it alone; `None` for one of the environment's administrators.
    pub owner: Option<ClientOwner>,
    /// Grows with every change.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Who made a client in a connect session, as the embedder knows them. Nobody else's account is linked through it unless
/// an administrator says so.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ClientOwner {
    /// Everybody of an organization, by the embedder's id of it.
    Organization(String),
    /// One person, by the embedder's id.
    EndUser(String),
}

impl ClientOwner {
    /// Which kind of owner it is.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Organization(_) => "organization",
            Self::EndUser(_) => "end_user",
        }
    }

    /// The embedder's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Organization(id) | Self::EndUser(id) => id,
        }
    }
}

impl fmt::Display for ClientOwner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.kind(), self.id())
    }
}

/// A text that names no owner.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} names no owner of an OAuth client")]
pub struct InvalidOwner(String);

impl FromStr for ClientOwner {
    type Err = InvalidOwner;

    fn from_str(text: &str) -> Result<Self, InvalidOwner> {
        match text.split_once(':') {
            Some(("organization", id)) => Ok(Self::Organization(id.to_owned())),
            Some(("end_user", id)) => Ok(Self::EndUser(id.to_owned())),
            _ => Err(InvalidOwner(text.to_owned())),
        }
    }
}

/// A client to be made.
#[derive(Debug, Clone)]
pub struct NewOAuthClient {
    /// The id that the secret was sealed for.
    pub id: OAuthClientId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// The provider's key in the catalog.
    pub provider: String,
    /// The provider's auth scheme.
    pub auth_scheme: String,
    /// What people call it.
    pub name: String,
    /// The last part of its redirect URI: unguessable.
    pub callback: String,
    /// Whether it was registered with the redirect URI that clients of the compatible API share.
    pub shared_callback: bool,
    /// Its public id at the vendor; empty until somebody has registered it there.
    pub client_id: String,
    /// The fields of the provider that say where it is registered.
    pub config: Json,
    /// The scopes that are asked for.
    pub scopes: Vec<String>,
    /// The hosts that its secret is bound to.
    pub hosts: HostSet,
    /// Its secret, sealed for version 1.
    pub sealed: Option<Sealed>,
    /// Who makes it in a connect session; `None` for one of the environment's administrators.
    pub owner: Option<ClientOwner>,
}

/// New values for a client; `None` keeps what is there.
#[derive(Debug, Clone)]
pub struct OAuthClientUpdate {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Which one.
    pub id: OAuthClientId,
    /// The version that was read; another one is a conflict.
    pub expected_version: u64,
    /// What people call it.
    pub name: Option<String>,
    /// Its public id at the vendor.
    pub client_id: Option<String>,
    /// The scopes that are asked for.
    pub scopes: Option<Vec<String>>,
    /// Another secret, sealed for the read `sealed_version` + 1.
    pub sealed: Option<Sealed>,
}

const COLUMNS: &str = "id, environment_id, provider, auth_scheme, name, callback, client_id, config, scopes, hosts, \
                       sealed, sealed_version, version, created_at, updated_at, shared_callback, owner";

impl Store {
    /// The environment's live clients in the order of their names.
    pub async fn oauth_clients(&self, environment: &EnvironmentId) -> Result<Vec<OAuthClient>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM oauth_clients WHERE environment_id = $1 AND deleted_at IS NULL ORDER BY name_key"
        ));
        self.database.read(select.bind(environment)).await?.into_iter().map(read).collect()
    }

    /// The live clients of an auth scheme that the environment's administrators made, and those of one owner, by name.
    pub async fn oauth_clients_for(
        &self,
        environment: &EnvironmentId,
        (provider, auth_scheme): (&str, &str),
        owner: Option<&ClientOwner>,
    ) -> Result<Vec<OAuthClient>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM oauth_clients WHERE environment_id = $1 AND provider = $2 AND auth_scheme = $3 \
             AND (owner IS NULL OR owner = $4) AND deleted_at IS NULL ORDER BY name_key"
        ));
        // Nobody has the empty owner.
        let owner = owner.map(ToString::to_string).unwrap_or_default();
        let select = select.bind(environment).bind(provider).bind(auth_scheme).bind(owner);
        self.database.read(select).await?.into_iter().map(read).collect()
    }

    /// How many live clients an owner has.
    pub async fn oauth_clients_of(
        &self,
        environment: &EnvironmentId,
        owner: &ClientOwner,
    ) -> Result<u64, StoreError> {
        let count = query(
            "SELECT COUNT(*) FROM oauth_clients WHERE environment_id = $1 AND owner = $2 AND deleted_at IS NULL",
        );
        let count = count.bind(environment).bind(owner.to_string());
        let row = self.database.read_one(count).await?;
        row.map_or(Ok(0), |mut row| row.counter())
    }

    /// Whether a client has, or has had, this last part of a redirect URI. (Takes no environment: they are unique in all.)
    pub async fn has_callback(&self, callback: &str) -> Result<bool, StoreError> {
        let select = query("SELECT id FROM oauth_clients WHERE callback = $1");
        Ok(self.database.read_one(select.bind(callback)).await?.is_some())
    }

    /// The live client with this id, or of this name.
    pub async fn oauth_client(
        &self,
        environment: &EnvironmentId,
        reference: &str,
    ) -> Result<Option<OAuthClient>, StoreError> {
        let name = name_key(reference).unwrap_or_default();
        let select = query(format!(
            "SELECT {COLUMNS} FROM oauth_clients WHERE environment_id = $1 AND (id = $2 OR name_key = $3) \
             AND deleted_at IS NULL ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END LIMIT 1"
        ));
        let select = select.bind(environment).bind(reference).bind(name);
        self.database.read_one(select).await?.map(read).transpose()
    }

    /// The live client that a vendor's redirect comes to. (Takes no environment: the redirect URI says which one.)
    pub async fn oauth_client_of_callback(&self, callback: &str) -> Result<Option<OAuthClient>, StoreError> {
        let select =
            query(format!("SELECT {COLUMNS} FROM oauth_clients WHERE callback = $1 AND deleted_at IS NULL"));
        self.database.read_one(select.bind(callback)).await?.map(read).transpose()
    }
}

fn read(mut row: Row) -> Result<OAuthClient, StoreError> {
    let mut client = OAuthClient {
        id: row.parsed()?,
        environment_id: row.parsed()?,
        provider: row.text()?,
        auth_scheme: row.text()?,
        name: row.text()?,
        callback: row.text()?,
        shared_callback: false,
        client_id: row.text()?,
        config: row.json()?,
        scopes: row.json()?,
        hosts: hosts::from_json(&row.text()?)?,
        sealed: row.optional_bytes()?.map(Sealed::from_bytes).transpose()?,
        sealed_version: row.counter()?,
        owner: None,
        version: row.counter()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    };
    client.shared_callback = row.integer()? == 1;
    client.owner = row.optional_parsed()?;
    Ok(client)
}

pub(crate) async fn insert(act: &mut Act<'_>, new: &NewOAuthClient) -> Result<(), StoreError> {
    let key = free_name(act, &new.environment_id, &new.name, &new.id).await?;
    if let Some(sealed) = &new.sealed {
        count_sealed(act, &new.environment_id, sealed).await?;
    }
    let statement = query(
        "INSERT INTO oauth_clients (id, environment_id, provider, auth_scheme, name, name_key, callback, client_id, \
         config, scopes, hosts, sealed, sealed_version, version, created_at, updated_at, shared_callback, \
         owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, 1, $13, $13, $14, $15)",
    );
    let statement = statement
        .bind(&new.id)
        .bind(&new.environment_id)
        .bind(new.provider.as_str())
        .bind(new.auth_scheme.as_str())
        .bind(new.name.trim())
        .bind(key)
        .bind(new.callback.as_str())
        .bind(new.client_id.as_str())
        .bind(&new.config)
        .bind(&Json::from(new.scopes.clone()))
        .bind(hosts::to_json(&new.hosts))
        .bind(new.sealed.as_ref().map(Sealed::as_bytes))
        .bind(act.at)
        .bind(u64::from(new.shared_callback))
        .bind(new.owner.as_ref().map(ToString::to_string));
    act.transaction.execute(statement).await.map(drop)
}

pub(crate) async fn update(act: &mut Act<'_>, update: &OAuthClientUpdate) -> Result<(), StoreError> {
    let key = match &update.name {
        Some(name) => Some(free_name(act, &update.environment_id, name, &update.id).await?),
        None => None,
    };
    if let Some(sealed) = &update.sealed {
        count_sealed(act, &update.environment_id, sealed).await?;
    }
    let statement = query(
        "UPDATE oauth_clients SET name = COALESCE($1, name), name_key = COALESCE($2, name_key), \
         client_id = COALESCE($3, client_id), scopes = COALESCE($4, scopes), sealed = COALESCE($5, sealed), \
         sealed_version = sealed_version + $6, version = version + 1, updated_at = $7 \
         WHERE environment_id = $8 AND id = $9 AND version = $10 AND deleted_at IS NULL",
    );
    let statement = statement
        .bind(update.name.as_deref().map(str::trim))
        .bind(key)
        .bind(update.client_id.as_deref())
        .bind(update.scopes.clone().map(|scopes| Json::from(scopes).to_string()))
        .bind(update.sealed.as_ref().map(Sealed::as_bytes))
        .bind(u64::from(update.sealed.is_some()))
        .bind(act.at)
        .bind(&update.environment_id)
        .bind(&update.id)
        .bind(update.expected_version);
    match act.transaction.execute(statement).await? {
        1 => connections::retry_renewals(act, &update.environment_id, &update.id).await,
        _ => Err(StoreError::version_conflict("OAuth client", &update.id)),
    }
}

/// Empties the secret and frees the name; refused while connections need it.
pub(crate) async fn delete(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &OAuthClientId,
) -> Result<(), StoreError> {
    let used = query(
        "SELECT id FROM connections WHERE environment_id = $1 AND oauth_client_id = $2 AND deleted_at IS NULL LIMIT 1",
    );
    if act.transaction.row(used.bind(environment).bind(id)).await?.is_some() {
        return Err(StoreError::OAuthClientInUse { id: id.to_string() });
    }
    let default = query(
        "UPDATE integrations SET oauth_client_id = NULL WHERE environment_id = $1 AND oauth_client_id = $2",
    );
    act.transaction.execute(default.bind(environment).bind(id)).await?;
    let statement = query(
        "UPDATE oauth_clients SET sealed = NULL, sealed_version = sealed_version + 1, version = version + 1, \
         updated_at = $1, deleted_at = $1 WHERE environment_id = $2 AND id = $3 AND deleted_at IS NULL",
    );
    match act.transaction.execute(statement.bind(act.at).bind(environment).bind(id)).await? {
        0 => Err(StoreError::not_found("OAuth client", id)),
        _ => Ok(()),
    }
}

async fn free_name(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    name: &str,
    except: &OAuthClientId,
) -> Result<String, StoreError> {
    let key = name_key(name)?;
    let select = query(
        "SELECT id FROM oauth_clients WHERE environment_id = $1 AND name_key = $2 AND id <> $3 AND deleted_at IS NULL",
    );
    match act.transaction.row(select.bind(environment).bind(key.as_str()).bind(except)).await? {
        Some(_) => Err(StoreError::UniqueKeyTaken { object: "OAuth client", key: name.trim().to_owned() }),
        None => Ok(key),
    }
}
