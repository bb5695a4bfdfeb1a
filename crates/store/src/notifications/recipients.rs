use serde_json::Value as Json;
use tombolo_vault::{HostSet, Sealed};

use crate::commit::Act;
use crate::connections::hosts;
use crate::database::{Row, query};
use crate::environments::count_sealed;
use crate::error::StoreError;
use crate::id::{EnvironmentId, RecipientId};
use crate::name::name_key;
use crate::store::Store;
use crate::text_enum::text_enum;
use crate::timestamp::Timestamp;

/// Whom an environment tells about the health of its connections.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    /// Names it for ever; part of what its secret is bound to.
    pub id: RecipientId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// What people call it; unique in its environment.
    pub name: String,
    /// How it is reached.
    pub channel: Channel,
    /// What may be shown of where it is reached: a mailbox, the host of a chat, or nothing.
    pub address: String,
    /// The address of a chat.
    pub sealed: Option<Sealed>,
    /// The record version that `sealed` is bound to.
    pub sealed_version: u64,
    /// The hosts that `sealed` is bound to.
    pub hosts: HostSet,
    /// The language it reads, `en` or `ja`.
    pub language: String,
    /// What it wants to hear, by name; empty for everything.
    pub kinds: Vec<String>,
    /// Since when it is told nothing.
    pub disabled_at: Option<Timestamp>,
    /// When it got the last message.
    pub sent_at: Option<Timestamp>,
    /// Grows with every change.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

text_enum! {
    /// How a recipient is reached.
    Channel {
        /// A mailbox.
        Mail = "mail",
        /// The mailbox of the person whom the connection in question belongs to.
        EndUserMail = "end_user_mail",
        /// A chat that takes what Slack takes.
        Slack = "slack",
        /// Microsoft Teams.
        Teams = "teams",
        /// Discord.
        Discord = "discord",
        /// A program: text and facts as JSON.
        Json = "json",
    }
}

/// A recipient to be made.
#[derive(Debug, Clone)]
pub struct NewRecipient {
    /// The id that the secret was sealed for.
    pub id: RecipientId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// What people call it.
    pub name: String,
    /// How it is reached.
    pub channel: Channel,
    /// What may be shown of where it is reached.
    pub address: String,
    /// The address of a chat, sealed for version 1, and the hosts that it is bound to.
    pub sealed: Option<(Sealed, HostSet)>,
    /// The language it reads.
    pub language: String,
    /// What it wants to hear; empty for everything.
    pub kinds: Vec<String>,
}

/// New values for a recipient; `None` keeps what is there.
#[derive(Debug, Clone)]
pub struct RecipientUpdate {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Which one.
    pub id: RecipientId,
    /// The version that was read; another one is a conflict.
    pub expected_version: u64,
    /// What people call it.
    pub name: Option<String>,
    /// What may be shown of where it is reached.
    pub address: Option<String>,
    /// Another address of a chat, sealed for the read `sealed_version` + 1, and its hosts.
    pub sealed: Option<(Sealed, HostSet)>,
    /// The language it reads.
    pub language: Option<String>,
    /// What it wants to hear.
    pub kinds: Option<Vec<String>>,
    /// Whether it is told anything.
    pub enabled: Option<bool>,
}

const COLUMNS: &str = "id, environment_id, name, channel, address, sealed, sealed_version, hosts, language, kinds, \
                       disabled_at, sent_at, version, created_at, updated_at";

impl Store {
    /// The environment's recipients in the order of their names.
    pub async fn recipients(&self, environment: &EnvironmentId) -> Result<Vec<Recipient>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM recipients WHERE environment_id = $1 AND deleted_at IS NULL ORDER BY name_key"
        ));
        self.database.read(select.bind(environment)).await?.into_iter().map(read).collect()
    }

    /// The live recipient with this id, or of this name.
    pub async fn recipient(
        &self,
        environment: &EnvironmentId,
        reference: &str,
    ) -> Result<Option<Recipient>, StoreError> {
        let name = name_key(reference).unwrap_or_default();
        let select = query(format!(
            "SELECT {COLUMNS} FROM recipients WHERE environment_id = $1 AND (id = $2 OR name_key = $3) \
             AND deleted_at IS NULL ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END LIMIT 1"
        ));
        let select = select.bind(environment).bind(reference).bind(name);
        self.database.read_one(select).await?.map(read).transpose()
    }
}

