//! Browser sessions of a tenant.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// How long a session lasts, from its login.
const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Somebody who logged in with a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// Login name.
    pub(crate) user: String,
    /// What a request that changes something has to repeat.
    pub(crate) request_token: String,
    pub(crate) expires_at: Timestamp,
}

/// Sessions by the value of their cookie.
#[derive(Debug, Clone, Default)]
pub struct Sessions(BTreeMap<String, Session>);

impl Sessions {
    /// Keeps a session for a day.
    pub(crate) fn begin(
        &mut self,
        id: String,
        user: &str,
        request_token: String,
        now: Timestamp,
    ) -> &Session {
        self.0.retain(|_, session| session.expires_at > now);
        let expires_at = now + SESSION_LIFETIME;
        let session = Session { user: user.to_owned(), request_token, expires_at };
        self.0.entry(id).insert_entry(session).into_mut()
    }

    /// The session of a cookie, unless it is over.
    pub(crate) fn get(&self, id: &str, now: Timestamp) -> Option<&Session> {
        self.0.get(id).filter(|session| session.expires_at > now)
    }

    /// Ends the sessions of a user, or all of them; answers how many.
    pub(crate) fn end(&mut self, user: Option<&str>) -> usize {
        let before = self.0.len();
        self.0.retain(|_, session| user.is_some_and(|user| !session.user.eq_ignore_ascii_case(user)));
        before - self.0.len()
    }

    /// Gives every session of a user another request token, so that the present ones are stale.
    pub(crate) fn renew_request_tokens(&mut self, user: Option<&str>, mut token: impl FnMut() -> String) {
        for session in self.0.values_mut() {
            if user.is_none_or(|user| session.user.eq_ignore_ascii_case(user)) {
                session.request_token = token();
            }
        }
    }
}
