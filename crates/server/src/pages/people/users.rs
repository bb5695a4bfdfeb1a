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
use super::form::{Line, Posted};
use super::view::{Trouble, in_words, minute, status_of};
use crate::pages::dashboard::{Frame, Section, Visitor, go_to};
use crate::pages::page::{Framing, page, with_status};
use crate::pages::shell::Shell;
use crate::routes::Routes;
use crate::routes::signed_in::SignedIn;
use crate::routes::users::address;

#[derive(Template)]
#[template(path = "people/users.html")]
struct UsersPage<'a> {
    shell: &'a Shell,
    frame: Frame,
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
    frame: Frame,
    login: String,
    link: String,
    until: String,
    back: String,
}

pub(super) async fn look(State(routes): State<Routes>, visitor: Visitor) -> Response {
    list(&routes, &visitor, (StatusCode::OK, None, ["", ""], &[])).await
}

pub(super) async fn invite(State(routes): State<Routes>, visitor: Visitor, posted: Posted) -> Response {
    let invited = match role(posted.text("role")) {
        Ok(role) => {
            let (login, name) = (posted.text("login").to_owned(), posted.text("display_name").to_owned());
            let invitation = Invitation { login, display_name: name, role };
            routes.platform.invite_user(visitor.access(), &invitation).await
        }
        Err(problem) => Err(problem),
    };
    match invited {
        Ok(link) => show(&routes, &visitor, &link),
        Err(problem) => {
            let typed = ["login", "display_name"].map(|name| posted.text(name));
            let trouble = Trouble::of(&visitor.shell, &problem);
            list(&routes, &visitor, (status_of(&problem), trouble, typed, &problem.fields)).await
        }
    }
}

pub(super) async fn change_role(
    State(routes): State<Routes>,
    visitor: Visitor,
    Path(user): Path<String>,
    posted: Posted,
) -> Response {
    let changed = match role(posted.text("role")) {
        Ok(role) => routes.platform.change_role(visitor.access(), &user, role).await.map(drop),
        Err(problem) => Err(problem),
    };
    back(&visitor, changed)
}

pub(super) async fn change_state(
    State(routes): State<Routes>,
    visitor: Visitor,
    Path(user): Path<String>,
    posted: Posted,
) -> Response {
    let enabled = posted.text("enabled") == "yes";
    let changed = routes.platform.enable_user(visitor.access(), &user, enabled).await;
    back(&visitor, changed.map(drop))
}

pub(super) async fn reset(
    State(routes): State<Routes>,
    visitor: Visitor,
    Path(user): Path<String>,
) -> Response {
    match routes.platform.reset_password(visitor.access(), &user).await {
        Ok(link) => show(&routes, &visitor, &link),
        Err(problem) => refused(&visitor, &problem),
    }
}

pub(super) async fn settle(
    State(routes): State<Routes>,
    visitor: Visitor,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let is_granted = posted.text("decision") == "grant";
    let settled =
        routes.platform.settle_provider_request(visitor.access(), &id, is_granted, posted.text("answer"));
    back(&visitor, settled.await.map(drop))
}

fn back(visitor: &Visitor, outcome: Result<(), Problem>) -> Response {
    match outcome {
        Ok(()) => go_to(&visitor.shell.to(USERS)),
        Err(problem) => refused(visitor, &problem),
    }
}

/// The link, which is shown this once: so the answer is no redirect.
fn show(routes: &Routes, visitor: &Visitor, link: &NewPasswordLink) -> Response {
    let shown = LinkPage {
        shell: &visitor.shell,
        frame: visitor.frame(Section::Users, visitor.shell.say("link-title-for-password")),
        login: link.user.login.clone(),
        link: address(routes.public_url.known().unwrap_or_default(), link),
        until: minute(link.expires_at),
        back: visitor.shell.to(USERS),
    };
    page(&shown, &Framing::Nobody)
}

async fn list(
    routes: &Routes,
    visitor: &Visitor,
    (status, trouble, [login, name], faults): (StatusCode, Option<Trouble>, [&str; 2], &[FieldError]),
) -> Response {
    let (shell, signed_in) = (&visitor.shell, &visitor.signed_in);
    let found = async {
        let users = routes.platform.list_users(visitor.access()).await?;
        let asked = routes.platform.list_provider_requests(visitor.access()).await?;
        Ok((users, asked))
    };
    let (users, asked) = match found.await {
        Ok(found) => found,
        Err(problem) => return refused(visitor, &problem),
    };
    let lines = vec![
        Line::text("login", shell.say("login"), "off").with_help(shell.say("login-help")).with_value(login),
        Line { optional: true, ..Line::text("display_name", shell.say("display-name"), "off") }
            .with_value(name),
    ];
    let shown = UsersPage {
        shell,
        frame: visitor.frame(Section::Users, shell.say("users-title")),
        signed_in,
        trouble,
        people: users.into_iter().map(|user| person(shell, signed_in, user)).collect(),
        invitation: lines.into_iter().map(|line| line.judged(shell, faults)).collect(),
        roles: choices(shell, Role::Member),
        requests: asked.into_iter().filter(is_open).map(|asked| wanted(routes, shell, asked)).collect(),
    };
    with_status(status, &shown, &Framing::Nobody)
}

/// A problem as a page of the dashboard, in the words of these pages.
fn refused(visitor: &Visitor, problem: &Problem) -> Response {
    visitor.told(Section::Users, problem, in_words(&visitor.shell, problem))
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
