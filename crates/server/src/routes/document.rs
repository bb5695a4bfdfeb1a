//! The OpenAPI document, made of the routes themselves.

use axum::extract::State;
use http::header::{CONTENT_TYPE, HeaderName};
use tombolo_api::Problem;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{Http, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, OpenApi, Ref, Required, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Tombolo",
        description = "Link a SaaS account once, prove that it works, then call it through a proxy, with the secret locked away.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(Problem, tombolo_api::Health, tombolo_api::JobState, tombolo_api::WebhookDeliveryState, tombolo_api::StatusClass)),
    tags(
        (name = "connections", description = "One account's authorised access"),
        (name = "connect", description = "Accounts that end users link in an embedder's page"),
        (name = "environments", description = "What the administrators of an environment decided"),
        (name = "oauth", description = "Accounts that a person links at the vendor, and the clients for it"),
        (name = "calls", description = "Requests to upstreams through connections"),
        (name = "integrations", description = "Providers configured in an environment"),
        (name = "providers", description = "The catalog"),
        (name = "api keys", description = "Callers' keys to this API"),
        (name = "activity", description = "The log of calls"),
        (name = "audit", description = "Who did what to which object"),
        (name = "webhooks", description = "Where events are posted to, and what is on its way there"),
        (name = "notifications", description = "Whom an environment tells about the health of its connections"),
        (name = "jobs", description = "Work that runs by itself"),
        (name = "operation", description = "For whoever runs the server"),
    ),
)]
struct Document;

/// The security scheme of every route that is not public.
const API_KEY: &str = "apiKey";
/// The security scheme of the routes that browsers use in a connect session.
const CONNECT_SESSION: &str = "connectSession";
const METHODS: [(HttpMethod, &str); 6] = [
    (HttpMethod::Get, "Get"),
    (HttpMethod::Head, "Head"),
    (HttpMethod::Post, "Post"),
    (HttpMethod::Put, "Put"),
    (HttpMethod::Patch, "Patch"),
    (HttpMethod::Delete, "Delete"),
];

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::with_openapi(Document::openapi()).routes(routes!(document))
}

/// Shows this document
///
/// Public.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "operation", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value))
)]
async fn document(State(routes): State<Routes>) -> ([(HeaderName, &'static str); 1], axum::body::Bytes) {
    ([(CONTENT_TYPE, "application/json")], routes.document)
}

/// Adds what all routes have in common, and the two fronts of the proxy, which stand before the router.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    add_front(
        &mut document,
        "/proxy/{path}",
        "proxy",
        PROXY,
        &[
            (
                "Connection-Id",
                ParameterIn::Header,
                Required::True,
                "Id, connection id or name of the connection; other scripts percent-encoded",
            ),
            (
                "Provider-Config-Key",
                ParameterIn::Header,
                Required::False,
                "Key of the integration, when the connection's id or name says too little",
            ),
            ("path", ParameterIn::Path, Required::True, "Path at the upstream"),
        ],
    );
    add_front(
        &mut document,
        "/c/{integration}/{connection}/{path}",
        "dropIn",
        DROP_IN,
        &[
            ("integration", ParameterIn::Path, Required::True, "Key of the integration"),
            ("connection", ParameterIn::Path, Required::True, "Id, connection id or name of the connection"),
            ("path", ParameterIn::Path, Required::True, "Path at the upstream"),
        ],
    );
    if let Some(components) = &mut document.components {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme(API_KEY, scheme);
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of a connect session; some routes take it as the query parameter or member that they name"));
        components.add_security_scheme(CONNECT_SESSION, SecurityScheme::Http(token.build()));
    }
    let problem = ResponseBuilder::new()
        .description("What went wrong, whose side it is on and what to do")
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
        )
        .build();
    for item in document.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.head, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let needs_key = [SecurityRequirement::new::<_, [&str; 0], &str>(API_KEY, [])];
            operation.security.get_or_insert_with(|| needs_key.into());
            operation
                .responses
                .responses
                .entry("default".to_owned())
                .or_insert_with(|| problem.clone().into());
        }
    }
    document
}

const PROXY: &str = "The credential of the connection is added, yours is taken off; status, headers and body come back \
    unchanged. Scope: `environment:proxy`.";
const DROP_IN: &str = "For the vendor's own clients: give this as the base URL, and an API key where the vendor's token \
    or password would stand. Scope: `environment:proxy`.";

type FrontParameter = (&'static str, ParameterIn, Required, &'static str);

fn add_front(
    document: &mut OpenApi,
    path: &str,
    name: &str,
    description: &str,
    parameters: &[FrontParameter],
) {
    let mut item = PathItem::default();
    for (method, suffix) in METHODS {
        let mut operation = OperationBuilder::new()
            .tag("calls")
            .operation_id(Some(format!("{name}{suffix}")))
            .summary(Some("Calls the upstream"))
            .description(Some(description))
            .response("default", ResponseBuilder::new().description("What the upstream answers").build());
        for (name, place, required, description) in parameters {
            operation = operation.parameter(
                ParameterBuilder::new()
                    .name(*name)
                    .parameter_in(place.clone())
                    .required(required.clone())
                    .description(Some(*description))
                    .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
                    .build(),
            );
        }
        item.merge_operations(PathItem::new(method, operation));
    }
    document.paths.paths.insert(path.to_owned(), item);
}
