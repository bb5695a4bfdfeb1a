//! Numbers: their form, the precision that the app's settings allow, the limits of the field.

use serde_json::Value as Json;

use crate::model::Field;
use crate::query::decimal::{Decimal, Rounding};

/// Reads a number and writes it plainly (`1.5e1` is `15`). Digits behind the allowed places are rounded off
/// silently, as the service does; the error is the message for the user.
pub(super) fn read(settings: &Json, field: &Field, text: &str) -> Result<String, String> {
    let number = Decimal::parse(text.trim()).ok_or("Only numbers are allowed.")?;
    let precision = Precision::of(settings);
    let number = number.rounded(precision.decimal_places, precision.rounding);
    let whole_digits = precision.digits.saturating_sub(precision.decimal_places);
    if number.whole_digits() > whole_digits {
        return Err(format!("The number has more than {whole_digits} digits before the decimal point."));
    }
    let bound = |text: &Option<String>| text.as_deref().and_then(Decimal::parse);
    if let Some(least) = bound(&field.min_value).filter(|least| number < *least) {
        return Err(format!("Enter a number of {least} or greater."));
    }
    if let Some(most) = bound(&field.max_value).filter(|most| number > *most) {
        return Err(format!("Enter a number of {most} or less."));
    }
    Ok(number.to_string())
}

/// The app setting `numberPrecision`.
struct Precision {
    digits: u32,
    decimal_places: u32,
    rounding: Rounding,
}

impl Precision {
    /// Reads it from the settings; what is missing has the service's default.
    fn of(settings: &Json) -> Self {
        let precision = &settings["numberPrecision"];
        let count = |name: &str, default: u64| {
            let value = &precision[name];
            value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(default).min(30) as u32
        };
        Self {
            digits: count("digits", 16),
            decimal_places: count("decimalPlaces", 4),
            rounding: match precision["roundingMode"].as_str() {
                Some("UP") => Rounding::Up,
                Some("DOWN") => Rounding::Down,
                _ => Rounding::HalfEven,
            },
        }
    }
}
