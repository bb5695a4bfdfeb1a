//! The functions of the query language: what each means for this caller at this moment.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan as _};

use super::context::QueryContext;
use super::error::QueryError;
use super::syntax::{Argument, Call};

/// The meaning of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The calling user.
    LoginUser,
    /// The calling user's primary organization.
    PrimaryOrganization,
    /// This very minute.
    Now,
    /// All days from the first to the last, both included, in the caller's time zone.
    Days(Date, Date),
}

/// Works out a call. An unknown name is a syntax error; a wrong argument is `GAIA_IQ23`.
pub(super) fn meaning(call: &Call, context: &QueryContext) -> Result<Meaning, QueryError> {
    let today = context.time_zone.to_datetime(context.now).date();
    let name = call.name.to_ascii_uppercase();
    let no_arguments =
        |meaning| if call.arguments.is_empty() { Ok(meaning) } else { Err(bad_argument(call)) };
    let day = |day: Date| Meaning::Days(day, day);
    let moved = |span: Span| today.checked_add(span).map_err(|_| bad_argument(call));
    match name.as_str() {
        "LOGINUSER" => no_arguments(Meaning::LoginUser),
        "PRIMARY_ORGANIZATION" => no_arguments(Meaning::PrimaryOrganization),
        "NOW" => no_arguments(Meaning::Now),
        "TODAY" => no_arguments(day(today)),
        "YESTERDAY" => no_arguments(day(moved((-1).days())?)),
        "TOMORROW" => no_arguments(day(moved(1.days())?)),
        "FROM_TODAY" => Ok(day(moved(distance(call).ok_or_else(|| bad_argument(call))?)?)),
        "LAST_WEEK" => week(call, moved((-7).days())?),
        "THIS_WEEK" => week(call, today),
        "NEXT_WEEK" => week(call, moved(7.days())?),
        "LAST_MONTH" => month(call, moved((-1).months())?),
        "THIS_MONTH" => month(call, today),
        "NEXT_MONTH" => month(call, moved(1.months())?),
        "LAST_YEAR" => no_arguments(year(moved((-1).years())?)),
        "THIS_YEAR" => no_arguments(year(today)),
        "NEXT_YEAR" => no_arguments(year(moved(1.years())?)),
        _ => Err(QueryError::syntax(format_args!("there is no function {}", call.name))),
    }
}

/// `FROM_TODAY(5, DAYS)`; the vendor's newer documents write the unit in quotes.
fn distance(call: &Call) -> Option<Span> {
    let [Argument::Number(number), Argument::Word(unit) | Argument::Text(unit)] = call.arguments.as_slice()
    else {
        return None;
    };
    let number: i32 = number.parse().ok()?;
    match unit.to_ascii_uppercase().as_str() {
        "DAYS" => Span::new().try_days(number),
        "WEEKS" => Span::new().try_weeks(number),
        "MONTHS" => Span::new().try_months(number),
        "YEARS" => Span::new().try_years(number),
        _ => return None,
    }
    .ok()
}

/// The week around a day, from Sunday to Saturday, or one weekday of it.
fn week(call: &Call, within: Date) -> Result<Meaning, QueryError> {
    let beyond = |_| bad_argument(call);
    let sunday =
        within.checked_sub(i64::from(within.weekday().to_sunday_zero_offset()).days()).map_err(beyond)?;
    let at = |days: i64| sunday.checked_add(days.days()).map_err(beyond);
    let Some(argument) = single(call)? else { return Ok(Meaning::Days(sunday, at(6)?)) };
    let weekday = match argument {
        Argument::Word(word) | Argument::Text(word) => weekday(word),
        Argument::Number(_) => None,
    };
    let day = at(i64::from(weekday.ok_or_else(|| bad_argument(call))?.to_sunday_zero_offset()))?;
    Ok(Meaning::Days(day, day))
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name.to_ascii_uppercase().as_str() {
        "SUNDAY" => Weekday::Sunday,
        "MONDAY" => Weekday::Monday,
        "TUESDAY" => Weekday::Tuesday,
        "WEDNESDAY" => Weekday::Wednesday,
        "THURSDAY" => Weekday::Thursday,
        "FRIDAY" => Weekday::Friday,
        "SATURDAY" => Weekday::Saturday,
        _ => return None,
    })
}

/// The month around a day, or one day of it. A day that the month does not have means its last one.
fn month(call: &Call, within: Date) -> Result<Meaning, QueryError> {
    let (first, last) = (within.first_of_month(), within.last_of_month());
    let day = match single(call)? {
        None => return Ok(Meaning::Days(first, last)),
        Some(Argument::Word(word) | Argument::Text(word)) if word.eq_ignore_ascii_case("LAST") => last.day(),
        Some(Argument::Number(number)) => number
            .parse::<i8>()
            .ok()
            .filter(|day| (1..=31).contains(day))
            .ok_or_else(|| bad_argument(call))?
            .min(last.day()),
        Some(_) => return Err(bad_argument(call)),
    };
    let day = Date::new(first.year(), first.month(), day).map_err(|_| bad_argument(call))?;
    Ok(Meaning::Days(day, day))
}

