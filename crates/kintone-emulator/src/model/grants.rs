//! What OAuth clients were given: authorization codes, access tokens, refresh tokens.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{OAuthClient, OAuthScope};

/// Seconds that an access token lives.
pub(crate) const ACCESS_TOKEN_SECONDS: i64 = 3600;
/// How long an authorization code can be exchanged.
const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// Refresh tokens of one user and client; the oldest makes room.
const MAXIMUM_REFRESH_TOKENS: usize = 10;

/// Who allowed which client what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) client: String,
    pub(crate) user: String,
    pub(crate) scopes: Vec<OAuthScope>,
}

/// An authorization code that was not exchanged yet.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizationCode {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    /// The challenge of PKCE (RFC 7636), method `S256`.
    pub(crate) challenge: Option<String>,
    expires_at: Timestamp,
}

#[derive(Debug, Clone)]
struct AccessToken {
    grant: Grant,
    family: u64,
    expires_at: Timestamp,
}

#[derive(Debug, Clone)]
struct RefreshToken {
    token: String,
    grant: Grant,
    /// Tokens that come from the same consent.
    family: u64,
    /// Another one was given in its place.
    replaced: bool,
}

/// A pair of new tokens.
#[derive(Debug)]
pub(crate) struct NewTokens {
    pub(crate) access: String,
    /// `None` when the one that was used stays in force.
    pub(crate) refresh: Option<String>,
    pub(crate) scopes: Vec<OAuthScope>,
}

/// Everything that OAuth clients of a tenant were given.
#[derive(Debug, Clone, Default)]
pub struct OAuthGrants {
    codes: BTreeMap<String, AuthorizationCode>,
    access: BTreeMap<String, AccessToken>,
    /// In the order of their making.
    refresh: Vec<RefreshToken>,
    families: u64,
}

impl OAuthGrants {
    /// Keeps a code for ten minutes.
    pub(crate) fn keep_code(
        &mut self,
        code: String,
        grant: Grant,
        redirect_uri: String,
        challenge: Option<String>,
        now: Timestamp,
    ) {
        self.codes.retain(|_, code| code.expires_at > now);
        let expires_at = now + CODE_LIFETIME;
        self.codes.insert(code, AuthorizationCode { grant, redirect_uri, challenge, expires_at });
    }

    /// Takes a code of this client. It is gone then, whatever comes of it.
    pub(crate) fn take_code(
        &mut self,
        code: &str,
        client: &str,
        now: Timestamp,
    ) -> Option<AuthorizationCode> {
        self.codes.get(code).filter(|kept| kept.grant.client == client)?;
        self.codes.remove(code).filter(|kept| kept.expires_at > now)
    }

    /// Gives the first tokens of a consent.
    pub(crate) fn begin(&mut self, grant: Grant, tokens: (String, String), now: Timestamp) -> NewTokens {
        self.families += 1;
        let (family, (access, refresh)) = (self.families, tokens);
        self.keep_refresh_token(refresh.clone(), grant.clone(), family);
        self.keep_access_token(access, Some(refresh), grant, family, now)
    }

    /// Gives a new access token for a refresh token of this client, and a new refresh token when the client has
    /// them changed each time. `None` when there is no such token. One that was replaced before counts as stolen:
    /// everything of its family ends.
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        client: &OAuthClient,
        tokens: (String, String),
        now: Timestamp,
    ) -> Option<NewTokens> {
        let known = self.refresh.iter_mut().find(|known| known.token == token)?;
        if known.grant.client != client.id || !client.is_enabled_for(&known.grant.user) {
            return None;
        }
        let (grant, family) = (known.grant.clone(), known.family);
        if known.replaced {
            self.refresh.retain(|other| other.family != family);
            self.access.retain(|_, other| other.family != family);
            return None;
        }
        known.replaced = client.rotates_refresh_tokens;
        let refresh = client.rotates_refresh_tokens.then_some(tokens.1);
        if let Some(refresh) = &refresh {
            self.keep_refresh_token(refresh.clone(), grant.clone(), family);
        }
        Some(self.keep_access_token(tokens.0, refresh, grant, family, now))
    }

    /// What an access token stands for, while it lives.
    pub(crate) fn of_access_token(&self, token: &str, now: Timestamp) -> Option<&Grant> {
        self.access.get(token).filter(|known| known.expires_at > now).map(|known| &known.grant)
    }

    /// Lets access tokens expire; answers how many.
    pub(crate) fn expire_access_tokens(&mut self, chosen: impl Fn(&Grant) -> bool) -> usize {
        let before = self.access.len();
        self.access.retain(|_, token| !chosen(&token.grant));
        before - self.access.len()
    }

    /// Revokes refresh tokens; answers how many that were still in force.
    pub(crate) fn revoke_refresh_tokens(&mut self, chosen: impl Fn(&Grant) -> bool) -> usize {
        let in_force = |tokens: &[RefreshToken]| tokens.iter().filter(|token| !token.replaced).count();
        let before = in_force(&self.refresh);
        self.refresh.retain(|token| !chosen(&token.grant));
        before - in_force(&self.refresh)
    }

    fn keep_access_token(
        &mut self,
        access: String,
        refresh: Option<String>,
        grant: Grant,
        family: u64,
        now: Timestamp,
    ) -> NewTokens {
        self.access.retain(|_, token| token.expires_at > now);
        let expires_at = now + SignedDuration::from_secs(ACCESS_TOKEN_SECONDS);
        let scopes = grant.scopes.clone();
        self.access.insert(access.clone(), AccessToken { grant, family, expires_at });
        NewTokens { access, refresh, scopes }
    }

    fn keep_refresh_token(&mut self, token: String, grant: Grant, family: u64) {
        let same = |other: &RefreshToken| {
            !other.replaced && other.grant.client == grant.client && other.grant.user == grant.user
        };
        if self.refresh.iter().filter(|other| same(other)).count() >= MAXIMUM_REFRESH_TOKENS
            && let Some(oldest) = self.refresh.iter().position(same)
        {
            self.refresh.remove(oldest);
        }
        self.refresh.push(RefreshToken { token, grant, family, replaced: false });
    }
}
