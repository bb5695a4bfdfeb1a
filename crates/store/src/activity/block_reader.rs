//! The blocks of the log in the order in which pages need them.

use std::collections::VecDeque;

use super::blocks::{ActivityCursor, LONGEST_SPAN};
use crate::database::{Row, query};
use crate::error::StoreError;
use crate::id::EnvironmentId;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// Most blocks that are read at once. The first is read alone: on a busy server it fills a page.
const LARGEST_BATCH: u32 = 64;

/// Some calls, packed.
pub(super) struct Block {
    /// When its latest call arrived.
    pub(super) last_at: Timestamp,
    /// How many calls it holds, of whatever environment.
    pub(super) calls: u64,
    /// See the encoding.
    pub(super) bytes: Vec<u8>,
    id: String,
}

/// Gives the blocks that may hold calls of an environment, those with the latest call first.
pub(super) struct BlockReader<'a> {
    store: &'a Store,
    environment: &'a EnvironmentId,
    after: Option<&'a ActivityCursor>,
    /// The last block that was given out, by which the next ones are found.
    before: Option<(Timestamp, String)>,
    waiting: VecDeque<Block>,
    batch: u32,
}

impl<'a> BlockReader<'a> {
    /// Begins with the blocks that may hold calls that come after the cursor.
    pub(super) fn new(
        store: &'a Store,
        environment: &'a EnvironmentId,
        after: Option<&'a ActivityCursor>,
    ) -> Self {
        Self { store, environment, after, before: None, waiting: VecDeque::new(), batch: 1 }
    }

    /// The next block; `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Block>, StoreError> {
        if self.waiting.is_empty() {
            self.waiting = self.read_batch().await?;
            self.batch = (self.batch * 2).min(LARGEST_BATCH);
        }
        let Some(block) = self.waiting.pop_front() else { return Ok(None) };
        self.before = Some((block.last_at, block.id.clone()));
        Ok(Some(block))
    }

    async fn read_batch(&self) -> Result<VecDeque<Block>, StoreError> {
        let mut select = query(
            "SELECT id, last_at, calls, bytes FROM activity_blocks \
             WHERE (environment_id = $1 OR environment_id IS NULL)",
        )
        .bind(self.environment);
        if let Some(after) = self.after {
            let (from, until) = (select.push(after.at), select.push(after.at.plus(LONGEST_SPAN)));
            select.append(&format!(" AND first_at <= ${from} AND last_at <= ${until}"));
        }
        if let Some((last_at, id)) = &self.before {
            let (last_at, id) = (select.push(*last_at), select.push(id.as_str()));
            select.append(&format!(" AND (last_at, id) < (${last_at}, ${id})"));
        }
        let limit = select.push(self.batch);
        select.append(&format!(" ORDER BY last_at DESC, id DESC LIMIT ${limit}"));
        let read = |mut row: Row| {
            Ok(Block { id: row.text()?, last_at: row.time()?, calls: row.counter()?, bytes: row.bytes()? })
        };
        self.store.activity.read(select).await?.into_iter().map(read).collect()
    }
}
