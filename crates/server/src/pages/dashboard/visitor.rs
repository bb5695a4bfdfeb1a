//! Somebody who is signed in and looks at a page.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use tombolo_platform::catalog::Language;
use tombolo_platform::{Access, Problem, Scope};

use super::frame::{Frame, Section};
use crate::pages::page::{Framing, page, with_status};
use crate::pages::shell::{Shell, Theme};
use crate::routes::Routes;
use crate::routes::query::{Preferred, decoded};
use crate::routes::signed_in::SignedIn;

/// The cookies that remember what somebody prefers.
pub(crate) const LANGUAGE_COOKIE: &str = "tombolo_language";
pub(crate) const THEME_COOKIE: &str = "tombolo_theme";

/// Somebody who is signed in, with everything that a page is made for them from.
pub(crate) struct Visitor {
    pub(crate) signed_in: SignedIn,
    pub(crate) shell: Shell,
    /// The names of all environments.
    pub(crate) environments: Vec<String>,
    query: String,
    /// What the cookies for the language and the theme say.
    preferred: [Option<String>; 2],
}

impl FromRequestParts<Routes> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, routes: &Routes) -> Result<Self, Response> {
        let signed_in = SignedIn::from_request_parts(parts, routes).await?;
        let Preferred(preferred) =
            Preferred::from_request_parts(parts, routes).await.unwrap_or(Preferred(Language::En));
        let chosen_language = cookie(&parts.headers, LANGUAGE_COOKIE);
        let chosen_theme = cookie(&parts.headers, THEME_COOKIE);
        let language = chosen_language.as_deref().map_or(preferred, Language::negotiate);
        let theme = chosen_theme.as_deref().and_then(Theme::named);
        let shell = Shell::new(language, theme, &routes.public_url);
        let environments = match routes.platform.environments_of(&signed_in.who).await {
            Ok(all) => all.into_iter().map(|environment| environment.name).collect(),
            Err(_) => vec![signed_in.environment.name.clone()],
        };
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let preferred = [chosen_language, chosen_theme];
        Ok(Self { signed_in, shell, environments, query, preferred })
    }
}

/// The value of a cookie that is no secret: what somebody prefers.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let texts = headers.get_all(http::header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

impl Visitor {
    /// What they may do, for the functions of the platform.
    pub(crate) fn access(&self) -> &Access {
        &self.signed_in.access
    }

    /// Whether a button makes sense.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.signed_in.may(scope)
    }

    /// What one of the cookies [`LANGUAGE_COOKIE`] and [`THEME_COOKIE`] says; empty without it.
    pub(crate) fn preferred(&self, cookie: &str) -> String {
        let [language, theme] = &self.preferred;
        let chosen = if cookie == LANGUAGE_COOKIE { language } else { theme };
        chosen.clone().unwrap_or_default()
    }

    /// A parameter of the address; empty when it is not there.
    pub(crate) fn parameter(&self, name: &str) -> String {
        parameter(&self.query, name)
    }

    /// The frame of a page.
    pub(crate) fn frame(&self, section: Section, title: impl Into<String>) -> Frame {
        Frame::new(self, section, title.into())
    }

    /// The address of a page in the environment.
    pub(crate) fn to(&self, path: &str) -> String {
        let separator = if path.is_empty() { "" } else { "/" };
        self.shell.to(&format!("/dashboard/{}{separator}{path}", self.signed_in.environment.name))
    }

    /// A problem as a page of the dashboard.
    pub(crate) fn failed(&self, section: Section, problem: &Problem) -> Response {
        self.told(section, problem, self.in_words(problem))
    }

    /// The same, with what happened and what to do in words of somebody else's.
    pub(crate) fn told(
        &self,
        section: Section,
        problem: &Problem,
        (what, fix): (String, String),
    ) -> Response {
        let page = Failed {
            shell: &self.shell,
            frame: self.frame(section, self.shell.say("problem-title")),
            what,
            fix,
            details: format!("{}: {}", problem.code, problem.what),
        };
        let status = StatusCode::from_u16(problem.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        with_status(status, &page, &Framing::Nobody)
    }

    /// What happened and what to do, in the language of the page.
    pub(crate) fn in_words(&self, problem: &Problem) -> (String, String) {
        let fields: Vec<&str> = problem.fields.iter().map(|fault| self.shell.of(&fault.message)).collect();
        if !fields.is_empty() {
            return (fields.join(" "), String::new());
        }
        crate::pages::connect::problem_in_words(&self.shell, problem)
    }

    /// Asks before something is deleted: what it is called, what happens then, where the answer goes, and the way back.
    pub(crate) fn confirm(
        &self,
        section: Section,
        name: &str,
        note: &str,
        (action, back): (&str, &str),
    ) -> Response {
        let question = self.shell.say_with("delete-question", "name", name);
        let confirm = Confirm {
            shell: &self.shell,
            frame: self.frame(section, question.clone()),
            question,
            note: self.shell.say(note),
            action: self.to(action),
            back: self.to(back),
        };
        page(&confirm, &Framing::Nobody)
    }

    /// A problem as one line above a form.
    pub(crate) fn problem_line(&self, problem: &Problem) -> String {
        let (what, fix) = self.in_words(problem);
        // What has no words of its own in the language of the page is told as it is.
        let is_general = what == self.shell.say("problem-what");
        let detail = if is_general { format!(" ({})", problem.what) } else { String::new() };
        format!("{what} {fix}{detail}").trim_end().to_owned()
    }

    /// Sends the browser on to a page that says what was done, by the key of its words.
    pub(crate) fn done(&self, path: &str, done: &str) -> Response {
        let separator = if path.contains('?') { '&' } else { '?' };
        go_to(&format!("{}{separator}done={done}", self.to(path)))
    }
}

/// Sends a browser to an address of ours.
pub(crate) fn go_to(address: &str) -> Response {
    crate::routes::see_other(address)
        .unwrap_or_else(|| (StatusCode::INTERNAL_SERVER_ERROR, "no address").into_response())
}

/// A parameter of a query.
pub(crate) fn parameter(query: &str, name: &str) -> String {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).and_then(|(_, value)| decoded(value).ok()).unwrap_or_default()
}

#[derive(askama::Template)]
#[template(path = "dashboard/confirm.html")]
struct Confirm<'a> {
    shell: &'a Shell,
    frame: Frame,
    question: String,
    note: String,
    action: String,
    back: String,
}

#[derive(askama::Template)]
#[template(path = "dashboard/failed.html")]
struct Failed<'a> {
    shell: &'a Shell,
    frame: Frame,
    what: String,
    fix: String,
    details: String,
}
