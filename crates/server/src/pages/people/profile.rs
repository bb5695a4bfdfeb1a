//! A person's own page: their name, their password, and where they are signed in.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use tombolo_platform::Problem;
use tombolo_platform::catalog::FieldError;

use super::PROFILE;
use super::entry::{own_path, to};
use super::form::{Line, Posted};
use super::view::{Looker, in_words, minute, refused, status_of};
use crate::pages::dashboard::{Frame, Section, Visitor};
use crate::pages::page::{Framing, with_status};
use crate::pages::shell::Shell;
use crate::routes::Routes;
use crate::routes::signed_in::{SignedIn, environment_cookie, sign_in_cookie, with_cookie};

#[derive(Template)]
#[template(path = "people/profile.html")]
struct ProfilePage<'a> {
    shell: &'a Shell,
    frame: Frame,
    signed_in: &'a SignedIn,
    name: Line,
    /// What the identity provider is called, if there is one.
    provider: Option<String>,
    has_passwords: bool,
    passwords: Vec<Line>,
    sign_ins: Vec<Row>,
    /// The names of the environments to act in.
    environments: Vec<String>,
}

/// What the person is signed in with.
struct Row {
    id: String,
    browser: String,
    since: String,
    used: String,
    is_this: bool,
}

pub(super) async fn look(State(routes): State<Routes>, visitor: Visitor) -> Response {
    page(&routes, &visitor, (StatusCode::OK, &[])).await
}

pub(super) async fn rename(State(routes): State<Routes>, visitor: Visitor, posted: Posted) -> Response {
    let renamed = routes.platform.rename_self(&visitor.signed_in.who, posted.text("display_name")).await;
    match renamed {
        Ok(()) => to(&posted.looker, PROFILE),
        Err(problem) => again(&routes, &visitor, &posted.looker, &problem).await,
    }
}

pub(super) async fn change_password(
    State(routes): State<Routes>,
    visitor: Visitor,
    posted: Posted,
) -> Response {
    let (current, new) = (posted.secret("current_password"), posted.secret("password"));
    let browser = &posted.looker.browser;
    let who = &visitor.signed_in.who;
    let changed = routes.platform.change_own_password(who, &current, &new, browser).await;
    match changed.and_then(|token| sign_in_cookie(&routes, &token)) {
        Ok(cookie) => with_cookie(to(&posted.looker, PROFILE), cookie),
        Err(problem) => again(&routes, &visitor, &posted.looker, &problem).await,
    }
}

pub(super) async fn end_sign_in(
    State(routes): State<Routes>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    looker: Looker,
) -> Response {
    match routes.platform.end_sign_in(&signed_in.who, &id).await {
        // One that ended meanwhile is what was wanted.
        Ok(()) => to(&looker, PROFILE),
        Err(problem) if problem.code == "unknown_sign_in" => to(&looker, PROFILE),
        Err(problem) => refused(&looker, &problem),
    }
}

/// A browser as people call it: what it says of itself names others for the sake of old pages.
fn told(agent: &str) -> String {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("HeadlessChrome/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => agent.to_owned(),
    }
}

/// Has pages that do not name an environment act in this one.
pub(super) async fn choose_environment(
    State(routes): State<Routes>,
    signed_in: SignedIn,
    posted: Posted,
) -> Response {
    let looker = &posted.looker;
    match routes.platform.access_of(&signed_in.who, Some(posted.text("environment"))).await {
        Ok((_, environment)) => match environment_cookie(&routes, &environment.name) {
            Ok(cookie) => with_cookie(to(looker, own_path(posted.text("return"))), cookie),
            Err(problem) => refused(looker, &problem),
        },
        Err(problem) => refused(looker, &problem),
    }
}

/// The page with what is wrong, if that is about its fields.
async fn again(routes: &Routes, visitor: &Visitor, looker: &Looker, problem: &Problem) -> Response {
    if problem.fields.is_empty() {
        return refused(looker, problem);
    }
    page(routes, visitor, (status_of(problem), &problem.fields)).await
}

async fn page(routes: &Routes, visitor: &Visitor, (status, faults): (StatusCode, &[FieldError])) -> Response {
    let signed_in = &visitor.signed_in;
    let found = async {
        let sign_ins = routes.platform.own_sign_ins(&signed_in.who).await?;
        Ok((sign_ins, routes.platform.environments_of(&signed_in.who).await?))
    };
    let (sign_ins, environments) = match found.await {
        Ok(found) => found,
        Err(problem) => return visitor.told(Section::Profile, &problem, in_words(&visitor.shell, &problem)),
    };
    let (shell, user) = (&visitor.shell, &signed_in.who.user);
    let passwords = vec![
        Line::password("current_password", shell.say("current-password"), "current-password"),
        Line::password("password", shell.say("new-password"), "new-password")
            .with_help(shell.say("password-help")),
    ];
    let name = Line::text("display_name", shell.say("display-name"), "name").with_value(&user.display_name);
    let page = ProfilePage {
        shell,
        frame: visitor.frame(Section::Profile, shell.say("profile-title")),
        signed_in,
        provider: routes.platform.identity_provider_name(),
        has_passwords: routes.platform.has_password_sign_in(),
        name: name.judged(shell, faults),
        environments: environments.into_iter().map(|environment| environment.name).collect(),
        passwords: passwords.into_iter().map(|line| line.judged(shell, faults)).collect(),
        sign_ins: sign_ins
            .into_iter()
            .map(|sign_in| Row {
                is_this: sign_in.id == signed_in.who.sign_in.id,
                id: sign_in.id.to_string(),
                browser: told(&sign_in.browser),
                since: minute(sign_in.created_at),
                used: minute(sign_in.used_at),
            })
            .collect(),
    };
    with_status(status, &page, &Framing::Nobody)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_as_people_call_them() {
        for (agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox · Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
                "Edge · Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/18.0 Safari/605.1",
                "Safari · macOS",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", ""),
        ] {
            assert_eq!(told(agent), expected);
        }
    }
}
