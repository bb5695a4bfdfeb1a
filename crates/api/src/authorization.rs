use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::field_value::FieldValue;

/// An account that a person is to link at the vendor, with their browser.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAuthorization {
    /// The key of an integration, or the id of a provider.
    pub integration: String,
    /// What people are to call the connection; unique in its environment.
    pub name: String,
    /// Names it in the API; its id unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// The auth scheme; the provider's first one that needs a browser unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_scheme: Option<String>,
    /// The OAuth client, by id or name; the only one that fits unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_client: Option<String>,
    /// Fields that are no secret. Those that say where the OAuth client is registered are known already.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Fields of gates, such as a client certificate: secrets among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gate_fields: BTreeMap<String, FieldValue>,
    /// Extra settings.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// For finding it.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Data of one's own.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// The scopes to ask for; those of the OAuth client, or of the provider's file, unless given.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Where the browser that finishes is sent to, with the parameters `authorization` and `proof`, or `error`: one of the
    /// environment's `return_urls`, or the address of a program that waits on the person's own machine, such as
    /// `http://127.0.0.1:49152/`. Without it the page at the end shows a code for the person to tell. For one of the
    /// environment's, the tag `end_user_id` names the person whom the confirmation then has to name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
}

/// A link for a person to open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedAuthorization {
    /// Names the authorization.
    pub id: String,
    /// What the person opens. Whoever has it can link an account of theirs, so it goes to nobody else; shown this once.
    pub url: String,
    /// Until when it can be opened.
    pub expires_at: Timestamp,
    /// How far it is.
    pub stage: AuthorizationStage,
}

impl fmt::Debug for CreatedAuthorization {
    /// Leaves the URL out: its last part is a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, url: _, expires_at, stage } = self;
        formatter
            .debug_struct("CreatedAuthorization")
            .field("id", id)
            .field("expires_at", expires_at)
            .field("stage", stage)
            .finish_non_exhaustive()
    }
}

/// How an authorization does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Authorization {
    /// Names it.
    pub id: String,
    /// How far it is.
    pub stage: AuthorizationStage,
    /// Whether it can no longer go on: it has come to its end, or to the end of its time.
    pub is_over: bool,
    /// When it can no longer go on.
    pub expires_at: Timestamp,
    /// What the connection is to be called.
    pub name: String,
    /// The key of its integration, or the id of its provider.
    pub integration: String,
    /// The fields of the connection.
    pub config: BTreeMap<String, String>,
    /// The scopes that were asked for.
    pub scopes: Vec<String>,
    /// The id of the connection that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Why it has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<AuthorizationProblem>,
}

/// Accounts that wait for their confirmation with a code, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountsToConfirm {
    /// At most a hundred of them.
    pub accounts: Vec<AccountToConfirm>,
}

/// An account that a person has agreed to at the vendor, and who was shown a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountToConfirm {
    /// The authorization that is confirmed or refused.
    pub authorization: String,
    /// What the connection is called, or is to be called.
    pub name: String,
    /// The key of its integration, or the id of its provider.
    pub integration: String,
    /// The id of the connection whose account is linked again; absent for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Whether the confirmation has to name the end user whom the link was for.
    pub needs_end_user: bool,
    /// When it can no longer be confirmed.
    pub expires_at: Timestamp,
}

/// How far an authorization is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationStage {
    /// Nobody has opened the link yet.
    Waiting,
    /// A person is at the vendor.
    Started,
    /// The vendor's answer is being exchanged, and the account tested.
    Answered,
    /// The person has agreed, and the vendor's answer waits for the confirmation that it is about the right person's account.
    Unconfirmed,
    /// The connection is made.
    Linked,
    /// It has come to nothing.
    Failed,
}

/// Why an authorization has come to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuthorizationProblem {
    /// A stable name for programs.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}
