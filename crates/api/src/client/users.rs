//! The routes of people who sign in, named by id or login, and of the providers that they ask for.

use super::error::ClientError;
use super::{ApiClient, path};
use crate::{
    CreateProviderRequest, InviteUser, PasswordLink, ProviderRequest, ProviderRequests,
    SettleProviderRequest, UpdateUser, User, Users,
};

const USERS: &str = "users";
const REQUESTS: &str = "provider-requests";

impl ApiClient {
    /// Everybody who signs in.
    pub async fn list_users(&self) -> Result<Users, ClientError> {
        self.get(&path([USERS])).await
    }

    /// Invites somebody.
    pub async fn invite_user(&self, invitation: &InviteUser) -> Result<PasswordLink, ClientError> {
        self.post(&path([USERS]), invitation).await
    }

    /// Changes what somebody may do, or shuts them out.
    pub async fn update_user(&self, reference: &str, change: &UpdateUser) -> Result<User, ClientError> {
        self.patch(&path([USERS, reference]), change).await
    }

    /// Makes a link under which somebody chooses another password.
    pub async fn reset_password(&self, reference: &str) -> Result<PasswordLink, ClientError> {
        self.post(&path([USERS, reference, "password-link"]), &serde_json::json!({})).await
    }

    /// What was asked for.
    pub async fn list_provider_requests(&self) -> Result<ProviderRequests, ClientError> {
        self.get(&path([REQUESTS])).await
    }

    /// Asks for a provider.
    pub async fn request_provider(
        &self,
        request: &CreateProviderRequest,
    ) -> Result<ProviderRequest, ClientError> {
        self.post(&path([REQUESTS]), request).await
    }

    /// Decides whether somebody gets what they asked for.
    pub async fn settle_provider_request(
        &self,
        id: &str,
        settled: &SettleProviderRequest,
    ) -> Result<ProviderRequest, ClientError> {
        self.patch(&path([REQUESTS, id]), settled).await
    }
}
