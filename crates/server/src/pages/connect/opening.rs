//! The first steps: whose session it is, and which integration.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use serde_json::{Value, json};
use tombolo_platform::Problem;
use tombolo_platform::connect::{LinkChoice, SessionAccess};

use super::problem::Refused;
use super::view::{Asked, Card, Choosing, Head, Waiting};
use super::visit::{Visit, refuse_other_sites};
use crate::pages::form::Posted;
use crate::pages::page::page;
use crate::routes::Routes;
use crate::routes::query::decoded;

/// The page as it is opened: with a token in its address, or empty until the page around it says which session it is. An
/// address of an API in the query, as the compatible client sends it, means nothing.
pub(super) async fn open(
    State(routes): State<Routes>,
    Path(environment): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let query = query.unwrap_or_default();
    let parameter = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .filter(|(known, _)| *known == name)
            .find_map(|(_, value)| decoded(value).ok())
            .unwrap_or_default()
    };
    let chosen = (&*parameter("lang"), &*parameter("theme"));
    let visit = Visit::new(&routes, &environment, &headers, chosen).await?;
    let token = parameter("session_token");
    if token.is_empty() {
        let waiting = Waiting {
            shell: &visit.shell,
            look: &visit.look,
            integration: parameter("integration"),
            origins: visit.origins(),
            action: visit.address(),
        };
        return Ok(page(&waiting, &visit.framing()));
    }
    step(&routes, &visit, &token, &parameter("integration"), &Posted::default()).await
}

/// A step that a form of the page leads to.
pub(super) async fn show(
    State(routes): State<Routes>,
    Path(environment): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Refused> {
    let visit =
        Visit::new(&routes, &environment, &headers, (posted.text("lang"), posted.text("theme"))).await?;
    refuse_other_sites(&headers).map_err(|problem| visit.refused(problem))?;
    step(&routes, &visit, posted.text("session_token"), posted.text("integration"), &posted).await
}

async fn step(
    routes: &Routes,
    visit: &Visit,
    token: &str,
    integration: &str,
    posted: &Posted,
) -> Result<Response, Refused> {
    let refused = |problem| visit.refused(problem);
    let holder = visit.session(routes, token).await.map_err(refused)?;
    let choices = routes.platform.link_choices(&holder).await.map_err(refused)?;
    let key = match (&choices[..], integration) {
        ([only], "") => only.key.as_str(),
        (_, key) => key,
    };
    if key.is_empty() {
        return Ok(choosing(visit, &holder, token, &choices));
    }
    let form = routes.platform.link_form(&holder, key).await.map_err(refused)?;
    let asked = Asked { platform: &routes.platform, visit, form: &form, posted, errors: &[] };
    let head = Head::new(visit, &holder, token);
    Ok(page(&asked.page(head, &choices, None, None), &visit.framing()))
}

fn choosing(visit: &Visit, holder: &SessionAccess, token: &str, choices: &[LinkChoice]) -> Response {
    let shell = &visit.shell;
    let mut cards: Vec<Card> = choices.iter().map(|choice| Card::new(shell, choice)).collect();
    cards.sort_by_key(|card| card.name.to_lowercase());
    let mut categories: Vec<String> =
        choices.iter().flat_map(|choice| choice.provider.categories.clone()).collect();
    categories.sort();
    categories.dedup();
    let head = Head::new(visit, holder, token);
    page(&Choosing { shell, look: &visit.look, head, cards, categories }, &visit.framing())
}

/// The fields in a pasted text, such as the address of any page of the vendor's.
pub(super) async fn paste(
    State(routes): State<Routes>,
    Path(environment): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let found = async {
        let visit =
            Visit::new(&routes, &environment, &headers, ("", "")).await.map_err(|refused| refused.problem)?;
        refuse_other_sites(&headers)?;
        let holder = visit.session(&routes, posted.text("session_token")).await?;
        let form = routes.platform.link_form(&holder, posted.text("integration")).await?;
        Ok::<_, Problem>(form.choice.provider.read_pasted(posted.text("pasted").trim()).unwrap_or_default())
    };
    let fields: Value = found.await.map_or_else(|_| json!({}), |fields| json!(fields));
    Json(fields).into_response()
}

/// The vendor's pages in the person's own tenant, as far as they are known from what was typed so far: addresses by the ids
/// of what they are about.
pub(super) async fn places(
    State(routes): State<Routes>,
    Path(environment): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let found = async {
        let chosen = (posted.text("lang"), "");
        let visit =
            Visit::new(&routes, &environment, &headers, chosen).await.map_err(|refused| refused.problem)?;
        refuse_other_sites(&headers)?;
        let holder = visit.session(&routes, posted.text("session_token")).await?;
        let form = routes.platform.link_form(&holder, posted.text("integration")).await?;
        let asked =
            Asked { platform: &routes.platform, visit: &visit, form: &form, posted: &posted, errors: &[] };
        Ok::<_, Problem>(asked.places())
    };
    Json(found.await.unwrap_or_default()).into_response()
}
