//! A link that an administrator hands to whoever has an account, so that it is linked again outside of any page of the
//! embedder's.

use std::sync::Arc;

use tombolo_catalog::AuthScheme;

use super::session::{ConnectSessionDraft, CreatedConnectSession, Reconnected};
use crate::access::{Access, Scope};
use crate::connections::gates_of;
use crate::oauth::{AuthorizationDraft, StartedAuthorization};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// Where a link leads that was made to be handed on.
pub enum LinkToHandOn {
    /// To the Connect UI.
    Session(CreatedConnectSession),
    /// To the vendor. The person is shown a code at the end, with which whoever made the link confirms the account.
    Vendor(Box<StartedAuthorization>),
}

impl Platform {
    /// Makes such a link. Where somebody agrees at the vendor and accounts are confirmed, the browser goes on to the first
    /// return URL of the environment, if an end user is known: the embedder's page there confirms whose account it is. Else
    /// the person tells the code that they are shown at the end.
    pub async fn create_reconnect_link(
        self: &Arc<Self>,
        access: &Access,
        reference: &str,
    ) -> Result<LinkToHandOn, Problem> {
        access.require(Scope::CreateConnectSession)?;
        let (connection, integration) = self.find_connection(&access.environment, None, reference).await?;
        let provider = self.provider_of(&integration)?;
        let scheme = provider.scheme(&connection.target.auth_scheme);
        let settings = self.environment_settings(&access.environment).await?;
        let mut draft = ConnectSessionDraft::default();
        if settings.confirm_authorizations && scheme.is_some_and(AuthScheme::needs_browser) {
            let page = settings.return_urls.into_iter().next().filter(|_| connection.end_user.is_some());
            if page.is_none() && !gates_of(&connection).is_empty() {
                let what = "What opens the gate of this connection has to be typed again, for which such a link has no form";
                let fix = "Link it again in the dashboard, where you sign in at the vendor yourself.";
                return Err(Problem::new(ProblemKind::Conflict, "gate_typed_by_hand", what, fix));
            }
            if page.is_none() {
                let draft = AuthorizationDraft::again(connection, integration.unique_key);
                let started = self.start_authorization(access, draft).await?;
                return Ok(LinkToHandOn::Vendor(Box::new(started)));
            }
            draft.return_url = page;
        }
        let of = Reconnected { connection: connection.id.to_string(), integration: integration.unique_key };
        self.create_reconnect_session(access, &of, draft).await.map(LinkToHandOn::Session)
    }
}
