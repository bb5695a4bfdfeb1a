//! Who is signed in at a page, as a part of its signature: a page that takes a [`SignedIn`] is open to nobody else.
//!
//! API keys never sign in here, and the cookie is never looked at by the REST API, whose answers pages of any origin may read.

mod guard;

use std::net::IpAddr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse as _, Response};
use http::header::{HeaderValue, SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Method};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use tombolo_platform::store::Environment;
use tombolo_platform::users::{
    BegunIdentification, Browser, IDENTIFICATION_LIFE, Role, SIGN_IN_LIFE, SignedInUser, form_token,
};
use tombolo_platform::{Access, Problem, ProblemKind, Scope};

pub(crate) use guard::guarded;

use self::guard::Guarded;
use super::Routes;
use super::access::Peer;
use super::cookies;
use super::refusal::Refusal;
use crate::pages::people::{self, Looker};
use crate::public_url::PublicUrl;

/// Where people sign in.
pub(crate) const SIGN_IN: &str = "/sign-in";
/// What somebody sees first who signed in and did not come from elsewhere.
pub(crate) const HOME: &str = "/dashboard";
/// The part of a path, and the cookie, that names the environment.
const ENVIRONMENT: &str = "environment";

/// Somebody who is signed in, and the environment that they act in: that of the path if it has a part `{environment}`, else
/// the one that they chose last, else the default one.
pub(crate) struct SignedIn {
    /// Who, and with what.
    pub(crate) who: SignedInUser,
    /// What they may do, for the functions of the platform.
    pub(crate) access: Access,
    /// Where.
    pub(crate) environment: Environment,
    form_token: String,
}

impl SignedIn {
    /// What every form of the page has to send along as `form_token`, and every script as the header
    /// `tombolo-form-token`.
    pub(crate) fn form_token(&self) -> &str {
        &self.form_token
    }

    /// What they may do in all environments.
    pub(crate) fn role(&self) -> Role {
        self.who.user.role
    }

    /// Whether a button makes sense. What happens when it is pressed, the platform decides again.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.access.require(scope).is_ok()
    }
}

impl FromRequestParts<Routes> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, routes: &Routes) -> Result<Self, Response> {
        match find(parts, routes).await {
            Ok(Some(signed_in)) => Ok(signed_in),
            Ok(None) => Err(to_sign_in(parts, routes)),
            Err(problem) => Err(refusal(parts, routes, problem).await),
        }
    }
}

async fn find(parts: &mut Parts, routes: &Routes) -> Result<Option<SignedIn>, Problem> {
    let Some(token) = shown(routes, &parts.headers) else { return Ok(None) };
    // A page outside of the guard changes nothing, whoever forgot it.
    if !is_safe(&parts.method) && parts.extensions.get::<Guarded>().is_none() {
        return Err(unguarded());
    }
    let Some(who) = routes.platform.signed_in_user(token.expose_secret()).await? else { return Ok(None) };
    let form_token = form_token(token.expose_secret());
    let (access, environment) = in_environment(parts, routes, &who).await?;
    Ok(Some(SignedIn { who, access, environment, form_token }))
}

/// Whether the browser is signed in.
pub(crate) async fn is_signed_in(routes: &Routes, headers: &HeaderMap) -> bool {
    signed_in_user(routes, headers).await.is_some()
}

/// Who is signed in in the browser, for a page that everybody may open.
pub(crate) async fn signed_in_user(routes: &Routes, headers: &HeaderMap) -> Option<SignedInUser> {
    let token = shown(routes, headers)?;
    routes.platform.signed_in_user(token.expose_secret()).await.ok().flatten()
}

/// A page for a browser that shows one, and a body for a script of a page.
async fn refusal(parts: &mut Parts, routes: &Routes, problem: Problem) -> Response {
    if asks_by_script(parts) {
        return Refusal::from(problem).into_response();
    }
    match Looker::from_request_parts(parts, routes).await {
        Ok(looker) => people::refused(&looker, &problem),
        Err(never) => match never {},
    }
}

fn asks_by_script(parts: &Parts) -> bool {
    let mode = parts.headers.get("sec-fetch-mode").and_then(|value| value.to_str().ok());
    mode.is_some_and(|mode| mode != "navigate")
}

async fn in_environment(
    parts: &mut Parts,
    routes: &Routes,
    who: &SignedInUser,
) -> Result<(Access, Environment), Problem> {
    let path = RawPathParams::from_request_parts(parts, &()).await.ok();
    let named = path.as_ref().and_then(|path| path.iter().find(|(name, _)| *name == ENVIRONMENT));
    if let Some((_, name)) = named {
        return routes.platform.access_of(who, Some(name)).await;
    }
    let cookies = cookies::read(&parts.headers, routes.public_url.is_https());
    let chosen = cookies.get(&cookie_name(&routes.public_url, ENVIRONMENT));
    match routes.platform.access_of(who, chosen.map(String::as_str)).await {
        // One that there is no longer, or that another installation on this machine has.
        Err(problem) if problem.kind == ProblemKind::NotFound => routes.platform.access_of(who, None).await,
        outcome => outcome,
    }
}

