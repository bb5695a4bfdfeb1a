//! The one table of roles: what each may do. Everything that enforces it asks for scopes, as it does for API keys.

use tombolo_store::Environment;
pub use tombolo_store::Role;

use super::{SignedInUser, actor};
use crate::access::{Access, Scope};
use crate::platform::{DEFAULT_ENVIRONMENT, Platform};
use crate::problem::Problem;

impl Scope {
    /// The least role that has the scope; every role has what lesser ones have. Reading secrets, keys of callers and the
    /// audit trail are the administrators' alone, and so is everything that decides where data goes.
    pub fn least_role(self) -> Role {
        match self {
            Self::ListConnections
            | Self::ReadConnection
            | Self::ListIntegrations
            | Self::ReadIntegration
            | Self::ReadActivity
            | Self::ReadWebhooks
            | Self::ReadNotifications
            | Self::ReadJobs => Role::Viewer,
            Self::CreateConnection
            | Self::UpdateConnection
            | Self::DeleteConnection
            | Self::CreateConnectSession
            | Self::Proxy
            | Self::RequestProvider => Role::Member,
            Self::CreateIntegration
            | Self::UpdateIntegration
            | Self::DeleteIntegration
            | Self::ReadCredentials
            | Self::ReadVariables
            | Self::WriteVariables
            | Self::ManageEnvironment
            | Self::ReadAudit
            | Self::ManageApiKeys
            | Self::ManageWebhooks
            | Self::ManageNotifications
            | Self::ManageJobs
            | Self::ReadKeys
            | Self::ReadInstallationJobs
            | Self::ManageInstallationJobs
            | Self::ManageProviderRequests
            | Self::CreateEnvironment
            | Self::ReadInstallationAudit
            | Self::ReadUsers
            | Self::ManageUsers => Role::Admin,
        }
    }
}

/// What a role is granted, as an API key lists it. Administrators have the patterns, so that they may give them on to keys.
pub(crate) fn granted(role: Role) -> Vec<String> {
    let patterns = ["environment:*", "installation:*"].iter().filter(|_| role == Role::Admin);
    let named = Scope::ALL.iter().filter(|scope| scope.least_role() <= role);
    let named = named.filter(|scope| role != Role::Admin || scope.needs_naming());
    patterns.map(|pattern| (*pattern).to_owned()).chain(named.map(|scope| scope.name().to_owned())).collect()
}

impl Platform {
    /// What a person who is signed in may do in an environment, the default one unless another is named. A role counts in
    /// all of them.
    pub async fn access_of(
        &self,
        signed_in: &SignedInUser,
        environment: Option<&str>,
    ) -> Result<(Access, Environment), Problem> {
        let name = environment.unwrap_or(DEFAULT_ENVIRONMENT);
        let found = self.store.environment_named(name).await?;
        let environment = found.ok_or_else(|| {
            Problem::not_found("unknown_environment", format!("There is no environment `{name}`"))
        })?;
        let user = &signed_in.user;
        Ok((Access::new(environment.id.clone(), actor(user), granted(user.role)), environment))
    }

    /// The environments that a person who is signed in may act in: all of them, oldest first.
    pub async fn environments_of(&self, _: &SignedInUser) -> Result<Vec<Environment>, Problem> {
        Ok(self.store.environments().await?)
    }
}

#[cfg(test)]
mod tests {
    use tombolo_store::{Actor, ActorKind, EnvironmentId};

    use super::*;

    #[test]
    fn a_role_has_what_the_table_says_and_nothing_else() {
        let environment: EnvironmentId = format!("env_{}", "0".repeat(32)).parse().expect("an id");
        for role in Role::ALL {
            let actor = Actor { kind: ActorKind::User, id: "usr_1".into(), label: "anna".into() };
            let access = Access::new(environment.clone(), actor, granted(*role));
            for scope in Scope::ALL {
                assert_eq!(access.require(scope).is_ok(), scope.least_role() <= *role, "{role} {scope:?}");
            }
        }
    }

    #[test]
    fn the_table_reads_as_the_manual_has_it() {
        let names = |role: Role| {
            let own = Scope::ALL.iter().filter(|scope| scope.least_role() == role);
            own.map(|scope| scope.name()).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(names(Role::Viewer), @r"
        environment:connections:list
        environment:connections:read
        environment:integrations:list
        environment:integrations:read
        environment:logs:read
        environment:webhooks:read
        environment:notifications:read
        environment:jobs:read
        ");
        insta::assert_snapshot!(names(Role::Member), @r"
        environment:connections:create
        environment:connections:update
        environment:connections:delete
        environment:connect_sessions:write
        environment:proxy
        environment:provider_requests:create
        ");
    }
}
