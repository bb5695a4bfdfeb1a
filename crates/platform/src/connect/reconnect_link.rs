//! A link that an administrator hands to whoever has an account, so that it is linked again outside of any page of the
//! embedder's.

use super::session::{ConnectSessionDraft, CreatedConnectSession, Reconnected};
use crate::access::{Access, Scope};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

impl Platform {
    /// Makes the session of such a link. Where somebody agrees at the vendor and accounts are confirmed, the browser goes on
    /// to the first return URL of the environment: the embedder's page there confirms whose account it is. A link that
    /// nobody could confirm is refused before it is made.
    pub async fn create_reconnect_link(
        &self,
        access: &Access,
        reference: &str,
    ) -> Result<CreatedConnectSession, Problem> {
        access.require(Scope::CreateConnectSession)?;
        let (connection, integration) = self.find_connection(&access.environment, None, reference).await?;
        let provider = self.provider_of(&integration)?;
        let scheme = provider.scheme(&connection.target.auth_scheme);
        let settings = self.environment_settings(&access.environment).await?;
        let mut draft = ConnectSessionDraft::default();
        if settings.confirm_authorizations && scheme.is_some_and(tombolo_catalog::AuthScheme::needs_browser) {
            if connection.end_user.is_none() {
                let what = "Nobody is named whose account this is, so nobody could confirm a link";
                let fix = "Link it again in the dashboard, where you sign in at the vendor yourself.";
                return Err(Problem::new(ProblemKind::Conflict, "nobody_to_confirm", what, fix));
            }
            let Some(url) = settings.return_urls.first() else {
                let what = "The environment names no page that could confirm whose account it is";
                let fix = "Name one with `return_urls` in the environment's settings.";
                return Err(Problem::new(ProblemKind::Conflict, "no_return_url", what, fix));
            };
            draft.return_url = Some(url.clone());
        }
        let of = Reconnected { connection: connection.id.to_string(), integration: integration.unique_key };
        self.create_reconnect_session(access, &of, draft).await
    }
}
