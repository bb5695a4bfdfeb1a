use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tombolo_vault::Sealed;

use super::{ConnectionUpdate, CredentialsReplacement, NewConnection, Target, TokenLife, hosts, renewals};
use crate::commit::Act;
use crate::database::query;
use crate::environments::count_sealed;
use crate::error::StoreError;
use crate::id::{ConnectionId, EnvironmentId};
use crate::integrations::require_live;
use crate::name::{check_connection_id, check_text, name_key, search_key};
use crate::timestamp::Timestamp;

pub(crate) async fn insert(act: &mut Act<'_>, new: &NewConnection) -> Result<(), StoreError> {
    let connection_id = new.connection_id.as_deref().unwrap_or(new.id.as_str());
    check_connection_id(connection_id)?;
    require_live(act, &new.environment_id, &new.integration_id).await?;
    let key = free_name(act, &new.environment_id, &new.name, &new.id).await?;
    refuse_taken_connection_id(act, new, connection_id).await?;
    if let Some(sealed) = &new.sealed {
        count_sealed(act, &new.environment_id, sealed).await?;
    }
    let statement = query(
        "INSERT INTO connections (id, environment_id, integration_id, name, name_key, name_search, connection_id, \
         auth_scheme, config, gates, hosts, sealed, sealed_version, settings, health, health_detail, tags, metadata, \
         version, created_at, updated_at, last_tested_at, oauth_client_id, expires_at, renew_at, end_user, webhook_url, \
         certificate_expires_at, ends_at, health_since, sealed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
         $12, $13, $14, $15, $16, $17, $18, 1, $19, $19, $20, $21, $22, $23, $24, $25, $26, $27, $19, $19)",
    );
    let statement = statement
        .bind(&new.id)
        .bind(&new.environment_id)
        .bind(&new.integration_id)
        .bind(new.name.as_str())
        .bind(key)
        .bind(search_key(&new.name))
        .bind(connection_id)
        .bind(new.target.auth_scheme.as_str())
        .bind(&new.target.config)
        .bind(&new.target.gates)
        .bind(hosts::to_json(&new.target.hosts))
        .bind(new.sealed.as_ref().map(Sealed::as_bytes))
        .bind(NewConnection::SEALED_VERSION)
        .bind(&new.settings)
        .bind(new.health.as_str())
        .bind(&new.health_detail)
        .bind(&tags_to_json(&new.tags))
        .bind(&new.metadata)
        .bind(act.at)
        .bind(new.last_tested_at)
        .bind(new.target.oauth_client.as_ref())
        .bind(new.life.expires_at)
        .bind(new.life.renew_at)
        .bind(&json!(new.end_user))
        .bind(new.webhook_url.as_deref())
        .bind(new.target.certificate_expires_at)
        .bind(new.life.ends_at);
    act.transaction.execute(statement).await?;
    insert_tags(act, &new.environment_id, &new.id, act.at, &new.tags).await
}

