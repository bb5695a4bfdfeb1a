//! OAuth 2.0: where a person agrees, and how codes and refresh tokens become access tokens.

mod authorization;
mod token_answer;
mod token_request;

use std::collections::BTreeMap;

use tombolo_catalog::OAuth2;

pub use authorization::{AuthorizationRequest, pkce_challenge};
pub(crate) use token_answer::failure_of;
pub use token_request::{Grant, OAuthClient};

use crate::credentials::Credentials;
use crate::exchange::{ExchangeAnswer, Step};
use crate::moment::Moment;

/// One exchange at a token endpoint.
pub struct OAuth2Exchange<'a> {
    /// What the provider file says.
    pub oauth2: &'a OAuth2,
    /// The address, without holes.
    pub url: &'a str,
    /// Who asks.
    pub client: OAuthClient<'a>,
    /// What for.
    pub grant: Grant<'a>,
    /// The credentials that the new ones take the place of.
    pub previous: Option<&'a Credentials>,
    /// The configuration, which fills the holes of the parameters.
    pub config: &'a BTreeMap<String, String>,
    /// Time and chance, for a client that proves to be itself with a signature.
    pub moment: Option<Moment>,
    /// Whether id and secret of the client are kept with the token, because requests carry them as well.
    pub keeps_client: bool,
}

impl OAuth2Exchange<'_> {
    /// The request.
    pub fn begin(&self) -> Step {
        token_request::write(self).map_or_else(Step::Failed, Step::Send)
    }

    /// The end.
    pub fn answered(&self, answer: &ExchangeAnswer<'_>) -> Step {
        token_answer::read(self, answer).map_or_else(Step::Failed, Step::Done)
    }
}
