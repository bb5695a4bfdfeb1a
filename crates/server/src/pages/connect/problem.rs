//! What somebody sees when it does not go on.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tombolo_platform::catalog::Language;
use tombolo_platform::{Problem, ProblemKind};

use crate::pages::page::{Framing, with_status};
use crate::pages::shell::Shell;

/// A problem as a page.
pub(super) struct Refused {
    pub(super) shell: Shell,
    pub(super) framing: Framing,
    pub(super) origins: String,
    pub(super) problem: Problem,
}

#[derive(Template)]
#[template(path = "connect/problem.html")]
struct ProblemPage<'a> {
    shell: &'a Shell,
    origins: &'a str,
    title: String,
    what: String,
    fix: String,
    details: String,
    error_type: &'static str,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { shell, framing, origins, problem } = self;
        if matches!(problem.kind, ProblemKind::Internal) {
            tracing::error!(code = problem.code, problem = %problem.what, "a page failed on our side");
        }
        let (what, fix) = in_words(&shell, &problem);
        let details = format!("{}: {}", problem.code, problem.what);
        let status = StatusCode::from_u16(problem.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let page = ProblemPage {
            title: shell.say(if is_over(&problem) { "session-over-title" } else { "problem-title" }),
            shell: &shell,
            origins: &origins,
            what,
            fix,
            details,
            error_type: error_type(&problem),
        };
        with_status(status, &page, &framing)
    }
}

/// Whether the session has ended, so that nothing can be done here.
fn is_over(problem: &Problem) -> bool {
    matches!(problem.code, "unknown_connect_session_token" | "invalid_connect_session_token_format")
}

/// What happened and what to do, in the language of the page. Problems are told in English; those that people meet here have
/// words of their own, and of the others the Japanese page tells the English text as a detail.
pub(in crate::pages) fn in_words(shell: &Shell, problem: &Problem) -> (String, String) {
    let own = match problem.code {
        "unknown_connect_session_token" | "invalid_connect_session_token_format" => Some("session-over"),
        "unknown_environment" => Some("unknown-environment"),
        "unknown_provider_config" | "integration_not_allowed" => Some("not-for-this"),
        "name_taken" => Some("name-taken"),
        "other_site" => Some("other-site"),
        "token_refused" | "authorization_dead" => Some("token-refused"),
        "secret_needed" => Some("secret-needed"),
        "no_way_back" => Some("no-way-back"),
        "no_oauth_client" | "several_oauth_clients" | "oauth_client_unfinished" => Some("no-client"),
        "unknown_call" => Some("unknown-call"),
        "unknown_job"
        | "unknown_webhook"
        | "unknown_webhook_delivery"
        | "unknown_webhook_event"
        | "unknown_recipient" => Some("unknown-thing"),
        "forbidden" => Some("forbidden"),
        "unique_key_taken" => Some("taken"),
        "webhook_disabled" => Some("webhook-disabled"),
        "too_many_webhooks" | "too_many_recipients" => Some("too-many"),
        "unreadable_time" => Some("time-unreadable"),
        "job_not_dead" => Some("job-not-dead"),
        "job_finished" => Some("job-finished"),
        "unknown_choice" => Some("unknown-choice"),
        _ => None,
    };
    match (own, shell.language) {
        (Some(key), _) => (shell.say(&format!("{key}-what")), shell.say(&format!("{key}-fix"))),
        (None, Language::En) => (format!("{}.", problem.what.trim_end_matches('.')), problem.fix.clone()),
        (None, Language::Ja) => (shell.say("problem-what"), shell.say("problem-fix")),
    }
}

/// How pages of the compatible API call what went wrong.
pub(super) fn error_type(problem: &Problem) -> &'static str {
    match problem.code {
        "connection_test_failed" => "connection_test_failed",
        "unknown_connect_session_token" | "invalid_connect_session_token_format" => {
            "missing_connect_session_token"
        }
        "invalid_fields" | "invalid_body" => "connection_validation_failed",
        _ => "unknown_error",
    }
}
