use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tombolo_platform::{Problem, Scope};

use super::health;
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::table::Moment;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/webhooks/list.html")]
struct List<'a> {
    shell: &'a Shell,
    frame: Frame,
    rows: Vec<Row>,
    may_manage: bool,
}

struct Row {
    id: String,
    name: String,
    url: String,
    events: Vec<String>,
    health: String,
    colour: &'static str,
    made: Moment,
}

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    match make(&visitor, &routes).await {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Webhooks, &problem),
    }
}

async fn make(visitor: &Visitor, routes: &Routes) -> Result<Response, Problem> {
    let shell = &visitor.shell;
    let rows = routes.platform.list_webhooks(visitor.access()).await?.into_iter().map(|webhook| {
        let (health, colour) = health(shell, &webhook);
        Row {
            id: webhook.id.to_string(),
            name: webhook.name,
            url: webhook.url,
            events: webhook.event_types,
            health,
            colour,
            made: Moment::new(webhook.created_at),
        }
    });
    let list = List {
        shell,
        rows: rows.collect(),
        frame: visitor.frame(Section::Webhooks, shell.say("nav-webhooks")),
        may_manage: visitor.may(Scope::ManageWebhooks),
    };
    Ok(page(&list, &Framing::Nobody))
}
