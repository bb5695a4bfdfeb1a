//! OAuth clients in a connect session: what somebody may do with them who is trusted less than an administrator.

use std::collections::BTreeMap;

use rstest::rstest;
use secrecy::ExposeSecret as _;
use tombolo_platform::connect::{
    ConnectSessionDraft, IntegrationDefaults, OAuthClientRight, PopupRequest, SessionAccess, TypedAccount,
    TypedClient,
};
use tombolo_platform::oauth::{OAuthClientChange, OAuthClientDraft};
use tombolo_platform::{Access, EnvironmentChange, Problem};
use tombolo_store::testing::dump;
use tombolo_store::{ClientOwner, EndUser, OAuthClient, Organization};

use crate::canary::forms;
use crate::world::{Backend, World};

const SECRET: &str = "canary-secret-of-an-own-client";
const SECRET_OF_ADMIN: &str = "canary-secret-of-an-administrator";

fn person(id: &str, organization: Option<&str>) -> EndUser {
    EndUser {
        id: id.to_owned(),
        display_name: None,
        email: None,
        tags: BTreeMap::new(),
        organization: organization
            .map(|organization| Organization { id: organization.to_owned(), display_name: None }),
    }
}

fn draft(right: OAuthClientRight, user: EndUser) -> ConnectSessionDraft {
    ConnectSessionDraft {
        end_user: Some(user),
        allowed_integrations: vec!["kintone".to_owned()],
        oauth_clients: right,
        ..ConnectSessionDraft::default()
    }
}

async fn holder(world: &World, draft: ConnectSessionDraft) -> SessionAccess {
    let made = world.platform.create_connect_session(&world.access, draft).await.expect("a session");
    world.platform.session_access(made.token.expose_secret()).await.expect("it is good")
}

/// An environment that knows the embedder's pages, and has one client of an administrator.
async fn world() -> (World, OAuthClient) {
    world_on(Backend::Sqlite).await
}

async fn world_on(backend: Backend) -> (World, OAuthClient) {
    let world = World::start_on(backend).await;
    let pages = EnvironmentChange {
        allowed_origins: Some(vec!["https://app.example.com".to_owned()]),
        ..EnvironmentChange::default()
    };
    world.platform.update_environment(&world.access, pages).await.expect("changed");
    let client = of_admin(&world, &world.access, "Everybody's", "demo").await;
    (world, client)
}

async fn of_admin(world: &World, access: &Access, name: &str, subdomain: &str) -> OAuthClient {
    let draft = OAuthClientDraft {
        provider: "kintone".to_owned(),
        auth_scheme: None,
        name: name.to_owned(),
        client_id: Some("l.1.admin".to_owned()),
        client_secret: Some(SECRET_OF_ADMIN.into()),
        config: address(subdomain),
        scopes: Vec::new(),
        shared_callback: false,
    };
    world.platform.create_oauth_client(access, &draft).await.expect("made")
}

