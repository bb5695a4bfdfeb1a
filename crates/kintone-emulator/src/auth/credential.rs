//! Which credential a request carries.

use http::header::AUTHORIZATION;

use super::session::SessionCredential;
use crate::http::Request;

/// A way to authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `X-Cybozu-Authorization`.
    Password,
    /// `X-Cybozu-API-Token`.
    ApiToken,
    /// `Authorization: Bearer cy.s.api1.…`, on the User API alone.
    UserApiToken,
    /// `Authorization: Bearer …` with an access token of an OAuth client.
    OAuth,
    /// A browser's cookie.
    Session,
}

/// The credential that takes precedence: password, then API token, then bearer token, then session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// The header's value, still encoded.
    Password(String),
    /// One to nine tokens.
    ApiTokens(Vec<String>),
    /// A bearer token in the form of the User API.
    UserApiToken(String),
    /// A bearer token of any other form.
    OAuth(String),
    /// The cookie of a session, whether or not what has to come with it is there.
    Session(SessionCredential),
    /// None at all.
    Nothing,
}

impl Credential {
    /// Finds the credential of a request.
    pub(crate) fn of(request: &Request) -> Self {
        if let Some(encoded) = request.header("x-cybozu-authorization").filter(|value| !value.is_empty()) {
            return Self::Password(encoded.to_owned());
        }
        let tokens: Vec<String> = request
            .headers
            .get_all("x-cybozu-api-token")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|token| token.trim().to_owned())
            .filter(|token| !token.is_empty())
            .collect();
        if !tokens.is_empty() {
            return Self::ApiTokens(tokens);
        }
        let bearer = request.header(AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
        if let Some((_, token)) = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) {
            let token = token.trim().to_owned();
            return if token.starts_with("cy.s.api1.") {
                Self::UserApiToken(token)
            } else {
                Self::OAuth(token)
            };
        }
        SessionCredential::of(request).map_or(Self::Nothing, Self::Session)
    }

    /// The scheme it belongs to.
    pub(crate) fn scheme(&self) -> Option<Scheme> {
        match self {
            Self::Password(_) => Some(Scheme::Password),
            Self::ApiTokens(_) => Some(Scheme::ApiToken),
            Self::UserApiToken(_) => Some(Scheme::UserApiToken),
            Self::OAuth(_) => Some(Scheme::OAuth),
            Self::Session(_) => Some(Scheme::Session),
            Self::Nothing => None,
        }
    }
}
