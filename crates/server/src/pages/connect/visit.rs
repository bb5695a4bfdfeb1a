//! Who looks at the Connect UI, from where, and with which session.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use tombolo_platform::catalog::Language;
use tombolo_platform::connect::SessionAccess;
use tombolo_platform::{EnvironmentSettings, Problem, ProblemKind};

use super::problem::Refused;
use crate::pages::page::Framing;
use crate::pages::shell::{Shell, Theme};
use crate::routes::Routes;

/// Somebody who looks at the pages of an environment.
pub(super) struct Visit {
    /// The environment's name.
    pub(super) environment: String,
    /// What its administrators decided.
    pub(super) settings: EnvironmentSettings,
    /// Language, theme and addresses.
    pub(super) shell: Shell,
}

impl Visit {
    /// Looks the environment up. The language and the theme that were chosen win over what the browser prefers.
    pub(super) async fn new(
        routes: &Routes,
        environment: &str,
        headers: &HeaderMap,
        (language, theme): (&str, &str),
    ) -> Result<Self, Refused> {
        let preferred =
            headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let language = Language::negotiate(if language.is_empty() { preferred } else { language });
        let shell = Shell::new(language, Theme::named(theme), &routes.public_url);
        let found = routes.platform.linking_environment(environment).await;
        match found.and_then(|found| found.ok_or_else(unknown_environment)) {
            Ok(settings) => Ok(Self { environment: environment.to_owned(), settings, shell }),
            Err(problem) => Err(Refused { shell, framing: Framing::Nobody, origins: String::new(), problem }),
        }
    }

    /// The session with a token. It has to be one of this environment, whose origins decide who may frame its pages.
    pub(super) async fn session(&self, routes: &Routes, token: &str) -> Result<SessionAccess, Problem> {
        let holder = routes.platform.session_access(token).await?;
        let environment = routes.platform.environment_of(&holder.access).await?;
        if environment.name == self.environment { Ok(holder) } else { Err(other_environment()) }
    }

    /// Who may show the pages within one of theirs.
    pub(super) fn framing(&self) -> Framing {
        Framing::Origins(self.settings.allowed_origins.clone())
    }

    /// The page that says what is wrong.
    pub(super) fn refused(&self, problem: Problem) -> Refused {
        Refused { shell: self.shell.clone(), framing: self.framing(), origins: self.origins(), problem }
    }

    /// The origins of pages that may frame this one, for its script.
    pub(super) fn origins(&self) -> String {
        self.settings.allowed_origins.join(" ")
    }

    /// The address of a step.
    pub(super) fn to(&self, step: &str) -> String {
        self.shell.to(&format!("/connect/{}/{step}", self.environment))
    }
}

fn unknown_environment() -> Problem {
    Problem::not_found("unknown_environment", "There is no such environment")
}

fn other_environment() -> Problem {
    let what = "The connect session belongs to another environment";
    let fix = "Open the address that came with the session.";
    Problem::new(ProblemKind::Unauthenticated, "unknown_connect_session_token", what, fix)
}

/// Refuses what a page of another site sent: it could have somebody link an account without having seen whom it is for.
pub(super) fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Problem> {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    match site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => {
            let what = "The request came from a page of another site";
            let fix = "Open the link itself, and go on from its page.";
            Err(Problem::new(ProblemKind::Forbidden, "other_site", what, fix))
        }
    }
}