pub(crate) async fn update(act: &mut Act<'_>, update: &ConnectionUpdate) -> Result<(), StoreError> {
    let (environment, id) = (&update.environment_id, &update.id);
    let select = query(
        "SELECT version, created_at FROM connections WHERE environment_id = $1 AND id = $2 AND deleted_at IS NULL",
    );
    let row = act.transaction.row(select.bind(environment).bind(id)).await?;
    let mut row = row.ok_or_else(|| StoreError::not_found("connection", id))?;
    let (version, created_at) = (row.counter()?, row.time()?);
    if version != update.expected_version {
        return Err(StoreError::version_conflict("connection", id));
    }

    let key = match &update.name {
        Some(name) => Some(free_name(act, environment, name, id).await?),
        None => None,
    };
    let statement = query(
        "UPDATE connections SET name = COALESCE($1, name), name_key = COALESCE($2, name_key), \
         name_search = COALESCE($3, name_search), settings = COALESCE($4, settings), tags = COALESCE($5, tags), \
         metadata = COALESCE($6, metadata), end_user = COALESCE($11, end_user), \
         webhook_url = CASE WHEN $12 = 1 THEN $13 ELSE webhook_url END, version = version + 1, updated_at = $7 \
         WHERE environment_id = $8 AND id = $9 AND version = $10",
    );
    let statement = statement
        .bind(update.name.as_deref())
        .bind(key)
        .bind(update.name.as_deref().map(search_key))
        .bind(update.settings.as_ref().map(Json::to_string))
        .bind(update.tags.as_ref().map(|tags| tags_to_json(tags).to_string()))
        .bind(update.metadata.as_ref().map(Json::to_string))
        .bind(act.at)
        .bind(environment)
        .bind(id)
        .bind(version)
        .bind(update.end_user.as_ref().map(|user| json!(user).to_string()))
        .bind(u64::from(update.webhook_url.is_some()))
        .bind(update.webhook_url.clone().flatten());
    if act.transaction.execute(statement).await? == 0 {
        return Err(StoreError::version_conflict("connection", id));
    }
    if let Some((target, sealed, life)) = &update.target {
        retarget(act, update, target, sealed.as_ref(), *life).await?;
    }
    if let Some(tags) = &update.tags {
        delete_tags(act, id).await?;
        insert_tags(act, environment, id, created_at, tags).await?;
    }
    Ok(())
}

/// Writes the new target together with its credentials, or with none: then the old ones are gone.
async fn retarget(
    act: &mut Act<'_>,
    update: &ConnectionUpdate,
    target: &Target,
    sealed: Option<&Sealed>,
    life: TokenLife,
) -> Result<(), StoreError> {
    if let Some(sealed) = sealed {
        count_sealed(act, &update.environment_id, sealed).await?;
    }
    let statement = query(
        "UPDATE connections SET auth_scheme = $1, config = $2, gates = $3, hosts = $4, sealed = $5, \
         sealed_version = sealed_version + 1, health = 'unverified', health_detail = 'null', health_since = $12, \
         next_test_at = NULL, sealed_at = $12, oauth_client_id = $8, expires_at = $9, renew_at = $10, \
         certificate_expires_at = $11, ends_at = $13, warned_days = NULL, \
         restored_at = NULL, keeps_refresh_token = NULL WHERE environment_id = $6 AND id = $7",
    );
    let statement = statement
        .bind(target.auth_scheme.as_str())
        .bind(&target.config)
        .bind(&target.gates)
        .bind(hosts::to_json(&target.hosts))
        .bind(sealed.map(Sealed::as_bytes))
        .bind(&update.environment_id)
        .bind(&update.id)
        .bind(target.oauth_client.as_ref())
        .bind(life.expires_at)
        .bind(life.renew_at)
        .bind(target.certificate_expires_at)
        .bind(act.at)
        .bind(life.ends_at);
    act.transaction.execute(statement).await?;
    renewals::forget(act, &update.id).await
}

pub(crate) async fn replace_credentials(
    act: &mut Act<'_>,
    replacement: &CredentialsReplacement,
) -> Result<(), StoreError> {
    count_sealed(act, &replacement.environment_id, &replacement.sealed).await?;
    let statement = query(
        "UPDATE connections SET sealed = $1, hosts = $2, sealed_version = sealed_version + 1, version = version + 1, \
         updated_at = $3, sealed_at = $3, expires_at = $7, renew_at = $8, ends_at = $9, \
         restored_at = NULL, keeps_refresh_token = $10, \
         warned_days = CASE WHEN ends_at = $9 THEN warned_days ELSE NULL END \
         WHERE environment_id = $4 AND id = $5 AND sealed_version = $6 AND deleted_at IS NULL",
    );
    let statement = statement
        .bind(replacement.sealed.as_bytes())
        .bind(hosts::to_json(&replacement.hosts))
        .bind(act.at)
        .bind(&replacement.environment_id)
        .bind(&replacement.id)
        .bind(replacement.expected_sealed_version)
        .bind(replacement.life.expires_at)
        .bind(replacement.life.renew_at)
        .bind(replacement.life.ends_at)
        .bind(u64::from(replacement.keeps_refresh_token));
    let changed = act.transaction.execute(statement).await?;
    require_changed(act, changed, &replacement.environment_id, &replacement.id).await?;
    renewals::forget(act, &replacement.id).await
}

