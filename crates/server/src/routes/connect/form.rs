//! Accounts that are linked with what somebody typed, in a connect session.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use tombolo_api::LinkedConnection;
use tombolo_platform::catalog::AuthMode;
use tombolo_platform::connect::GivenCredentials;
use tombolo_platform::{Problem, ProblemKind};

use super::credentials::{
    ApiKeyCredentials, AwsRole, BasicCredentials, BillCredentials, ClientCredentials, FreeCredentials, Given,
    NoCredentials, SignatureCredentials, TokenCredentials,
};
use super::holder::InBrowser;
use crate::routes::Routes;
use crate::routes::body::{Body, OptionalBody};
use crate::routes::query::Named;
use crate::routes::refusal::Refusal;

/// What every one of these routes answers.
type Linked = Result<Json<LinkedConnection>, Refusal>;

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
    browser: InBrowser,
    Body(body): Body<ApiKeyCredentials>,
) -> Linked {
    link(&routes, &key, browser, AuthMode::ApiKey, body.given()).await
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
    browser: InBrowser,
    Body(body): Body<BasicCredentials>,
) -> Linked {
    link(&routes, &key, browser, AuthMode::Basic, body.given()).await
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
    browser: InBrowser,
    Body(body): Body<ClientCredentials>,
) -> Linked {
    link(&routes, &key, browser, AuthMode::OAuth2ClientCredentials, body.given()).await
}

/// Links an account by a login that yields a token
///
/// In a connect session, whose token stands in the query as `connect_session_token`; fields that are no credential stand
/// there as `params[name]`. The body has the credential's fields by the names of the provider, and `assertionOption` with
/// what a signed assertion is made from. The login is tried at once; nothing is stored when it does not work.
#[utoipa::path(
    post, path = "/auth/two-step/{key}", operation_id = "linkByTwoStep", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    request_body = FreeCredentials,
    responses((status = 200, description = "The account is linked", body = LinkedConnection))
)]
pub(super) async fn link_by_two_step(
    State(routes): State<Routes>,
    Named(key): Named,
    browser: InBrowser,
    Body(body): Body<FreeCredentials>,
) -> Linked {
    link(&routes, &key, browser, AuthMode::TwoStep, body.given()?).await
}

/// Links an account with a key that signs tokens
///
/// In a connect session, whose token stands in the query as `connect_session_token`; fields that are no credential stand
/// there as `params[name]`. The body has the credential's fields by the names of the provider. The account is tested, and
/// nothing is stored when it cannot be used.
#[utoipa::path(
    post, path = "/auth/jwt/{key}", operation_id = "linkByJwt", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    request_body = FreeCredentials,
    responses((status = 200, description = "The account is linked", body = LinkedConnection))
)]
pub(super) async fn link_by_jwt(
    State(routes): State<Routes>,
    Named(key): Named,
    browser: InBrowser,
    Body(body): Body<FreeCredentials>,
) -> Linked {
    link(&routes, &key, browser, AuthMode::Jwt, body.given()?).await
}

/// Links an account with a token of OAuth 1.0a
///
/// In a connect session, whose token stands in the query as `connect_session_token`; fields that are no credential stand
/// there as `params[name]`. The client that signs beside the token is the integration's, unless the body brings one.
#[utoipa::path(
    post, path = "/auth/tba/{key}", operation_id = "linkByToken", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    request_body = TokenCredentials,
    responses((status = 200, description = "The account is linked", body = LinkedConnection))
)]
pub(super) async fn link_by_token(
    State(routes): State<Routes>,
    Named(key): Named,
    browser: InBrowser,
    Body(body): Body<TokenCredentials>,
) -> Linked {
    link(&routes, &key, browser, AuthMode::Tba, body.given()).await
}

/// Links an account with a user's and a developer's secrets
///
/// In a connect session, whose token stands in the query as `connect_session_token`; fields that are no credential stand
/// there as `params[name]`. The login is tried at once; nothing is stored when it does not work.
#[utoipa::path(
    post, path = "/auth/bill/{key}", operation_id = "linkByBill", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    request_body = BillCredentials,
    responses((status = 200, description = "The account is linked", body = LinkedConnection))
)]
pub(super) async fn link_by_bill(
    State(routes): State<Routes>,
    Named(key): Named,
    browser: InBrowser,
    Body(body): Body<BillCredentials>,
) -> Linked {
    link(&routes, &key, browser, AuthMode::Bill, body.given()).await
}

