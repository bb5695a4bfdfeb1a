//! To the identity provider and back: to sign in with it, or to link it to one's account here.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::header::{HeaderValue, REFRESH};
use http::{HeaderMap, Uri};
use tombolo_platform::users::{
    BegunIdentification, Identified, OIDC_CALLBACK, ProviderAnswer, SignedInUser, identification_mark,
};
use tombolo_platform::{Problem, ProblemKind};

use super::PROFILE;
use super::entry::{asked_back, page_with, to};
use super::view::{Looker, refused};
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::oauth_pages::parameters;
use crate::routes::signed_in::{
    SIGN_IN, SignedIn, identification_cookie, no_identification_cookie, shown_identification, sign_in_cookie,
    signed_in_user, with_cookie,
};
use crate::routes::{Routes, SET_UP, refuse_other_pages, see_other};

/// Where the button of the sign-in page leads.
pub(super) const BEGIN: &str = "/sign-in/oidc";
/// Where the provider sends browsers back to.
pub(super) const CALLBACK: &str = OIDC_CALLBACK;
/// Where somebody links their account, and where they undo that.
pub(super) const LINK: &str = "/profile/identity";
pub(super) const UNLINK: &str = "/profile/identity/unlink";

/// Before somebody leaves for the provider. A form that led there would be stopped by the policy of its page.
#[derive(Template)]
#[template(path = "people/onward.html")]
struct OnwardPage<'a> {
    shell: &'a Shell,
    name: String,
    location: String,
}

/// Sends a browser to the provider: from our own page alone, so that no other site signs anybody in.
pub(super) async fn begin(
    State(routes): State<Routes>,
    looker: Looker,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if refuse_other_pages(&routes, &headers).is_err() {
        return to(&looker, SIGN_IN);
    }
    let back = asked_back(query.as_deref());
    let begun = start(&routes, &looker, &back, None).await;
    let sent = begun.and_then(|begun| {
        let cookie = identification_cookie(&routes, &begun)?;
        Ok(with_cookie(see_other(&begun.location).ok_or_else(no_address)?, cookie))
    });
    match sent {
        Ok(response) => response,
        Err(problem) if problem.code == "oidc_not_set_up" => to(&looker, SET_UP),
        Err(problem) => page_with(&routes, &looker, &problem, &back),
    }
}

/// Shows whoever is signed in the way to the provider, and goes it.
pub(super) async fn link(State(routes): State<Routes>, signed_in: SignedIn, looker: Looker) -> Response {
    let begun = start(&routes, &looker, PROFILE, Some(&signed_in.who)).await;
    let shown = begun.and_then(|begun| {
        let cookie = identification_cookie(&routes, &begun)?;
        let onward = OnwardPage {
            shell: &looker.shell,
            name: routes.platform.identity_provider_name().unwrap_or_default(),
            location: begun.location.clone(),
        };
        let mut response = page(&onward, &Framing::Nobody);
        let refresh =
            HeaderValue::try_from(format!("0; url={}", begun.location)).map_err(|_| no_address())?;
        response.headers_mut().insert(REFRESH, refresh);
        Ok(with_cookie(response, cookie))
    });
    shown.unwrap_or_else(|problem| refused(&looker, &problem))
}

pub(super) async fn unlink(State(routes): State<Routes>, signed_in: SignedIn, looker: Looker) -> Response {
    match routes.platform.unlink_identity(&signed_in.who).await {
        Ok(()) => to(&looker, PROFILE),
        Err(problem) => refused(&looker, &problem),
    }
}

/// Takes a browser back.
pub(super) async fn come_back(
    State(routes): State<Routes>,
    looker: Looker,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let signed_in = signed_in_user(&routes, &headers).await;
    let parameters = parameters(&uri).unwrap_or_default();
    let finished = finish(&routes, &looker, &headers, &parameters, signed_in.as_ref()).await;
    if let Err(problem) = &finished {
        tracing::warn!(code = problem.code, why = %problem.what, "somebody could not sign in with the identity provider");
    }
    let mut response = match finished {
        Ok(response) => response,
        // Whoever is signed in wanted to link their account, or is where they wanted to be.
        Err(problem) if signed_in.is_some() => refused(&looker, &problem),
        Err(problem) => page_with(&routes, &looker, &problem, PROFILE),
    };
    if let Some(state) = parameters.get("state")
        && let Ok(cookie) = no_identification_cookie(&routes, &identification_mark(state))
    {
        response = with_cookie(response, cookie);
    }
    response
}

async fn finish(
    routes: &Routes,
    looker: &Looker,
    headers: &HeaderMap,
    parameters: &BTreeMap<String, String>,
    signed_in: Option<&SignedInUser>,
) -> Result<Response, Problem> {
    let mark = identification_mark(parameters.get("state").map(String::as_str).unwrap_or_default());
    let cookie = shown_identification(routes, headers, &mark);
    let answer = ProviderAnswer {
        parameters,
        cookie: cookie.as_deref(),
        public_url: routes.public_url.needed()?,
        signed_in,
        browser: &looker.browser,
    };
    match routes.platform.finish_identification(answer).await? {
        Identified::SignedIn { token, return_path } => {
            Ok(with_cookie(to(looker, &return_path), sign_in_cookie(routes, &token)?))
        }
        Identified::Linked { return_path } => Ok(to(looker, &return_path)),
    }
}

async fn start(
    routes: &Routes,
    looker: &Looker,
    back: &str,
    linking: Option<&SignedInUser>,
) -> Result<BegunIdentification, Problem> {
    let public_url = routes.public_url.needed()?;
    routes.platform.begin_identification(public_url, back, linking, &looker.browser).await
}

fn no_address() -> Problem {
    let what = "The page of the identity provider has no valid address";
    let fix = "Ask whoever runs this server to look at the section [oidc] of its configuration.";
    Problem::new(ProblemKind::Upstream, "oidc_misconfigured", what, fix)
}
