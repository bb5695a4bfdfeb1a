//! Accounts that people have agreed to at the vendor, with a link that they were given: whoever gave it confirms with the code
//! that the person was shown.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use secrecy::SecretString;
use tombolo_platform::Problem;
use tombolo_platform::oauth::{AccountToConfirm, Confirmation};

use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::table::Moment;
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::form::{Posted, ReportView};
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

/// Where the page is, within an environment.
pub(super) const PATH: &str = "connections/confirm";

#[derive(Template)]
#[template(path = "dashboard/connections/confirm.html")]
struct Waiting<'a> {
    shell: &'a Shell,
    frame: Frame,
    accounts: Vec<Row>,
    error: String,
    report: Option<ReportView>,
}

struct Row {
    id: String,
    name: String,
    integration: String,
    /// The connection whose account is linked again; empty for a new one.
    again: String,
    needs_end_user: bool,
    /// What was typed and not taken.
    end_user: String,
    ends: Moment,
}

impl Row {
    fn new(account: AccountToConfirm) -> Self {
        Self {
            id: account.authorization.to_string(),
            name: account.name,
            integration: account.integration,
            again: account.again.map(|id| id.to_string()).unwrap_or_default(),
            needs_end_user: account.needs_end_user,
            end_user: String::new(),
            ends: Moment::new(account.expires_at),
        }
    }
}

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    draw(&visitor, &routes, Beside::default()).await
}

/// What a page says beside what waits.
#[derive(Default)]
struct Beside {
    error: String,
    report: Option<ReportView>,
    /// An account, and the end user that was typed for it.
    typed: Option<(String, String)>,
}

/// Confirms an account or refuses it, as the button says that was pressed.
pub(super) async fn decide(
    visitor: Visitor,
    State(routes): State<Routes>,
    Path((_, id)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let access = visitor.access();
    if posted.text("press") == "refuse" {
        return match routes.platform.reject_authorization(access, &id).await {
            Ok(()) => visitor.done(PATH, "refused"),
            Err(problem) => failed(&visitor, &routes, &problem, None).await,
        };
    }
    let given =
        |name: &str| Some(posted.text(name).trim()).filter(|text| !text.is_empty()).map(str::to_owned);
    let confirmation =
        Confirmation { end_user: given("end_user"), proof: given("code").map(SecretString::from) };
    match routes.platform.confirm_authorization(access, &id, &confirmation).await {
        Ok(Ok(created)) => {
            let done = if posted.has("again") { "linked-again" } else { "created" };
            visitor.done(&format!("connections/{}", created.connection.id), done)
        }
        Ok(Err(report)) => {
            let report = Some(ReportView::new(&visitor.shell, &report));
            let error = visitor.shell.say("confirm-not-working");
            let mut response = draw(&visitor, &routes, Beside { error, report, typed: None }).await;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            response
        }
        Err(problem) => {
            let typed = Some((id, posted.text("end_user").to_owned()));
            failed(&visitor, &routes, &problem, typed).await
        }
    }
}

async fn failed(
    visitor: &Visitor,
    routes: &Routes,
    problem: &Problem,
    typed: Option<(String, String)>,
) -> Response {
    // Elsewhere these are told to others: to the person whose account it is, or to whoever names a connection.
    let own = match problem.code {
        "end_user_needed" => Some("confirm-user-needed"),
        "other_end_user" => Some("confirm-other-user"),
        "proof_refused" | "proof_needed" => Some("confirm-wrong-code"),
        "too_many_codes" => Some("confirm-too-many-codes"),
        "nothing_to_confirm" | "unknown_authorization" => Some("confirm-nothing"),
        "name_taken" => Some("confirm-name-taken"),
        _ => None,
    };
    let error = own.map_or_else(|| visitor.problem_line(problem), |words| visitor.shell.say(words));
    let mut response = draw(visitor, routes, Beside { error, report: None, typed }).await;
    *response.status_mut() = StatusCode::from_u16(problem.kind.status()).unwrap_or_default();
    response
}

async fn draw(visitor: &Visitor, routes: &Routes, Beside { error, report, typed }: Beside) -> Response {
    let shell = &visitor.shell;
    let mut accounts: Vec<Row> = match routes.platform.accounts_to_confirm(visitor.access()).await {
        Ok(accounts) => accounts.into_iter().map(Row::new).collect(),
        Err(problem) => return visitor.failed(Section::Connections, &problem),
    };
    if let Some((id, end_user)) = typed
        && let Some(row) = accounts.iter_mut().find(|row| row.id == id)
    {
        row.end_user = end_user;
    }
    let frame = visitor.frame(Section::Connections, shell.say("confirm-title"));
    page(&Waiting { shell, frame, accounts, error, report }, &Framing::Nobody)
}
