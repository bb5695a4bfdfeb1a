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
    /// The origins of your pages: what proves that a browser has finished an authorization is told to them alone.
    pub allowed_origins: Vec<String>,
    /// The addresses of your pages where a browser that has finished an authorization may be sent to.
    pub return_urls: Vec<String>,
    /// How the pages look on which somebody links an account.
    pub connect_ui: ConnectUi,
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
    /// All origins of your pages, at most twenty, such as `https://app.example.com`: over https, or http on the browser's own
    /// machine; in lower case, without a path and without wildcards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_origins: Option<Vec<String>>,
    /// All addresses where a browser that has finished may be sent to, at most twenty. They are compared letter for letter
    /// with the `return_url` of a session or an authorization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_urls: Option<Vec<String>>,
    /// How the pages look on which somebody links an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_ui: Option<UpdateConnectUi>,
}

/// How the pages look on which somebody links an account. An empty text stands for what is so by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectUi {
    /// What people call your application: “You are connecting your account to …”.
    pub display_name: String,
    /// The https address of its logo.
    pub logo_url: String,
    /// The colour of what can be pressed, in daylight, such as `#0f766e`. Where it could not be read it is made darker.
    pub primary_light: String,
    /// The same in the dark, where it is made lighter.
    pub primary_dark: String,
    /// `light`, `dark`, or `system`: what the browser prefers.
    pub default_theme: String,
    /// Whether the pages say what they are made with.
    pub show_watermark: bool,
}

/// What changes about how the pages look; what is left out stays, and an empty text takes back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateConnectUi {
    /// What people call your application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The https address of its logo, without a query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// The colour of what can be pressed, in daylight, such as `#0f766e`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_light: Option<String>,
    /// The same in the dark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_dark: Option<String>,
    /// `light`, `dark` or `system`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_theme: Option<String>,
    /// Whether the pages say what they are made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_watermark: Option<bool>,
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
