//! Scopes as types: a route that takes a `Caller<ListConnections>` is open to keys with that scope and to no others.

use tombolo_platform::Scope;

/// What a route asks of its caller.
pub(crate) trait Right {
    /// The scope that the caller's key needs.
    const SCOPE: Scope;
}

macro_rules! rights {
    ($($name:ident)+) => {$(
        pub(crate) enum $name {}

        impl Right for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )+};
}

rights! {
    ListConnections ReadConnection CreateConnection UpdateConnection DeleteConnection
    ListIntegrations ReadIntegration CreateIntegration UpdateIntegration DeleteIntegration
    ReadActivity ReadAudit ManageApiKeys ReadJobs ReadKeys
}
