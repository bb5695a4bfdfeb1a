//! A credential that the vendor refuses during a call is noted in the connection's health, so that neither another node
//! nor a restart sends it again.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use http::StatusCode;
use serde_json::json;
use tombolo_catalog::Explanation;
use tombolo_store::{ActorKind, Health, Timestamp};

use crate::access::Access;
use crate::connection_test::{Details, Verdict, verdict};
use crate::health::{News, detail_of, noted};
use crate::platform::Platform;
use crate::problem::Problem;
use crate::proxy::Plan;

/// Where a lane tells of refused credentials. Does not keep the platform alive.
#[derive(Clone)]
pub(crate) struct Refusals(Weak<Platform>);

impl Refusals {
    pub(crate) fn new(platform: &Arc<Platform>) -> Self {
        Self(Arc::downgrade(platform))
    }

    /// Has the refusal written behind the call. Until then the plan itself remembers it.
    pub(crate) fn note(&self, plan: &Arc<Plan>, row: &Explanation, status: StatusCode, code: Option<&str>) {
        let Some(platform) = self.0.upgrade() else { return };
        let details =
            Details { status: Some(status.as_u16()), code: code.map(str::to_owned), ..Details::default() };
        let verdict = verdict(plan, row, None, &details);
        let (plan, at) = (Arc::clone(plan), platform.now());
        let writer = Arc::clone(&platform);
        platform.spawn(async move {
            if let Err(problem) = writer.write_refusal(&plan, &verdict, at).await {
                tracing::error!(
                    connection = %plan.connection_id, %problem,
                    "a refused credential could not be noted; it may be sent again after a restart"
                );
            }
        });
    }
}

impl Platform {
    async fn write_refusal(&self, plan: &Plan, verdict: &Verdict, at: Timestamp) -> Result<(), Problem> {
        let Some(id) = &plan.connection else { return Ok(()) };
        let Some(connection) = self.store.connection(&plan.environment, id).await? else { return Ok(()) };
        if connection.sealed_version != plan.sealed.place.version {
            return Ok(());
        }
        if connection.last_tested_at.is_some_and(|tested| tested > at) {
            // The test knew better, and if it changed nothing, nobody compiles the connection anew.
            plan.refused.store(false, Ordering::Relaxed);
            return Ok(());
        }
        if connection.health == Health::NeedsReconnecting {
            return Ok(());
        }
        let mut detail = detail_of(&connection);
        detail["verdict"] = json!(verdict);
        let news = News {
            health: Health::NeedsReconnecting,
            detail,
            tested_at: None,
            next_test_at: None,
            sealed_version: connection.sealed_version,
            outdates: true,
        };
        let access = Access::unrestricted(plan.environment.clone(), ActorKind::System, "proxy");
        let changes = noted(&access, &connection, news);
        self.commit(&changes).await.map(drop)
    }
}
