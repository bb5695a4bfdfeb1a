//! Who is asking, and what they may do.

use std::ops::Deref;
use std::sync::Arc;

use tombolo_store::{Actor, ActorKind, EnvironmentId};

use crate::problem::{Problem, ProblemKind};

/// One thing that an API key may be allowed to do. The names are those of the compatible API; those that begin with
/// `installation:` are about more than the key's own environment, and `environment:*` does not cover them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// See the list of connections.
    ListConnections,
    /// See one connection, without its secrets.
    ReadConnection,
    /// Make connections, and test drafts of them.
    CreateConnection,
    /// Change connections, and test them.
    UpdateConnection,
    /// Delete connections.
    DeleteConnection,
    /// See the list of integrations.
    ListIntegrations,
    /// See one integration.
    ReadIntegration,
    /// Make integrations.
    CreateIntegration,
    /// Change integrations.
    UpdateIntegration,
    /// Delete integrations.
    DeleteIntegration,
    /// See the access token of a connection. Only its own name grants it: no pattern covers it.
    ReadCredentials,
    /// Make connect sessions, and confirm what came of them.
    CreateConnectSession,
    /// See the variables of the environment.
    ReadVariables,
    /// Write the variables of the environment.
    WriteVariables,
    /// See and change what the environment's administrators decided.
    ManageEnvironment,
    /// Call upstreams through connections.
    Proxy,
    /// See the log of calls.
    ReadActivity,
    /// See the audit trail and verify it.
    ReadAudit,
    /// Make, list and revoke API keys.
    ManageApiKeys,
    /// See webhooks and their deliveries, never their secrets.
    ReadWebhooks,
    /// Make, change, test, replay and delete webhooks.
    ManageWebhooks,
    /// See who is told about the health of connections, never the addresses of chats.
    ReadNotifications,
    /// Make, change, test and delete those recipients.
    ManageNotifications,
    /// See jobs.
    ReadJobs,
    /// Retry and cancel jobs.
    ManageJobs,
    /// See which keys seal the secrets of all environments; never the keys themselves.
    ReadKeys,
    /// See the jobs that work for the whole installation.
    ReadInstallationJobs,
    /// Retry and cancel those jobs.
    ManageInstallationJobs,
    /// Ask for a provider that has no integration, and see what was asked for.
    RequestProvider,
    /// Decide about it.
    ManageProviderRequests,
    /// Make environments.
    CreateEnvironment,
    /// See acts on the installation itself in the audit trail.
    ReadInstallationAudit,
    /// See who may sign in.
    ReadUsers,
    /// Invite people, change what they may do, and shut them out.
    ManageUsers,
}

impl Scope {
    /// The scope's name, as an API key lists it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListConnections => "environment:connections:list",
            Self::ReadConnection => "environment:connections:read",
            Self::CreateConnection => "environment:connections:create",
            Self::UpdateConnection => "environment:connections:update",
            Self::DeleteConnection => "environment:connections:delete",
            Self::ListIntegrations => "environment:integrations:list",
            Self::ReadIntegration => "environment:integrations:read",
            Self::CreateIntegration => "environment:integrations:create",
            Self::UpdateIntegration => "environment:integrations:update",
            Self::DeleteIntegration => "environment:integrations:delete",
            Self::ReadCredentials => "environment:connections:read_credentials",
            Self::CreateConnectSession => "environment:connect_sessions:write",
            Self::ReadVariables => "environment:variables:read",
            Self::WriteVariables => "environment:variables:write",
            Self::ManageEnvironment => "environment:settings",
            Self::Proxy => "environment:proxy",
            Self::ReadActivity => "environment:logs:read",
            Self::ReadAudit => "environment:audit:read",
            Self::ManageApiKeys => "environment:api_keys",
            Self::ReadWebhooks => "environment:webhooks:read",
            Self::ManageWebhooks => "environment:webhooks:manage",
            Self::ReadNotifications => "environment:notifications:read",
            Self::ManageNotifications => "environment:notifications:manage",
            Self::ReadJobs => "environment:jobs:read",
            Self::ManageJobs => "environment:jobs:manage",
            Self::ReadKeys => "installation:keys:read",
            Self::ReadInstallationJobs => "installation:jobs:read",
            Self::ManageInstallationJobs => "installation:jobs:manage",
            Self::RequestProvider => "environment:provider_requests:create",
            Self::ManageProviderRequests => "environment:provider_requests:manage",
            Self::CreateEnvironment => "installation:environments:create",
            Self::ReadInstallationAudit => "installation:audit:read",
            Self::ReadUsers => "installation:users:read",
            Self::ManageUsers => "installation:users:manage",
        }
    }

    /// Every scope.
    pub const ALL: [Self; 34] = [
        Self::ListConnections,
        Self::ReadConnection,
        Self::CreateConnection,
        Self::UpdateConnection,
        Self::DeleteConnection,
        Self::ListIntegrations,
        Self::ReadIntegration,
        Self::CreateIntegration,
        Self::UpdateIntegration,
        Self::DeleteIntegration,
        Self::ReadCredentials,
        Self::CreateConnectSession,
        Self::ReadVariables,
        Self::WriteVariables,
        Self::ManageEnvironment,
        Self::Proxy,
        Self::ReadActivity,
        Self::ReadAudit,
        Self::ManageApiKeys,
        Self::ReadWebhooks,
        Self::ManageWebhooks,
        Self::ReadNotifications,
        Self::ManageNotifications,
        Self::ReadJobs,
        Self::ManageJobs,
        Self::ReadKeys,
        Self::ReadInstallationJobs,
        Self::ManageInstallationJobs,
        Self::RequestProvider,
        Self::ManageProviderRequests,
        Self::CreateEnvironment,
        Self::ReadInstallationAudit,
        Self::ReadUsers,
        Self::ManageUsers,
    ];

    /// Whether only its own name grants it: a key that may do everything else does not read secrets back.
    pub(crate) fn needs_naming(self) -> bool {
        self == Self::ReadCredentials
    }

    fn is_covered_by(self, granted: &str) -> bool {
        if self.needs_naming() { granted == self.name() } else { covers(granted, self.name()) }
    }

    /// Whether a text is a scope or a pattern such as `environment:*` that covers at least one.
    pub fn is_grantable(text: &str) -> bool {
        Self::ALL.iter().any(|scope| scope.is_covered_by(text))
    }
}

