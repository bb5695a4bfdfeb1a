//! Kintone's query language: text to syntax tree, checked against an app, evaluated over its records.
//!
//! [`run`] answers a page, [`selection`] what a cursor or a permission condition needs.
//!
//! What the service does with empty cells: an empty cell is less than every value, so `<`, `<=`, `!=` and `not in`
//! select it while `=`, `>`, `>=` and `in` do not (except with `""`). Conditions on columns of one table that are
//! joined by `and` must be met by one row, and a table without rows meets none, not even a negative one.
//!
//! Where the service's behaviour is not known, the emulator does this:
//! - `and` binds tighter than `or`; a sort key without direction is ascending; empty cells sort first; records
//!   that are equal in all sort keys come newest first;
//! - texts are compared and sorted by code points, case included; drop-downs are sorted as texts;
//! - `like` searches words with a tokenizer of its own (see `words.rs`), in file names and not in the files, and
//!   without the delay of an index;
//! - `THIS_MONTH(31)` means the last day of a shorter month; a function that the field's type cannot use is
//!   `GAIA_IQ23`; an unknown group is `GAIA_IL28` like an unknown organization;
//! - several conditions on related records need not be met by the same related record.

mod check;
mod context;
pub(crate) mod decimal;
mod error;
#[cfg(test)]
mod evaluation_tests;
#[cfg(test)]
pub(crate) mod fixture;
mod function;
pub(crate) mod key;
mod lexer;
pub(crate) mod moment;
mod operand;
mod parser;
mod people;
mod selection;
mod syntax;
#[cfg(test)]
mod syntax_tests;
mod test;
mod words;

pub use context::{MOST_SEARCH_HITS, QueryContext};
pub use error::QueryError;
pub use parser::parse;
pub use selection::Selection;
pub use syntax::{
    Argument, Call, Comparison, Condition, Direction, FieldName, Literal, Operator, OrderKey, Query,
};

use crate::model::App;

/// How many records are answered when the query has no `limit`.
pub const DEFAULT_LIMIT: u64 = 100;
/// The greatest `limit`; beyond is `GAIA_QU01`.
pub const GREATEST_LIMIT: u64 = 500;
/// The greatest `offset`; beyond is `GAIA_QU02`.
pub const GREATEST_OFFSET: u64 = 10_000;

/// One page of records, and the means to count all of them.
#[derive(Debug)]
pub struct QueryResult<'a> {
    /// The ids of the page's records, in order.
    pub ids: Vec<u64>,
    /// Whether a search had too many hits, so that records are missing: the answer then carries the header
    /// `x-cybozu-warning` with [`ABORTED`].
    pub is_aborted: bool,
    selection: Selection<'a>,
}

/// The text of the warning header for an aborted search.
pub const ABORTED: &str = "Filter aborted because of too many search results";

impl QueryResult<'_> {
    /// How many records match, the page aside. Only worth asking for when the caller wants it: a condition
    /// beyond ranges of `$id` is evaluated on every record.
    pub fn total(&self) -> u64 {
        self.selection.total()
    }
}

/// Runs a query: parses, checks and answers one page. A query without `limit` answers `fallback_limit` records.
pub fn run<'a>(
    app: &'a App,
    context: &QueryContext<'a>,
    text: &str,
    fallback_limit: u64,
) -> Result<QueryResult<'a>, QueryError> {
    let query = parse(text)?;
    let (limit, offset) = (query.limit.unwrap_or(fallback_limit), query.offset.unwrap_or(0));
    if query.limit.is_some() && limit > GREATEST_LIMIT {
        return Err(QueryError::refused("GAIA_QU01", format!("limit must be {GREATEST_LIMIT} or less.")));
    }
    if offset > GREATEST_OFFSET {
        return Err(QueryError::refused("GAIA_QU02", format!("offset must be {GREATEST_OFFSET} or less.")));
    }
    let selection = Selection::new(app, context, &query)?;
    let ids = selection.page(offset, limit);
    Ok(QueryResult { ids, is_aborted: selection.is_aborted(), selection })
}

/// Checks a query without `limit` and `offset`, as cursors and permission conditions have it; with one of the
/// two it is `CB_VA01`. An empty text selects everything.
pub fn selection<'a>(
    app: &'a App,
    context: &QueryContext<'a>,
    text: &str,
) -> Result<Selection<'a>, QueryError> {
    let query = parse(text)?;
    if query.limit.is_some() || query.offset.is_some() {
        return Err(QueryError::syntax("limit and offset cannot be used here"));
    }
    Selection::new(app, context, &query)
}
