//! An OAuth client that somebody registers in a session that lets them, or changes: the redirect URI to copy comes first,
//! then what the vendor shows in return. What was typed on the form goes along, and back to it.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use secrecy::SecretString;
use tombolo_platform::Problem;
use tombolo_platform::catalog::{AuthScheme, FieldError};
use tombolo_platform::connect::{ClientForm, SessionAccess, TypedClient};
use tombolo_platform::oauth::own_redirect_uri;
use tombolo_platform::store::OAuthClient;

use super::linking::arrived;
use super::problem::{Refused, in_words};
use super::view::{Asked, ClientPage, Head, mark_of};
use super::visit::Visit;
use crate::pages::form::{Drawn, Posted, client_input, faults, place_of};
use crate::pages::page::page;
use crate::routes::Routes;

/// Inputs of the form that go along, beside those of the account.
const CARRIED: [&str; 2] = ["name", "other_account"];

/// The page that asks about a client.
pub(super) async fn ask(
    State(routes): State<Routes>,
    Path(environment): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Refused> {
    let (visit, holder) = arrived(&routes, &environment, &headers, &posted).await?;
    let asked = show(&routes, &visit, &holder, &posted, Faults::default()).await;
    asked.map_err(|problem| visit.refused(problem))
}

/// Registers the client, or changes it, and goes back to the form, where it is chosen now.
pub(super) async fn save(
    State(routes): State<Routes>,
    Path(environment): Path<String>,
    headers: HeaderMap,
    mut posted: Posted,
) -> Result<Response, Refused> {
    let (visit, holder) = arrived(&routes, &environment, &headers, &posted).await?;
    let key = posted.text("integration").to_owned();
    let scheme = posted.text("scheme").to_owned();
    let saved = routes.platform.save_client(&holder, &key, &scheme, typed(&posted)).await;
    let client = match saved {
        Ok(client) => client,
        Err(problem) => {
            let shown = Faults {
                error: if problem.fields.is_empty() { line(&visit, &problem) } else { String::new() },
                fields: problem.fields,
                was_sent: true,
            };
            let again = show(&routes, &visit, &holder, &posted, shown).await;
            return again.map_err(|problem| visit.refused(problem));
        }
    };
    back_with(&mut posted, &scheme, &client);
    let refused = |problem| visit.refused(problem);
    let choices = routes.platform.link_choices(&holder).await.map_err(refused)?;
    let form = routes.platform.link_form(&holder, &key).await.map_err(refused)?;
    let asked =
        Asked { platform: &routes.platform, visit: &visit, form: &form, posted: &posted, errors: &[] };
    let head = Head::new(&visit, &holder, posted.text("session_token"));
    let mut form = asked.page(head, &choices, None, None);
    let done = if client.client_id.is_empty() { "client-saved-unfinished" } else { "client-saved" };
    form.done = visit.shell.say_with(done, "name", &client.name);
    Ok(page(&form, &visit.framing()))
}

fn typed(posted: &Posted) -> TypedClient {
    let secret = posted.text("client.secret");
    TypedClient {
        id: Some(posted.text("client").to_owned()).filter(|id| !id.is_empty()),
        callback: posted.text("client.callback").to_owned(),
        name: posted.text("client.name").to_owned(),
        client_id: posted.text("client.id").to_owned(),
        client_secret: (!secret.is_empty()).then(|| SecretString::from(secret)),
        config: posted.below("c."),
        scopes: posted.has("client.scopes_shown").then(|| posted.texts("client.scope")),
    }
}

/// The form has the client chosen, and the address that it is registered for.
fn back_with(posted: &mut Posted, scheme: &str, client: &OAuthClient) {
    if client.client_id.is_empty() {
        return;
    }
    posted.set(&client_input(scheme), client.id.as_str());
    for (name, value) in client.config.as_object().into_iter().flatten() {
        posted.set(&format!("c.{name}"), value.as_str().unwrap_or_default());
    }
}

/// What is wrong with what was sent.
#[derive(Default)]
struct Faults {
    fields: Vec<FieldError>,
    error: String,
    was_sent: bool,
}

async fn show(
    routes: &Routes,
    visit: &Visit,
    holder: &SessionAccess,
    posted: &Posted,
    wrong: Faults,
) -> Result<Response, Problem> {
    let (shell, key) = (&visit.shell, posted.text("integration"));
    let client = Some(posted.text("client")).filter(|id| !id.is_empty());
    let form = routes.platform.client_form(holder, key, posted.text("scheme"), client).await?;
    let provider = &form.choice.provider;
    let scheme = provider.scheme(&form.auth_scheme);
    let faults = faults(shell, &wrong.fields);
    let (values, given) = (posted.shown_again(provider), form.filled_in.keys().cloned().collect());
    let platform = &*routes.platform;
    let drawn = Drawn { shell, provider, platform, values, faults: faults.clone(), given };
    let inputs = if client.is_none() { drawn.inputs_of_address(&form.fields) } else { Vec::new() };
    let own = form.client.as_ref();
    let typed = || drawn.config("c", 0).into_iter().chain(form.filled_in.clone()).collect();
    let config = own.map_or_else(typed, |own| own.config.clone());
    let sent = |input: &str, before: &str| {
        if wrong.was_sent { posted.text(input).to_owned() } else { before.to_owned() }
    };
    let name = shell.of(&provider.name).to_owned();
    let head = Head::new(visit, holder, posted.text("session_token"));
    let template = ClientPage {
        shell,
        look: &visit.look,
        whom: visit.whom(&head, &name),
        title: shell.say_with(
            if own.is_some() { "client-edit-title" } else { "client-title" },
            "provider",
            &name,
        ),
        mark: mark_of(&provider.name.en),
        key: key.to_owned(),
        provider: name,
        scheme: form.auth_scheme.clone(),
        has_place: scheme.is_some_and(|scheme| scheme.link.is_some()),
        place: place_of(platform, scheme.and_then(|scheme| scheme.link.as_ref()), &config),
        client: client.unwrap_or_default().to_owned(),
        redirect_uri: own_redirect_uri(routes.public_url.needed()?, &form.callback),
        callback: form.callback.clone(),
        steps: scheme
            .map(|scheme| scheme.steps.iter().map(|step| shell.of(step).to_owned()).collect())
            .unwrap_or_default(),
        name: sent("client.name", own.map_or(form.suggested_name.as_str(), |own| &own.name)),
        client_id: sent("client.id", own.map_or("", |own| &own.client_id)),
        has_secret: own.is_some_and(|own| own.has_secret),
        address: address(visit, &form),
        scopes: scopes(visit, scheme, &form, posted, wrong.was_sent),
        carried: carried(posted, &drawn, &inputs),
        inputs,
        faults,
        error: wrong.error,
        head,
    };
    Ok(page(&template, &visit.framing()))
}

/// Where the client is registered, as far as that is not asked.
fn address(visit: &Visit, form: &ClientForm) -> Vec<(String, String)> {
    let provider = &form.choice.provider;
    let known = form.client.as_ref().map_or(&form.filled_in, |own| &own.config);
    let fields = provider.config.iter().filter_map(|(name, field)| Some((field, known.get(name)?)));
    fields.map(|(field, value)| (visit.shell.of(&field.label).to_owned(), value.clone())).collect()
}

fn scopes(
    visit: &Visit,
    scheme: Option<&AuthScheme>,
    form: &ClientForm,
    posted: &Posted,
    was_sent: bool,
) -> Vec<(String, String, bool)> {
    let sent = posted.texts("client.scope");
    let before = form.client.as_ref().map_or(&[][..], |own| &own.scopes);
    let is_asked = |id: &str, default: bool| match (was_sent, before) {
        (true, _) => sent.iter().any(|scope| scope == id),
        (false, []) => default,
        (false, before) => before.iter().any(|scope| scope == id),
    };
    let known = scheme.map(AuthScheme::scopes).unwrap_or_default().iter();
    known
        .map(|scope| {
            let words = visit.shell.of(&scope.says).to_owned();
            (scope.id.clone(), words, is_asked(&scope.id, scope.default))
        })
        .collect()
}

/// What was typed and is no secret, but for what this page asks itself.
fn carried(
    posted: &Posted,
    drawn: &Drawn<'_>,
    inputs: &[crate::pages::form::Input],
) -> Vec<(String, String)> {
    let asked: BTreeSet<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let of_account = drawn.values.iter().filter(|(name, _)| !asked.contains(name.as_str()));
    let of_account =
        of_account.flat_map(|(name, values)| values.iter().map(|value| (name.clone(), value.clone())));
    let chosen = posted.below("oauth_client.").into_iter().map(|(scheme, id)| (client_input(&scheme), id));
    let others = CARRIED.iter().filter(|name| posted.has(name));
    let others = others.map(|name| ((*name).to_owned(), posted.text(name).to_owned()));
    of_account.chain(chosen).chain(others).collect()
}

fn line(visit: &Visit, problem: &Problem) -> String {
    let (what, fix) = in_words(&visit.shell, problem);
    format!("{what} {fix}")
}
