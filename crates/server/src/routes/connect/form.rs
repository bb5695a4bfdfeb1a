//! Accounts that are linked with what somebody typed, in a connect session.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Deserialize;
use tombolo_api::{FieldValue, LinkedConnection};
use tombolo_platform::catalog::AuthMode;
use tombolo_platform::connect::GivenCredentials;
use utoipa::ToSchema;

use super::holder::BrowserQuery;
use crate::routes::Routes;
use crate::routes::body::Body;
use crate::routes::query::Named;
use crate::routes::refusal::Refusal;

/// An API key, or several separated by commas where the provider takes several.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKeyCredentials {
    /// The key.
    #[serde(rename = "apiKey")]
    api_key: FieldValue,
}

/// A user name and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BasicCredentials {
    /// The user name; may be empty.
    #[serde(default = "empty")]
    username: FieldValue,
    /// The password; may be empty.
    #[serde(default = "empty")]
    password: FieldValue,
}

/// An OAuth client that is itself the credential.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientCredentials {
    /// The client's id.
    client_id: FieldValue,
    /// The client's secret.
    #[serde(default = "empty")]
    client_secret: FieldValue,
}

/// Links an account with an API key
///
/// In a connect session, whose token stands in the query as `connect_session_token`; fields that are no credential stand
/// there as `params[name]`. The account is tested, and nothing is stored when it cannot be used.
#[utoipa::path(
    post, path = "/api-auth/api-key/{key}", operation_id = "linkByApiKey", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    request_body = ApiKeyCredentials,
    responses((status = 200, description = "The account is linked", body = LinkedConnection))
)]
pub(super) async fn link_by_api_key(
    State(routes): State<Routes>,
    Named(key): Named,
    RawQuery(query): RawQuery,
    Body(body): Body<ApiKeyCredentials>,
) -> Result<Json<LinkedConnection>, Refusal> {
    link(&routes, &key, query, AuthMode::ApiKey, [("apiKey", body.api_key)]).await
}

/// Links an account with a user name and a password
///
/// In a connect session, whose token stands in the query as `connect_session_token`; fields that are no credential stand
/// there as `params[name]`. The account is tested, and nothing is stored when it cannot be used.
#[utoipa::path(
    post, path = "/api-auth/basic/{key}", operation_id = "linkByBasic", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    request_body = BasicCredentials,
    responses((status = 200, description = "The account is linked", body = LinkedConnection))
)]
pub(super) async fn link_by_basic(
    State(routes): State<Routes>,
    Named(key): Named,
    RawQuery(query): RawQuery,
    Body(body): Body<BasicCredentials>,
) -> Result<Json<LinkedConnection>, Refusal> {
    let given = [("username", body.username), ("password", body.password)];
    link(&routes, &key, query, AuthMode::Basic, given).await
}

/// Links an account with an OAuth client of its own
///
/// In a connect session, whose token stands in the query as `connect_session_token`; fields that are no credential stand
/// there as `params[name]`. A token is had at once and the account tested; nothing is stored when it cannot be used.
#[utoipa::path(
    post, path = "/oauth2/auth/{key}", operation_id = "linkByClientCredentials", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    request_body = ClientCredentials,
    responses((status = 200, description = "The account is linked", body = LinkedConnection))
)]
pub(super) async fn link_by_client_credentials(
    State(routes): State<Routes>,
    Named(key): Named,
    RawQuery(query): RawQuery,
    Body(body): Body<ClientCredentials>,
) -> Result<Json<LinkedConnection>, Refusal> {
    let given = [("client_id", body.client_id), ("client_secret", body.client_secret)];
    link(&routes, &key, query, AuthMode::OAuth2ClientCredentials, given).await
}

async fn link(
    routes: &Routes,
    key: &str,
    query: Option<String>,
    mode: AuthMode,
    values: impl IntoIterator<Item = (&'static str, FieldValue)>,
) -> Result<Json<LinkedConnection>, Refusal> {
    let query = BrowserQuery::read(&query.unwrap_or_default())?;
    let holder = query.holder(routes).await?;
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value.into_typed().into()));
    let given = GivenCredentials { mode, values: values.collect() };
    let config: BTreeMap<String, String> = query.params.into_iter().collect();
    let made = routes.platform.link_in_session(&holder, key, given, config).await?;
    Ok(Json(LinkedConnection {
        connection_id: made.connection.connection_id,
        provider_config_key: made.integration.unique_key,
    }))
}

fn empty() -> FieldValue {
    String::new().into()
}
