//! What a person's browser sees of us on its way to the vendor and back.

mod page;
mod reconnect;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE,
};
use http::{HeaderMap, StatusCode, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use tombolo_platform::catalog::Language;
use tombolo_platform::connect::BegunWindow;
use tombolo_platform::oauth::{Beginning, Callback, CallbackOutcome, FailedCallback, Handover, Onward};
use tombolo_platform::{Problem, ProblemKind};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::access::RequestId;
use super::cookies;
use super::own_page::refuse_other_pages;
use super::query::{Named, Preferred};
use crate::pages::Shell;

/// How long a person has at the vendor.
const AT_THE_VENDOR: Duration = Duration::from_mins(10);

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(look, start))
        .routes(routes!(callback))
        .routes(routes!(shared_callback))
        .routes(routes!(script))
        .merge(reconnect::routes())
}

/// Tells a person what a link is about
///
/// The link of an authorization: a page with a button that leads to the vendor. Looking at it changes nothing. Public.
#[utoipa::path(
    get, path = "/oauth/start/{secret}", operation_id = "lookAtOAuthLink", tag = "oauth", security(()),
    params(("secret" = String, Path, description = "The last part of the link")),
    responses(
        (status = 200, description = "A page that asks whether to go on", body = String, content_type = "text/html"),
        (status = "default", description = "A page that says what is wrong", body = String, content_type = "text/html"),
    )
)]
async fn look(
    State(routes): State<Routes>,
    Preferred(language): Preferred,
    RequestId(id): RequestId,
    Named(secret): Named,
) -> Response {
    match routes.platform.look_at_link(&secret).await {
        Ok(about) => page::question(&about, &shell(&routes, language)),
        Err(problem) => page::failure(&problem, &shell(&routes, language), &id),
    }
}

/// Sends a person to the vendor
///
/// What the button of the link's page does. Only the browser that did it last can finish. Public.
#[utoipa::path(
    post, path = "/oauth/start/{secret}", operation_id = "startOAuth", tag = "oauth", security(()),
    params(("secret" = String, Path, description = "The last part of the link")),
    responses(
        (status = 303, description = "To the vendor's page"),
        (status = "default", description = "A page that says what is wrong", body = String, content_type = "text/html"),
    )
)]
async fn start(
    State(routes): State<Routes>,
    Preferred(language): Preferred,
    RequestId(id): RequestId,
    Named(secret): Named,
    headers: HeaderMap,
) -> Response {
    let begun = match refuse_other_pages(&routes, &headers) {
        Ok(()) => begin(&routes, &secret).await,
        Err(problem) => Err(problem),
    };
    match begun {
        Ok(response) => response,
        Err(problem) => page::failure(&problem, &shell(&routes, language), &id),
    }
}

async fn begin(routes: &Routes, secret: &str) -> Result<Response, Problem> {
    let public_url = routes.public_url.needed()?;
    let beginning = routes.platform.begin_authorization(secret, public_url).await?;
    to_the_vendor(routes, &beginning)
}

/// Sends a browser to the vendor with the cookie that only it has.
pub(super) fn to_the_vendor(routes: &Routes, beginning: &Beginning) -> Result<Response, Problem> {
    let is_https = routes.public_url.is_https();
    let cookie =
        cookies::set(&beginning.cookie_name, beginning.cookie.expose_secret(), AT_THE_VENDOR, is_https)?;
    let mut response = see_other(&beginning.location).ok_or_else(|| {
        let fix = "Check the address of the vendor's page in the provider file.";
        Problem::new(ProblemKind::Unusable, "provider_file", "The vendor's page has no valid address", fix)
    })?;
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// Sends a browser on; `None` when the address can stand in no header.
pub(crate) fn see_other(location: &str) -> Option<Response> {
    let location = HeaderValue::try_from(location).ok()?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.extend(private());
    headers.insert(LOCATION, location);
    Some(response)
}

/// The address of the page that says whom an account is linked for, before the vendor's.
pub(crate) fn address_of_question(public_url: &str, begun: &BegunWindow) -> String {
    address_of_link(public_url, &begun.link_secret)
}

/// The same, for whoever has the secret of a link.
pub(crate) fn address_of_link(public_url: &str, link_secret: &SecretString) -> String {
    format!("{public_url}/oauth/start/{}", link_secret.expose_secret())
}

/// Sends a browser to that page.
pub(crate) fn to_the_question(public_url: &str, begun: &BegunWindow) -> Result<Response, Problem> {
    see_other(&address_of_question(public_url, begun)).ok_or_else(|| {
        let fix = "Report it with the request id; the log of the server says more.";
        Problem::new(ProblemKind::Internal, "internal_error", "This server made a mistake", fix)
    })
}

/// A page that says why a person cannot link an account.
pub(super) fn refused(routes: &Routes, problem: &Problem, language: Language, request_id: &str) -> Response {
    page::failure(problem, &shell(routes, language), request_id)
}

/// Language and addresses for a page.
fn shell(routes: &Routes, language: Language) -> Shell {
    Shell::new(language, None, &routes.public_url)
}

/// Takes a person back from the vendor
///
/// The redirect URI of an OAuth client. The parameters are those of RFC 6749 and RFC 9207. Only the browser that began is
/// given what proves that it finished: towards the embedder's own page. Public.
#[utoipa::path(
    get, path = "/oauth/callback/{callback}", operation_id = "finishOAuth", tag = "oauth", security(()),
    params(("callback" = String, Path, description = "The last part of the redirect URI")),
    responses(
        (status = 200, description = "A page that says how it goes on", body = String, content_type = "text/html"),
        (status = 303, description = "To the return URL that was named as the link was made"),
        (status = "default", description = "A page that says what is wrong", body = String, content_type = "text/html"),
    )
)]
async fn callback(
    State(routes): State<Routes>,
    Preferred(language): Preferred,
    RequestId(id): RequestId,
    Named(callback): Named,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answer(&routes, Some(&callback), language, &id, &headers, &uri).await
}

