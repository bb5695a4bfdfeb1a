//! What these pages have in common.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use tombolo_platform::catalog::Language;
use tombolo_platform::users::Browser;
use tombolo_platform::{Problem, ProblemKind, store};

use super::form::Line;
use crate::pages::page::{Framing, with_status};
use crate::pages::shell::Shell;
use crate::routes::query::Preferred;
use crate::routes::signed_in::browser;
use crate::routes::{Peer, RequestId, Routes};

/// Whoever looks at a page, signed in or not.
pub(crate) struct Looker {
    pub(super) shell: Shell,
    pub(super) browser: Browser,
    pub(super) request_id: RequestId,
}

impl FromRequestParts<Routes> for Looker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, routes: &Routes) -> Result<Self, Infallible> {
        let Preferred(language) = Preferred::from_request_parts(parts, routes).await?;
        let request_id = RequestId::from_request_parts(parts, routes).await?;
        let browser = browser(parts.extensions.get::<Peer>(), &parts.headers);
        Ok(Self { shell: Shell::new(language, None, &routes.public_url), browser, request_id })
    }
}

/// A page with one form: signing in, setting up, choosing a password.
#[derive(Template)]
#[template(path = "people/entry.html")]
pub(super) struct Entry<'a> {
    pub(super) shell: &'a Shell,
    pub(super) title: String,
    pub(super) lead: String,
    /// What is wrong with what was sent before.
    pub(super) trouble: Option<Trouble>,
    /// Another way in than the form.
    pub(super) elsewhere: Option<Elsewhere>,
    pub(super) action: String,
    /// The fields of the form; none when there is no form.
    pub(super) lines: Vec<Line>,
    /// Where to go on afterwards.
    pub(super) back: String,
    pub(super) button: String,
    pub(super) foot: String,
}

/// A way in that is not ours.
pub(super) struct Elsewhere {
    pub(super) label: String,
    pub(super) address: String,
}

/// What went wrong, and what to do.
pub(super) struct Trouble {
    pub(super) what: String,
    pub(super) fix: String,
}

impl Trouble {
    /// A problem in the language of the page; none when its fields say it all.
    pub(super) fn of(shell: &Shell, problem: &Problem) -> Option<Self> {
        if !problem.fields.is_empty() {
            return None;
        }
        let (what, fix) = in_words(shell, problem);
        Some(Self { what, fix })
    }
}

impl Entry<'_> {
    pub(super) fn answer(&self, status: StatusCode) -> Response {
        with_status(status, self, &Framing::Nobody)
    }
}

#[derive(Template)]
#[template(path = "people/problem.html")]
struct ProblemPage<'a> {
    shell: &'a Shell,
    title: String,
    what: String,
    fix: String,
    details: String,
    home: String,
}

/// A page that says why something was not done.
pub(crate) fn refused(looker: &Looker, problem: &Problem) -> Response {
    let (shell, RequestId(id)) = (&looker.shell, &looker.request_id);
    if matches!(problem.kind, ProblemKind::Internal) {
        tracing::error!(request_id = %id, code = problem.code, problem = %problem.what, "a page failed on our side");
    }
    let (what, fix) = in_words(shell, problem);
    let page = ProblemPage {
        shell,
        title: shell.say("people-problem-title"),
        what,
        fix,
        details: format!("{}: {} ({id})", problem.code, problem.what),
        home: shell.to(super::PROFILE),
    };
    with_status(status_of(problem), &page, &Framing::Nobody)
}

pub(super) fn status_of(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What happened and what to do, in the language of the page. Problems are told in English; those that people meet here have
/// words of their own, and of the others the Japanese page tells the English text as a detail.
pub(super) fn in_words(shell: &Shell, problem: &Problem) -> (String, String) {
    match problem.code {
        "sign_in_refused" => (shell.say("sign-in-refused-what"), shell.say("sign-in-refused-fix")),
        "set_up_already" => (shell.say("set-up-already-what"), shell.say("set-up-already-fix")),
        "unknown_set_up_token" => (shell.say("set-up-token-what"), shell.say("set-up-token-fix")),
        "unknown_link" => (shell.say("link-ended-what"), shell.say("link-ended-fix")),
        "passwords_off" => (shell.say("passwords-off-what"), shell.say("passwords-off-fix")),
        code if code.starts_with("oidc_") => {
            let key = code.replace('_', "-");
            (shell.say(&format!("{key}-what")), shell.say(&format!("{key}-fix")))
        }
        "unknown_environment" => {
            (shell.say("unknown-environment-what"), shell.say("unknown-environment-fix"))
        }
        "other_site" | "other_form" => (shell.say("other-form-what"), shell.say("other-form-fix")),
        "busy" => (shell.say("people-busy-what"), shell.say("people-busy-fix")),
        "forbidden" => (shell.say("not-your-role-what"), shell.say("not-your-role-fix")),
        "last_administrator" => (shell.say("last-admin-what"), shell.say("last-admin-fix")),
        "unique_key_taken" => (shell.say("login-taken-what"), shell.say("login-taken-fix")),
        "version_conflict" | "unknown_user" | "unknown_provider_request" => {
            (shell.say("changed-meanwhile-what"), shell.say("changed-meanwhile-fix"))
        }
        _ if shell.language == Language::En => {
            (format!("{}.", problem.what.trim_end_matches('.')), problem.fix.clone())
        }
        _ => (shell.say("people-problem-what"), shell.say("people-problem-fix")),
    }
}

/// A moment as pages show it to the minute, and as browsers read it.
pub(super) fn minute(at: store::Timestamp) -> String {
    let text = crate::routes::moment(at).to_string();
    text.get(..16).map_or(text.clone(), |minute| format!("{} UTC", minute.replace('T', " ")))
}
