use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tombolo_platform::{Housekeeping, Problem};

use super::{Page, Tab, tabs};
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/settings/retention.html")]
struct Retention<'a> {
    shell: &'a Shell,
    frame: Frame,
    tabs: Vec<Tab>,
    /// What, how long, and which setting says so; empty for what is fixed.
    rows: Vec<(String, String, &'static str)>,
}

pub(super) async fn show(visitor: Visitor, State(routes): State<Routes>) -> Response {
    match make(&visitor, &routes) {
        Ok(response) => response,
        Err(problem) => visitor.failed(Section::Settings, &problem),
    }
}

fn make(visitor: &Visitor, routes: &Routes) -> Result<Response, Problem> {
    let shell = &visitor.shell;
    let configured = routes.platform.housekeeping(visitor.access())?;
    let mut rows = Vec::new();
    if let Some(kept) = configured {
        let calls = shell.say("settings-kept-calls");
        rows.push((calls, days(shell, kept.activity), "activity.retention_days"));
        let every = kept.verify_every.map_or_else(
            || shell.say("settings-never"),
            |every| shell.say_number("settings-every-hours", "count", hours(every)),
        );
        rows.push((shell.say("settings-tested"), every, "verification.every_hours"));
    }
    let fixed = [
        ("settings-kept-jobs", Housekeeping::JOBS_KEPT),
        ("settings-kept-dead", Housekeeping::DEAD_JOBS_KEPT),
    ];
    rows.extend(fixed.map(|(words, kept)| (shell.say(words), days(shell, kept), "")));
    rows.push((shell.say("settings-kept-audit"), shell.say("settings-for-ever"), ""));
    let retention = Retention {
        shell,
        frame: visitor.frame(Section::Settings, shell.say("settings-retention")),
        tabs: tabs(visitor, Page::Retention),
        rows,
    };
    Ok(page(&retention, &Framing::Nobody))
}

fn days(shell: &Shell, kept: Duration) -> String {
    shell.say_number("settings-days", "count", hours(kept) / 24)
}

fn hours(duration: Duration) -> usize {
    usize::try_from(duration.as_secs() / 3600).unwrap_or(usize::MAX)
}
