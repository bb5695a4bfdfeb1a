//! OAuth clients, their tokens, and browser sessions, as tests set them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Control, ControlError};
use crate::auth::SESSION_COOKIE;
use crate::model::{Grant, MAXIMUM_OAUTH_CLIENTS, OAuthClient};
use crate::seed::SeedError;

/// A browser session, as a client of the API presents it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserSession {
    /// The value of the header `Cookie`.
    pub cookie: String,
    /// What a request that is no GET has to repeat as `__REQUEST_TOKEN__`.
    pub request_token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Control {
    /// Registers an OAuth client with these redirect URIs, switched on for all present users; answers it with
    /// the id and secret that it was given.
    pub fn add_oauth_client(
        &self,
        tenant: &str,
        redirect_uris: &[&str],
    ) -> Result<OAuthClient, ControlError> {
        let identifiers = &self.world.identifiers;
        let client = OAuthClient {
            id: identifiers.token("l.1."),
            secret: identifiers.token("emulatorOAuthSecret"),
            name: "Test client".to_owned(),
            redirect_uris: redirect_uris.iter().map(ToString::to_string).collect(),
            users: self
                .change(tenant, |tenant| Ok(tenant.users.iter().map(|user| user.code.clone()).collect()))?,
            rotates_refresh_tokens: false,
        };
        self.set_oauth_client(tenant, client.clone())?;
        Ok(client)
    }

    /// Registers an OAuth client, or changes the one of this id. Tokens that were given stay in force.
    pub fn set_oauth_client(&self, tenant: &str, client: OAuthClient) -> Result<(), ControlError> {
        self.change(tenant, |tenant| {
            let is_full = tenant.oauth_clients.len() >= MAXIMUM_OAUTH_CLIENTS;
            match tenant.oauth_clients.iter_mut().find(|known| known.id == client.id) {
                Some(known) => *known = client,
                None if is_full => return Err(SeedError::TooManyOAuthClients(tenant.name.clone()).into()),
                None => tenant.oauth_clients.push(client),
            }
            Ok(())
        })
    }

    /// Deletes an OAuth client; what it was given ends with it.
    pub fn remove_oauth_client(&self, tenant: &str, id: &str) -> Result<(), ControlError> {
        self.expire_access_tokens(tenant, Some(id), None)?;
        self.revoke_refresh_tokens(tenant, Some(id), None)?;
        self.change(tenant, |tenant| {
            tenant.oauth_clients.retain(|client| client.id != id);
            Ok(())
        })
    }

    /// Ends the access tokens of a client, of a user, of both or of all; requests with them are refused with
    /// `CB_OA01`, and refresh tokens stay in force. Answers how many there were.
    pub fn expire_access_tokens(
        &self,
        tenant: &str,
        client: Option<&str>,
        user: Option<&str>,
    ) -> Result<usize, ControlError> {
        self.change(tenant, |tenant| {
            known_client(tenant, client)?;
            Ok(tenant.oauth_grants.expire_access_tokens(|grant| concerns(grant, client, user)))
        })
    }

    /// Revokes the refresh tokens of a client, of a user, of both or of all; a refresh is refused with
    /// `invalid_grant`, and access tokens live on. Answers how many there were.
    pub fn revoke_refresh_tokens(
        &self,
        tenant: &str,
        client: Option<&str>,
        user: Option<&str>,
    ) -> Result<usize, ControlError> {
        self.change(tenant, |tenant| {
            known_client(tenant, client)?;
            Ok(tenant.oauth_grants.revoke_refresh_tokens(|grant| concerns(grant, client, user)))
        })
    }

    /// How many requests for the token endpoint of a tenant are in the log.
    pub fn count_token_requests(&self, tenant: &str) -> usize {
        let is_one = |request: &super::LoggedRequest| {
            request.tenant.as_deref() == Some(tenant) && request.path.ends_with("/oauth2/token")
        };
        self.world.log().count(is_one)
    }

    /// Begins a browser session of a user, without the login page.
    pub fn begin_session(&self, tenant: &str, user: &str) -> Result<BrowserSession, ControlError> {
        let identifiers = &self.world.identifiers;
        let now = self.now();
        self.change(tenant, |tenant| {
            let user = tenant.user(user).ok_or_else(|| ControlError::UnknownUser(user.to_owned()))?;
            let (user, id) = (user.code.clone(), identifiers.token("emulatorSession"));
            let token = identifiers.token("emulatorRequestToken");
            let session = tenant.sessions.begin(id.clone(), &user, token, now);
            Ok(BrowserSession {
                cookie: format!("{SESSION_COOKIE}={id}"),
                request_token: session.request_token.clone(),
                expires_at: session.expires_at,
            })
        })
    }

    /// Ends the sessions of a user, or all of them; answers how many there were.
    pub fn end_sessions(&self, tenant: &str, user: Option<&str>) -> Result<usize, ControlError> {
        self.change(tenant, |tenant| Ok(tenant.sessions.end(user)))
    }

    /// Makes the request tokens of a user, or of everybody, stale: the sessions get others.
    pub fn renew_request_tokens(&self, tenant: &str, user: Option<&str>) -> Result<(), ControlError> {
        let identifiers = &self.world.identifiers;
        self.change(tenant, |tenant| {
            tenant.sessions.renew_request_tokens(user, || identifiers.token("emulatorRequestToken"));
            Ok(())
        })
    }
}

fn known_client(tenant: &crate::model::Tenant, client: Option<&str>) -> Result<(), ControlError> {
    match client.filter(|id| tenant.oauth_client(id).is_none()) {
        Some(unknown) => Err(ControlError::UnknownOAuthClient(unknown.to_owned())),
        None => Ok(()),
    }
}

fn concerns(grant: &Grant, client: Option<&str>, user: Option<&str>) -> bool {
    client.is_none_or(|client| grant.client == client)
        && user.is_none_or(|user| grant.user.eq_ignore_ascii_case(user))
}
