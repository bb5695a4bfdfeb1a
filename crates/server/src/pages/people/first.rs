//! The first administrator.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use tombolo_platform::Problem;
use tombolo_platform::catalog::FieldError;
use tombolo_platform::users::FirstAdministrator;

use super::entry::to;
use super::form::{Line, Posted};
use super::view::{Entry, Looker, Trouble, refused, status_of};
use crate::routes::signed_in::{HOME, SIGN_IN, sign_in_cookie, with_cookie};
use crate::routes::{Routes, SET_UP, refuse_other_pages};

/// The page, as long as there is nobody.
pub(super) async fn look(State(routes): State<Routes>, looker: Looker) -> Response {
    match routes.platform.is_set_up().await {
        Ok(true) => to(&looker, SIGN_IN),
        Ok(false) => page(&looker, None, ["", "", ""], &[]).answer(StatusCode::OK),
        Err(problem) => refused(&looker, &problem),
    }
}

pub(super) async fn set_up(State(routes): State<Routes>, headers: HeaderMap, posted: Posted) -> Response {
    let looker = &posted.looker;
    match make(&routes, &headers, &posted).await {
        Ok(response) => response,
        Err(problem) if matches!(problem.code, "other_site" | "set_up_already") => refused(looker, &problem),
        Err(problem) => {
            let typed = ["token", "login", "display_name"].map(|name| posted.text(name));
            let trouble = Trouble::of(&looker.shell, &problem);
            page(looker, trouble, typed, &problem.fields).answer(status_of(&problem))
        }
    }
}

async fn make(routes: &Routes, headers: &HeaderMap, posted: &Posted) -> Result<Response, Problem> {
    refuse_other_pages(routes, headers)?;
    let first = FirstAdministrator {
        login: posted.text("login").to_owned(),
        display_name: posted.text("display_name").to_owned(),
        password: posted.secret("password"),
    };
    let (token, browser) = (posted.secret("token"), &posted.looker.browser);
    let (sign_in, _) = routes.platform.set_up(&token, &first, browser).await?;
    Ok(with_cookie(to(&posted.looker, HOME), sign_in_cookie(routes, &sign_in)?))
}

fn page<'a>(
    looker: &'a Looker,
    trouble: Option<Trouble>,
    [token, login, name]: [&str; 3],
    faults: &[FieldError],
) -> Entry<'a> {
    let shell = &looker.shell;
    let printed = Line {
        is_from_address: true,
        ..Line::text("token", shell.say("set-up-token"), "off").with_help(shell.say("set-up-token-help"))
    };
    let lines = vec![
        printed.with_value(token),
        Line::text("login", shell.say("login"), "username")
            .with_help(shell.say("login-help"))
            .with_value(login),
        Line { optional: true, ..Line::text("display_name", shell.say("display-name"), "name") }
            .with_value(name),
        Line::password("password", shell.say("password"), "new-password")
            .with_help(shell.say("password-help")),
    ];
    Entry {
        shell,
        title: shell.say("set-up-title"),
        lead: shell.say("set-up-lead"),
        trouble,
        elsewhere: None,
        action: shell.to(SET_UP),
        lines: lines.into_iter().map(|line| line.judged(shell, faults)).collect(),
        back: String::new(),
        button: shell.say("set-up-button"),
        foot: String::new(),
    }
}
