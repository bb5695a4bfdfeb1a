//! Those who administer others: who may sign in, and what members asked for.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use tombolo_platform::catalog::FieldError;
use tombolo_platform::store::{ProviderRequest, ProviderRequestState, User};
use tombolo_platform::users::{Invitation, NewPasswordLink, Role};
use tombolo_platform::{Problem, Scope};

use super::USERS;
use super::entry::to;
use super::form::{Line, Posted};
use super::view::{Looker, Trouble, minute, refused, status_of};
use crate::pages::page::{Framing, page, with_status};
use crate::pages::shell::Shell;
use crate::routes::Routes;
use crate::routes::signed_in::SignedIn;
use crate::routes::users::address;

#[derive(Template)]
#[template(path = "people/users.html")]
struct UsersPage<'a> {
    shell: &'a Shell,
    signed_in: &'a SignedIn,
    trouble: Option<Trouble>,
    people: Vec<Person>,
    invitation: Vec<Line>,
    roles: Vec<Choice>,
    requests: Vec<Wanted>,
}

/// Somebody in the list.
struct Person {
    id: String,
    login: String,
    name: String,
    state: &'static str,
    state_word: String,
    seen: String,
    roles: Vec<Choice>,
    is_self: bool,
}

/// A role to choose.
struct Choice {
    value: &'static str,
    word: String,
    explained: String,
    is_chosen: bool,
}

/// A provider that somebody asks for.
struct Wanted {
    id: String,
    provider: String,
    reason: String,
    who: String,
    at: String,
}

#[derive(Template)]
#[template(path = "people/link.html")]
struct LinkPage<'a> {
    shell: &'a Shell,
    signed_in: &'a SignedIn,
    login: String,
    link: String,
    until: String,
    back: String,
}

pub(super) async fn look(State(routes): State<Routes>, signed_in: SignedIn, looker: Looker) -> Response {
    list(&routes, &signed_in, &looker, (StatusCode::OK, None, ["", ""], &[])).await
}

pub(super) async fn invite(State(routes): State<Routes>, signed_in: SignedIn, posted: Posted) -> Response {
    let looker = &posted.looker;
    let invited = match role(posted.text("role")) {
        Ok(role) => {
            let (login, name) = (posted.text("login").to_owned(), posted.text("display_name").to_owned());
            let invitation = Invitation { login, display_name: name, role };
            routes.platform.invite_user(&signed_in.access, &invitation).await
        }
        Err(problem) => Err(problem),
    };
    match invited {
        Ok(link) => show(&routes, &signed_in, looker, &link),
        Err(problem) => {
            let typed = ["login", "display_name"].map(|name| posted.text(name));
            let trouble = Trouble::of(&looker.shell, &problem);
            list(&routes, &signed_in, looker, (status_of(&problem), trouble, typed, &problem.fields)).await
        }
    }
}

pub(super) async fn change_role(
    State(routes): State<Routes>,
    signed_in: SignedIn,
    Path(user): Path<String>,
    posted: Posted,
) -> Response {
    let changed = match role(posted.text("role")) {
        Ok(role) => routes.platform.change_role(&signed_in.access, &user, role).await.map(drop),
        Err(problem) => Err(problem),
    };
    back(&posted.looker, changed)
}

pub(super) async fn change_state(
    State(routes): State<Routes>,
    signed_in: SignedIn,
    Path(user): Path<String>,
    posted: Posted,
) -> Response {
    let enabled = posted.text("enabled") == "yes";
    let changed = routes.platform.enable_user(&signed_in.access, &user, enabled).await;
    back(&posted.looker, changed.map(drop))
}

pub(super) async fn reset(
    State(routes): State<Routes>,
    signed_in: SignedIn,
    Path(user): Path<String>,
    looker: Looker,
) -> Response {
    match routes.platform.reset_password(&signed_in.access, &user).await {
        Ok(link) => show(&routes, &signed_in, &looker, &link),
        Err(problem) => refused(&looker, &problem),
    }
}

pub(super) async fn settle(
    State(routes): State<Routes>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let is_granted = posted.text("decision") == "grant";
    let settled =
        routes.platform.settle_provider_request(&signed_in.access, &id, is_granted, posted.text("answer"));
    back(&posted.looker, settled.await.map(drop))
}