pub(crate) async fn delete(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &ConnectionId,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE connections SET sealed = NULL, renew_at = NULL, sealed_version = sealed_version + 1, version = version + 1, \
         updated_at = $1, deleted_at = $1 WHERE environment_id = $2 AND id = $3 AND deleted_at IS NULL",
    );
    if act.transaction.execute(statement.bind(act.at).bind(environment).bind(id)).await? == 0 {
        return Err(StoreError::not_found("connection", id));
    }
    renewals::forget(act, id).await?;
    delete_tags(act, id).await
}

/// Tells a connection that is gone from one that somebody else changed.
pub(super) async fn require_changed(
    act: &mut Act<'_>,
    changed: u64,
    environment: &EnvironmentId,
    id: &ConnectionId,
) -> Result<(), StoreError> {
    if changed == 1 {
        return Ok(());
    }
    let select =
        query("SELECT id FROM connections WHERE environment_id = $1 AND id = $2 AND deleted_at IS NULL");
    match act.transaction.row(select.bind(environment).bind(id)).await? {
        Some(_) => Err(StoreError::version_conflict("connection", id)),
        None => Err(StoreError::not_found("connection", id)),
    }
}

/// The name's key, if no other live connection has it. Commits of one environment queue, so it stays free until the end.
async fn free_name(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    name: &str,
    except: &ConnectionId,
) -> Result<String, StoreError> {
    let key = name_key(name)?;
    let select = query(
        "SELECT id FROM connections WHERE environment_id = $1 AND name_key = $2 AND id <> $3 AND deleted_at IS NULL",
    );
    match act.transaction.row(select.bind(environment).bind(key.as_str()).bind(except)).await? {
        Some(_) => Err(StoreError::NameTaken { name: name.to_owned() }),
        None => Ok(key),
    }
}

async fn refuse_taken_connection_id(
    act: &mut Act<'_>,
    new: &NewConnection,
    connection_id: &str,
) -> Result<(), StoreError> {
    let select = query(
        "SELECT id FROM connections WHERE environment_id = $1 AND connection_id = $2 AND integration_id = $3 \
         AND deleted_at IS NULL",
    );
    let select = select.bind(&new.environment_id).bind(connection_id).bind(&new.integration_id);
    match act.transaction.row(select).await? {
        Some(_) => Err(StoreError::UniqueKeyTaken { object: "connection", key: connection_id.to_owned() }),
        None => Ok(()),
    }
}

async fn insert_tags(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &ConnectionId,
    created_at: Timestamp,
    tags: &BTreeMap<String, String>,
) -> Result<(), StoreError> {
    for (tag, value) in tags {
        check_text("a tag", tag)?;
        check_text("the value of a tag", value)?;
        let statement = query(
            "INSERT INTO connection_tags (environment_id, tag, tag_value, created_at, connection) \
             VALUES ($1, $2, $3, $4, $5)",
        );
        let statement =
            statement.bind(environment).bind(tag.as_str()).bind(value.as_str()).bind(created_at).bind(id);
        act.transaction.execute(statement).await?;
    }
    Ok(())
}

async fn delete_tags(act: &mut Act<'_>, id: &ConnectionId) -> Result<(), StoreError> {
    let statement = query("DELETE FROM connection_tags WHERE connection = $1").bind(id);
    act.transaction.execute(statement).await.map(drop)
}

fn tags_to_json(tags: &BTreeMap<String, String>) -> Json {
    tags.iter()
        .map(|(tag, value)| (tag.clone(), Json::from(value.as_str())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
