//! Signing in and out.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tombolo_platform::Problem;

use super::form::{Line, Posted};
use super::oidc::BEGIN;
use super::view::{Elsewhere, Entry, Looker, Trouble, refused, status_of};
use crate::routes::query::decoded;
use crate::routes::signed_in::{
    HOME, SIGN_IN, SignedIn, is_signed_in, no_sign_in_cookie, sign_in_cookie, with_cookie,
};
use crate::routes::{Routes, SET_UP, refuse_other_pages, see_other};

/// Longer than any address of ours.
const BACK_MAX: usize = 2000;

/// The page to sign in. Whoever is signed in already goes on; while there is nobody who could, to where the first
/// administrator is made.
pub(super) async fn look(
    State(routes): State<Routes>,
    looker: Looker,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let back = &asked_back(query.as_deref());
    match routes.platform.is_set_up().await {
        Ok(true) => {}
        Ok(false) => return to(&looker, SET_UP),
        Err(problem) => return refused(&looker, &problem),
    }
    if is_signed_in(&routes, &headers).await {
        return to(&looker, back);
    }
    page(&routes, &looker, None, "", back).answer(StatusCode::OK)
}

pub(super) async fn sign_in(State(routes): State<Routes>, headers: HeaderMap, posted: Posted) -> Response {
    let looker = &posted.looker;
    let back = own_path(posted.text("return"));
    match enter(&routes, &headers, &posted).await {
        Ok(response) => response,
        Err(problem) if problem.code == "other_site" => refused(looker, &problem),
        Err(problem) => {
            let trouble = Trouble::of(&looker.shell, &problem);
            page(&routes, looker, trouble, posted.text("login"), back).answer(status_of(&problem))
        }
    }
}

async fn enter(routes: &Routes, headers: &HeaderMap, posted: &Posted) -> Result<Response, Problem> {
    refuse_other_pages(routes, headers)?;
    let (login, password) = (posted.text("login"), posted.secret("password"));
    let (token, _) = routes.platform.sign_in(login, &password, &posted.looker.browser).await?;
    let response = to(&posted.looker, own_path(posted.text("return")));
    Ok(with_cookie(response, sign_in_cookie(routes, &token)?))
}

pub(super) async fn sign_out(State(routes): State<Routes>, signed_in: SignedIn, looker: Looker) -> Response {
    let left = routes.platform.sign_out(&signed_in.who).await;
    match left.and_then(|()| no_sign_in_cookie(&routes)) {
        Ok(cookie) => with_cookie(to(&looker, SIGN_IN), cookie),
        Err(problem) => refused(&looker, &problem),
    }
}

/// The page for whoever could not sign in with the identity provider.
pub(super) fn page_with(routes: &Routes, looker: &Looker, problem: &Problem, back: &str) -> Response {
    let trouble = Trouble::of(&looker.shell, problem);
    page(routes, looker, trouble, "", back).answer(status_of(problem))
}

/// Where the query of a page to sign in wants to go on to.
pub(super) fn asked_back(query: Option<&str>) -> String {
    let mut pairs = query.unwrap_or_default().split('&');
    let back = pairs.find_map(|pair| decoded(pair.strip_prefix("return=")?).ok());
    own_path(back.as_deref().unwrap_or_default()).to_owned()
}

fn page<'a>(
    routes: &Routes,
    looker: &'a Looker,
    trouble: Option<Trouble>,
    login: &str,
    back: &str,
) -> Entry<'a> {
    let shell = &looker.shell;
    let elsewhere = routes.platform.identity_provider_name().map(|name| Elsewhere {
        label: shell.say_with("sign-in-with", "name", name),
        address: format!("{}?return={}", shell.to(BEGIN), utf8_percent_encode(back, NON_ALPHANUMERIC)),
    });
    let has_passwords = routes.platform.has_password_sign_in();
    let lines = vec![
        Line::text("login", shell.say("login"), "username").with_value(login),
        Line::password("password", shell.say("password"), "current-password"),
    ];
    Entry {
        shell,
        title: shell.say("sign-in-title"),
        lead: String::new(),
        trouble,
        action: shell.to(SIGN_IN),
        elsewhere,
        lines: if has_passwords { lines } else { Vec::new() },
        back: back.to_owned(),
        button: shell.say("sign-in"),
        foot: shell.say(if has_passwords { "sign-in-foot" } else { "sign-in-foot-without" }),
    }
}

/// Sends a browser on to a path of ours.
pub(super) fn to(looker: &Looker, path: &str) -> Response {
    see_other(&looker.shell.to(path)).unwrap_or_else(|| {
        let what = "An address of this server cannot stand in a header";
        refused(looker, &Problem::invalid("invalid_path", what, "Open the dashboard by its own address."))
    })
}

/// The path that somebody wanted to see before they signed in, or the first page. It stands in an address that anybody can
/// make, so it leads nowhere but here: browsers take `//host` and `/\host` for other hosts, and drop some characters before.
pub(super) fn own_path(back: &str) -> &str {
    let bytes = back.as_bytes();
    let is_plain = bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\');
    let is_path = bytes.first() == Some(&b'/') && bytes.get(1) != Some(&b'/');
    let is_entry = [SIGN_IN, SET_UP, "/sign-out"].iter().any(|entry| back.starts_with(entry));
    if is_plain && is_path && !is_entry && back.len() <= BACK_MAX { back } else { HOME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_signs_in_goes_on_to_a_page_of_ours() {
        for (back, expected) in [
            ("/dashboard/users?role=admin#x", "/dashboard/users?role=admin#x"),
            ("/", "/"),
            ("", HOME),
            ("https://evil.example/", HOME),
            ("//evil.example/", HOME),
            ("/\\evil.example/", HOME),
            ("/\t/evil.example/", HOME),
            ("/a\r\nset-cookie: b=c", HOME),
            ("javascript:alert(1)", HOME),
            ("@evil.example", HOME),
            ("/sign-in?return=/sign-in", HOME),
            ("/sign-out", HOME),
        ] {
            assert_eq!(own_path(back), expected, "{back}");
        }
    }
}