fn back(looker: &Looker, outcome: Result<(), Problem>) -> Response {
    match outcome {
        Ok(()) => to(looker, USERS),
        Err(problem) => refused(looker, &problem),
    }
}

/// The link, which is shown this once: so the answer is no redirect.
fn show(routes: &Routes, signed_in: &SignedIn, looker: &Looker, link: &NewPasswordLink) -> Response {
    let shown = LinkPage {
        shell: &looker.shell,
        signed_in,
        login: link.user.login.clone(),
        link: address(routes.public_url.known().unwrap_or_default(), link),
        until: minute(link.expires_at),
        back: looker.shell.to(USERS),
    };
    page(&shown, &Framing::Nobody)
}

async fn list(
    routes: &Routes,
    signed_in: &SignedIn,
    looker: &Looker,
    (status, trouble, [login, name], faults): (StatusCode, Option<Trouble>, [&str; 2], &[FieldError]),
) -> Response {
    let shell = &looker.shell;
    let found = async {
        let users = routes.platform.list_users(&signed_in.access).await?;
        let asked = routes.platform.list_provider_requests(&signed_in.access).await?;
        Ok((users, asked))
    };
    let (users, asked) = match found.await {
        Ok(found) => found,
        Err(problem) => return refused(looker, &problem),
    };
    let lines = vec![
        Line::text("login", shell.say("login"), "off").with_help(shell.say("login-help")).with_value(login),
        Line { optional: true, ..Line::text("display_name", shell.say("display-name"), "off") }
            .with_value(name),
    ];
    let shown = UsersPage {
        shell,
        signed_in,
        trouble,
        people: users.into_iter().map(|user| person(shell, signed_in, user)).collect(),
        invitation: lines.into_iter().map(|line| line.judged(shell, faults)).collect(),
        roles: choices(shell, Role::Member),
        requests: asked.into_iter().filter(is_open).map(|asked| wanted(routes, shell, asked)).collect(),
    };
    with_status(status, &shown, &Framing::Nobody)
}

fn is_open(request: &ProviderRequest) -> bool {
    request.state == ProviderRequestState::Open
}

fn person(shell: &Shell, signed_in: &SignedIn, user: User) -> Person {
    let is_ready = user.has_password || user.identity.is_some();
    let (state, state_word) = match user.disabled_at {
        Some(_) => ("disabled", shell.say("user-disabled")),
        None if is_ready => ("active", shell.say("user-active")),
        None => ("invited", shell.say("user-invited")),
    };
    Person {
        is_self: user.id == signed_in.who.user.id,
        roles: choices(shell, user.role),
        seen: user.seen_at.map_or_else(|| shell.say("never"), minute),
        id: user.id.to_string(),
        login: user.login,
        name: user.display_name,
        state,
        state_word,
    }
}

fn choices(shell: &Shell, chosen: Role) -> Vec<Choice> {
    let words = |role: Role| match role {
        Role::Viewer => (shell.say("role-viewer"), shell.say("role-viewer-may")),
        Role::Member => (shell.say("role-member"), shell.say("role-member-may")),
        Role::Admin => (shell.say("role-admin"), shell.say("role-admin-may")),
    };
    let choice = |role: &Role| {
        let (word, explained) = words(*role);
        Choice { value: role.as_str(), word, explained, is_chosen: *role == chosen }
    };
    Role::ALL.iter().rev().map(choice).collect()
}

fn wanted(routes: &Routes, shell: &Shell, asked: ProviderRequest) -> Wanted {
    let provider = routes.platform.catalog().get(&asked.provider);
    Wanted {
        provider: provider.map_or(asked.provider.clone(), |known| shell.of(&known.name).to_owned()),
        id: asked.id.to_string(),
        reason: asked.reason,
        who: asked.asked_by_label,
        at: minute(asked.created_at),
    }
}

fn role(name: &str) -> Result<Role, Problem> {
    name.parse().map_err(|_| {
        Problem::invalid("unknown_role", "There is no such role", "Choose one of those that are listed.")
    })
}

impl UsersPage<'_> {
    /// Whether the buttons of the list make sense.
    fn may_manage(&self) -> bool {
        self.signed_in.may(Scope::ManageUsers)
    }
}