fn address(subdomain: &str) -> BTreeMap<String, String> {
    [("subdomain", subdomain), ("domain", "kintone.com")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// Registers a client of one's own, with the redirect URI that the page shows.
async fn register(
    world: &World,
    holder: &SessionAccess,
    change: TypedClient,
) -> Result<OAuthClient, Problem> {
    let form = world.platform.client_form(holder, "kintone", "oauth2", None).await?;
    let typed = TypedClient { callback: form.callback, ..change };
    world.platform.save_client(holder, "kintone", "oauth2", typed).await
}

fn own(subdomain: &str) -> TypedClient {
    TypedClient {
        client_id: "l.1.own".to_owned(),
        client_secret: Some(SECRET.into()),
        config: address(subdomain),
        ..TypedClient::default()
    }
}

/// Begins an account with a client, and answers what is wrong.
async fn choose(world: &World, holder: &SessionAccess, client: Option<&str>) -> &'static str {
    let typed = TypedAccount {
        auth_scheme: Some("oauth2".to_owned()),
        oauth_client: client.map(str::to_owned),
        ..TypedAccount::default()
    };
    code(world.platform.begin_account(holder, "kintone", typed).await)
}

/// Which clients the form has, by name.
async fn listed(world: &World, holder: &SessionAccess) -> Vec<String> {
    let form = world.platform.link_form(holder, "kintone").await.expect("a form");
    form.clients["oauth2"].iter().map(|client| client.name.clone()).collect()
}

fn code<T>(outcome: Result<T, Problem>) -> &'static str {
    outcome.err().map_or("done", |problem| problem.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lets_somebody_do_what_its_right_says() {
    let (world, admins) = world().await;
    let refused = "oauth_clients_not_allowed";
    for (right, known, chosen, registered) in [
        (OAuthClientRight::None, vec![], refused, refused),
        (OAuthClientRight::Choose, vec!["Everybody's"], "done", refused),
        (OAuthClientRight::Manage, vec!["Everybody's"], "done", "done"),
    ] {
        let holder = holder(&world, draft(right, person("anna", None))).await;
        assert_eq!(listed(&world, &holder).await, known, "{right:?}");
        assert_eq!(choose(&world, &holder, Some(admins.id.as_str())).await, chosen, "{right:?}");
        assert_eq!(choose(&world, &holder, None).await, "done", "{right:?}: the only one of administrators");
        assert_eq!(code(register(&world, &holder, own("demo")).await), registered, "{right:?}");
        let typed = TypedClient { id: Some(admins.id.to_string()), name: "Mine".to_owned(), ..own("demo") };
        let changed = code(world.platform.save_client(&holder, "kintone", "oauth2", typed).await);
        let expected = if registered == "done" { "unknown_oauth_client" } else { refused };
        assert_eq!(changed, expected, "{right:?}: an administrator's is never changed here");
    }
    let after = world.platform.read_oauth_client(&world.access, admins.id.as_str()).await.expect("there");
    assert_eq!(after, admins);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_registers_is_for_their_own_organization_alone(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (world, _) = world_on(backend).await;
    let manage = |user| draft(OAuthClientRight::Manage, user);
    let anna = holder(&world, manage(person("anna", Some("acme")))).await;
    let made = register(&world, &anna, TypedClient { name: "Everybody's".to_owned(), ..own("demo") }).await;
    let made = made.expect("registered");
    assert_eq!(made.name, "Everybody's (2)", "the name of another one is not told");
    assert_eq!(made.owner, Some(ClientOwner::Organization("acme".to_owned())));
    let id = made.id.to_string();
    // Not even for another organization, or a person, with the same id.
    let unknown = "unknown_oauth_client";
    for (user, reaches) in [
        (person("ben", Some("acme")), "done"),
        (person("anna", None), unknown),
        (person("acme", None), unknown),
        (person("carl", Some("other")), unknown),
    ] {
        let holder = holder(&world, manage(user.clone())).await;
        assert_eq!(choose(&world, &holder, Some(&id)).await, reaches, "{user:?}");
        let change = TypedClient { id: Some(id.clone()), client_id: "l.1.new".to_owned(), ..own("demo") };
        let changed = world.platform.save_client(&holder, "kintone", "oauth2", change).await;
        assert_eq!(code(changed), reaches, "{user:?}");
        assert_eq!(listed(&world, &holder).await.len(), if reaches == "done" { 2 } else { 1 }, "{user:?}");
    }
    // By name nobody finds anything, and another environment's is unknown as well.
    let other = world.platform.create_environment(&world.access, "other").await.expect("made");
    let other = world.platform.operator_access(Some(&other.name)).await.expect("it is there");
    let elsewhere = of_admin(&world, &other, "Elsewhere", "demo").await;
    for reference in ["Everybody's", elsewhere.id.as_str(), "oac_00000000000000000000000000000000", "*"] {
        assert_eq!(choose(&world, &anna, Some(reference)).await, unknown, "{reference}");
    }
    let stored = dump(&world.location()).await;
    for secret in [SECRET, SECRET_OF_ADMIN] {
        for form in forms(secret) {
            assert!(!stored.windows(form.len()).any(|bytes| bytes == form.as_bytes()), "a secret is stored");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_registers_is_never_used_by_itself() {
    let (world, admins) = world().await;
    let anna = holder(&world, draft(OAuthClientRight::Manage, person("anna", None))).await;
    let made = register(&world, &anna, own("demo")).await.expect("registered");
    // Else there would be several that fit, and nobody could link anything.
    let ben = holder(&world, draft(OAuthClientRight::None, person("ben", None))).await;
    assert_eq!(choose(&world, &ben, None).await, "done");
    world.platform.delete_oauth_client(&world.access, admins.id.as_str()).await.expect("deleted");
    for holder in [&ben, &anna] {
        assert_eq!(choose(&world, holder, None).await, "no_oauth_client");
    }
    assert_eq!(choose(&world, &anna, Some(made.id.as_str())).await, "done");
    let form = world.platform.link_form(&anna, "kintone").await.expect("a form");
    assert!(form.clients["oauth2"][0].is_preferred, "whoever has one means it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_registered_for_one_address_and_with_the_redirect_uri_that_was_shown() {
    let (world, _) = world().await;
    let anna = holder(&world, draft(OAuthClientRight::Manage, person("anna", None))).await;
    let save = async |typed| world.platform.save_client(&anna, "kintone", "oauth2", typed).await;
    let form = world.platform.client_form(&anna, "kintone", "oauth2", None).await.expect("a form");
    let shown = form.callback;
    assert_eq!(form.fields, ["subdomain", "domain"]);
    let fields = |problem: Problem| problem.fields.into_iter().map(|fault| fault.field).collect::<Vec<_>>();
    for (typed, wrong) in [
        (TypedClient { config: BTreeMap::new(), ..own("") }, "subdomain"),
        (TypedClient { client_id: "two\nlines".to_owned(), ..own("demo") }, "client_id"),
        (TypedClient { name: "n".repeat(201), ..own("demo") }, "client_name"),
        (TypedClient { client_secret: Some("s".repeat(1_001).into()), ..own("demo") }, "client_secret"),
        (TypedClient { scopes: Some(vec!["k:everything".to_owned()]), ..own("demo") }, "scopes"),
    ] {
        let refused = save(TypedClient { callback: shown.clone(), ..typed }).await.expect_err("refused");
        assert_eq!(fields(refused), [wrong]);
    }
    let guessed = save(TypedClient { callback: "guessed".to_owned(), ..own("demo") }).await;
    assert_eq!(code(guessed), "redirect_uri_used", "a browser does not choose it");
    let made = save(TypedClient { callback: shown.clone(), ..own("demo") }).await.expect("registered");
    assert_eq!(made.callback, shown);
    assert_eq!(made.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().len(), 2, "and its twin");
    assert_eq!(code(save(TypedClient { callback: shown.clone(), ..own("demo") }).await), "redirect_uri_used");
    let next = world.platform.client_form(&anna, "kintone", "oauth2", None).await.expect("a form").callback;
    assert_ne!(next, shown);

    // It stays where it is registered, and what is left empty stays as well.
    let change =
        TypedClient { id: Some(made.id.to_string()), config: address("elsewhere"), ..TypedClient::default() };
    let changed = save(change).await.expect("changed");
    assert_eq!((changed.config, changed.client_id.as_str()), (made.config, "l.1.own"));
    assert_eq!(changed.sealed_version, made.sealed_version, "the secret was not typed again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_embedder_filled_in_narrows_the_choice() {
    let (world, _) = world().await;
    of_admin(&world, &world.access, "South", "south").await;
    let fields = BTreeMap::from([("subdomain".to_owned(), "south".to_owned())]);
    let defaults = IntegrationDefaults { fields, ..IntegrationDefaults::default() };
    let filled = ConnectSessionDraft {
        defaults: BTreeMap::from([("kintone".to_owned(), defaults)]),
        ..draft(OAuthClientRight::Manage, person("anna", None))
    };
    let anna = holder(&world, filled).await;
    assert_eq!(listed(&world, &anna).await, ["South"]);
    let made = register(&world, &anna, own("demo")).await.expect("registered");
    assert_eq!(made.config["subdomain"], "south", "the embedder's stands above what is typed");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hands_on_what_they_may_not_do() {
    let (world, _) = world().await;
    let sessions = "environment:connect_sessions:write";
    let (list, create, update) = (
        "environment:integrations:list",
        "environment:integrations:create",
        "environment:integrations:update",
    );
    for (scopes, right, expected) in [
        (vec![sessions], OAuthClientRight::None, "done"),
        (vec![sessions], OAuthClientRight::Choose, "forbidden"),
        (vec![sessions, list], OAuthClientRight::Choose, "done"),
        (vec![sessions, list, create], OAuthClientRight::Manage, "forbidden"),
        (vec![sessions, create, update], OAuthClientRight::Manage, "done"),
    ] {
        let scopes: Vec<String> = scopes.into_iter().map(str::to_owned).collect();
        let name = format!("{right:?} {scopes:?}");
        let (_, key) =
            world.platform.create_api_key(&world.access, &name, &scopes, None).await.expect("a key");
        let access = world.platform.authenticate(key.expose()).await.expect("a valid key");
        let made = world.platform.create_connect_session(&access, draft(right, person("anna", None))).await;
        assert_eq!(code(made), expected, "{right:?} {scopes:?}");
    }
    let nobody = ConnectSessionDraft {
        end_user: None,
        tags: BTreeMap::from([("team".to_owned(), "sales".to_owned())]),
        ..draft(OAuthClientRight::Manage, person("anna", None))
    };
    let refused = world.platform.create_connect_session(&world.access, nobody).await;
    assert_eq!(refused.err().expect("refused").fields[0].field, "oauth_clients", "they belong to somebody");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_has_only_so_many() {
    let (world, _) = world().await;
    let anna = holder(&world, draft(OAuthClientRight::Manage, person("anna", None))).await;
    for number in 0..20 {
        register(&world, &anna, own("demo")).await.unwrap_or_else(|problem| panic!("{number}: {problem:?}"));
    }
    // In another session as well.
    let again = holder(&world, draft(OAuthClientRight::Manage, person("anna", None))).await;
    assert_eq!(code(register(&world, &again, own("demo")).await), "too_many_oauth_clients");
    let ben = holder(&world, draft(OAuthClientRight::Manage, person("ben", None))).await;
    assert_eq!(code(register(&world, &ben, own("demo")).await), "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_where_the_chosen_client_is_registered() {
    let (world, admins) = world().await;
    let anna = holder(&world, draft(OAuthClientRight::Choose, person("anna", None))).await;
    let begin = async |fields: &[(&str, &str)]| {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request =
            PopupRequest { oauth_client: Some(admins.id.to_string()), fields, ..PopupRequest::default() };
        let begun = world.platform.begin_in_session(&anna, "kintone", request).await;
        begun.map_err(|problem| problem.fields.first().map_or(problem.code, |fault| fault.code))
    };
    let begun = begin(&[("app", "1")]).await.expect("the address need not be typed");
    let begun = world.platform.read_authorization(&world.access, begun.authorization.as_str()).await;
    let begun = begun.expect("it is there").authorization;
    assert_eq!(
        (begun.oauth_client, &begun.draft["config"]["subdomain"]),
        (admins.id.clone(), &"demo".into())
    );
    assert_eq!(begin(&[("subdomain", "other")]).await.err(), Some("other_oauth_client"));
    // One that has no id of the vendor yet leads nowhere.
    let change = OAuthClientChange { client_id: Some(String::new()), ..OAuthClientChange::default() };
    world.platform.update_oauth_client(&world.access, admins.id.as_str(), change).await.expect("changed");
    assert_eq!(begin(&[]).await.err(), Some("oauth_client_unfinished"));
}
