//! Open cursors of a tenant.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{CURSOR_MINUTES, MAXIMUM_CURSORS};
use crate::model::AppId;

/// A cursor: the ids are fixed when it is made, the values are read when they are fetched.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    pub(crate) app: AppId,
    /// Ids that are still to be answered, in order, from `position` on.
    pub(crate) ids: Vec<u64>,
    pub(crate) position: usize,
    pub(crate) size: usize,
    /// Field codes to answer; `None` for all.
    pub(crate) fields: Option<Vec<String>>,
    pub(crate) expires_at: Timestamp,
}

/// Cursors by id.
#[derive(Debug, Default)]
pub(crate) struct Cursors(BTreeMap<String, Cursor>);

impl Cursors {
    /// Keeps a cursor, unless the tenant has as many as it may.
    pub(crate) fn open(&mut self, id: String, cursor: Cursor, now: Timestamp) -> Result<(), TooManyCursors> {
        self.0.retain(|_, open| open.expires_at > now);
        if self.0.len() >= MAXIMUM_CURSORS {
            return Err(TooManyCursors);
        }
        self.0.insert(id, cursor);
        Ok(())
    }

    /// The cursor of this id, if it has not expired; its time begins anew.
    pub(crate) fn touch(&mut self, id: &str, now: Timestamp) -> Option<&mut Cursor> {
        let cursor = self.0.get_mut(id).filter(|cursor| cursor.expires_at > now)?;
        cursor.expires_at = expiry(now);
        Some(cursor)
    }

    /// Gives a cursor up; answers whether it was there.
    pub(crate) fn close(&mut self, id: &str, now: Timestamp) -> bool {
        self.0.remove(id).is_some_and(|cursor| cursor.expires_at > now)
    }
}

/// When a cursor that was used just now expires.
pub(crate) fn expiry(now: Timestamp) -> Timestamp {
    now + SignedDuration::from_mins(CURSOR_MINUTES)
}

/// The tenant has as many cursors as it may.
#[derive(Debug, thiserror::Error)]
#[error("the tenant already has {MAXIMUM_CURSORS} cursors")]
pub(crate) struct TooManyCursors;

impl Cursor {
    /// A cursor over these ids.
    pub(crate) fn new(
        app: AppId,
        ids: Vec<u64>,
        size: usize,
        fields: Option<Vec<String>>,
        now: Timestamp,
    ) -> Self {
        Self { app, ids, position: 0, size, fields, expires_at: expiry(now) }
    }

    /// Takes the ids of the next page, and says whether there are more after it.
    pub(crate) fn next_page(&mut self) -> (Vec<u64>, bool) {
        let end = (self.position + self.size).min(self.ids.len());
        let page = self.ids[self.position..end].to_vec();
        self.position = end;
        (page, end < self.ids.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_eleventh_cursor_is_refused_until_one_expires() {
        let mut cursors = Cursors::default();
        for number in 0..10 {
            cursors.open(number.to_string(), Cursor::new(1, vec![], 100, None, now()), now()).unwrap();
        }
        let late = || Cursor::new(1, vec![], 100, None, now());
        assert!(cursors.open("late".into(), late(), now()).is_err());
        let later = now() + SignedDuration::from_mins(CURSOR_MINUTES);
        assert!(cursors.touch("0", later).is_none());
        assert!(cursors.open("late".into(), late(), later).is_ok());
    }

    #[test]
    fn pages_end_with_the_ids() {
        let mut cursor = Cursor::new(1, vec![3, 2, 1], 2, None, now());
        assert_eq!(cursor.next_page(), (vec![3, 2], true));
        assert_eq!(cursor.next_page(), (vec![1], false));
    }
}
