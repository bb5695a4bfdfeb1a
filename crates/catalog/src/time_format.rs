//! How an expression writes the time, always in UTC.

use std::fmt::Write as _;

/// A format such as `YYYY-MM-DDTHH:mm:ss`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeFormat(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Year,
    Month,
    MonthName,
    Day,
    DayName,
    Hour,
    Minute,
    Second,
    Millisecond,
    /// `+0000`.
    Offset,
    /// `+00:00`.
    OffsetWithColon,
    EpochSeconds,
    EpochMilliseconds,
    Literal(String),
}

/// Longer words first: `MMM` is not `MM` and something.
const WORDS: [(&str, Piece); 13] = [
    ("YYYY", Piece::Year),
    ("MMM", Piece::MonthName),
    ("MM", Piece::Month),
    ("DD", Piece::Day),
    ("ddd", Piece::DayName),
    ("HH", Piece::Hour),
    ("mm", Piece::Minute),
    ("SSS", Piece::Millisecond),
    ("ss", Piece::Second),
    ("ZZ", Piece::Offset),
    ("Z", Piece::OffsetWithColon),
    ("X", Piece::EpochSeconds),
    ("x", Piece::EpochMilliseconds),
];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The first of January 1970 was a Thursday.
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

impl TimeFormat {
    /// Takes a format apart: the words `YYYY MM MMM DD ddd HH mm ss SSS ZZ Z X x`, text in `[ ]`, `T`, blanks and
    /// punctuation. `None` for any other letter.
    pub fn parse(mut text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        while let Some(first) = text.chars().next() {
            if let Some((word, piece)) = WORDS.iter().find(|(word, _)| text.starts_with(word)) {
                pieces.push(piece.clone());
                text = &text[word.len()..];
            } else if first == '[' {
                let (literal, rest) = text[1..].split_once(']')?;
                pieces.push(Piece::Literal(literal.to_owned()));
                text = rest;
            } else if first == 'T' || !first.is_alphabetic() {
                pieces.push(Piece::Literal(first.to_string()));
                text = &text[first.len_utf8()..];
            } else {
                return None;
            }
        }
        (!pieces.is_empty()).then_some(Self(pieces))
    }

    /// Writes a moment, given in milliseconds since 1970.
    pub fn write(&self, milliseconds: i64) -> String {
        let seconds = milliseconds.div_euclid(1_000);
        let (days, in_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let mut text = String::new();
        for piece in &self.0 {
            let written = match piece {
                Piece::Year => write!(text, "{year:04}"),
                Piece::Month => write!(text, "{month:02}"),
                Piece::MonthName => write!(text, "{}", MONTHS[month as usize - 1]),
                Piece::Day => write!(text, "{day:02}"),
                Piece::DayName => write!(text, "{}", DAYS[days.rem_euclid(7) as usize]),
                Piece::Hour => write!(text, "{:02}", in_day / 3_600),
                Piece::Minute => write!(text, "{:02}", in_day / 60 % 60),
                Piece::Second => write!(text, "{:02}", in_day % 60),
                Piece::Millisecond => write!(text, "{:03}", milliseconds.rem_euclid(1_000)),
                Piece::Offset => write!(text, "+0000"),
                Piece::OffsetWithColon => write!(text, "+00:00"),
                Piece::EpochSeconds => write!(text, "{seconds}"),
                Piece::EpochMilliseconds => write!(text, "{milliseconds}"),
                Piece::Literal(literal) => write!(text, "{literal}"),
            };
            debug_assert!(written.is_ok(), "writing into a text cannot fail");
        }
        text
    }
}

/// Year, month and day of a day counted from 1970, in the Gregorian calendar (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_a_format_says() {
        for (format, milliseconds, expected) in [
            ("YYYY-MM-DDTHH:mm:ss.SSS[Z]", 0, "1970-01-01T00:00:00.000Z"),
            ("YYYYMMDDTHHmmss[Z]", 1_440_938_160_000, "20150830T123600Z"),
            ("ddd, DD MMM YYYY HH:mm:ss ZZ", 1_582_978_271_007, "Sat, 29 Feb 2020 12:11:11 +0000"),
            ("X", 1_582_978_271_007, "1582978271"),
            ("x Z", 1_582_978_271_007, "1582978271007 +00:00"),
        ] {
            let parsed = TimeFormat::parse(format).expect(format);
            assert_eq!(parsed.write(milliseconds), expected, "{format}");
        }
        assert_eq!(TimeFormat::parse("QQ"), None);
    }
}
