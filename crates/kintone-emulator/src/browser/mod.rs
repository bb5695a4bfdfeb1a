//! What a browser is shown: the login, the start page, the consent to an OAuth client. They answer pages, not JSON.

mod login;
mod page;

use http::{Method, StatusCode};
use jiff::Timestamp;

use crate::http::{Answer, Request};
use crate::oauth;
use crate::world::{TenantSlot, World};

pub(crate) use login::{LOGIN_FIELDS, log_in, reason};
pub(crate) use page::{Words, escape, locale_of, page};

/// A request for something that is no endpoint of the API.
pub(crate) struct Visit<'a> {
    pub(crate) slot: &'a TenantSlot,
    pub(crate) request: &'a Request,
    pub(crate) world: &'a World,
    pub(crate) now: Timestamp,
}

/// The answer when the path leads to a page or to the token endpoint of OAuth.
pub(crate) fn answer(
    world: &World,
    slot: &TenantSlot,
    request: &Request,
    path: &str,
    now: Timestamp,
) -> Option<Answer> {
    let visit = Visit { slot, request, world, now };
    match (path, &request.method) {
        ("/oauth2/token", _) => Some(oauth::token(&visit)),
        ("/oauth2/authorization", &Method::GET) => Some(oauth::ask(&visit)),
        ("/oauth2/authorization", &Method::POST) => Some(oauth::decide(&visit)),
        ("/login", &Method::GET) => Some(login::form(&visit, None)),
        ("/login", &Method::POST) => Some(login::submit(&visit)),
        ("/k/", &Method::GET) => Some(login::start(&visit)),
        ("/oauth2/authorization" | "/login" | "/k/", _) => {
            Some(Answer::html(StatusCode::METHOD_NOT_ALLOWED, "405", "This page is opened with GET."))
        }
        _ => None,
    }
}
