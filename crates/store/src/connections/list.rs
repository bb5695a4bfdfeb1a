use std::fmt;
use std::str::FromStr;

use super::{Connection, Health, read};
use crate::database::{Query, query};
use crate::error::StoreError;
use crate::id::{ConnectionId, EnvironmentId, IntegrationId};
use crate::name::{end_of_prefix, search_key};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// Which connections a list shows; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionFilter {
    /// Of one of these integrations; of any when there are none.
    pub integrations: Vec<IntegrationId>,
    /// With this health.
    pub health: Option<Health>,
    /// With all of these tags and values; the first should be the one that fits the fewest connections.
    pub tags: Vec<(String, String)>,
    /// Whose name (without regard to case and width) or connection id begins with this text.
    pub search: Option<String>,
}

impl ConnectionFilter {
    /// Whether a connection that was found in another way would be in the list, leaving the search aside.
    pub fn fits(&self, connection: &Connection) -> bool {
        let of_integration =
            self.integrations.is_empty() || self.integrations.contains(&connection.integration_id);
        of_integration
            && self.health.is_none_or(|health| health == connection.health)
            && self.tags.iter().all(|(tag, value)| connection.tags.get(tag) == Some(value))
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionPage {
    /// Newest first; a search gives matches by name first, each kind in the order of what matched.
    pub connections: Vec<Connection>,
    /// Where the next page begins; `None` after the last page.
    pub next: Option<ConnectionCursor>,
}

/// Where a page of a list ends. Its text is opaque to callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionCursor {
    /// After this connection in the order of creation.
    Created(Timestamp, ConnectionId),
    /// After this connection among those found by name.
    Name(String, ConnectionId),
    /// After this connection among those found by connection id.
    ConnectionId(String, IntegrationId),
}

impl Store {
    /// One page of at most `limit` live connections. The cost does not grow with the number of connections, as long as the
    /// filters besides the most selective one do not drop most of what that one finds.
    pub async fn list_connections(
        &self,
        environment: &EnvironmentId,
        filter: &ConnectionFilter,
        after: Option<&ConnectionCursor>,
        limit: usize,
    ) -> Result<ConnectionPage, StoreError> {
        let search = filter.search.as_deref().map(str::trim).filter(|search| !search.is_empty());
        let Some(search) = search else {
            let mut select = by_creation(read::COLUMNS, environment, filter, after);
            append_limit(&mut select, limit);
            return self
                .page(select, limit, |last| ConnectionCursor::Created(last.created_at, last.id.clone()))
                .await;
        };

        let mut found = ConnectionPage { connections: Vec::new(), next: None };
        if !matches!(after, Some(ConnectionCursor::ConnectionId(..))) {
            let mut select = by_name(read::COLUMNS, environment, filter, search, after);
            append_limit(&mut select, limit);
            let cursor = |last: &Connection| ConnectionCursor::Name(search_key(&last.name), last.id.clone());
            found = self.page(select, limit, cursor).await?;
            if found.next.is_some() {
                return Ok(found);
            }
        }
        let rest = limit - found.connections.len();
        let mut select = by_connection_id(read::COLUMNS, environment, filter, search, after);
        append_limit(&mut select, rest);
        let cursor = |last: &Connection| {
            ConnectionCursor::ConnectionId(last.connection_id.clone(), last.integration_id.clone())
        };
        let mut more = self.page(select, rest, cursor).await?;
        if more.next.is_none() && rest == 0 {
            // The page is full with matches by name; whether any connection id matches is for the next page to say.
            more.next = found
                .connections
                .last()
                .map(|last| ConnectionCursor::Name(search_key(&last.name), last.id.clone()));
        }
        found.connections.append(&mut more.connections);
        found.next = more.next;
        Ok(found)
    }

