//! A connection that an administrator makes by agreeing at the vendor: the way there, and back to the dashboard.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tombolo_platform::connect::{Typed, TypedAccount};
use tombolo_platform::oauth::{AuthorizationDraft, Confirmation};
use tombolo_platform::{Belonging, Problem, ProblemKind, Scope};

use super::subject::Subject;
use crate::pages::dashboard::frame::{Frame, Section};
use crate::pages::dashboard::visitor::{Visitor, go_to};
use crate::pages::form::{ClientOption, ClientsView, Posted, ReportView, client_input};
use crate::pages::page::{Framing, page};
use crate::pages::shell::Shell;
use crate::routes::Routes;
use crate::routes::oauth_pages::address_of_link;

/// The OAuth clients of an auth scheme for which a person agrees at the vendor; `None` for the others.
pub(super) async fn clients(
    visitor: &Visitor,
    routes: &Routes,
    subject: &Subject,
    scheme: &str,
    posted: &Posted,
) -> Result<Option<ClientsView>, Problem> {
    let provider = &subject.provider;
    let at_vendor = provider.scheme(scheme).is_some_and(tombolo_platform::catalog::AuthScheme::needs_browser);
    if !at_vendor || !visitor.may(Scope::ListIntegrations) {
        return Ok(None);
    }
    let mut known = routes.platform.list_oauth_clients(visitor.access()).await?;
    known.retain(|client| client.provider == provider.id && client.auth_scheme == scheme);
    let default = subject.oauth_client();
    let preferred = match (&default, &known[..]) {
        (None, [only]) if !only.client_id.is_empty() => Some(only.id.clone()),
        _ => default,
    };
    let input = client_input(scheme);
    let sent = posted.has(&input).then(|| posted.text(&input).to_owned());
    let options = known.iter().map(|client| {
        let config: BTreeMap<String, String> =
            serde_json::from_value(client.config.clone()).unwrap_or_default();
        let id = client.id.as_str();
        ClientOption {
            is_finished: !client.client_id.is_empty(),
            chosen: sent.as_ref().map_or(preferred.as_ref() == Some(&client.id), |sent| sent == id),
            ..ClientOption::new(provider, id, &client.name, &config)
        }
    });
    let options = options.collect();
    let new = format!("{}?provider={}", visitor.to("oauth-clients/new"), provider.id);
    Ok(Some(ClientsView {
        input,
        options,
        action: if visitor.may(Scope::CreateIntegration) { new } else { String::new() },
        is_link: true,
        error: String::new(),
    }))
}

/// Begins the account, and sends the browser to the page before the vendor's. It comes back to [`back`].
pub(super) async fn leave(
    visitor: &Visitor,
    routes: &Routes,
    subject: &Subject,
    typed: TypedAccount,
) -> Result<Response, Problem> {
    let Subject { provider, again, .. } = subject;
    if let Some(connection) = again.as_ref().filter(|_| !typed.other_account) {
        routes.platform.refuse_other_account(visitor.access(), connection.id.as_str(), &typed).await?;
    }
    let of_gate = |name: &str| provider.gates.iter().any(|gate| gate.fields.get(name).is_some());
    let (gate_fields, fields): (Typed, Typed) = typed.fields.into_iter().partition(|(name, _)| of_gate(name));
    let exposed = |(name, value): (String, SecretString)| (name, value.expose_secret().to_owned());
    let public_url = routes.public_url.needed()?;
    let which = again.as_ref().map_or("", |_| "?again=yes");
    let environment = &visitor.signed_in.environment.name;
    let draft = AuthorizationDraft {
        integration: subject.key.clone(),
        name: again.as_ref().map_or_else(|| typed.name.unwrap_or_default(), |known| known.name.clone()),
        connection_id: again.as_ref().map(|known| known.connection_id.clone()),
        auth_scheme: typed.auth_scheme,
        oauth_client: typed.oauth_client,
        fields: fields.into_iter().map(exposed).collect(),
        gate_fields,
        settings: typed.settings,
        tags: again.as_ref().map(|known| known.tags.clone()).unwrap_or_default(),
        metadata: again.as_ref().map_or_else(|| json!({}), |known| known.metadata.clone()),
        scopes: Vec::new(),
        narrowed_to: Vec::new(),
        parameters: BTreeMap::new(),
        belonging: Belonging::default(),
        return_url: Some(format!("{public_url}/dashboard/{environment}/connections/linked{which}")),
        again: again.as_ref().map(|known| known.id.to_string()),
        socket_hash: None,
        from_message: false,
        by_user: Some(visitor.signed_in.who.user.id.clone()),
    };
    let started = routes.platform.start_authorization(visitor.access(), draft).await?;
    Ok(go_to(&address_of_link(public_url, &started.link_secret)))
}

