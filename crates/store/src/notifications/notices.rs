use std::time::Duration;

use serde_json::json;

use super::NOTIFICATION_JOB;
use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::id::{ConnectionId, EnvironmentId, RecipientId};
use crate::jobs::{self, NewJob};
use crate::store::Store;
use crate::text_enum::text_enum;
use crate::timestamp::Timestamp;

/// How often the job of a recipient is begun before it is given up: about a day with the pauses between.
const ATTEMPTS_MAX: u32 = 36;

text_enum! {
    /// What there is to tell about a connection.
    NoticeKind {
        /// It works again, or what was to end goes on.
        Mended = "mended",
        /// Its credentials end soon.
        Expiring = "expiring",
        /// It has failed for a while; it is tried again by itself.
        Failing = "failing",
        /// Only a person can mend it.
        NeedsReconnecting = "needs_reconnecting",
        /// An account was linked again from a link, and somebody has to confirm whose it is.
        Unconfirmed = "unconfirmed",
    }
}

/// News of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotice {
    /// The environment that it is about.
    pub environment_id: EnvironmentId,
    /// The connection.
    pub connection: ConnectionId,
    /// What happened.
    pub kind: NoticeKind,
    /// For credentials that end: how many days are left.
    pub days_left: Option<u32>,
    /// How long it waits, in case that something else happens before.
    pub wait: Duration,
}

/// News that are to be told now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueNotice {
    /// The connection.
    pub connection: ConnectionId,
    /// What happened.
    pub kind: NoticeKind,
    /// How many days are left.
    pub days_left: Option<u32>,
    /// When it happened.
    pub happened_at: Timestamp,
    /// What the recipient was last told about this connection, and when.
    pub told: Option<(NoticeKind, Timestamp)>,
}

/// News that were told, or that there is no need to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The recipient.
    pub recipient: RecipientId,
    /// The connection.
    pub connection: ConnectionId,
    /// What is told; `None` when it was left out.
    pub kind: Option<NoticeKind>,
    /// When it happened: newer news stay.
    pub happened_at: Timestamp,
}

impl Store {
    /// What a recipient is to be told by now, longest due first.
    pub async fn due_notices(
        &self,
        recipient: &RecipientId,
        at: Timestamp,
        limit: u32,
    ) -> Result<Vec<DueNotice>, StoreError> {
        let select = query(
            "SELECT connection, kind, days_left, happened_at, told, told_at FROM notices \
             WHERE recipient_id = $1 AND due_at <= $2 ORDER BY due_at, connection LIMIT $3",
        );
        let rows = self.database.read(select.bind(recipient).bind(at).bind(limit)).await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(DueNotice {
                    connection: row.parsed()?,
                    kind: row.parsed()?,
                    days_left: row.optional_integer()?.and_then(|days| u32::try_from(days).ok()),
                    happened_at: row.time()?,
                    told: row.optional_parsed()?.zip(row.optional_time()?),
                })
            })
            .collect()
    }

    /// When a recipient is to be told something next.
    pub async fn next_notice_at(&self, recipient: &RecipientId) -> Result<Option<Timestamp>, StoreError> {
        let select = query(
            "SELECT due_at FROM notices WHERE recipient_id = $1 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
        );
        self.database.read_one(select.bind(recipient)).await?.map(|mut row| row.time()).transpose()
    }

    /// Forgets at most `limit` news that were told before `before` and says how many. (Works on all environments.)
    pub async fn prune_notices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM notices WHERE (recipient_id, connection) IN (SELECT recipient_id, connection FROM notices \
             WHERE due_at IS NULL AND happened_at < $1 LIMIT $2)",
        );
        self.database.execute(statement.bind(before).bind(limit)).await
    }
}

