//! What somebody sees when it does not go on.

use askama::Template;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tombolo_platform::catalog::Language;
use tombolo_platform::{Problem, ProblemKind};

use super::visit::Look;
use crate::pages::page::{Framing, with_status};
use crate::pages::shell::Shell;

/// A problem as a page.
pub(super) struct Refused {
    pub(super) shell: Shell,
    pub(super) look: Look,
    pub(super) framing: Framing,
    pub(super) origins: String,
    pub(super) problem: Problem,
    /// Whether a page's script asked, which shows it itself.
    pub(super) is_for_script: bool,
}

#[derive(Template)]
#[template(path = "connect/problem.html")]
struct ProblemPage<'a> {
    shell: &'a Shell,
    look: &'a Look,
    origins: &'a str,
    title: String,
    what: String,
    fix: String,
    details: String,
    error_type: &'static str,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { shell, look, framing, origins, problem, is_for_script } = self;
        if matches!(problem.kind, ProblemKind::Internal) {
            tracing::error!(code = problem.code, problem = %problem.what, "a page failed on our side");
        }
        let (what, fix) = in_words(&shell, &problem);
        let details = format!("{}: {}", problem.code, problem.what);
        let status = StatusCode::from_u16(problem.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if is_for_script {
            let told = json!({ "type": "problem", "errorType": error_type(&problem), "what": what, "fix": fix, "fields": [] });
            return (status, Json(told)).into_response();
        }
        let page = ProblemPage {
            title: shell.say(if is_over(&problem) { "session-over-title" } else { "problem-title" }),
            shell: &shell,
            look: &look,
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

/// What happened and what to do, in the language of the page.
pub(in crate::pages) fn in_words(shell: &Shell, problem: &Problem) -> (String, String) {
    in_words_of(shell, problem.code, &problem.what, &problem.fix)
}

/// The same, of a problem that was kept. Problems are told in English; those that people meet here have words of their own,
/// and of the others the Japanese page tells the English text as a detail.
pub(super) fn in_words_of(shell: &Shell, code: &str, what: &str, fix: &str) -> (String, String) {
    let own = match code {
        "unknown_connect_session_token" | "invalid_connect_session_token_format" | "session_over" => {
            Some("session-over")
        }
        "unknown_environment" => Some("unknown-environment"),
        "unknown_provider_config" | "integration_not_allowed" => Some("not-for-this"),
        "name_taken" => Some("name-taken"),
        "other_site" => Some("other-site"),
        "token_refused" => Some("token-refused"),
        "authorization_dead" | "token_unanswered" => Some("answer-lost"),
        "secret_needed" => Some("secret-needed"),
        "no_way_back" | "end_user_needed" | "return_url_refused" => Some("no-way-back"),
        "no_oauth_client" | "several_oauth_clients" | "oauth_client_unfinished" => Some("no-client"),
        "unknown_oauth_client" => Some("unknown-client"),
        "oauth_clients_not_allowed" => Some("clients-not-allowed"),
        "redirect_uri_used" => Some("redirect-uri-used"),
        "too_many_oauth_clients" => Some("too-many-clients"),
        "unknown_call" => Some("unknown-call"),
        "unknown_page" => Some("unknown-page"),
        "unknown_connection"
        | "unknown_integration"
        | "unknown_api_key"
        | "unknown_job"
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
        "authorization_denied" => Some("denied"),
        "authorization_refused" | "state_unknown" | "no_code" => Some("other-browser"),
        "other_end_user" => Some("other-user"),
        "gate_typed_by_hand" => Some("gate-typed-by-hand"),
        "rejected" => Some("rejected"),
        "window_over" | "unknown_authorization" => Some("window-over"),
        "too_many_windows" => Some("too-many-windows"),
        "host_not_allowed" => Some("host-not-allowed"),
        _ => None,
    };
    match (own, shell.language) {
        (Some(key), _) => (shell.say(&format!("{key}-what")), shell.say(&format!("{key}-fix"))),
        (None, Language::En) => (format!("{}.", what.trim_end_matches('.')), fix.to_owned()),
        (None, Language::Ja) => (shell.say("problem-what"), shell.say("problem-fix")),
    }
}

/// How pages of the compatible API call what went wrong.
pub(in crate::pages) fn error_type(problem: &Problem) -> &'static str {
    error_type_of(problem.code)
}

/// The same, by the problem's code.
pub(super) fn error_type_of(code: &str) -> &'static str {
    match code {
        "connection_test_failed" => "connection_test_failed",
        "unknown_connect_session_token" | "invalid_connect_session_token_format" => {
            "missing_connect_session_token"
        }
        "invalid_fields" | "invalid_body" => "connection_validation_failed",
        _ => "unknown_error",
    }
}