/// Has the browser keep what signs it in.
pub(crate) fn sign_in_cookie(routes: &Routes, token: &SecretString) -> Result<HeaderValue, Problem> {
    let name = cookie_name(&routes.public_url, "sign_in");
    cookies::set(&name, token.expose_secret(), SIGN_IN_LIFE, routes.public_url.is_https())
}

/// Has the browser forget it.
pub(crate) fn no_sign_in_cookie(routes: &Routes) -> Result<HeaderValue, Problem> {
    cookies::remove(&cookie_name(&routes.public_url, "sign_in"), routes.public_url.is_https())
}

/// Has the browser keep what proves, when it comes back from the identity provider, that it was sent there.
pub(crate) fn identification_cookie(
    routes: &Routes,
    begun: &BegunIdentification,
) -> Result<HeaderValue, Problem> {
    let name = identification_name(routes, &begun.mark);
    cookies::set(&name, begun.cookie.expose_secret(), IDENTIFICATION_LIFE, routes.public_url.is_https())
}

/// Has the browser forget it.
pub(crate) fn no_identification_cookie(routes: &Routes, mark: &str) -> Result<HeaderValue, Problem> {
    cookies::remove(&identification_name(routes, mark), routes.public_url.is_https())
}

/// What the browser shows of it.
pub(crate) fn shown_identification(routes: &Routes, headers: &HeaderMap, mark: &str) -> Option<String> {
    cookies::read(headers, routes.public_url.is_https()).remove(&identification_name(routes, mark))
}

fn identification_name(routes: &Routes, mark: &str) -> String {
    cookie_name(&routes.public_url, &format!("oidc_{mark}"))
}

/// Has the browser keep which environment was chosen.
pub(crate) fn environment_cookie(routes: &Routes, name: &str) -> Result<HeaderValue, Problem> {
    let cookie = cookie_name(&routes.public_url, ENVIRONMENT);
    cookies::set(&cookie, name, SIGN_IN_LIFE, routes.public_url.is_https())
}

/// An answer with a cookie.
pub(crate) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// The browser that asks, for the list of what somebody is signed in with and for counting attempts.
pub(crate) fn browser(peer: Option<&Peer>, headers: &HeaderMap) -> Browser {
    let name = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let address: Option<IpAddr> = match peer {
        Some(Peer::Network(address)) => Some(address.ip()),
        Some(Peer::Operator) | None => None,
    };
    Browser { name: name.to_owned(), address }
}

/// What the browser shows of its sign-in, whether or not it is good.
fn shown(routes: &Routes, headers: &HeaderMap) -> Option<SecretString> {
    let mut cookies = cookies::read(headers, routes.public_url.is_https());
    cookies.remove(&cookie_name(&routes.public_url, "sign_in")).map(SecretString::from)
}

/// Without TLS cookies are shared by all ports of a host, and several servers may run on one machine.
fn cookie_name(public_url: &PublicUrl, what: &str) -> String {
    let port = public_url.known().filter(|_| !public_url.is_https()).and_then(|url| {
        let (_, port) = url.strip_prefix("http://")?.split('/').next()?.rsplit_once(':')?;
        port.parse::<u16>().ok()
    });
    match port {
        Some(port) => format!("tombolo_{what}_{port}"),
        None => format!("tombolo_{what}"),
    }
}

/// A browser that shows a page goes to sign in and comes back; what a script of a page asked for is refused.
fn to_sign_in(parts: &Parts, routes: &Routes) -> Response {
    if asks_by_script(parts) {
        let what = "Nobody is signed in at this page any more";
        let problem = Problem::new(ProblemKind::Unauthenticated, "signed_out", what, "Sign in again.");
        return Refusal::from(problem).into_response();
    }
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let back = utf8_percent_encode(path, NON_ALPHANUMERIC);
    // What was sent to a page is lost: it must not be sent again by coming back.
    let query = if is_safe(&parts.method) { format!("?return={back}") } else { String::new() };
    // The path is one that was served already, and its encoding is plain.
    super::see_other(&format!("{}{SIGN_IN}{query}", routes.public_url.path())).unwrap_or_default()
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn unguarded() -> Problem {
    let what = "This page is not protected against requests of other sites, so it changes nothing";
    Problem::new(ProblemKind::Internal, "unguarded_page", what, "Report it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_on_one_machine_do_not_sign_each_other_out() {
        for (url, expected) in [
            ("https://tombolo.example.com", "tombolo_sign_in"),
            ("https://tombolo.example.com:8443", "tombolo_sign_in"),
            ("http://localhost:3003", "tombolo_sign_in_3003"),
            ("http://localhost:3003/tombolo", "tombolo_sign_in_3003"),
            ("http://[::1]:3003", "tombolo_sign_in_3003"),
            ("http://localhost", "tombolo_sign_in"),
        ] {
            let url = PublicUrl::served(url).expect("a URL");
            assert_eq!(cookie_name(&url, "sign_in"), expected);
        }
    }
}
