//! Choosing a password under a link.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use tombolo_platform::Problem;
use tombolo_platform::catalog::FieldError;
use tombolo_platform::users::ChosenPassword;

use super::entry::to;
use super::form::{Line, Posted};
use super::view::{Entry, Looker, Trouble, refused, status_of};
use crate::routes::signed_in::{HOME, sign_in_cookie, with_cookie};
use crate::routes::users::INVITATION;
use crate::routes::{Routes, refuse_other_pages};

/// The page. What the link is about stands in its fragment, so the server learns it with the form.
pub(super) async fn look(looker: Looker) -> Response {
    page(&looker, None, ["", ""], &[]).answer(StatusCode::OK)
}

pub(super) async fn choose(State(routes): State<Routes>, headers: HeaderMap, posted: Posted) -> Response {
    let looker = &posted.looker;
    match take(&routes, &headers, &posted).await {
        Ok(response) => response,
        Err(problem) if problem.code == "other_site" => refused(looker, &problem),
        Err(problem) => {
            let typed = ["token", "display_name"].map(|name| posted.text(name));
            let trouble = Trouble::of(&looker.shell, &problem);
            page(looker, trouble, typed, &problem.fields).answer(status_of(&problem))
        }
    }
}

async fn take(routes: &Routes, headers: &HeaderMap, posted: &Posted) -> Result<Response, Problem> {
    refuse_other_pages(routes, headers)?;
    let chosen = ChosenPassword {
        display_name: posted.text("display_name").to_owned(),
        password: posted.secret("password"),
    };
    let (secret, browser) = (posted.secret("token"), &posted.looker.browser);
    let (token, _) = routes.platform.choose_password(&secret, &chosen, browser).await?;
    Ok(with_cookie(to(&posted.looker, HOME), sign_in_cookie(routes, &token)?))
}

fn page<'a>(
    looker: &'a Looker,
    trouble: Option<Trouble>,
    [token, name]: [&str; 2],
    faults: &[FieldError],
) -> Entry<'a> {
    let shell = &looker.shell;
    let of_link = Line {
        is_from_address: true,
        ..Line::text("token", shell.say("link-token"), "off").with_help(shell.say("link-token-help"))
    };
    let lines = vec![
        of_link.with_value(token),
        Line { optional: true, ..Line::text("display_name", shell.say("display-name"), "name") }
            .with_help(shell.say("display-name-help"))
            .with_value(name),
        Line::password("password", shell.say("password"), "new-password")
            .with_help(shell.say("password-help")),
    ];
    Entry {
        shell,
        title: shell.say("invitation-title"),
        lead: shell.say("invitation-lead"),
        trouble,
        elsewhere: None,
        action: shell.to(INVITATION),
        lines: lines.into_iter().map(|line| line.judged(shell, faults)).collect(),
        back: String::new(),
        button: shell.say("invitation-button"),
        foot: String::new(),
    }
}
