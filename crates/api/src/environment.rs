use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::field_value::FieldValue;

/// An environment and what its administrators decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Environment {
    /// Names it for ever.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether somebody has to confirm whose account it is before an authorization becomes a connection.
    pub confirm_authorizations: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What changes about an environment; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateEnvironment {
    /// Whether somebody has to confirm whose account it is before an authorization becomes a connection. Without it a
    /// person who follows a link that was meant for another links their account for that one, and only a page warns them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm_authorizations: Option<bool>,
}

/// A variable of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    #[schema(value_type = String)]
    pub value: FieldValue,
}

/// The value of a variable of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutEnvironmentVariable {
    /// Its value.
    #[schema(value_type = String)]
    pub value: FieldValue,
}
