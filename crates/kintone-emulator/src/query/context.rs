//! Who asks, when, and among which other data.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::Tenant;

/// A search with `like` stops after this many hits, and the answer says so in a header.
pub const MOST_SEARCH_HITS: u64 = 100_000;

/// What a query depends on beside the app.
#[derive(Debug, Clone)]
pub struct QueryContext<'a> {
    /// The tenant: its users, organizations and groups, and the apps that related records come from.
    pub tenant: &'a Tenant,
    /// Login name of the caller, `Administrator` for an API token.
    pub login_name: &'a str,
    /// The present.
    pub now: Timestamp,
    /// Decides where a day begins and ends.
    pub time_zone: TimeZone,
    /// After how many hits a search with `like` is aborted.
    pub most_search_hits: u64,
}

impl<'a> QueryContext<'a> {
    /// A context with the time zone of this user; UTC for one who is not in the directory or whose zone is not
    /// in the machine's time zone database.
    pub fn new(tenant: &'a Tenant, login_name: &'a str, now: Timestamp) -> Self {
        let zone = tenant.user(login_name).and_then(|user| TimeZone::get(&user.timezone).ok());
        Self {
            tenant,
            login_name,
            now,
            time_zone: zone.unwrap_or(TimeZone::UTC),
            most_search_hits: MOST_SEARCH_HITS,
        }
    }
}