/// For every recipient that wants it, in the place of what was to be told about the connection. The same again changes
/// nothing: it is told when it was to be told.
pub(super) async fn insert(act: &mut Act<'_>, new: &NewNotice) -> Result<(), StoreError> {
    let due_at = act.at.plus(new.wait);
    // In the order of their ids, so that acts that run at once lock the jobs in the same order.
    let select = query(
        "SELECT id, kinds FROM recipients WHERE environment_id = $1 AND disabled_at IS NULL AND deleted_at IS NULL \
         ORDER BY id",
    );
    for mut row in act.transaction.rows(select.bind(&new.environment_id)).await? {
        let (recipient, kinds): (RecipientId, Vec<String>) = (row.parsed()?, row.json()?);
        if !kinds.is_empty() && !kinds.iter().any(|kind| kind == new.kind.as_str()) {
            settle(act, &recipient, new).await?;
            continue;
        }
        let statement = query(
            "INSERT INTO notices (recipient_id, connection, kind, days_left, happened_at, due_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (recipient_id, connection) DO UPDATE SET \
             due_at = CASE WHEN notices.kind = excluded.kind AND notices.due_at < excluded.due_at \
             THEN notices.due_at ELSE excluded.due_at END, \
             kind = excluded.kind, days_left = excluded.days_left, happened_at = excluded.happened_at",
        );
        let statement = statement
            .bind(&recipient)
            .bind(&new.connection)
            .bind(new.kind.as_str())
            .bind(new.days_left.map(i64::from))
            .bind(act.at)
            .bind(due_at);
        act.transaction.execute(statement).await?;
        let job = NewJob {
            environment_id: Some(new.environment_id.clone()),
            kind: NOTIFICATION_JOB.to_owned(),
            payload: json!({ "recipient": recipient.as_str() }),
            run_at: due_at,
            max_attempts: ATTEMPTS_MAX,
            idempotency_key: Some(recipient.to_string()),
        };
        jobs::wake(act, &job).await?;
    }
    Ok(())
}

/// News that a recipient does not want end what it was to be told of before, or was told: a connection that works again is
/// one that it knows nothing bad of, and what fails or is dead by now no longer does what waited to be said. That credentials
/// end, or an account waits, says nothing about whether it works.
async fn settle(act: &mut Act<'_>, recipient: &RecipientId, new: &NewNotice) -> Result<(), StoreError> {
    let statement = match new.kind {
        NoticeKind::Mended => query(
            "UPDATE notices SET due_at = NULL, told = NULL, told_at = NULL WHERE recipient_id = $1 AND connection = $2",
        ),
        NoticeKind::Failing | NoticeKind::NeedsReconnecting => query(
            "UPDATE notices SET due_at = NULL WHERE recipient_id = $1 AND connection = $2 \
             AND kind IN ('mended', 'failing', 'needs_reconnecting')",
        ),
        NoticeKind::Expiring | NoticeKind::Unconfirmed => return Ok(()),
    };
    act.transaction.execute(statement.bind(recipient).bind(&new.connection)).await.map(drop)
}

pub(super) async fn told(act: &mut Act<'_>, told: &Told) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE notices SET due_at = CASE WHEN happened_at <= $1 THEN NULL ELSE due_at END, \
         told = COALESCE($2, told), told_at = CASE WHEN $2 IS NULL THEN told_at ELSE $3 END \
         WHERE recipient_id = $4 AND connection = $5",
    );
    let statement = statement
        .bind(told.happened_at)
        .bind(told.kind.map(NoticeKind::as_str))
        .bind(act.at)
        .bind(&told.recipient)
        .bind(&told.connection);
    act.transaction.execute(statement).await.map(drop)
}

pub(super) async fn put_off(
    act: &mut Act<'_>,
    recipient: &RecipientId,
    connection: &ConnectionId,
    until: Timestamp,
) -> Result<(), StoreError> {
    let statement = query(
        "UPDATE notices SET due_at = $1 WHERE recipient_id = $2 AND connection = $3 AND due_at IS NOT NULL",
    );
    act.transaction.execute(statement.bind(until).bind(recipient).bind(connection)).await.map(drop)
}

pub(super) async fn forget(act: &mut Act<'_>, recipient: &RecipientId) -> Result<(), StoreError> {
    let statement = query("DELETE FROM notices WHERE recipient_id = $1");
    act.transaction.execute(statement.bind(recipient)).await.map(drop)
}
