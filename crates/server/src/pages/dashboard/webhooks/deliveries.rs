use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tombolo_platform::Problem;
use tombolo_platform::store::{WebhookDeliveryId, WebhookDeliveryState};

use super::DeliveryRow;
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::shown::{Choice, query};
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "dashboard/webhooks/deliveries.html")]
struct List<'a> {
    shell: &'a Shell,
    frame: Frame,
    deliveries: Vec<DeliveryRow>,
    states: Vec<Choice>,
    webhooks: Vec<Choice>,
    is_moving: bool,
    is_filtered: bool,
    next: String,
}

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    match make(&visitor, &routes).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Webhooks, &problem),
    }
}

async fn make(visitor: &Visitor, routes: &Routes) -> Result<Response, Problem> {
    let (shell, access) = (&visitor.shell, visitor.access());
    let [wanted_state, wanted_webhook, after] =
        ["state", "webhook", "after"].map(|name| visitor.parameter(name));
    let webhooks = routes.platform.list_webhooks(access).await?;
    let state = wanted_state.parse::<WebhookDeliveryState>().ok();
    let webhook = webhooks.iter().map(|known| known.id.as_str()).find(|id| *id == wanted_webhook);
    let after: Option<WebhookDeliveryId> = after.parse().ok();
    let found =
        routes.platform.list_webhook_deliveries(access, webhook, None, state, after.as_ref(), PAGE).await?;
    let is_full = found.len() == PAGE as usize;
    let next = found.last().filter(|_| is_full).map(|last| {
        query(&[("state", &wanted_state), ("webhook", &wanted_webhook), ("after", last.id.as_str())])
    });
    let list = List {
        shell,
        frame: visitor.frame(Section::Webhooks, shell.say("webhook-deliveries")),
        is_moving: found.iter().any(|one| one.state == WebhookDeliveryState::Pending),
        deliveries: found.iter().map(|one| DeliveryRow::new(shell, one, &webhooks)).collect(),
        states: WebhookDeliveryState::ALL
            .iter()
            .map(|known| {
                let words = shell.say(&format!("delivery-{known}"));
                (known.to_string(), words, known.as_str() == wanted_state)
            })
            .collect(),
        webhooks: webhooks
            .iter()
            .map(|known| (known.id.to_string(), known.name.clone(), known.id.as_str() == wanted_webhook))
            .collect(),
        is_filtered: !wanted_state.is_empty() || !wanted_webhook.is_empty(),
        next: next.unwrap_or_default(),
    };
    Ok(page(&list, &Framing::Nobody))
}