fn year(within: Date) -> Meaning {
    Meaning::Days(within.first_of_year(), within.last_of_year())
}

fn single(call: &Call) -> Result<Option<&Argument>, QueryError> {
    match call.arguments.as_slice() {
        [] => Ok(None),
        [argument] => Ok(Some(argument)),
        _ => Err(bad_argument(call)),
    }
}

fn bad_argument(call: &Call) -> QueryError {
    QueryError::refused("GAIA_IQ23", format!("An argument of the function {} is not valid.", call.name))
}

#[cfg(test)]
mod tests {
    use super::super::syntax::{Condition, Literal};
    use super::*;
    use crate::model::Tenant;

    fn days(text: &str, now: &str, zone: &str) -> Result<String, &'static str> {
        let query = super::super::parse(&format!("d = {text}")).map_err(|error| error.code)?;
        let Some(Condition::Compare(comparison)) = query.condition else { return Err("not a comparison") };
        let Some(Literal::Call(call)) = comparison.values.first() else { return Err("not a call") };
        let tenant = Tenant::default();
        let context = QueryContext {
            time_zone: jiff::tz::TimeZone::fixed(jiff::tz::offset(if zone == "JST" { 9 } else { 0 })),
            ..QueryContext::new(&tenant, "someone", now.parse().unwrap())
        };
        match meaning(call, &context).map_err(|error| error.code)? {
            Meaning::Days(first, last) if first == last => Ok(first.to_string()),
            Meaning::Days(first, last) => Ok(format!("{first}..{last}")),
            other => Ok(format!("{other:?}")),
        }
    }

    #[test]
    fn days_are_those_of_the_callers_time_zone() {
        // A Thursday; in Tokyo it is already Friday.
        let now = "2024-02-29T20:00:00Z";
        let cases = [
            ("TODAY()", "2024-02-29"),
            ("today()", "2024-02-29"),
            ("YESTERDAY()", "2024-02-28"),
            ("TOMORROW()", "2024-03-01"),
            ("FROM_TODAY(-1, YEARS)", "2023-02-28"),
            ("FROM_TODAY(2, \"WEEKS\")", "2024-03-14"),
            ("FROM_TODAY(1, months)", "2024-03-29"),
            ("THIS_WEEK()", "2024-02-25..2024-03-02"),
            ("LAST_WEEK(SUNDAY)", "2024-02-18"),
            ("NEXT_WEEK(SATURDAY)", "2024-03-09"),
            ("THIS_MONTH()", "2024-02-01..2024-02-29"),
            ("THIS_MONTH(LAST)", "2024-02-29"),
            ("THIS_MONTH(31)", "2024-02-29"),
            ("LAST_MONTH(5)", "2024-01-05"),
            ("NEXT_MONTH()", "2024-03-01..2024-03-31"),
            ("LAST_YEAR()", "2023-01-01..2023-12-31"),
            ("THIS_YEAR()", "2024-01-01..2024-12-31"),
            ("NEXT_YEAR()", "2025-01-01..2025-12-31"),
            ("NOW()", "Now"),
            ("LOGINUSER()", "LoginUser"),
        ];
        for (text, expected) in cases {
            assert_eq!(days(text, now, "UTC").as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(days("TODAY()", now, "JST").as_deref(), Ok("2024-03-01"));
        assert_eq!(days("THIS_MONTH(1)", now, "JST").as_deref(), Ok("2024-03-01"));
    }

    #[test]
    fn wrong_arguments_are_refused() {
        let now = "2024-02-29T20:00:00Z";
        for text in [
            "TODAY(1)",
            "FROM_TODAY()",
            "FROM_TODAY(1)",
            "FROM_TODAY(1.5, DAYS)",
            "FROM_TODAY(1, HOURS)",
            "FROM_TODAY(DAYS, 1)",
            "FROM_TODAY(99999999999, DAYS)",
            "FROM_TODAY(9999, YEARS)",
            "THIS_WEEK(FUNDAY)",
            "THIS_WEEK(1)",
            "THIS_MONTH(0)",
            "THIS_MONTH(32)",
            "THIS_MONTH(FIRST)",
            "THIS_MONTH(1, 2)",
            "THIS_YEAR(1)",
            "LOGINUSER(1)",
        ] {
            assert_eq!(days(text, now, "UTC"), Err("GAIA_IQ23"), "{text}");
        }
        assert_eq!(days("SLEEP(5)", now, "UTC"), Err("CB_VA01"));
    }
}
