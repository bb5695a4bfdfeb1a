//! Settings: what the environment decides, whom it tells, how long what is kept, and how pages look to whoever looks.

mod appearance;
mod connect_ui;
mod environment;
mod recipient;
mod recipients;
mod retention;

use axum::Router;
use axum::routing::{get, post};
use tombolo_platform::Scope;

use super::visitor::Visitor;
use crate::routes::Routes;

pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/dashboard/{environment}/settings", get(environment::show).post(environment::save))
        .route("/dashboard/{environment}/settings/connect-ui", get(connect_ui::show).post(connect_ui::save))
        .route("/dashboard/{environment}/settings/connect-ui/preview", post(connect_ui::preview))
        .route("/dashboard/{environment}/settings/retention", get(retention::show))
        .route("/dashboard/{environment}/settings/appearance", get(appearance::show).post(appearance::save))
        .route("/dashboard/{environment}/settings/notifications", get(recipients::show))
        .route(
            "/dashboard/{environment}/settings/notifications/new",
            get(recipients::form).post(recipients::create),
        )
        .route(
            "/dashboard/{environment}/settings/notifications/{id}",
            get(recipient::show).post(recipient::save),
        )
        .route("/dashboard/{environment}/settings/notifications/{id}/test", post(recipient::test))
        .route("/dashboard/{environment}/settings/notifications/{id}/enable", post(recipient::enable))
        .route("/dashboard/{environment}/settings/notifications/{id}/disable", post(recipient::disable))
        .route(
            "/dashboard/{environment}/settings/notifications/{id}/delete",
            get(recipient::ask_to_delete).post(recipient::delete),
        )
}

/// The pages of the settings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Page {
    Environment,
    ConnectUi,
    Notifications,
    Retention,
    Appearance,
}

/// A line of the navigation of the settings.
struct Tab {
    path: &'static str,
    text: String,
    is_current: bool,
}

/// The pages that somebody may see.
fn tabs(visitor: &Visitor, current: Page) -> Vec<Tab> {
    let all = [
        (Page::Environment, "settings", "settings-environment", Some(Scope::ManageEnvironment)),
        (Page::ConnectUi, "settings/connect-ui", "settings-connect-ui", Some(Scope::ManageEnvironment)),
        (
            Page::Notifications,
            "settings/notifications",
            "settings-notifications",
            Some(Scope::ReadNotifications),
        ),
        (Page::Retention, "settings/retention", "settings-retention", Some(Scope::ManageEnvironment)),
        (Page::Appearance, "settings/appearance", "settings-appearance", None),
    ];
    all.into_iter()
        .filter(|(.., scope)| scope.is_none_or(|scope| visitor.may(scope)))
        .map(|(page, path, words, _)| Tab {
            path,
            text: visitor.shell.say(words),
            is_current: page == current,
        })
        .collect()
}
