use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::block_reader::BlockReader;
use super::details::{self, CallDetail};
use super::encoding::{Call, EncodedBlock, Phases, calls_in};
use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::id::{EnvironmentId, generate_text};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// No block spans more time, so that a page of the log has to look at few blocks.
pub(super) const LONGEST_SPAN: Duration = Duration::from_mins(10);
/// How much one page may look through, in calls; a filter that finds little gives short pages instead of slow ones.
const CALLS_PER_PAGE: u64 = 100_000;
/// What reading a block costs beside its calls: on a quiet server each call has a block of its own.
const CALLS_PER_BLOCK: u64 = 20;

/// Which calls a list shows; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Through the connection with this id.
    pub connection: Option<String>,
    /// Through the integration with this key.
    pub integration: Option<String>,
    /// With this method.
    pub method: Option<String>,
    /// Whose path begins with this text.
    pub path_prefix: Option<String>,
    /// With a status that begins with this digit, such as 5 for 500 to 599.
    pub status_class: Option<u16>,
    /// Only those that failed: status 400 and above, or an error of our own.
    pub failed: bool,
}

/// A call read from the log; see [`Call`] for its members.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are those of Call")]
pub struct CallRecord {
    pub at: Timestamp,
    pub connection: String,
    pub integration: String,
    pub method: String,
    pub path: String,
    pub status: u16,
    pub attempts: u16,
    pub bytes_up: u64,
    pub bytes_down: u64,
    pub phases: Phases,
    pub pooled: bool,
    pub error_kind: String,
    pub request_id: String,
    pub api_key: String,
}

/// One page of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityPage {
    /// Newest first. As many as were asked for, unless the log ends, or so much was looked through that the rest is left
    /// for the next page.
    pub calls: Vec<CallRecord>,
    /// Where the next page begins; `None` when the log ends here, and only then.
    pub next: Option<ActivityCursor>,
}

/// Where a page of the log ends. Its text is opaque to callers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActivityCursor {
    pub(super) at: Timestamp,
    pub(super) request_id: String,
}

impl Store {
    /// Adds blocks and details in one transaction. A block of one environment names it; one of several does not.
    pub async fn append_activity(
        &self,
        blocks: &[(Option<EnvironmentId>, EncodedBlock)],
        calls: &[CallDetail],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut act = Act { transaction: self.activity.begin().await?, at, random: &*self.random };
        for (environment, block) in blocks {
            append_block(&mut act, environment.as_ref(), block).await?;
        }
        for call in calls {
            details::insert(&mut act, call).await?;
        }
        act.transaction.commit().await
    }

    /// One page of the environment's calls, newest first, at most `limit`.
    pub async fn list_activity(
        &self,
        environment: &EnvironmentId,
        filter: &ActivityFilter,
        after: Option<&ActivityCursor>,
        limit: usize,
    ) -> Result<ActivityPage, StoreError> {
        let wanted = |call: &Call<'_>| {
            call.environment == environment.as_str()
                && filter.matches(call)
                && after
                    .is_none_or(|after| (call.at, call.request_id) < (after.at, after.request_id.as_str()))
        };
        let limit = limit.max(1);
        let mut found: Vec<CallRecord> = Vec::new();
        let mut budget = CALLS_PER_PAGE;
        let mut previous: Option<Timestamp> = None;
        let mut blocks = BlockReader::new(self, environment, after);
        loop {
            let Some(block) = blocks.next().await? else {
                return Ok(page(found, limit, None));
            };
            // Blocks come by their latest call, so nothing unread is newer than the latest call of this one.
            if found.get(limit).is_some_and(|call| call.at > block.last_at) {
                return Ok(page(found, limit, None));
            }
            if budget == 0 && previous.is_some_and(|previous| block.last_at < previous) {
                found.retain(|call| call.at > block.last_at);
                return Ok(page(found, limit, Some(block.last_at)));
            }
            // Blocks that reach beyond the beginning of the page cost nothing, so that every page gets on.
            if after.is_none_or(|after| block.last_at < after.at) {
                budget = budget.saturating_sub(CALLS_PER_BLOCK + block.calls);
            }
            let known = found.len();
            for call in calls_in(&block.bytes) {
                let call = call.map_err(|error| StoreError::corrupt(&error))?;
                if wanted(&call) {
                    found.push(CallRecord::from(&call));
                }
            }
            if found.len() > known {
                found.sort_unstable_by(|one, two| two.order().cmp(&one.order()));
                found.truncate(limit + 1);
            }
            previous = Some(block.last_at);
        }
    }

    /// One of the environment's calls, by its [`CallRecord::reference`].
    pub async fn call(
        &self,
        environment: &EnvironmentId,
        reference: &str,
    ) -> Result<Option<CallRecord>, StoreError> {
        let Ok(call) = reference.parse::<ActivityCursor>() else { return Ok(None) };
        // A page begins behind its cursor, and nothing stands between a text and the same with this at its end.
        let behind = ActivityCursor { at: call.at, request_id: format!("{}\0", call.request_id) };
        let mut page = self.list_activity(environment, &ActivityFilter::default(), Some(&behind), 1).await?;
        Ok(page.calls.pop().filter(|found| found.order() == (call.at, call.request_id.as_str())))
    }

    /// Forgets blocks and details that ended before `before`, at most `limit` of each, and says how many rows of both are
    /// gone: 0 means that nothing that old is left. (Works on all environments.)
    pub async fn prune_activity(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM activity_blocks WHERE id IN (SELECT id FROM activity_blocks WHERE last_at < $1 \
             ORDER BY last_at, id LIMIT $2)",
        );
        let blocks = self.activity.execute(statement.bind(before).bind(limit)).await?;
        Ok(blocks + details::prune(self, before, limit).await?)
    }

    /// Gives the room of forgotten calls back to the file system. Takes longer the more was forgotten: once after many
    /// steps of [`Store::prune_activity`] is enough.
    pub async fn shrink_activity(&self) -> Result<(), StoreError> {
        self.activity.give_room_back().await
    }
}

