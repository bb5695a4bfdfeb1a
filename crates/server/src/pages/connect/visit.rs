//! Who looks at the Connect UI, from where, and with which session.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_LANGUAGE};
use tombolo_platform::catalog::Language;
use tombolo_platform::connect::SessionAccess;
use tombolo_platform::{EnvironmentSettings, Problem, ProblemKind};

use super::problem::Refused;
use super::view::Head;
use crate::pages::form::LINES;
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
    /// With whose name and colours.
    pub(super) look: Look,
    /// Whether the page stands in a frame of another page, as far as the browser says so.
    pub(super) is_framed: bool,
    /// Whether it is a page's script that asks.
    is_for_script: bool,
}

/// The embedder's name and colours.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    /// What people call the application; empty when nobody said.
    pub(super) name: String,
    /// The address of its logo; empty when there is none.
    pub(super) logo: String,
    /// The address of its colours; empty when they are our own.
    pub(super) sheet: String,
    /// Whether the page says what it is made with.
    pub(super) shows_watermark: bool,
}

impl Look {
    fn new(shell: &Shell, environment: &str, settings: &EnvironmentSettings) -> Self {
        let own = &settings.connect_ui;
        let has_colours = !own.primary_light.is_empty() || !own.primary_dark.is_empty();
        let sheet = has_colours.then(|| shell.to(&format!("/connect/{environment}/theme.css")));
        Self {
            name: own.display_name.clone(),
            logo: own.logo_url.clone(),
            sheet: sheet.unwrap_or_default(),
            shows_watermark: own.show_watermark,
        }
    }
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
        let mut shell = Shell::new(language, Theme::named(theme), &routes.public_url);
        let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_for_script = accepted.starts_with("application/json") || accepted.starts_with(LINES);
        let is_framed = headers.get("sec-fetch-dest").is_some_and(|kind| kind == "iframe");
        let found = routes.platform.linking_environment(environment).await;
        match found.and_then(|found| found.ok_or_else(unknown_environment)) {
            Ok(settings) => {
                if theme.is_empty() {
                    shell.theme = Theme::named(&settings.connect_ui.default_theme);
                }
                let look = Look::new(&shell, environment, &settings);
                Ok(Self {
                    environment: environment.to_owned(),
                    settings,
                    shell,
                    look,
                    is_framed,
                    is_for_script,
                })
            }
            Err(problem) => Err(Refused {
                shell,
                framing: Framing::Nobody,
                origins: String::new(),
                look: Look::default(),
                problem,
                is_for_script,
            }),
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
        let origins = self.settings.allowed_origins.clone();
        Framing::Origins { origins, picture: self.settings.connect_ui.logo_url.clone() }
    }

    /// Whose account is linked to what, for whom, as far as it is known.
    pub(super) fn whom(&self, head: &Head, provider: &str) -> String {
        let user = match head.organization.as_str() {
            "" => head.user.clone(),
            organization => format!("{} ({organization})", head.user),
        };
        let key = match (self.look.name.as_str(), user.as_str()) {
            ("", "") => return String::new(),
            ("", _) => "whom-user",
            (_, "") => "whom-application",
            _ => "whom-both",
        };
        let values = [("provider", provider), ("application", &*self.look.name), ("user", &*user)];
        self.shell.say_all(key, values)
    }

    /// The page that says what is wrong.
    pub(super) fn refused(&self, problem: Problem) -> Refused {
        Refused {
            shell: self.shell.clone(),
            look: self.look.clone(),
            framing: self.framing(),
            origins: self.origins(),
            problem,
            is_for_script: self.is_for_script,
        }
    }

    /// The origins of pages that may frame this one, for its script.
    pub(super) fn origins(&self) -> String {
        self.settings.allowed_origins.join(" ")
    }

    /// The address of the pages, to which a step's name is added after a slash.
    pub(super) fn address(&self) -> String {
        self.shell.to(&format!("/connect/{}", self.environment))
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