    /// Where a list goes on after its first `skipped` connections; `None` when it has no more than them. Only an index is
    /// walked along, none of the connections is read.
    pub async fn skip_connections(
        &self,
        environment: &EnvironmentId,
        filter: &ConnectionFilter,
        skipped: usize,
    ) -> Result<Option<ConnectionCursor>, StoreError> {
        let Some(last) = skipped.checked_sub(1) else { return Ok(None) };
        let search = filter.search.as_deref().map(str::trim).filter(|search| !search.is_empty());
        let Some(search) = search else {
            let order = order_of_creation(filter);
            let columns = format!("{}, {}", order.0, order.1);
            let mut select = by_creation(&columns, environment, filter, None);
            append_only(&mut select, last);
            let row = self.database.read_one(select).await?;
            return row.map(|mut row| Ok(ConnectionCursor::Created(row.time()?, row.parsed()?))).transpose();
        };
        let mut select = by_name("c.name_search, c.id", environment, filter, search, None);
        append_only(&mut select, last);
        if let Some(mut row) = self.database.read_one(select).await? {
            return Ok(Some(ConnectionCursor::Name(row.text()?, row.parsed()?)));
        }
        let count = by_name("c.id", environment, filter, search, None).counted();
        let by_names = self.database.read_one(count).await?.map_or(Ok(0), |mut row| row.counter())?;
        let last = last.saturating_sub(usize::try_from(by_names).unwrap_or(usize::MAX));
        let columns = "c.connection_id, c.integration_id";
        let mut select = by_connection_id(columns, environment, filter, search, None);
        append_only(&mut select, last);
        let row = self.database.read_one(select).await?;
        row.map(|mut row| Ok(ConnectionCursor::ConnectionId(row.text()?, row.parsed()?))).transpose()
    }

    /// Reads one row more than wanted to learn whether there is a next page.
    async fn page(
        &self,
        select: Query,
        limit: usize,
        cursor: impl Fn(&Connection) -> ConnectionCursor,
    ) -> Result<ConnectionPage, StoreError> {
        if limit == 0 {
            return Ok(ConnectionPage { connections: Vec::new(), next: None });
        }
        let rows = self.database.read(select).await?;
        let mut connections = rows.into_iter().map(read::read).collect::<Result<Vec<_>, _>>()?;
        let is_last = connections.len() <= limit;
        connections.truncate(limit);
        let next = if is_last { None } else { connections.last().map(cursor) };
        Ok(ConnectionPage { connections, next })
    }
}

/// The columns of the order of creation. With a tag, the table of tags leads: it has its own copy of the order.
fn order_of_creation(filter: &ConnectionFilter) -> (&'static str, &'static str) {
    if filter.tags.is_empty() { ("c.created_at", "c.id") } else { ("t.created_at", "t.connection") }
}

fn by_creation(
    columns: &str,
    environment: &EnvironmentId,
    filter: &ConnectionFilter,
    after: Option<&ConnectionCursor>,
) -> Query {
    let order = order_of_creation(filter);
    let mut select = match filter.tags.first() {
        // The cross join keeps the order of the tables.
        Some((tag, value)) => query(format!(
            "SELECT {columns} FROM connection_tags t CROSS JOIN connections c WHERE t.environment_id = $1 AND t.tag = $2 \
             AND t.tag_value = $3 AND c.id = t.connection AND c.environment_id = $1 AND c.deleted_at IS NULL"
        ))
        .bind(environment)
        .bind(tag.as_str())
        .bind(value.as_str()),
        None => live(columns, environment),
    };
    append_filters(&mut select, filter);
    append_tags(&mut select, filter.tags.iter().skip(1));
    if let Some(ConnectionCursor::Created(created_at, id)) = after {
        let (created_at, id) = (select.push(*created_at), select.push(id));
        select.append(&format!(" AND ({}, {}) < (${created_at}, ${id})", order.0, order.1));
    }
    select.append(&format!(" ORDER BY {} DESC, {} DESC", order.0, order.1));
    select
}

fn by_name(
    columns: &str,
    environment: &EnvironmentId,
    filter: &ConnectionFilter,
    search: &str,
    after: Option<&ConnectionCursor>,
) -> Query {
    let mut select = live(columns, environment);
    let after = match after {
        Some(ConnectionCursor::Name(name, id)) => Some((name.as_str(), id.as_str())),
        _ => None,
    };
    append_range(&mut select, ("c.name_search", "c.id"), &search_key(search), after);
    append_filters(&mut select, filter);
    append_tags(&mut select, filter.tags.iter());
    select.append(" ORDER BY c.name_search, c.id");
    select
}

/// Only connections that are not found by name, so that none comes twice.
fn by_connection_id(
    columns: &str,
    environment: &EnvironmentId,
    filter: &ConnectionFilter,
    search: &str,
    after: Option<&ConnectionCursor>,
) -> Query {
    let mut select = live(columns, environment);
    let after = match after {
        Some(ConnectionCursor::ConnectionId(connection_id, integration)) => {
            Some((connection_id.as_str(), integration.as_str()))
        }
        _ => None,
    };
    append_range(&mut select, ("c.connection_id", "c.integration_id"), search, after);
    let name = search_key(search);
    let (start, end) = (select.push(name.as_str()), select.push(end_of_prefix(&name)));
    select.append(&format!(" AND NOT (c.name_search >= ${start} AND c.name_search < ${end})"));
    append_filters(&mut select, filter);
    append_tags(&mut select, filter.tags.iter());
    select.append(" ORDER BY c.connection_id, c.integration_id");
    select
}

fn live(columns: &str, environment: &EnvironmentId) -> Query {
    query(format!("SELECT {columns} FROM connections c WHERE c.environment_id = $1 AND c.deleted_at IS NULL"))
        .bind(environment)
}

fn append_filters(select: &mut Query, filter: &ConnectionFilter) {
    let integrations: Vec<String> =
        filter.integrations.iter().map(|integration| format!("${}", select.push(integration))).collect();
    match integrations.as_slice() {
        [] => {}
        [one] => select.append(&format!(" AND c.integration_id = {one}")),
        several => select.append(&format!(" AND c.integration_id IN ({})", several.join(", "))),
    }
    if let Some(health) = filter.health {
        let health = select.push(health.as_str());
        select.append(&format!(" AND c.health = ${health}"));
    }
}

fn append_tags<'a>(select: &mut Query, tags: impl Iterator<Item = &'a (String, String)>) {
    for (tag, value) in tags {
        let (tag, value) = (select.push(tag.as_str()), select.push(value.as_str()));
        select.append(&format!(
            " AND EXISTS (SELECT 1 FROM connection_tags t WHERE t.environment_id = $1 AND t.tag = ${tag} \
             AND t.tag_value = ${value} AND t.created_at = c.created_at AND t.connection = c.id)"
        ));
    }
}

