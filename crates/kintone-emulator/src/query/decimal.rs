//! Decimal numbers of any length, compared and rounded exactly.

use std::cmp::Ordering;

/// Exponents beyond this are refused, so that a short text cannot stand for a huge one.
const GREATEST_EXPONENT: i32 = 400;

/// A decimal number: `0.DIGITS × 10^exponent`, with no zero at either end of the digits and none at all for
/// zero, so that equal numbers are equal values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Decimal {
    negative: bool,
    digits: String,
    exponent: i32,
}

/// How digits beyond the allowed places are dropped, by the names of the app setting `roundingMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    HalfEven,
    Up,
    Down,
}

impl Decimal {
    /// Reads `[+-] digits [. digits] [e [+-] digits]`; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        if exponent.abs() > GREATEST_EXPONENT {
            return None;
        }
        let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
        Some(Self::normalised(negative, &format!("{whole}{fraction}"), point))
    }

    fn normalised(negative: bool, digits: &str, exponent: i32) -> Self {
        let significant = digits.trim_start_matches('0');
        let leading = (digits.len() - significant.len()) as i32;
        let significant = significant.trim_end_matches('0');
        if significant.is_empty() {
            return Self::default();
        }
        Self { negative, digits: significant.to_owned(), exponent: exponent - leading }
    }

    /// How many digits stand before the decimal point.
    pub(crate) fn whole_digits(&self) -> u32 {
        self.exponent.max(0) as u32
    }

    /// The number with at most this many digits after the point.
    pub(crate) fn rounded(&self, places: u32, rounding: Rounding) -> Self {
        let kept = self.exponent + places as i32;
        if kept >= self.digits.len() as i32 {
            return self.clone();
        }
        let (head, tail) = self.digits.split_at(kept.max(0) as usize);
        let last_is_odd = head.bytes().last().is_some_and(|digit| digit % 2 == 1);
        let away_from_zero = match rounding {
            Rounding::Down => false,
            Rounding::Up => true,
            Rounding::HalfEven if kept < 0 => false,
            Rounding::HalfEven => match tail.cmp("5") {
                Ordering::Less => false,
                Ordering::Equal => last_is_odd,
                Ordering::Greater => true,
            },
        };
        // With a negative `kept` nothing is left, and rounding up yields one unit of the last place.
        let exponent = if kept < 0 { -(places as i32) } else { self.exponent };
        if away_from_zero {
            let (digits, carried) = incremented(head);
            Self::normalised(self.negative, &digits, exponent + i32::from(carried))
        } else {
            Self::normalised(self.negative, head, exponent)
        }
    }
}

/// Adds one to the last digit; the flag tells that the result has one digit more.
fn incremented(digits: &str) -> (String, bool) {
    let kept = digits.trim_end_matches('9');
    let zeros = "0".repeat(digits.len() - kept.len());
    match kept.as_bytes().split_last() {
        None => (format!("1{zeros}"), true),
        Some((last, head)) => {
            let head = String::from_utf8_lossy(head);
            (format!("{head}{}{zeros}", char::from(last + 1)), false)
        }
    }
}

/// Plain notation without exponent, leading or trailing zeros: what the service stores for `1.50e1` is `15`.
impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let length = self.digits.len();
        match usize::try_from(self.exponent) {
            Ok(point) if point >= length => write!(f, "{}{}", self.digits, "0".repeat(point - length)),
            Ok(point) if point > 0 => write!(f, "{}.{}", &self.digits[..point], &self.digits[point..]),
            _ => write!(f, "0.{}{}", "0".repeat(self.exponent.unsigned_abs() as usize), self.digits),
        }
    }
}

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        let digits = number.to_string();
        Self::normalised(false, &digits, digits.len() as i32)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude = || (self.exponent, &self.digits).cmp(&(other.exponent, &other.digits));
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            0 => Ordering::Equal,
            1 => magnitude(),
            _ => magnitude().reverse(),
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn is_written_plainly() {
        let cases = [
            ("1.5e1", "15"),
            ("0015.500", "15.5"),
            ("-0", "0"),
            ("1e3", "1000"),
            ("1e-3", "0.001"),
            (".5", "0.5"),
            ("-12.", "-12"),
            ("0.10", "0.1"),
            ("+7", "7"),
            ("123456789012345678901234567890.1234567890", "123456789012345678901234567890.123456789"),
        ];
        for (text, plain) in cases {
            assert_eq!(decimal(text).to_string(), plain, "{text}");
        }
        for text in
            ["", "-", ".", "e5", "1e", "1e999", "1,000", "１", "0x1", "NaN", " 1", "1.2.3", "1e9999999999"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn is_ordered_by_value() {
        let ascending =
            ["-100", "-99.5", "-1", "-0.01", "0", "0.001", "0.01", "0.1", "0.11", "9", "10", "1e2"];
        for pair in ascending.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
        assert_eq!(decimal("1.0"), decimal("1"));
        assert!(decimal("0.1") < decimal("0.10000000000000000000000000001"));
    }

    #[test]
    fn is_rounded_as_the_app_says() {
        use Rounding::{Down, HalfEven, Up};
        let cases = [
            ("12.34567", 4, HalfEven, "12.3457"),
            ("0.00005", 4, HalfEven, "0"),
            ("0.00015", 4, HalfEven, "0.0002"),
            ("2.5", 0, HalfEven, "2"),
            ("3.5", 0, HalfEven, "4"),
            ("2.51", 0, HalfEven, "3"),
            ("0.5", 0, HalfEven, "0"),
            ("0.6", 0, HalfEven, "1"),
            ("0.04", 0, HalfEven, "0"),
            ("99.99", 1, Up, "100"),
            ("-1.01", 1, Up, "-1.1"),
            ("0.0001", 2, Up, "0.01"),
            ("-1.99", 0, Down, "-1"),
            ("0.09", 1, Down, "0"),
            ("7", 3, Down, "7"),
        ];
        for (text, places, rounding, expected) in cases {
            assert_eq!(decimal(text).rounded(places, rounding).to_string(), expected, "{text} {rounding:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn agrees_with_integers(a in -1_000_000_000i64..1_000_000_000, b in -1_000_000_000i64..1_000_000_000,
                                places in 0u32..6) {
            let scaled = |n: i64| decimal(&format!("{n}e-{places}"));
            prop_assert_eq!(scaled(a).cmp(&scaled(b)), a.cmp(&b));
            prop_assert_eq!(decimal(&scaled(a).to_string()), scaled(a));
        }

        #[test]
        fn rounding_down_then_up_brackets_the_number(digits in 0i64..1_000_000_000, scale in 0u32..8, places in 0u32..8) {
            let number = decimal(&format!("{digits}e-{scale}"));
            prop_assert!(number.rounded(places, Rounding::Down) <= number);
            prop_assert!(number.rounded(places, Rounding::Up) >= number);
        }
    }
}
