//! Connections are tested by the server itself, and people are warned of credentials that end.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tombolo_store::{ActorKind, Change, ConnectionId, EnvironmentId, Health, Timestamp};

use crate::access::Access;
use crate::connections::object_of;
use crate::health::{News, WARNINGS, detail_of, noted, written};
use crate::notifications::news_of_end;
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind};

/// Connections that are tested at the same time.
const AT_ONCE: usize = 8;
/// Rows that are read at a time.
const STEP: u32 = 100;

impl Platform {
    /// Tests every connection whose last test is too old, and those that fail and whose pause is over. One that needs a
    /// person is left alone: only a person may try its credential again.
    pub(crate) async fn verify_connections(self: &Arc<Self>, every: Option<Duration>) -> Result<(), Problem> {
        let mut seen = HashSet::new();
        loop {
            let now = self.now();
            let oldest = every.map(|every| now.minus(every));
            let due = self.store.connections_to_test(oldest, now, STEP).await?;
            // What is still due after it was tested could not be noted; it is tried with the next job.
            let due: Vec<_> = due.into_iter().filter(|(_, id)| seen.insert(id.clone())).collect();
            if due.is_empty() {
                return Ok(());
            }
            let mut running = JoinSet::new();
            for (environment, id) in due {
                if running.len() >= AT_ONCE {
                    running.join_next().await;
                }
                let platform = Arc::clone(self);
                running.spawn(async move { platform.verify(&environment, &id).await });
            }
            running.join_all().await;
        }
    }

    /// What the test finds stands in the connection's health, and so does what keeps it from being tested.
    async fn verify(self: &Arc<Self>, environment: &EnvironmentId, id: &ConnectionId) {
        let access = Access::unrestricted(environment.clone(), ActorKind::System, "verification");
        // Boxed, because the state of a connection test is large.
        let tested = Box::pin(self.test_connection(&access, None, id.as_str(), &mut |_| {})).await;
        let Err(problem) = tested else { return };
        tracing::warn!(connection = %id, %problem, "a connection could not be tested");
        if let Err(problem) = self.note_untestable(&access, id, &problem).await {
            tracing::warn!(connection = %id, %problem, "that a connection could not be tested could not be noted");
        }
    }

    async fn note_untestable(
        &self,
        access: &Access,
        id: &ConnectionId,
        problem: &Problem,
    ) -> Result<(), Problem> {
        // Somebody else changed it meanwhile, or it is this server that cannot.
        if matches!(problem.kind, ProblemKind::Conflict | ProblemKind::Unavailable | ProblemKind::NotFound) {
            return Ok(());
        }
        let Some(connection) = self.store.connection(&access.environment, id).await? else { return Ok(()) };
        if connection.health == Health::NeedsReconnecting {
            return Ok(());
        }
        let part = if connection.health_detail["renewal"].is_object() { "renewal" } else { "test" };
        let news = News::of_problem(&connection, Health::Failing, part, problem, self.now());
        self.commit(&noted(access, &connection, news)).await.map(drop)
    }

    /// Warns of credentials that end: once for each distance, the most urgent only.
    pub(crate) async fn warn_of_ends(&self) -> Result<(), Problem> {
        for days in WARNINGS {
            let now = self.now();
            // What does not fit into one step has time until the next job.
            for (environment, id) in self.store.connections_that_end(days, now, STEP).await? {
                self.warn_of_end(&environment, &id, days, now).await?;
            }
        }
        Ok(())
    }

    async fn warn_of_end(
        &self,
        environment: &EnvironmentId,
        id: &ConnectionId,
        days: u32,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let mut changes = vec![Change::WarnOfEnd(environment.clone(), id.clone(), days)];
        if let Some(connection) = self.store.connection(environment, id).await? {
            let access = Access::unrestricted(environment.clone(), ActorKind::System, "verification");
            let left = connection.life.ends_at.map(|end| end.since(now).as_secs().div_ceil(86_400));
            changes.push(news_of_end(&connection, left.and_then(|left| u32::try_from(left).ok())));
            let told = json!({ "ends_at": connection.life.ends_at.map(written), "days_left": left });
            changes.extend(events(&access, "connection.expiring", object_of(&connection), told, true));
            if connection.health == Health::Active {
                let news = News {
                    health: Health::Expiring,
                    detail: detail_of(&connection),
                    tested_at: None,
                    next_test_at: None,
                    sealed_version: connection.sealed_version,
                    outdates: false,
                };
                changes.extend(noted(&access, &connection, news));
            }
        }
        match self.commit(&changes).await {
            // New credentials were written meanwhile; whether they end is seen at the next look.
            Err(problem) if problem.kind == ProblemKind::Conflict => Ok(()),
            outcome => outcome.map(drop),
        }
    }
}