/// Texts that begin with `prefix`, behind the cursor. There is one lower bound only, so that the database begins at the
/// cursor; a cursor of another search is ignored.
fn append_range(select: &mut Query, columns: (&str, &str), prefix: &str, after: Option<(&str, &str)>) {
    let (column, tie_breaker) = columns;
    if let Some((text, tie)) = after.filter(|(text, _)| text.starts_with(prefix)) {
        let (text, tie) = (select.push(text), select.push(tie));
        select.append(&format!(" AND ({column}, {tie_breaker}) > (${text}, ${tie})"));
    } else {
        let start = select.push(prefix);
        select.append(&format!(" AND {column} >= ${start}"));
    }
    let end = select.push(end_of_prefix(prefix));
    select.append(&format!(" AND {column} < ${end}"));
}

fn append_limit(select: &mut Query, limit: usize) {
    let limit = select.push(limit as u64 + 1);
    select.append(&format!(" LIMIT ${limit}"));
}

/// One row alone, so many behind the first.
fn append_only(select: &mut Query, skipped: usize) {
    let skipped = select.push(skipped as u64);
    select.append(&format!(" LIMIT 1 OFFSET ${skipped}"));
}

impl fmt::Display for ConnectionCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created(at, id) => write!(formatter, "c:{id}:{}", at.as_milliseconds()),
            Self::Name(name, id) => write!(formatter, "n:{id}:{name}"),
            Self::ConnectionId(connection_id, integration) => {
                write!(formatter, "i:{integration}:{connection_id}")
            }
        }
    }
}

