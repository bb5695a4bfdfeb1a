//! Which integration a new connection is for.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tombolo_platform::Scope;
use tombolo_platform::catalog::Provider;

use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::visitor::Visitor;
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;

#[derive(Template)]
#[template(path = "dashboard/connections/choose.html")]
struct Choose<'a> {
    shell: &'a Shell,
    frame: Frame,
    /// Key, name, description.
    known: Vec<(String, String, String)>,
    other: Vec<(String, String, String)>,
    may_enable: bool,
}

/// Asks which integration it is for; a provider that nobody has used yet gets one with its first connection.
pub(super) async fn choose(visitor: Visitor, State(routes): State<Routes>) -> Response {
    let integrations = match routes.platform.list_integrations(visitor.access()).await {
        Ok(integrations) => integrations,
        Err(problem) => return visitor.failed(Section::Connections, &problem),
    };
    let shell = &visitor.shell;
    let described = |provider: &Provider| shell.of(&provider.description).to_owned();
    let known = integrations.iter().filter_map(|integration| {
        let provider = routes.platform.provider_of(integration).ok()?;
        Some((integration.unique_key.clone(), integration.display_name.clone(), described(&provider)))
    });
    let used: BTreeSet<&str> =
        integrations.iter().map(|integration| integration.unique_key.as_str()).collect();
    let other = routes.platform.catalog().iter().filter(|provider| !used.contains(provider.id.as_str()));
    let choose = Choose {
        shell,
        frame: visitor.frame(Section::Connections, shell.say("new-connection")),
        known: known.collect(),
        other: other
            .map(|provider| (provider.id.clone(), shell.of(&provider.name).to_owned(), described(provider)))
            .collect(),
        may_enable: visitor.may(Scope::CreateIntegration),
    };
    page(&choose, &Framing::Nobody)
}
