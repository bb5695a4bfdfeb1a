use std::time::Duration;

use askama::Template;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use http::HeaderValue;
use tombolo_platform::Problem;

use super::{Page, Tab, tabs};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::Choice;
use crate::pages::dashboard::visitor::{LANGUAGE_COOKIE, THEME_COOKIE, Visitor};
use crate::pages::form::Posted;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;

/// How long a browser remembers what somebody prefers.
const REMEMBERED: Duration = Duration::from_hours(365 * 24);
/// Leaves it to the browser.
const BROWSER: &str = "browser";
const THEMES: [&str; 3] = [BROWSER, "light", "dark"];
const LANGUAGES: [&str; 3] = [BROWSER, "en", "ja"];

#[derive(Template)]
#[template(path = "dashboard/settings/appearance.html")]
struct Appearance<'a> {
    shell: &'a Shell,
    frame: Frame,
    tabs: Vec<Tab>,
    themes: Vec<Choice>,
    languages: Vec<Choice>,
}

pub(super) async fn show(visitor: Visitor) -> Response {
    let shell = &visitor.shell;
    let choices = |names: [&str; 3], chosen: &str, kind: &str| {
        let known = if names.contains(&chosen) { chosen } else { BROWSER };
        names
            .map(|name| (name.to_owned(), shell.say(&format!("settings-{kind}-{name}")), name == known))
            .into()
    };
    let appearance = Appearance {
        shell,
        frame: visitor.frame(Section::Settings, shell.say("settings-appearance")),
        tabs: tabs(&visitor, Page::Appearance),
        themes: choices(THEMES, &visitor.preferred(THEME_COOKIE), "theme"),
        languages: choices(LANGUAGES, &visitor.preferred(LANGUAGE_COOKIE), "language"),
    };
    page(&appearance, &Framing::Nobody)
}

/// Has the browser remember it. It is no secret and lets nobody in: scripts may read it, and it is shared by all servers of a
/// host.
pub(super) async fn save(visitor: Visitor, posted: Posted) -> Response {
    let theme = cookie(&visitor, THEME_COOKIE, posted.text("theme"), THEMES);
    let language = cookie(&visitor, LANGUAGE_COOKIE, posted.text("language"), LANGUAGES);
    match theme.and_then(|theme| Ok([theme, language?])) {
        Ok(cookies) => {
            let mut response = visitor.done("settings/appearance", "saved");
            for cookie in cookies {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            response
        }
        Err(problem) => visitor.failed(Section::Settings, &problem),
    }
}

fn cookie(visitor: &Visitor, name: &str, value: &str, known: [&str; 3]) -> Result<HeaderValue, Problem> {
    let unknown = || {
        Problem::invalid("unknown_choice", "This is none of the choices", "Choose one of those on the page.")
    };
    let known = known.into_iter().find(|known| *known == value).ok_or_else(unknown)?;
    let (value, seconds) = if known == BROWSER { ("", 0) } else { (known, REMEMBERED.as_secs()) };
    let path = visitor.shell.to("/");
    let text = format!("{name}={value}; Path={path}; SameSite=Lax; Max-Age={seconds}");
    HeaderValue::try_from(text).map_err(|_| unknown())
}
