//! Moments as they go over the wire: RFC 3339 in UTC.

use jiff::Timestamp;
use jiff::civil::Date;
use tombolo_platform::store;

/// A stored moment.
pub(crate) fn moment(stored: store::Timestamp) -> Timestamp {
    let milliseconds = stored.as_milliseconds();
    let end = if milliseconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(milliseconds).unwrap_or(end)
}

/// A moment to be stored.
pub(super) fn stored(moment: Timestamp) -> store::Timestamp {
    store::Timestamp::from_milliseconds(moment.as_millisecond())
}

/// A stored day, counted from 1970-01-01.
pub(crate) fn day(days: i64) -> Option<Date> {
    let span = jiff::Span::new().try_days(days).ok()?;
    jiff::civil::date(1970, 1, 1).checked_add(span).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_days_go_over_the_wire_in_utc() {
        let at = store::Timestamp::from_milliseconds(1_764_000_000_123);
        assert_eq!(moment(at).to_string(), "2025-11-24T16:00:00.123Z");
        assert_eq!(stored(moment(at)), at);
        assert_eq!(day(at.day()).expect("a day").to_string(), "2025-11-24");
        assert_eq!(moment(store::Timestamp::from_milliseconds(i64::MAX)), Timestamp::MAX);
    }
}
