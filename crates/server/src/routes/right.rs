//! Scopes as types: a route that takes a `Caller<ListConnections>` is open to keys with that scope and to no others.

use tombolo_platform::Scope;

/// What a route asks of its caller.
pub(crate) trait Right {
    /// The scopes of which the caller's key needs one; the first is named to whoever has none.
    const SCOPES: &'static [Scope];
}

macro_rules! rights {
    ($($name:ident)+) => {$(
        pub(crate) enum $name {}

        impl Right for $name {
            const SCOPES: &'static [Scope] = &[Scope::$name];
        }
    )+};
}

rights! {
    ListConnections ReadConnection CreateConnection UpdateConnection DeleteConnection
    ListIntegrations ReadIntegration CreateIntegration UpdateIntegration DeleteIntegration
    CreateConnectSession ReadVariables WriteVariables ManageEnvironment
    ReadActivity ReadAudit ManageApiKeys ReadJobs ManageJobs ReadKeys ReadWebhooks ManageWebhooks
    ReadNotifications ManageNotifications RequestProvider ManageProviderRequests ReadUsers ManageUsers
}

/// Asking for providers, or deciding about it: each sees what was asked for.
pub(crate) enum SeeProviderRequests {}

impl Right for SeeProviderRequests {
    const SCOPES: &'static [Scope] = &[Scope::RequestProvider, Scope::ManageProviderRequests];
}

/// Linking accounts, or having browsers link them: each may say whose account was linked.
pub(crate) enum ConfirmAuthorization {}

impl Right for ConfirmAuthorization {
    const SCOPES: &'static [Scope] = &[Scope::CreateConnection, Scope::CreateConnectSession];
}