/// Links an account whose requests carry a digest of its secret
///
/// In a connect session, whose token stands in the query as `connect_session_token`; fields that are no credential stand
/// there as `params[name]`. The account is tested, and nothing is stored when it cannot be used.
#[utoipa::path(
    post, path = "/auth/signature/{key}", operation_id = "linkBySignature", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    request_body = SignatureCredentials,
    responses((status = 200, description = "The account is linked", body = LinkedConnection))
)]
pub(super) async fn link_by_signature(
    State(routes): State<Routes>,
    Named(key): Named,
    browser: InBrowser,
    Body(body): Body<SignatureCredentials>,
) -> Linked {
    link(&routes, &key, browser, AuthMode::Signature, body.given()).await
}

/// Links an account by a role of Amazon Web Services
///
/// In a connect session, whose token stands in the query as `connect_session_token`; `params[external_id]` is what the
/// role's owner asks others to say. The keys that assume the role are those of the integration's client. The role is
/// assumed at once; nothing is stored when it cannot be.
#[utoipa::path(
    post, path = "/auth/aws-sigv4/{key}", operation_id = "linkByAwsRole", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    request_body = AwsRole,
    responses((status = 200, description = "The account is linked", body = LinkedConnection))
)]
pub(super) async fn link_by_aws_role(
    State(routes): State<Routes>,
    Named(key): Named,
    browser: InBrowser,
    Body(body): Body<AwsRole>,
) -> Linked {
    link(&routes, &key, browser, AuthMode::AwsSigV4, body.given()).await
}

/// Links an account that needs no credential
///
/// In a connect session, whose token stands in the query as `connect_session_token`; fields stand there as `params[name]`.
#[utoipa::path(
    post, path = "/auth/unauthenticated/{key}", operation_id = "linkUnauthenticated", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    responses((status = 200, description = "The account is linked", body = LinkedConnection))
)]
pub(super) async fn link_unauthenticated(
    State(routes): State<Routes>,
    Named(key): Named,
    browser: InBrowser,
    OptionalBody(NoCredentials {}): OptionalBody<NoCredentials>,
) -> Linked {
    link(&routes, &key, browser, AuthMode::None, Given::new()).await
}

/// Refuses accounts that are linked from the vendor's side
///
/// They begin with a webhook of the vendor's, which is not taken: no provider here is linked so, and the answer says how
/// this one is.
#[utoipa::path(
    post, path = "/auth/oauth-outbound/{key}", operation_id = "linkOutbound", tag = "connect", security(("connectSession" = [])),
    params(
        ("key" = String, Path, description = "The key of the integration"),
        ("connect_session_token" = String, Query, description = "The token of the connect session"),
    ),
    responses((status = "default", description = "Why the account cannot be linked so", body = tombolo_api::Problem))
)]
pub(super) async fn link_outbound(
    State(routes): State<Routes>,
    Named(key): Named,
    browser: InBrowser,
    OptionalBody(NoCredentials {}): OptionalBody<NoCredentials>,
) -> Linked {
    Err(routes.platform.refuse_outbound(&browser.holder, &key).await.into())
}

/// Refuses installations of apps that a vendor announces by a redirect
///
/// The number of an installation in a redirect proves nothing: whoever has the address can write another's. Such an account
/// is linked with the app's id, key and installation in a form. Public.
#[utoipa::path(
    get, path = "/app-auth/connect", operation_id = "finishInstallation", tag = "connect", security(()),
    responses((status = "default", description = "Why the account cannot be linked so", body = tombolo_api::Problem))
)]
pub(super) async fn finish_installation() -> Refusal {
    let what =
        "An installation of an app is not linked by a redirect: its number in an address proves nothing";
    let fix = "Link it with the app's ID, private key and installation ID, with `tombolo connection create`.";
    Problem::new(ProblemKind::NotAvailable, "not_available", what, fix).into()
}

async fn link(routes: &Routes, key: &str, browser: InBrowser, mode: AuthMode, given: Given) -> Linked {
    let given = GivenCredentials { mode, values: given };
    let config: BTreeMap<String, String> = browser.query.params.into_iter().collect();
    // A test and all that comes before it is much to keep in one place.
    let made = Box::pin(routes.platform.link_in_session(&browser.holder, key, given, config)).await?;
    Ok(Json(LinkedConnection {
        connection_id: made.connection.connection_id,
        provider_config_key: made.integration.unique_key,
    }))
}
