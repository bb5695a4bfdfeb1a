//! What the palette finds: connections by name, integrations, and parts of the manual.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use http::header::CACHE_CONTROL;
use serde::Serialize;
use tombolo_platform::store::ConnectionFilter;

use super::shown::encoded;
use super::visitor::Visitor;
use crate::routes::Routes;

/// Most results of one kind.
const MOST: usize = 6;

pub(super) fn routes() -> Router<Routes> {
    Router::new().route("/dashboard/{environment}/find", axum::routing::get(find))
}

/// Something to go to.
#[derive(Serialize)]
struct Found {
    address: String,
    text: String,
    /// What it is, in words.
    note: String,
    /// Its picture in `icons.svg`.
    icon: &'static str,
}

/// What fits the parameter `q`. Kinds that somebody may not see are left out.
async fn find(visitor: Visitor, State(routes): State<Routes>) -> Response {
    let wanted = visitor.parameter("q");
    let wanted = wanted.trim();
    let mut found = Vec::new();
    if !wanted.is_empty() {
        found.extend(connections(&visitor, &routes, wanted).await);
        found.extend(integrations(&visitor, &routes, wanted).await);
        found.extend(articles(&visitor, &routes, wanted));
    }
    ([(CACHE_CONTROL, "no-store")], Json(found)).into_response()
}

async fn connections(visitor: &Visitor, routes: &Routes, wanted: &str) -> Vec<Found> {
    let filter = ConnectionFilter { search: Some(wanted.to_owned()), ..ConnectionFilter::default() };
    let page = routes.platform.list_connections(visitor.access(), &filter, None, MOST).await;
    let found = page.map(|page| page.connections).unwrap_or_default();
    let found = found.into_iter().map(|connection| Found {
        address: visitor.to(&format!("connections/{}", connection.id)),
        text: connection.name.clone(),
        note: visitor.shell.say("nav-connections"),
        icon: "connections",
    });
    found.collect()
}

async fn integrations(visitor: &Visitor, routes: &Routes, wanted: &str) -> Vec<Found> {
    let wanted = wanted.to_lowercase();
    let all = routes.platform.list_integrations(visitor.access()).await.unwrap_or_default();
    let fits = all.into_iter().filter(|integration| {
        integration.display_name.to_lowercase().contains(&wanted) || integration.unique_key.contains(&wanted)
    });
    let found = fits.take(MOST).map(|integration| Found {
        address: visitor.to(&format!("integrations/{}", encoded(&integration.unique_key))),
        text: integration.display_name,
        note: visitor.shell.say("nav-integrations"),
        icon: "integrations",
    });
    found.collect()
}

fn articles(visitor: &Visitor, routes: &Routes, wanted: &str) -> Vec<Found> {
    let found = routes.manual.find(visitor.shell.language, wanted, MOST).into_iter();
    let found = found.map(|(path, title, heading)| Found {
        address: visitor.shell.to(&path),
        text: if heading.is_empty() { title } else { format!("{title}: {heading}") },
        note: visitor.shell.say("manual"),
        icon: "manual",
    });
    found.collect()
}