/// Takes a person back from the vendor, at the address that several clients share
///
/// For OAuth clients that were taken over with the redirect URI that they were registered with. Public.
#[utoipa::path(
    get, path = "/oauth/callback", operation_id = "finishSharedOAuth", tag = "oauth", security(()),
    responses(
        (status = 200, description = "A page that says how it goes on", body = String, content_type = "text/html"),
        (status = 303, description = "To the return URL that was named as the link was made"),
        (status = "default", description = "A page that says what is wrong", body = String, content_type = "text/html"),
    )
)]
async fn shared_callback(
    State(routes): State<Routes>,
    Preferred(language): Preferred,
    RequestId(id): RequestId,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answer(&routes, None, language, &id, &headers, &uri).await
}

/// The script of the page at the end
///
/// Tells whoever opened the window how it ended. Public.
#[utoipa::path(
    get, path = "/oauth/callback.js", operation_id = "callbackScript", tag = "oauth", security(()),
    responses((status = 200, description = "A script", body = String, content_type = "text/javascript"))
)]
async fn script() -> ([(HeaderName, &'static str); 2], &'static str) {
    let headers = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")];
    (headers, include_str!("callback.js"))
}

async fn answer(
    routes: &Routes,
    callback: Option<&str>,
    language: Language,
    id: &str,
    headers: &HeaderMap,
    uri: &Uri,
) -> Response {
    let is_https = routes.public_url.is_https();
    let cookies = cookies::read(headers, is_https);
    let shell = shell(routes, language);
    match finish(routes, callback, uri, &cookies).await {
        Ok(outcome) => {
            let mut response =
                onward(&outcome).and_then(see_other).unwrap_or_else(|| match &outcome.handover {
                    Some(handover) => page::handover(&outcome, handover, &shell),
                    None => page::success(&outcome, &shell),
                });
            // What the browser proved with is of no more use. Of a failure nobody knows which cookie it was about.
            let used = cookies.keys().filter(|name| name.ends_with(outcome.id.as_str()));
            for cookie in used.filter_map(|name| cookies::remove(name, is_https).ok()) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            response
        }
        Err(FailedCallback { problem, return_url }) => return_url
            .as_deref()
            .and_then(see_other)
            .unwrap_or_else(|| page::failure_at_the_end(&problem, &shell, id)),
    }
}

/// The embedder's page that the browser goes on to. A program may wait on another machine than the browser's, so nobody is
/// sent there without having been asked.
fn onward(outcome: &CallbackOutcome) -> Option<&str> {
    match &outcome.handover {
        None => outcome.return_url.as_deref(),
        Some(Handover { onward: Some(Onward::Page(url)), .. }) => Some(url.expose_secret()),
        Some(_) => None,
    }
}

async fn finish(
    routes: &Routes,
    callback: Option<&str>,
    uri: &Uri,
    cookies: &BTreeMap<String, String>,
) -> Result<CallbackOutcome, FailedCallback> {
    let public_url = routes.public_url.needed()?;
    let parameters = &parameters(uri)?;
    routes.platform.finish_authorization(Callback { callback, parameters, cookies, public_url }).await
}

/// The query. A parameter that stands twice is refused (RFC 6749 §3.1): two readers could take different ones.
pub(crate) fn parameters(uri: &Uri) -> Result<BTreeMap<String, String>, Problem> {
    let refused = |what: &str| Problem::invalid("invalid_query_params", what, "Begin again from the link.");
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| refused("The vendor's answer cannot be read"))?;
    let mut parameters = BTreeMap::new();
    for (name, value) in pairs {
        if parameters.insert(name, value).is_some() {
            return Err(refused("The vendor's answer has a parameter twice"));
        }
    }
    Ok(parameters)
}

/// What keeps secrets in URLs from going further: to other sites, and into what browsers and servers between keep.
fn private() -> [(HeaderName, HeaderValue); 2] {
    [
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_once() {
        let read = |query: &str| {
            let uri = format!("/oauth/callback/x?{query}").parse().expect("a URI");
            parameters(&uri)
                .map(|parameters| parameters.get("state").cloned())
                .map_err(|problem| problem.code)
        };
        assert_eq!(read("code=a&state=b%20c"), Ok(Some("b c".to_owned())));
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("state=a&code=b&state=a"), Err("invalid_query_params"));
    }
}