impl FromStr for ConnectionCursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let parse = || {
            let mut parts = text.splitn(3, ':');
            let (kind, id, rest) = (parts.next()?, parts.next()?, parts.next()?);
            match kind {
                "c" => {
                    Some(Self::Created(Timestamp::from_milliseconds(rest.parse().ok()?), id.parse().ok()?))
                }
                "n" => Some(Self::Name(rest.to_owned(), id.parse().ok()?)),
                "i" => Some(Self::ConnectionId(rest.to_owned(), id.parse().ok()?)),
                _ => None,
            }
        };
        parse().ok_or_else(|| {
            StoreError::Invalid("the cursor is not one of this list; begin again without a cursor".to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tombolo_vault::testing::SeededRandom;
    use tombolo_vault::{KeyRing, MasterKey};

    use super::*;
    use crate::database::SqliteLocation;

    async fn plan(store: &Store, select: Query) -> String {
        let mut plan = Vec::new();
        for mut row in store.database.read(select.explained()).await.unwrap() {
            let _ = (row.integer().unwrap(), row.integer().unwrap(), row.integer().unwrap());
            plan.push(row.text().unwrap());
        }
        plan.join("; ")
    }

    /// A list costs the same however many rows there are if an index gives its rows in its order: then nothing is sorted
    /// and nothing before the page is read.
    #[tokio::test]
    async fn every_list_follows_an_index() {
        let directory = tempfile::tempdir().unwrap();
        let files =
            SqliteLocation::new(directory.path().join("main.db"), directory.path().join("activity.db"));
        let random = SeededRandom::new(1);
        let at = Timestamp::default();
        let ring = KeyRing::new(MasterKey::generate(&random).unwrap());
        let store = Store::open(&files.into(), &ring, Arc::new(SeededRandom::new(2)), at).await.unwrap();
        let environment = EnvironmentId::generate(at, &random).unwrap();
        let integrations = vec![IntegrationId::generate(at, &random).unwrap()];
        let id = ConnectionId::generate(at, &random).unwrap();
        let created = ConnectionCursor::Created(at, id.clone());
        let name = ConnectionCursor::Name("acme".to_owned(), id);
        let by_id = ConnectionCursor::ConnectionId("acme".to_owned(), integrations[0].clone());

        let all = ConnectionFilter::default();
        let health = Some(Health::NeedsReconnecting);
        let tags = vec![("team".to_owned(), "sales".to_owned())];
        let ours = ConnectionFilter { integrations: integrations.clone(), ..all.clone() };
        let ailing = ConnectionFilter { health, ..all.clone() };
        let both = ConnectionFilter { integrations, health, ..all.clone() };
        let tagged = ConnectionFilter { health, tags, ..all.clone() };
        let whole = read::COLUMNS;
        let plans = [
            by_creation(whole, &environment, &all, Some(&created)),
            by_creation(whole, &environment, &ours, Some(&created)),
            by_creation(whole, &environment, &ailing, Some(&created)),
            by_creation(whole, &environment, &both, Some(&created)),
            by_creation(whole, &environment, &tagged, Some(&created)),
            by_name(whole, &environment, &both, "ac", Some(&name)),
            by_connection_id(whole, &environment, &all, "ac", Some(&by_id)),
        ];
        let skipping = [
            by_creation("c.created_at, c.id", &environment, &all, None),
            by_creation("c.created_at, c.id", &environment, &both, None),
            by_name("c.name_search, c.id", &environment, &all, "ac", None),
        ];
        let mut lines = Vec::new();
        for mut select in plans.into_iter().chain(skipping) {
            append_limit(&mut select, 10);
            lines.push(plan(&store, select).await);
        }

        insta::assert_snapshot!(lines.join("\n"), @r"
        SEARCH c USING INDEX connections_created (environment_id=? AND (created_at,id)<(?,?))
        SEARCH c USING INDEX connections_integration (environment_id=? AND integration_id=? AND (created_at,id)<(?,?))
        SEARCH c USING INDEX connections_health (environment_id=? AND health=? AND (created_at,id)<(?,?))
        SEARCH c USING INDEX connections_integration_health (environment_id=? AND integration_id=? AND health=? AND (created_at,id)<(?,?))
        SEARCH t USING COVERING INDEX sqlite_autoindex_connection_tags_1 (environment_id=? AND tag=? AND tag_value=? AND (created_at,connection)<(?,?)); SEARCH c USING INDEX sqlite_autoindex_connections_1 (id=?)
        SEARCH c USING INDEX connections_name_search (environment_id=? AND (name_search,id)>(?,?) AND name_search<?)
        SEARCH c USING INDEX connections_connection_id (environment_id=? AND (connection_id,integration_id)>(?,?) AND connection_id<?)
        SEARCH c USING INDEX connections_created (environment_id=?)
        SEARCH c USING INDEX connections_integration_health (environment_id=? AND integration_id=? AND health=?)
        SEARCH c USING INDEX connections_name_search (environment_id=? AND name_search>? AND name_search<?)
        ");
    }
}