fn covers(granted: &str, wanted: &str) -> bool {
    granted == wanted
        || granted.strip_suffix('*').is_some_and(|stem| stem.ends_with(':') && wanted.starts_with(stem))
}

/// An authenticated caller. Cloning is cheap: every call carries one.
#[derive(Debug, Clone)]
pub struct Access(Arc<Granted>);

/// Which environment a caller acts in, as whom, and what it may do.
#[derive(Debug)]
pub struct Granted {
    /// The environment.
    pub environment: EnvironmentId,
    /// Who it is.
    pub actor: Actor,
    /// What was granted.
    pub scopes: Vec<String>,
}

impl Deref for Access {
    type Target = Granted;
    fn deref(&self) -> &Granted {
        &self.0
    }
}

impl Access {
    /// A caller that was authenticated in whatever way.
    pub(crate) fn new(environment: EnvironmentId, actor: Actor, scopes: Vec<String>) -> Self {
        Self(Arc::new(Granted { environment, actor, scopes }))
    }

    /// Somebody who may do everything, acting in an environment: the operator, or this program itself.
    pub(crate) fn unrestricted(environment: EnvironmentId, kind: ActorKind, name: &str) -> Self {
        let actor = Actor { kind, id: name.to_owned(), label: name.to_owned() };
        Self::new(environment, actor, vec!["environment:*".to_owned(), "installation:*".to_owned()])
    }

    /// Whether the caller may give this scope or pattern to a new key: nobody gives more than they have.
    pub(crate) fn may_grant(&self, wanted: &str) -> bool {
        // What has to be named is given on by whoever has it by name, and by the operator, who may do everything.
        let is_named = Scope::ALL.iter().any(|scope| scope.needs_naming() && scope.name() == wanted);
        let by_operator = self.actor.kind == ActorKind::Operator;
        let may = |granted: &String| if is_named { granted == wanted } else { covers(granted, wanted) };
        (is_named && by_operator) || self.scopes.iter().any(may)
    }

    /// Whether the scope was granted.
    pub(crate) fn has(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|granted| scope.is_covered_by(granted))
    }

    /// Refuses unless one of the scopes was granted; the first is named to whoever has none.
    pub fn require_any(&self, scopes: &[Scope]) -> Result<(), Problem> {
        match scopes {
            [first, ..] if !scopes.iter().any(|scope| self.has(*scope)) => self.require(*first),
            _ => Ok(()),
        }
    }

    /// Refuses unless the scope was granted.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.has(scope) {
            return Ok(());
        }
        if self.actor.kind == ActorKind::User {
            let what = format!("Your role does not allow this: it takes `{}`", scope.name());
            let fix = "Ask somebody who administers this server to do it, or for another role.";
            return Err(Problem::new(ProblemKind::Forbidden, "forbidden", what, fix));
        }
        let what = format!("The API key has no scope `{}`", scope.name());
        Err(Problem::new(
            ProblemKind::Forbidden,
            "forbidden",
            what,
            "Use a key with this scope, or make one.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_stands_below_it_and_no_more() {
        for (granted, wanted, expected) in [
            ("environment:*", Scope::Proxy, true),
            ("environment:connections:*", Scope::ReadConnection, true),
            ("environment:connections:*", Scope::ReadIntegration, false),
            ("environment:proxy", Scope::Proxy, true),
            ("environment:proxy", Scope::ListConnections, false),
            ("environment:pro*", Scope::Proxy, false),
            ("environment:*", Scope::ReadCredentials, false),
            ("environment:connections:*", Scope::ReadCredentials, false),
            ("environment:connections:read_credentials", Scope::ReadCredentials, true),
            ("environment:*", Scope::ReadKeys, false),
            ("installation:*", Scope::ReadKeys, true),
            ("installation:*", Scope::ReadJobs, false),
            ("installation:jobs:read", Scope::ReadInstallationJobs, true),
            ("*", Scope::Proxy, false),
            ("", Scope::Proxy, false),
        ] {
            assert_eq!(wanted.is_covered_by(granted), expected, "{granted} {wanted:?}");
        }
        assert!(covers("environment:*", "environment:connections:*"));
        assert!(!covers("environment:connections:*", "environment:*"));
        assert!(Scope::is_grantable("environment:*") && !Scope::is_grantable("everything"));
    }
}