/// `unread` is the latest moment of calls that were not looked at.
fn page(mut found: Vec<CallRecord>, limit: usize, unread: Option<Timestamp>) -> ActivityPage {
    let next = if found.len() > limit {
        found.truncate(limit);
        found.last().map(|call| ActivityCursor { at: call.at, request_id: call.request_id.clone() })
    } else {
        // The empty id comes before every other: this begins with the calls of the unread moment.
        unread.map(|at| ActivityCursor { at: at.plus(Duration::from_millis(1)), request_id: String::new() })
    };
    ActivityPage { calls: found, next }
}

async fn append_block(
    act: &mut Act<'_>,
    environment: Option<&EnvironmentId>,
    block: &EncodedBlock,
) -> Result<(), StoreError> {
    if block.last_at > block.first_at.plus(LONGEST_SPAN) {
        return Err(StoreError::Invalid(format!(
            "a block of the activity log spans more than {} seconds; take blocks more often",
            LONGEST_SPAN.as_secs()
        )));
    }
    let statement = query(
        "INSERT INTO activity_blocks (id, environment_id, first_at, last_at, calls, bytes) VALUES ($1, $2, $3, $4, $5, $6)",
    );
    let statement = statement
        .bind(generate_text("blk_", act.at, act.random)?)
        .bind(environment)
        .bind(block.first_at)
        .bind(block.last_at)
        .bind(block.calls)
        .bind(block.bytes.as_slice());
    act.transaction.execute(statement).await.map(drop)
}

impl ActivityFilter {
    fn matches(&self, call: &Call<'_>) -> bool {
        let same =
            |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
        same(&self.connection, call.connection)
            && same(&self.integration, call.integration)
            && same(&self.method, call.method)
            && self.path_prefix.as_deref().is_none_or(|prefix| call.path.starts_with(prefix))
            && self.status_class.is_none_or(|class| call.status / 100 == class)
            && (!self.failed || call.status >= 400 || !call.error_kind.is_empty())
    }
}

impl CallRecord {
    /// What finds the call again without looking through the log: its moment and its request id.
    pub fn reference(&self) -> String {
        ActivityCursor { at: self.at, request_id: self.request_id.clone() }.to_string()
    }

    fn order(&self) -> (Timestamp, &str) {
        (self.at, &self.request_id)
    }
}

impl From<&Call<'_>> for CallRecord {
    fn from(call: &Call<'_>) -> Self {
        Self {
            at: call.at,
            connection: call.connection.to_owned(),
            integration: call.integration.to_owned(),
            method: call.method.to_owned(),
            path: call.path.to_owned(),
            status: call.status,
            attempts: call.attempts,
            bytes_up: call.bytes_up,
            bytes_down: call.bytes_down,
            phases: call.phases,
            pooled: call.pooled,
            error_kind: call.error_kind.to_owned(),
            request_id: call.request_id.to_owned(),
            api_key: call.api_key.to_owned(),
        }
    }
}

impl fmt::Display for ActivityCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.at.as_milliseconds(), self.request_id)
    }
}

impl FromStr for ActivityCursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let parts = text.split_once(':').and_then(|(at, request_id)| Some((at.parse().ok()?, request_id)));
        let (at, request_id) = parts.ok_or_else(|| {
            StoreError::Invalid("the cursor is not one of this list; begin again without a cursor".to_owned())
        })?;
        Ok(Self { at: Timestamp::from_milliseconds(at), request_id: request_id.to_owned() })
    }
}
