//! Requests of each app since the quota's day began.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::AppId;

/// Counts the requests of a day. The quota is soft: whoever goes beyond it is sent a mail, nothing is refused.
#[derive(Debug, Default)]
pub(crate) struct DailyRequests {
    /// Days since 1970. The day begins at 09:00 Japan time, which is midnight UTC.
    day: i64,
    counts: BTreeMap<AppId, u64>,
}

impl DailyRequests {
    pub(crate) fn count(&mut self, app: AppId, now: Timestamp) {
        self.turn(now);
        *self.counts.entry(app).or_default() += 1;
    }

    pub(crate) fn of(&mut self, app: AppId, now: Timestamp) -> u64 {
        self.turn(now);
        self.counts.get(&app).copied().unwrap_or(0)
    }

    fn turn(&mut self, now: Timestamp) {
        let day = now.as_second().div_euclid(86_400);
        if day != self.day {
            self.day = day;
            self.counts.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_nine_in_japan() {
        let mut requests = DailyRequests::default();
        let evening: Timestamp = "2026-01-01T23:59:59Z".parse().unwrap();
        requests.count(3, evening);
        assert_eq!(requests.of(3, evening), 1);
        assert_eq!(requests.of(3, "2026-01-02T00:00:00Z".parse().unwrap()), 0);
    }
}