fn read(mut row: Row) -> Result<Recipient, StoreError> {
    Ok(Recipient {
        id: row.parsed()?,
        environment_id: row.parsed()?,
        name: row.text()?,
        channel: row.parsed()?,
        address: row.text()?,
        sealed: row.optional_bytes()?.map(Sealed::from_bytes).transpose()?,
        sealed_version: row.counter()?,
        hosts: hosts::from_json(&row.text()?)?,
        language: row.text()?,
        kinds: row.json()?,
        disabled_at: row.optional_time()?,
        sent_at: row.optional_time()?,
        version: row.counter()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

pub(super) async fn insert(act: &mut Act<'_>, new: &NewRecipient) -> Result<(), StoreError> {
    let key = free_name(act, &new.environment_id, &new.name, &new.id).await?;
    if let Some((sealed, _)) = &new.sealed {
        count_sealed(act, &new.environment_id, sealed).await?;
    }
    let statement = query(
        "INSERT INTO recipients (id, environment_id, name, name_key, channel, address, sealed, sealed_version, hosts, \
         language, kinds, version, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10, 1, $11, $11)",
    );
    let (sealed, bound) = new.sealed.as_ref().map(|(sealed, hosts)| (sealed.as_bytes(), hosts)).unzip();
    let statement = statement
        .bind(&new.id)
        .bind(&new.environment_id)
        .bind(new.name.trim())
        .bind(key)
        .bind(new.channel.as_str())
        .bind(new.address.as_str())
        .bind(sealed)
        .bind(hosts::to_json(bound.unwrap_or(&HostSet::default())))
        .bind(new.language.as_str())
        .bind(&Json::from(new.kinds.clone()))
        .bind(act.at);
    act.transaction.execute(statement).await.map(drop)
}

pub(super) async fn update(act: &mut Act<'_>, update: &RecipientUpdate) -> Result<(), StoreError> {
    let key = match &update.name {
        Some(name) => Some(free_name(act, &update.environment_id, name, &update.id).await?),
        None => None,
    };
    if let Some((sealed, _)) = &update.sealed {
        count_sealed(act, &update.environment_id, sealed).await?;
    }
    let (sealed, bound) = update.sealed.as_ref().map(|(sealed, hosts)| (sealed.as_bytes(), hosts)).unzip();
    let statement = query(
        "UPDATE recipients SET name = COALESCE($1, name), name_key = COALESCE($2, name_key), \
         address = COALESCE($3, address), sealed = COALESCE($4, sealed), hosts = COALESCE($5, hosts), \
         sealed_version = sealed_version + $6, language = COALESCE($7, language), kinds = COALESCE($8, kinds), \
         disabled_at = CASE WHEN $9 = 1 THEN NULL WHEN $9 = 0 THEN COALESCE(disabled_at, $10) ELSE disabled_at END, \
         version = version + 1, updated_at = $10 \
         WHERE environment_id = $11 AND id = $12 AND version = $13 AND deleted_at IS NULL",
    );
    let statement = statement
        .bind(update.name.as_deref().map(str::trim))
        .bind(key)
        .bind(update.address.as_deref())
        .bind(sealed)
        .bind(bound.map(hosts::to_json))
        .bind(u64::from(update.sealed.is_some()))
        .bind(update.language.as_deref())
        .bind(update.kinds.clone().map(|kinds| Json::from(kinds).to_string()))
        .bind(update.enabled.map_or(-1, i64::from))
        .bind(act.at)
        .bind(&update.environment_id)
        .bind(&update.id)
        .bind(update.expected_version);
    match act.transaction.execute(statement).await? {
        1 => Ok(()),
        _ => Err(StoreError::version_conflict("recipient", &update.id)),
    }
}

pub(super) async fn delete(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &RecipientId,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE recipients SET sealed = NULL, sealed_version = sealed_version + 1, version = version + 1, \
         updated_at = $1, deleted_at = $1 WHERE environment_id = $2 AND id = $3 AND deleted_at IS NULL",
    );
    match act.transaction.execute(statement.bind(act.at).bind(environment).bind(id)).await? {
        0 => Err(StoreError::not_found("recipient", id)),
        _ => Ok(()),
    }
}

pub(super) async fn sent(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    id: &RecipientId,
) -> Result<(), StoreError> {
    let statement = query("UPDATE recipients SET sent_at = $1 WHERE environment_id = $2 AND id = $3");
    act.transaction.execute(statement.bind(act.at).bind(environment).bind(id)).await.map(drop)
}

async fn free_name(
    act: &mut Act<'_>,
    environment: &EnvironmentId,
    name: &str,
    except: &RecipientId,
) -> Result<String, StoreError> {
    let key = name_key(name)?;
    let select = query(
        "SELECT id FROM recipients WHERE environment_id = $1 AND name_key = $2 AND id <> $3 AND deleted_at IS NULL",
    );
    match act.transaction.row(select.bind(environment).bind(key.as_str()).bind(except)).await? {
        Some(_) => Err(StoreError::UniqueKeyTaken { object: "recipient", key: name.trim().to_owned() }),
        None => Ok(key),
    }
}
