//! How connections do: what is noted, who is told, and when it is looked at again.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tombolo_store::{ActorKind, Change, Connection, ConnectionHealth, Health, Timestamp, TokenLife};

use crate::access::Access;
use crate::connection_test::TestReport;
use crate::connections::object_of;
use crate::notifications::news_of_health;
use crate::platform::events;
use crate::problem::Problem;

/// So many days before credentials end, people are warned; the most urgent first.
pub(crate) const WARNINGS: [u32; 3] = [1, 7, 30];
/// The shortest and the longest pause before a failing connection is tested again: as long again as it has failed.
const PAUSES: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));

/// News of a connection.
pub(crate) struct News {
    pub(crate) health: Health,
    pub(crate) detail: Json,
    /// When it was tested; `None` when the news come from elsewhere.
    pub(crate) tested_at: Option<Timestamp>,
    /// For one that fails: when it is tested again.
    pub(crate) next_test_at: Option<Timestamp>,
    /// The version of the credentials that the news are about.
    pub(crate) sealed_version: u64,
    /// Whether calls go out differently from now on, even if the health is the same.
    pub(crate) outdates: bool,
}

impl News {
    /// What a test found.
    pub(crate) fn of_test(connection: &Connection, report: &TestReport, at: Timestamp) -> Self {
        let health = health_of(report, connection.life.ends_at, connection.sealed_at, at);
        Self {
            health,
            detail: health_detail(Some(report)),
            tested_at: Some(at),
            next_test_at: (health == Health::Failing).then(|| at.plus(pause_before_test(connection, at))),
            sealed_version: connection.sealed_version,
            outdates: false,
        }
    }

    /// It cannot be tested, or its tokens cannot be renewed; `part` names which in the detail.
    pub(crate) fn of_problem(
        connection: &Connection,
        health: Health,
        part: &str,
        problem: &Problem,
        at: Timestamp,
    ) -> Self {
        let mut detail = detail_of(connection);
        detail[part] = json!({ "code": problem.code, "what": problem.what, "fix": problem.fix });
        Self {
            health,
            detail,
            tested_at: None,
            next_test_at: (health == Health::Failing).then(|| at.plus(pause_before_test(connection, at))),
            sealed_version: connection.sealed_version,
            outdates: false,
        }
    }
}

/// What is written about news: the row, and when the health is another than before the events that tell of it.
pub(crate) fn noted(access: &Access, connection: &Connection, news: News) -> Vec<Change> {
    let health = news.health;
    let changed = health != connection.health;
    let told = json!({
        "from": connection.health.as_str(), "to": news.health.as_str(), "why": why(&news.detail),
        "next_try_at": news.next_test_at.map(written),
    });
    let mut changes = vec![Change::RecordHealth(ConnectionHealth {
        environment_id: connection.environment_id.clone(),
        id: connection.id.clone(),
        sealed_version: news.sealed_version,
        health: news.health,
        detail: news.detail,
        tested_at: news.tested_at,
        next_test_at: news.next_test_at,
        outdates: changed || news.outdates,
    })];
    if changed {
        changes.extend(events(access, "connection.health_changed", object_of(connection), told, true));
        changes.extend(news_of_health(connection, health));
    }
    changes
}

/// New tokens mend what failed for the lack of them.
pub(crate) fn mended(connection: &Connection, life: TokenLife, at: Timestamp) -> Vec<Change> {
    let failed = matches!(connection.health, Health::Failing | Health::NeedsReconnecting);
    if !failed || !connection.health_detail["renewal"].is_object() {
        return Vec::new();
    }
    let mut detail = detail_of(connection);
    detail["renewal"] = Json::Null;
    let news = News {
        health: good_health(life.ends_at, at, at),
        detail,
        tested_at: None,
        next_test_at: None,
        sealed_version: connection.sealed_version + 1,
        outdates: true,
    };
    let access = Access::unrestricted(connection.environment_id.clone(), ActorKind::System, "renewal");
    noted(&access, connection, news)
}

/// How a connection does after a test.
pub(crate) fn health_of(
    report: &TestReport,
    ends_at: Option<Timestamp>,
    written_at: Timestamp,
    now: Timestamp,
) -> Health {
    match (report.available, report.stopped) {
        (true, _) => good_health(ends_at, written_at, now),
        (false, true) => Health::NeedsReconnecting,
        (false, false) => Health::Failing,
    }
}

/// The health of a connection that can be used. What lives less than twice as long as a warning comes ahead is not warned
/// of: it ends soon from its beginning.
fn good_health(ends_at: Option<Timestamp>, written_at: Timestamp, now: Timestamp) -> Health {
    let ends_soon = |end: Timestamp| {
        WARNINGS
            .iter()
            .map(|days| Duration::from_hours(24) * *days)
            .any(|ahead| end <= now.plus(ahead) && end.since(written_at) >= ahead * 2)
    };
    if ends_at.is_some_and(ends_soon) { Health::Expiring } else { Health::Active }
}

/// The first of two ends, either of which may be unknown.
pub(crate) fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// What is kept of a test beside the health itself.
pub(crate) fn health_detail(report: Option<&TestReport>) -> Json {
    json!({
        "learned": report.map(|report| &report.learned),
        "capabilities": report.map(|report| &report.capabilities),
        "verdict": report.and_then(TestReport::verdict),
    })
}

/// What was known before, to add to.
pub(crate) fn detail_of(connection: &Connection) -> Json {
    if connection.health_detail.is_object() { connection.health_detail.clone() } else { json!({}) }
}

/// The reason, for those who are told: the code of a verdict or of a problem, and its words.
fn why(detail: &Json) -> Json {
    for part in ["renewal", "test"] {
        if detail[part].is_object() {
            return detail[part].clone();
        }
    }
    match &detail["verdict"] {
        Json::Object(verdict) => json!({
            "code": verdict.get("is"),
            "what": verdict.get("says").and_then(|text| text.get("en")),
            "fix": verdict.get("fix").and_then(|text| text.get("en")),
        }),
        _ => Json::Null,
    }
}

fn pause_before_test(connection: &Connection, now: Timestamp) -> Duration {
    let failing = connection.health == Health::Failing;
    let failing_for = if failing { now.since(connection.health_since) } else { Duration::ZERO };
    failing_for.clamp(PAUSES.0, PAUSES.1)
}

/// A moment for people and programs outside.
pub(crate) fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_milliseconds())
        .map_or_else(|_| "an unknown time".to_owned(), |at| format!("{at:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_news_when_it_is_near_and_was_once_far() {
        let day = |days: i64| Timestamp::from_milliseconds(days * 86_400_000);
        for (life, passed, health) in [
            (None, 100, Health::Active),
            (Some(365), 300, Health::Active),
            (Some(365), 335, Health::Expiring),
            (Some(365), 366, Health::Expiring),
            // A refresh token that is replaced every hour and lives for a month is no news.
            (Some(30), 0, Health::Active),
            (Some(30), 23, Health::Expiring),
            (Some(1), 0, Health::Active),
        ] {
            assert_eq!(good_health(life.map(day), day(0), day(passed)), health, "{life:?} after {passed}");
        }
    }
}
