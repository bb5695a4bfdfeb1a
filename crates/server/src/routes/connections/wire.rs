//! Connections and test reports as they go over the wire.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};
use tombolo_api as api;
use tombolo_platform::catalog::{self, AuthMode};
use tombolo_platform::store::{Connection, Health, Integration};
use tombolo_platform::{
    Details, Outcome, ReadCredentials, StageReport, TestEvent, TestReport, Verdict, restored_problem,
};

use crate::problem;
use crate::routes::connect::end_user;
use crate::routes::moment::moment;

/// Everything about a connection that is no secret.
pub(super) fn connection(connection: &Connection, integration: &Integration) -> api::Connection {
    let config = object(&connection.target.config);
    api::Connection {
        id: connection.id.to_string(),
        connection_id: connection.connection_id.clone(),
        provider_config_key: integration.unique_key.clone(),
        provider: integration.provider.clone(),
        name: connection.name.clone(),
        auth_scheme: connection.target.auth_scheme.clone(),
        gates: serde_json::from_value(connection.target.gates.clone()).unwrap_or_default(),
        certificate_expires_at: connection.target.certificate_expires_at.map(moment),
        health: health(connection),
        errors: errors(connection),
        end_user: connection.end_user.as_ref().map(end_user),
        tags: connection.tags.clone(),
        metadata: metadata(connection),
        connection_config: config.clone(),
        config,
        settings: object(&connection.settings),
        hosts: connection.target.hosts.iter().map(ToString::to_string).collect(),
        webhook_url_override: connection.webhook_url.clone(),
        created_at: moment(connection.created_at),
        updated_at: moment(connection.updated_at),
        last_fetched_at: None,
        credentials: api::CredentialsRead::default(),
    }
}

/// What was read back of a connection's credentials.
pub(super) fn credentials(read: &ReadCredentials) -> api::CredentialsRead {
    let token = read.access_token.as_ref().map(|token| token.expose_secret().to_owned());
    let (access_token, token) = match read.mode {
        AuthMode::OAuth2 => (token, None),
        _ => (None, token),
    };
    api::CredentialsRead {
        kind: Some(read.mode.name().to_owned()),
        raw: access_token.is_some().then(Map::new),
        access_token,
        token,
        expires_at: read.expires_at.map(moment),
    }
}

/// A connection in a list.
pub(super) fn summary(connection: &Connection, integration: &Integration) -> api::ConnectionSummary {
    api::ConnectionSummary {
        id: connection.id.to_string(),
        connection_id: connection.connection_id.clone(),
        provider_config_key: integration.unique_key.clone(),
        provider: integration.provider.clone(),
        name: connection.name.clone(),
        auth_scheme: connection.target.auth_scheme.clone(),
        health: health(connection),
        errors: errors(connection),
        end_user: connection.end_user.as_ref().map(end_user),
        tags: connection.tags.clone(),
        metadata: metadata(connection),
        created: moment(connection.created_at),
    }
}

pub(super) fn stored_health(health: api::Health) -> Health {
    match health {
        api::Health::Unverified => Health::Unverified,
        api::Health::Active => Health::Active,
        api::Health::Expiring => Health::Expiring,
        api::Health::Failing => Health::Failing,
        api::Health::NeedsReconnecting => Health::NeedsReconnecting,
    }
}

/// What a test found.
pub(super) fn report(report: &TestReport) -> api::TestReport {
    api::TestReport {
        available: report.available,
        conclusion: text(&report.conclusion()),
        verdict: report.verdict().map(verdict),
        stages: report.stages.iter().map(stage).collect(),
        capabilities: report.capabilities.clone(),
    }
}

/// What a test tells while it runs.
pub(super) fn progress(event: &TestEvent) -> api::TestProgress {
    match event {
        TestEvent::Started { stage, name, subject } => {
            api::TestProgress::Started { stage: stage.clone(), name: text(name), subject: subject.clone() }
        }
        TestEvent::Ended(report) => api::TestProgress::Ended(Box::new(stage(report))),
    }
}

fn health(connection: &Connection) -> api::ConnectionHealth {
    let detail = &connection.health_detail;
    let found: Option<Verdict> = serde_json::from_value(detail["verdict"].clone()).unwrap_or_default();
    let capabilities: Option<BTreeMap<_, _>> =
        serde_json::from_value(detail["capabilities"].clone()).unwrap_or_default();
    let failure = [&detail["renewal"], &detail["test"]].into_iter().find(|failure| failure.is_object());
    let words = |failure: &Value, member: &str| failure[member].as_str().unwrap_or_default().to_owned();
    api::ConnectionHealth {
        status: match connection.health {
            Health::Unverified => api::Health::Unverified,
            Health::Active => api::Health::Active,
            Health::Expiring => api::Health::Expiring,
            Health::Failing => api::Health::Failing,
            Health::NeedsReconnecting => api::Health::NeedsReconnecting,
        },
        since: moment(connection.health_since),
        tested_at: connection.last_tested_at.map(moment),
        next_try_at: connection.next_test_at.map(moment),
        ends_at: connection.life.ends_at.map(moment),
        verdict: found.as_ref().map(verdict),
        failure: restored_problem(connection).map_or_else(
            || {
                failure.map(|failure| api::HealthFailure {
                    code: words(failure, "code"),
                    what: words(failure, "what"),
                    fix: words(failure, "fix"),
                })
            },
            |problem| {
                Some(api::HealthFailure {
                    code: problem.code.to_owned(),
                    what: problem.what,
                    fix: problem.fix,
                })
            },
        ),
        capabilities: capabilities.unwrap_or_default(),
    }
}

/// Clients of the compatible API ask a user to authorize again when they see an error of the type `auth`.
fn errors(connection: &Connection) -> Vec<api::ConnectionError> {
    let refused = connection.health == Health::NeedsReconnecting;
    let error = || api::ConnectionError { kind: "auth".to_owned(), log_id: connection.id.to_string() };
    refused.then(error).into_iter().collect()
}

fn metadata(connection: &Connection) -> Option<Map<String, Value>> {
    Some(object(&connection.metadata)).filter(|metadata| !metadata.is_empty())
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn stage(report: &StageReport) -> api::StageReport {
    api::StageReport {
        stage: report.stage.clone(),
        name: text(&report.name),
        subject: report.subject.clone(),
        outcome: match report.outcome {
            Outcome::Passed => api::Outcome::Passed,
            Outcome::Failed => api::Outcome::Failed,
            Outcome::NotPermitted => api::Outcome::NotPermitted,
            Outcome::Skipped => api::Outcome::Skipped,
        },
        micros: report.micros,
        verdict: report.verdict.as_ref().map(verdict),
        details: report.details.as_ref().map(details),
    }
}

fn verdict(verdict: &Verdict) -> api::Verdict {
    api::Verdict {
        is: verdict.is.clone(),
        side: problem::side(verdict.side),
        says: text(&verdict.says),
        fix: text(&verdict.fix),
        link: verdict.link.clone(),
    }
}

fn details(details: &Details) -> api::Details {
    api::Details {
        status: details.status,
        code: details.code.clone(),
        request_id: details.request_id.clone(),
        message: details.message.clone(),
        network: details.network.clone(),
        note: details.note.as_ref().map(text),
    }
}

fn text(text: &catalog::Text) -> api::Text {
    api::Text { en: text.en.clone(), ja: text.ja.clone() }
}
