//! The links of messages, under which an account can be linked again.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use http::HeaderMap;
use http::request::Parts;
use tombolo_platform::Problem;
use tombolo_platform::catalog::Language;
use tombolo_platform::notifications::ReconnectAbout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{page, refuse_other_pages, shell, to_the_vendor};
use crate::routes::Routes;
use crate::routes::access::RequestId;
use crate::routes::query::{Named, Preferred};

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new().routes(routes!(look, start))
}

/// The language that the message was written in, or else what the browser prefers. Whatever else programs have added to
/// the link on its way is nobody's fault, and ignored.
struct LinkLanguage(Language);

impl FromRequestParts<Routes> for LinkLanguage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, routes: &Routes) -> Result<Self, Infallible> {
        let Preferred(preferred) = Preferred::from_request_parts(parts, routes).await?;
        let mut pairs = parts.uri.query().unwrap_or_default().split('&');
        let given = pairs.find_map(|pair| pair.strip_prefix("language="));
        Ok(Self(given.map_or(preferred, Language::negotiate)))
    }
}

/// Tells a person what the link of a message is about
///
/// A page with a button that leads to the vendor, or with what mends the connection. Looking at it changes nothing: what
/// looks through mail may look as well. Public.
#[utoipa::path(
    get, path = "/reconnect/{secret}", operation_id = "lookAtReconnectLink", tag = "oauth", security(()),
    params(("secret" = String, Path, description = "The last part of the link"), ("language" = Option<String>, Query, description = "`en` or `ja`; what the browser prefers unless given")),
    responses(
        (status = 200, description = "A page that asks whether to go on", body = String, content_type = "text/html"),
        (status = "default", description = "A page that says what is wrong", body = String, content_type = "text/html"),
    )
)]
async fn look(
    State(routes): State<Routes>,
    LinkLanguage(language): LinkLanguage,
    RequestId(id): RequestId,
    Named(secret): Named,
) -> Response {
    match routes.platform.look_at_reconnect_link(&secret).await {
        Ok(ReconnectAbout::Browser(about)) => page::question(&about, &shell(&routes, language)),
        Ok(ReconnectAbout::ByHand { name, provider, command }) => {
            page::by_hand(&name, &provider, &command, &shell(&routes, language))
        }
        Err(problem) => page::failure(&problem, &shell(&routes, language), &id),
    }
}

/// Sends a person to the vendor, to link an account again
///
/// What the button of the link's page does. Only the browser that did it last can finish, and somebody confirms whose
/// account it was. Public.
#[utoipa::path(
    post, path = "/reconnect/{secret}", operation_id = "startReconnecting", tag = "oauth", security(()),
    params(("secret" = String, Path, description = "The last part of the link"), ("language" = Option<String>, Query, description = "`en` or `ja`; what the browser prefers unless given")),
    responses(
        (status = 303, description = "To the vendor's page"),
        (status = "default", description = "A page that says what is wrong", body = String, content_type = "text/html"),
    )
)]
async fn start(
    State(routes): State<Routes>,
    LinkLanguage(language): LinkLanguage,
    RequestId(id): RequestId,
    Named(secret): Named,
    headers: HeaderMap,
) -> Response {
    let begun = match refuse_other_pages(&routes, &headers) {
        Ok(()) => begin(&routes, &secret).await,
        Err(problem) => Err(problem),
    };
    begun.unwrap_or_else(|problem| page::failure(&problem, &shell(&routes, language), &id))
}

async fn begin(routes: &Routes, secret: &str) -> Result<Response, Problem> {
    let public_url = routes.public_url.needed()?;
    let beginning = routes.platform.begin_reconnecting(secret, public_url).await?;
    to_the_vendor(routes, &beginning)
}
