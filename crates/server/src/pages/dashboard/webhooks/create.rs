use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tombolo_platform::webhooks::{WebhookDraft, WebhookFormat};
use tombolo_platform::{Problem, ProblemKind, Scope};

use super::form::{WebhookForm, chosen};
use super::show::{Beside, make};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::form::Posted;
use crate::pages::page::{Framing, with_status};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/webhooks/new.html")]
struct New<'a> {
    shell: &'a Shell,
    frame: Frame,
    form: WebhookForm,
    is_nango: bool,
    error: String,
}

/// An empty form.
pub(super) async fn form(visitor: Visitor) -> Response {
    match visitor.access().require(Scope::ManageWebhooks) {
        Ok(()) => draw(&visitor, WebhookForm::empty(), false, None),
        Err(problem) => visitor.failed(Section::Webhooks, &problem),
    }
}

/// Makes the receiver and shows its secret, this once.
pub(super) async fn submit(visitor: Visitor, State(routes): State<Routes>, posted: Posted) -> Response {
    let format = posted.text("format").parse().unwrap_or(WebhookFormat::Standard);
    let draft = WebhookDraft {
        name: posted.text("name").to_owned(),
        url: posted.text("url").trim().to_owned(),
        format,
        event_types: chosen(&posted, &[]),
    };
    match routes.platform.create_webhook(visitor.access(), &draft).await {
        Ok((webhook, secret)) => {
            let secret = Some(secret.expose().to_owned());
            make(&visitor, &routes, webhook.id.as_str(), Beside { secret, ..Beside::default() }).await
        }
        Err(problem) if problem.kind == ProblemKind::Forbidden => visitor.failed(Section::Webhooks, &problem),
        Err(problem) => {
            let form = WebhookForm::again(&visitor, &posted, &[], &problem);
            draw(&visitor, form, format == WebhookFormat::Nango, Some(&problem))
        }
    }
}

fn draw(visitor: &Visitor, form: WebhookForm, is_nango: bool, problem: Option<&Problem>) -> Response {
    let shell = &visitor.shell;
    let frame = visitor.frame(Section::Webhooks, shell.say("webhook-new"));
    let status = problem.map_or(200, |problem| problem.kind.status());
    let error = problem.filter(|problem| problem.fields.is_empty());
    let error = error.map(|problem| visitor.problem_line(problem)).unwrap_or_default();
    let new = New { shell, frame, form, is_nango, error };
    with_status(StatusCode::from_u16(status).unwrap_or_default(), &new, &Framing::Nobody)
}
