//! Who holds the token of a connect session.

use axum::extract::FromRequestParts;
use http::request::Parts;
use tombolo_platform::connect::SessionAccess;
use tombolo_platform::{Access, Problem, Scope};

use crate::front::bearer;
use crate::routes::Routes;
use crate::routes::access::Peer;
use crate::routes::query::decoded;
use crate::routes::refusal::Refusal;

/// How the token of a connect session begins.
const TOKEN: &str = "tombolo_connect_session_";

/// A browser that shows its token as `Authorization: Bearer`.
pub(super) struct Holder(pub(super) SessionAccess);

impl FromRequestParts<Routes> for Holder {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, routes: &Routes) -> Result<Self, Refusal> {
        let token = bearer(&parts.headers).ok_or_else(no_token)?;
        Ok(Self(routes.platform.session_access(token).await?))
    }
}

/// Whoever may see integrations: the holder of an API key, or a browser in a connect session, which sees those that it
/// may link.
pub(crate) struct IntegrationsCaller {
    /// The right to list.
    pub(crate) access: Access,
    /// The session, if it is a browser's.
    pub(crate) session: Option<SessionAccess>,
}

impl FromRequestParts<Routes> for IntegrationsCaller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, routes: &Routes) -> Result<Self, Refusal> {
        let token = bearer(&parts.headers);
        if let Some(token) = token.filter(|token| token.starts_with(TOKEN)) {
            let session = routes.platform.session_access(token).await?;
            return Ok(Self { access: session.access.clone(), session: Some(session) });
        }
        let peer = parts.extensions.get::<Peer>();
        let peer = peer.ok_or_else(|| Problem::unauthenticated("Nobody knows who is asking"))?;
        let access = peer.access(&routes.platform, token, &parts.headers).await?;
        access.require(Scope::ListIntegrations)?;
        Ok(Self { access, session: None })
    }
}

/// A browser that shows its token in the query, as the clients of the compatible API do. It is looked at before the body.
pub(super) struct InBrowser {
    pub(super) query: BrowserQuery,
    pub(super) holder: SessionAccess,
}

impl FromRequestParts<Routes> for InBrowser {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, routes: &Routes) -> Result<Self, Refusal> {
        let query = BrowserQuery::read(parts.uri.query().unwrap_or_default())?;
        let holder = query.holder(routes).await?;
        Ok(Self { query, holder })
    }
}

/// What the routes that browsers use read from the query.
#[derive(Debug, Default)]
pub(super) struct BrowserQuery {
    /// The token of the connect session.
    pub(super) token: Option<String>,
    /// `params[name]`: fields that are no credential.
    pub(super) params: Vec<(String, String)>,
    /// `authorization_params[name]`.
    pub(super) authorization_params: Vec<(String, String)>,
    /// The OAuth scopes to ask for.
    pub(super) user_scope: Vec<String>,
    /// The socket that waits for the outcome.
    pub(super) socket: Option<String>,
}

impl BrowserQuery {
    /// Reads the query of the compatible API. What belongs to ways in that were given up there is refused.
    pub(super) fn read(query: &str) -> Result<Self, Problem> {
        let mut read = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            read.take(&decoded(name)?, decoded(value)?)?;
        }
        Ok(read)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), Problem> {
        if let Some(name) = below("params", name) {
            // The compatible API has taken the receiver of webhook events here; a browser does not choose it.
            if name != "webhook_url" {
                self.params.push((name.to_owned(), value));
            }
            return Ok(());
        }
        if let Some(name) = below("authorization_params", name) {
            // The clients write the word for a parameter that is to be left out.
            let value = if value == "undefined" { String::new() } else { value };
            self.authorization_params.push((name.to_owned(), value));
            return Ok(());
        }
        match name {
            "connect_session_token" => self.token = Some(value),
            "user_scope" => self.user_scope = listed(&value),
            "ws_client_id" => self.socket = Some(value),
            "public_key" | "hmac" => {
                let what = "Public keys are not taken: everybody can read them out of a page";
                let fix = "Have the back end make a connect session, and show its token.";
                return Err(Problem::new(
                    tombolo_platform::ProblemKind::Unauthenticated,
                    "deprecated_authentication",
                    what,
                    fix,
                ));
            }
            "connection_id" => {
                let what = "The id of a connection is not chosen by a browser";
                return Err(Problem::invalid("invalid_query_params", what, "Leave `connection_id` out."));
            }
            name if below("credentials", name).is_some() => {
                let what = "The secret of an OAuth client does not travel in a URL";
                let fix = "Make an OAuth client for it, and name it in the integration.";
                return Err(Problem::invalid("invalid_query_params", what, fix));
            }
            name => {
                let name: String = name.chars().take(80).collect();
                let what = format!("The query does not fit at `{name}`");
                return Err(Problem::invalid("invalid_query_params", what, "Leave it out."));
            }
        }
        Ok(())
    }

    /// The browser that shows the token.
    pub(super) async fn holder(&self, routes: &Routes) -> Result<SessionAccess, Problem> {
        let token = self.token.as_deref().ok_or_else(no_token)?;
        routes.platform.session_access(token).await
    }
}

fn no_token() -> Problem {
    let what = "The request carries no connect session token";
    let fix = "Have the back end make a connect session, and show its token.";
    Problem::new(tombolo_platform::ProblemKind::Unauthenticated, "missing_auth_header", what, fix)
}

/// The socket that waits for the outcome, also where the rest of the query is refused: its page has to be told.
pub(super) fn socket_of(query: &str) -> Option<String> {
    query.split('&').find_map(|pair| decoded(pair.strip_prefix("ws_client_id=")?).ok())
}

/// The items of a comma-separated list.
pub(crate) fn listed(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn below<'a>(parent: &str, name: &'a str) -> Option<&'a str> {
    name.strip_prefix(parent)?.strip_prefix('[')?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_a_browser_is_read_and_what_was_given_up_is_refused() {
        let query = "connect_session_token=t&params[subdomain]=acme&params%5Bapp%5D=1%2C2&params[webhook_url]=x\
                     &user_scope=a,b&authorization_params[prompt]=undefined&ws_client_id=w";
        let read = BrowserQuery::read(query).expect("reads");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read.params, [pair("subdomain", "acme"), pair("app", "1,2")]);
        assert_eq!(read.authorization_params, [pair("prompt", "")]);
        assert_eq!(read.user_scope, ["a", "b"]);
        assert_eq!((read.token.as_deref(), read.socket.as_deref()), (Some("t"), Some("w")));
        for (query, code) in [
            ("public_key=k", "deprecated_authentication"),
            ("hmac=h", "deprecated_authentication"),
            ("connection_id=c", "invalid_query_params"),
            ("credentials[oauth_client_secret_override]=s", "invalid_query_params"),
            ("colour=red", "invalid_query_params"),
            ("params[a]=%ff", "invalid_query_params"),
        ] {
            assert_eq!(BrowserQuery::read(query).expect_err("refused").code, code, "{query}");
        }
    }
}
