use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody would like to use a provider that has no integration in the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderRequest {
    /// Names it.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// What for, in the words of whoever asked; may be empty.
    pub reason: String,
    /// What became of it.
    pub state: ProviderRequestState,
    /// Who asked, by their name at that time.
    pub asked_by: String,
    /// What they were told; may be empty.
    pub answer: String,
    /// Who decided, by their name at that time.
    pub settled_by: Option<String>,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it was decided.
    pub settled_at: Option<Timestamp>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderRequestState {
    /// Nobody has decided.
    Open,
    /// The provider was enabled.
    Granted,
    /// It was not.
    Declined,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderRequests {
    /// The open ones first, then the newest.
    pub requests: Vec<ProviderRequest>,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateProviderRequest {
    /// The provider.
    pub provider: String,
    /// What for.
    #[serde(default)]
    pub reason: String,
}

/// What is decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleProviderRequest {
    /// Whether the provider is enabled: that makes its integration.
    pub grant: bool,
    /// What whoever asked is told.
    #[serde(default)]
    pub answer: String,
}
