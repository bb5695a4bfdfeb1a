//! Accounts that people have agreed to at the vendor, and that wait for the code which those people were shown.

use tombolo_store::{Authorization, AuthorizationId, ConnectionId, Timestamp};

use super::draft::WaitingDraft;
use crate::access::{Access, Scope};
use crate::environments::EnvironmentSettings;
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// Most accounts that are told of at once: they wait for ten minutes at the longest.
const MOST: u32 = 100;

/// An account that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountToConfirm {
    /// What confirms it or refuses it.
    pub authorization: AuthorizationId,
    /// What the connection is called, or is to be called.
    pub name: String,
    /// The key of its integration, or the id of its provider.
    pub integration: String,
    /// The connection whose account is linked again; `None` for a new one.
    pub again: Option<ConnectionId>,
    /// Whether whoever confirms it has to name the end user whom the link was for.
    pub needs_end_user: bool,
    /// When it can no longer be confirmed.
    pub expires_at: Timestamp,
}

impl Platform {
    /// The accounts that wait for their confirmation with a code, the oldest first. Those that a page of an embedder's
    /// confirms, or the person who links an account in the dashboard, are not among them.
    pub async fn accounts_to_confirm(&self, access: &Access) -> Result<Vec<AccountToConfirm>, Problem> {
        access.require(Scope::CreateConnection)?;
        let environment = self.environment_settings(&access.environment).await?;
        let waiting = self.store.authorizations_to_confirm(&access.environment, self.now(), MOST).await?;
        let mut accounts = Vec::new();
        for authorization in waiting {
            let draft = match self.parts_of(&authorization).await {
                Ok((_, _, draft)) => draft,
                // What belongs to a client or a provider that is gone cannot be linked any more.
                Err(problem) if problem.kind == ProblemKind::NotFound => continue,
                Err(problem) => return Err(problem),
            };
            if !draft.is_told_a_code(&authorization, &environment) {
                continue;
            }
            accounts.push(AccountToConfirm {
                needs_end_user: self.expected_user(&authorization, &draft).await?.is_some(),
                again: authorization.links_again.map(|_| authorization.connection.clone()),
                authorization: authorization.id,
                name: draft.name,
                integration: draft.integration,
                expires_at: authorization.expires_at,
            });
        }
        Ok(accounts)
    }
}

impl WaitingDraft {
    /// Whether the person is shown a code at the end. In a session it is the embedder's page that passes the proof on: somebody
    /// who could be talked into telling a code is never shown one there.
    pub(super) fn is_told_a_code(
        &self,
        authorization: &Authorization,
        environment: &EnvironmentSettings,
    ) -> bool {
        let has_page = self.return_url.is_some() && !self.is_for_program(environment);
        authorization.connect_session.is_none() && !has_page
    }
}
