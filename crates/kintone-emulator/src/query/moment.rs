//! Dates, times and date-times as the service stores them, read from the forms that it accepts.
//!
//! Stored forms sort as text: `2024-01-02`, `09:30`, `2024-01-02T03:04:00Z`.

use jiff::civil::{Date, Time, date, time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// Reads `YYYY`, `YYYY-MM` or `YYYY-M-D` of the years 1000 to 9999; missing parts are 1.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4..=4)?;
    let month = parts.next().map_or(Some(1), |part| digits(part, 1..=2))?;
    let day = parts.next().map_or(Some(1), |part| digits(part, 1..=2))?;
    if parts.next().is_some() || year < 1000 {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Reads `H:MM`, `HH:MM`, and either with seconds (and their fraction), which are dropped.
pub(crate) fn parse_time(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let hour = digits(parts.next()?, 1..=2)?;
    let minute = digits(parts.next()?, 1..=2)?;
    if let Some(seconds) = parts.next() {
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
        digits(whole, 1..=2).filter(|seconds| *seconds < 60)?;
        fraction.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    }
    if parts.next().is_some() {
        return None;
    }
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
}

/// Reads a date, alone or with a time and an offset (`Z`, `+HH:MM`, `+HHMM`). Without an offset the text is
/// taken as UTC. Seconds are dropped.
pub(crate) fn parse_instant(text: &str) -> Option<Timestamp> {
    let (day, rest) = match text.split_once(['T', ' ']) {
        Some((day, rest)) => (parse_date(day).filter(|_| day.len() >= 8)?, rest),
        None => (parse_date(text)?, "00:00Z"),
    };
    let (clock, seconds_east) = split_offset(rest)?;
    let local = day.to_datetime(parse_time(clock)?);
    let offset = Offset::from_seconds(seconds_east).ok()?;
    let instant = offset.to_timestamp(local).ok()?;
    // The offset may lead out of the years that the service knows.
    (1000..=9999).contains(&TimeZone::UTC.to_datetime(instant).year()).then_some(instant)
}

fn split_offset(text: &str) -> Option<(&str, i32)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let (clock, offset) = text.split_at(at);
    let (sign, offset) =
        if let Some(east) = offset.strip_prefix('+') { (1, east) } else { (-1, &offset[1..]) };
    let (hours, minutes) = match offset.split_once(':') {
        Some(parts) => parts,
        None if offset.len() == 4 && offset.is_ascii() => offset.split_at(2),
        None => return None,
    };
    let (hours, minutes) = (digits(hours, 2..=2)?, digits(minutes, 2..=2)?);
    (hours <= 14 && minutes < 60)
        .then_some((clock, sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60)))
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<i16> {
    (length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// The stored form of a day.
pub(crate) fn date_text(day: Date) -> String {
    day.strftime("%Y-%m-%d").to_string()
}

/// The stored form of a time of day.
pub(crate) fn time_text(clock: Time) -> String {
    clock.strftime("%H:%M").to_string()
}

/// The stored form of an instant: UTC, seconds dropped.
pub(crate) fn instant_text(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:00Z").to_string()
}

/// The first and the last minute of these days in a time zone, in stored form.
pub(crate) fn minutes_of_days(first: Date, last: Date, zone: &TimeZone) -> Option<(String, String)> {
    let start = |day: Date| zone.to_timestamp(day.to_datetime(time(0, 0, 0, 0))).ok();
    let after = start(last.tomorrow().ok().filter(|day| *day < date(9999, 12, 31))?)?;
    Some((instant_text(start(first)?), instant_text(after - SignedDuration::from_mins(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_completed() {
        let cases = [
            ("2024", Some("2024-01-01")),
            ("2024-02", Some("2024-02-01")),
            ("2024-2-9", Some("2024-02-09")),
            ("2024-02-29", Some("2024-02-29")),
            ("2023-02-29", None),
            ("999-01-01", None),
            ("0999-01-01", None),
            ("2024-13-01", None),
            ("2024-1-1-1", None),
            ("24-1-1", None),
            ("", None),
            ("2024/1/1", None),
            ("２０２４", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_date(text).map(date_text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn times_lose_their_seconds() {
        let cases = [
            ("9:05", Some("09:05")),
            ("23:59:59", Some("23:59")),
            ("00:00:00.000", Some("00:00")),
            ("24:00", None),
            ("1:60", None),
            ("1:1:60", None),
            ("1", None),
            ("a:b", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_time(text).map(time_text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn instants_become_utc_minutes() {
        let cases = [
            ("2024-01-02T03:04:59Z", Some("2024-01-02T03:04:00Z")),
            ("2024-01-01T00:30:00+09:00", Some("2023-12-31T15:30:00Z")),
            ("2012-02-03T09:00:00+0900", Some("2012-02-03T00:00:00Z")),
            ("2024-01-02T03:04-0330", Some("2024-01-02T06:34:00Z")),
            ("2024-01-02T03:04:05", Some("2024-01-02T03:04:00Z")),
            ("2024-01-02", Some("2024-01-02T00:00:00Z")),
            ("2024-01", Some("2024-01-01T00:00:00Z")),
            ("2024-1-2T3:04Z", Some("2024-01-02T03:04:00Z")),
            ("1000-01-01T00:00+09:00", None),
            ("2024-01-02T25:00Z", None),
            ("2024-01-02T", None),
            ("2024-01-02T03:04+9", None),
            ("2024-01-02T03:04+0é", None),
            ("yesterday", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_instant(text).map(instant_text).as_deref(), expected, "{text}");
        }
    }
}