#[derive(Template)]
#[template(path = "dashboard/connections/linked.html")]
struct Linked<'a> {
    shell: &'a Shell,
    frame: Frame,
    authorization: String,
    proof: String,
    /// Whether the account is that of a connection that there is.
    is_again: bool,
    error: String,
    report: Option<ReportView>,
}

/// The page that the browser comes back to. What changes something is its form, which a script sends at once.
pub(super) async fn back(visitor: Visitor) -> Response {
    let error = match visitor.parameter("error") {
        code if code.is_empty() => String::new(),
        code => line_of(&visitor, &code),
    };
    let authorization = visitor.parameter("authorization");
    let proof = if error.is_empty() { visitor.parameter("proof") } else { String::new() };
    let is_again = !visitor.parameter("again").is_empty();
    draw(&visitor, Coming { authorization, proof, is_again }, error, None)
}

/// Makes the connection, for the person who began it and no other.
pub(super) async fn finish(visitor: Visitor, State(routes): State<Routes>, posted: Posted) -> Response {
    if let Err(problem) = visitor.access().require(Scope::CreateConnection) {
        return visitor.failed(Section::Connections, &problem);
    }
    let confirmation = Confirmation {
        end_user: Some(visitor.signed_in.who.user.id.to_string()),
        proof: Some(SecretString::from(posted.text("proof"))),
    };
    let authorization = posted.text("authorization");
    match routes.platform.confirm_authorization(visitor.access(), authorization, &confirmation).await {
        Ok(Ok(created)) => {
            let done = if posted.has("again") { "linked-again" } else { "created" };
            visitor.done(&format!("connections/{}", created.connection.id), done)
        }
        Ok(Err(report)) => {
            let report = ReportView::new(&visitor.shell, &report);
            draw(&visitor, Coming::default(), String::new(), Some(report))
        }
        Err(problem) => {
            let mut response = draw(&visitor, Coming::default(), visitor.problem_line(&problem), None);
            *response.status_mut() = StatusCode::from_u16(problem.kind.status()).unwrap_or_default();
            response
        }
    }
}

/// What a browser brings back.
#[derive(Default)]
struct Coming {
    authorization: String,
    /// Empty when there is nothing to finish.
    proof: String,
    is_again: bool,
}

fn draw(visitor: &Visitor, coming: Coming, error: String, report: Option<ReportView>) -> Response {
    let shell = &visitor.shell;
    let Coming { authorization, proof, is_again } = coming;
    let title = shell.say(if proof.is_empty() { "not-linked" } else { "almost-linked" });
    let frame = visitor.frame(Section::Connections, title);
    page(&Linked { shell, frame, authorization, proof, is_again, error, report }, &Framing::Nobody)
}

/// What the vendor's page came to, in words; the address names only its code.
fn line_of(visitor: &Visitor, code: &str) -> String {
    let code = match code {
        "authorization_denied" => "authorization_denied",
        "authorization_refused" | "state_unknown" | "no_code" => "authorization_refused",
        "token_refused" => "token_refused",
        _ => "authorization_dead",
    };
    visitor.problem_line(&Problem::new(ProblemKind::Forbidden, code, "", ""))
}
