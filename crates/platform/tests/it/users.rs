//! People who sign in: how they get in, what each role may do, and how they are shut out.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use secrecy::{ExposeSecret as _, SecretString};
use tombolo_platform::connect::ConnectSessionDraft;
use tombolo_platform::users::{Browser, ChosenPassword, FirstAdministrator, Invitation, Role, SignedInUser};
use tombolo_platform::{
    Access, ConnectionChange, EnvironmentChange, IntegrationChange, IntegrationDraft, Platform, Problem,
    Scope,
};
use tombolo_store::testing::dump;
use tombolo_store::{ActivityFilter, ConnectionFilter, ProviderRequestState};

use crate::faults::tokens;
use crate::world::{Backend, SetForward, World};

const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
/// Markers: secrets that occur nowhere else.
const PASSWORD: &str = "canary password of Anna";
const OTHER_PASSWORD: &str = "another canary password";

fn first(login: &str) -> FirstAdministrator {
    FirstAdministrator { login: login.to_owned(), display_name: String::new(), password: PASSWORD.into() }
}

fn from(address: &str) -> Browser {
    Browser { name: "Firefox on Linux".to_owned(), address: Some(address.parse().expect("an address")) }
}

fn here() -> Browser {
    from("192.0.2.7")
}

async fn signed_in(platform: &Arc<Platform>, token: &SecretString) -> SignedInUser {
    let found = platform.signed_in_user(token.expose_secret()).await.expect("looked up");
    found.expect("somebody is signed in")
}

async fn is_signed_in(platform: &Arc<Platform>, token: &SecretString) -> bool {
    platform.signed_in_user(token.expose_secret()).await.expect("looked up").is_some()
}

/// The first administrator, signed in.
async fn set_up(platform: &Arc<Platform>) -> SignedInUser {
    let token = platform.new_set_up_token().await.expect("made").expect("nobody is there yet");
    let (sign_in, _) = platform.set_up(&token, &first("anna"), &here()).await.expect("set up");
    signed_in(platform, &sign_in).await
}

/// Somebody with a role and a password, signed in.
async fn add(platform: &Arc<Platform>, access: &Access, login: &str, role: Role) -> SignedInUser {
    let invitation = Invitation { login: login.to_owned(), display_name: String::new(), role };
    let link = platform.invite_user(access, &invitation).await.expect("invited");
    let chosen = ChosenPassword { display_name: String::new(), password: PASSWORD.into() };
    let (sign_in, _) = platform.choose_password(&link.secret, &chosen, &here()).await.expect("chosen");
    signed_in(platform, &sign_in).await
}

fn code<T>(outcome: Result<T, Problem>) -> &'static str {
    outcome.map_or_else(|problem| problem.code, |_| "done")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_set_ups_at_once_make_one_administrator(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    let platform = &world.platform;
    // Two servers on one database print one token each, and either is good.
    let mut printed = Vec::new();
    for _ in 0..2 {
        printed.push(platform.new_set_up_token().await.expect("made").expect("nobody is there yet"));
    }
    let set_ups = (0..200).map(|number| {
        let (platform, token) = (Arc::clone(platform), printed[number % 2].clone());
        tokio::spawn(async move { platform.set_up(&token, &first(&format!("anna{number}")), &here()).await })
    });
    let outcomes = join_all(set_ups).await;
    let codes: Vec<_> = outcomes.into_iter().map(|outcome| code(outcome.expect("ended"))).collect();
    assert_eq!(codes.iter().filter(|code| **code == "done").count(), 1, "{codes:?}");
    let others: BTreeSet<_> = codes.into_iter().filter(|code| *code != "done").collect();
    let expected = BTreeSet::from(["busy", "set_up_already", "unknown_set_up_token"]);
    assert!(others.is_subset(&expected), "{others:?}");
    let users = platform.list_users(&world.access).await.expect("listed");
    assert_eq!((users.len(), users[0].role), (1, Role::Admin));
    assert!(platform.new_set_up_token().await.expect("asked").is_none(), "a restart prints nothing any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_up_needs_the_printed_token_and_a_good_password() {
    let clock = Arc::new(SetForward::default());
    let world = World::start_with(|options, _| options.clock = Arc::clone(&clock) as _).await;
    let platform = &world.platform;
    let token = platform.new_set_up_token().await.expect("made").expect("nobody is there yet");
    let with = |password: &str| FirstAdministrator { password: password.into(), ..first("anna") };
    let guess = SecretString::from("guess");
    for (token, first, expected) in [
        (&guess, first("anna"), "unknown_set_up_token"),
        (&token, with("short"), "invalid_body"),
        (&token, with("password1234"), "invalid_body"),
        (&token, first(""), "invalid_body"),
        (&token, first("anna and ben"), "invalid_body"),
    ] {
        assert_eq!(code(platform.set_up(token, &first, &here()).await), expected, "{first:?}");
    }
    clock.by(Duration::from_hours(25));
    assert_eq!(code(platform.set_up(&token, &first("anna"), &here()).await), "unknown_set_up_token");
    let anna = set_up(platform).await;
    assert_eq!((anna.user.login.as_str(), anna.user.display_name.as_str()), ("anna", "anna"));
    assert_eq!(code(platform.set_up(&token, &first("anna"), &here()).await), "set_up_already");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_sign_in_learns_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    let platform = &world.platform;
    set_up(platform).await;
    let admin = &world.access;
    add(platform, admin, "gone", Role::Member).await;
    platform.enable_user(admin, "gone", false).await.expect("disabled");
    let invitation = Invitation { login: "new".into(), display_name: String::new(), role: Role::Member };
    platform.invite_user(admin, &invitation).await.expect("invited");

    let sign_in = async |login: &str, password: &str, address: &str| {
        platform.sign_in(login, &password.into(), &from(address)).await
    };
    let mut told = BTreeSet::new();
    for (login, password) in [
        ("anna", OTHER_PASSWORD),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("new", ""),
        ("", ""),
        ("anna", &"x".repeat(100_000)),
    ] {
        let problem = sign_in(login, password, "192.0.2.8").await.map(drop).expect_err("refused");
        told.insert((problem.code, problem.to_string()));
    }
    assert!(sign_in(" ANNA", PASSWORD, "192.0.2.8").await.is_ok());

    // After too many attempts from one place the right password is refused there, and told alike.
    for _ in 0..10 {
        let problem = sign_in("anna", OTHER_PASSWORD, "192.0.2.9").await.map(drop).expect_err("refused");
        told.insert((problem.code, problem.to_string()));
    }
    let problem = sign_in("anna", PASSWORD, "192.0.2.9").await.map(drop).expect_err("refused");
    told.insert((problem.code, problem.to_string()));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(sign_in("anna", PASSWORD, "192.0.2.10").await.is_ok(), "elsewhere it is good");

    // From many places at once: the account is shut, and a link of the operator's opens it.
    for number in 0..31 {
        sign_in("anna", OTHER_PASSWORD, &format!("198.51.100.{number}"))
            .await
            .map(drop)
            .expect_err("refused");
    }
    assert!(sign_in("anna", PASSWORD, "192.0.2.10").await.is_err());
    let link = platform.reset_password(admin, "anna").await.expect("a link");
    let chosen = ChosenPassword { display_name: String::new(), password: OTHER_PASSWORD.into() };
    platform.choose_password(&link.secret, &chosen, &here()).await.expect("chosen");
    assert!(sign_in("anna", OTHER_PASSWORD, "192.0.2.10").await.is_ok());

    let stored = dump(&world.location()).await;
    for secret in [PASSWORD, OTHER_PASSWORD, link.secret.expose_secret()] {
        assert!(!stored.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_ends_with_what_it_stands_on() {
    let clock = Arc::new(SetForward::default());
    let world = World::start_with(|options, _| options.clock = Arc::clone(&clock) as _).await;
    let (platform, admin) = (&world.platform, &world.access);
    set_up(platform).await;
    let sign_in = async || platform.sign_in("ben", &PASSWORD.into(), &here()).await.expect("signed in").0;
    let ben = add(platform, admin, "ben", Role::Member).await;

    let one = sign_in().await;
    platform.change_role(admin, "ben", Role::Viewer).await.expect("changed");
    assert!(!is_signed_in(platform, &one).await, "another role");
    let two = sign_in().await;
    platform.enable_user(admin, "ben", false).await.expect("disabled");
    assert!(!is_signed_in(platform, &two).await, "disabled");
    platform.enable_user(admin, ben.user.id.as_str(), true).await.expect("enabled");
    assert!(!is_signed_in(platform, &two).await, "enabled again");

    let (kept, mine) = (sign_in().await, sign_in().await);
    let ben = signed_in(platform, &mine).await;
    assert_eq!(platform.own_sign_ins(&ben).await.expect("listed").len(), 2);
    let change = async |current: &str| {
        platform.change_own_password(&ben, &current.into(), &OTHER_PASSWORD.into(), &here()).await
    };
    assert_eq!(code(change(OTHER_PASSWORD).await), "invalid_body");
    let renewed = change(PASSWORD).await.expect("changed");
    assert!(!is_signed_in(platform, &kept).await && !is_signed_in(platform, &mine).await, "another password");
    let ben = signed_in(platform, &renewed).await;
    platform.sign_out(&ben).await.expect("signed out");
    platform.sign_out(&ben).await.expect("twice is no fault");
    assert!(!is_signed_in(platform, &renewed).await, "signed out");

    let idle = platform.sign_in("ben", &OTHER_PASSWORD.into(), &here()).await.expect("signed in").0;
    clock.by(Duration::from_hours(7 * 24));
    assert!(!is_signed_in(platform, &idle).await, "not used for a week");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_a_password_is_good_once() {
    let clock = Arc::new(SetForward::default());
    let world = World::start_with(|options, _| options.clock = Arc::clone(&clock) as _).await;
    let (platform, admin) = (&world.platform, &world.access);
    set_up(platform).await;
    let invitation =
        Invitation { login: "ben@example.com".into(), display_name: "Ben".into(), role: Role::Member };
    let link = platform.invite_user(admin, &invitation).await.expect("invited");
    assert_eq!(code(platform.invite_user(admin, &invitation).await), "unique_key_taken");
    let chosen = |name: &str| ChosenPassword { display_name: name.into(), password: PASSWORD.into() };
    let choose = async |secret: &SecretString| platform.choose_password(secret, &chosen(""), &here()).await;
    let short = ChosenPassword { password: "short".into(), ..chosen("") };
    assert_eq!(code(platform.choose_password(&link.secret, &short, &here()).await), "invalid_body");
    let at_once = join_all((0..5).map(|_| choose(&link.secret))).await;
    assert_eq!(at_once.iter().filter(|outcome| outcome.is_ok()).count(), 1, "good once");
    assert_eq!(code(choose(&link.secret).await), "unknown_link");
    assert_eq!(platform.list_users(admin).await.expect("listed")[1].display_name, "Ben");

    let older = platform.reset_password(admin, "ben@example.com").await.expect("a link");
    let newer = platform.reset_password(admin, "ben@example.com").await.expect("a link");
    assert_eq!(code(choose(&older.secret).await), "unknown_link");
    clock.by(Duration::from_hours(7 * 24));
    assert_eq!(code(choose(&newer.secret).await), "unknown_link", "after a week");
    let disabled = platform.reset_password(admin, "ben@example.com").await.expect("a link");
    platform.enable_user(admin, "ben@example.com", false).await.expect("disabled");
    assert_eq!(code(choose(&disabled.secret).await), "unknown_link", "of somebody who is shut out");
}

type Outcome<'a> = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>>;

/// A function of the platform, and the scope that it asks for.
struct Row {
    scope: Scope,
    call: for<'a> fn(&'a Arc<Platform>, &'a Access) -> Outcome<'a>,
}

macro_rules! rows {
    ($($scope:ident: |$platform:ident, $access:ident| $call:expr;)+) => {
        [$(Row { scope: Scope::$scope, call: |$platform, $access| Box::pin(async move { $call.await.map(drop) }) }),+]
    };
}

/// What is named does not exist, so that whoever may do it is told so and nothing changes.
fn table() -> impl Iterator<Item = Row> {
    rows! {
        ListConnections: |p, a| p.list_connections(a, &ConnectionFilter::default(), None, 1);
        ListConnections: |p, a| p.connections_with_id(a, "x");
        ReadConnection: |p, a| p.read_connection(a, None, "x");
        CreateConnection: |p, a| p.create_connection(a, &tokens("x", CUSTOMERS, "x"), true, &mut |_| {});
        CreateConnection: |p, a| p.test_draft(a, &tokens("", CUSTOMERS, "x"), &mut |_| {});
        UpdateConnection: |p, a| p.update_connection(a, None, "x", ConnectionChange::default());
        UpdateConnection: |p, a| p.test_connection(a, None, "x", &mut |_| {});
        DeleteConnection: |p, a| p.delete_connection(a, None, "x");
        ListIntegrations: |p, a| p.list_oauth_clients(a);
        ReadIntegration: |p, a| p.read_integration(a, "x");
        CreateIntegration: |p, a| p.create_integration(a, &IntegrationDraft::default());
        UpdateIntegration: |p, a| p.update_integration(a, "x", IntegrationChange::default());
        DeleteIntegration: |p, a| p.delete_integration(a, "x");
        ReadCredentials: |p, a| p.read_credentials(a, None, "x", false);
        CreateConnectSession: |p, a| p.create_connect_session(a, ConnectSessionDraft::default());
        ReadVariables: |p, a| p.environment_variables(a);
        WriteVariables: |p, a| p.delete_environment_variable(a, "x");
        ManageEnvironment: |p, a| p.read_environment(a);
        ManageEnvironment: |p, a| p.update_environment(a, EnvironmentChange::default());
        ReadActivity: |p, a| p.list_activity(a, None, ActivityFilter::default(), None, 1);
        ReadAudit: |p, a| p.list_audit_events(a, None, 1);
        ReadAudit: |p, a| p.verify_audit_events(a);
        ManageApiKeys: |p, a| p.list_api_keys(a);
        ManageApiKeys: |p, a| p.create_api_key(a, "", &[], None);
        ManageApiKeys: |p, a| p.revoke_api_key(a, "x");
        ReadWebhooks: |p, a| p.list_webhooks(a);
        ReadWebhooks: |p, a| p.read_webhook_delivery(a, "x");
        ManageWebhooks: |p, a| p.test_webhook(a, "x");
        ManageWebhooks: |p, a| p.rotate_webhook_secret(a, "x");
        ManageWebhooks: |p, a| p.delete_webhook(a, "x");
        ReadNotifications: |p, a| p.list_recipients(a);
        ManageNotifications: |p, a| p.test_recipient(a, "x");
        ManageNotifications: |p, a| p.delete_recipient(a, "x");
        ReadJobs: |p, a| p.list_jobs(a, None, None, None, 1);
        ManageJobs: |p, a| p.retry_job(a, "x");
        ManageJobs: |p, a| p.cancel_job(a, "x");
        ReadKeys: |p, a| p.read_keys(a);
        RequestProvider: |p, a| p.request_provider(a, "x", "");
        RequestProvider: |p, a| p.list_provider_requests(a);
        ManageProviderRequests: |p, a| p.settle_provider_request(a, "x", true, "");
        CreateEnvironment: |p, a| p.create_environment(a, "");
        ReadUsers: |p, a| p.list_users(a);
        ManageUsers: |p, a| p.change_role(a, "x", Role::Viewer);
        ManageUsers: |p, a| p.enable_user(a, "x", false);
        ManageUsers: |p, a| p.reset_password(a, "x");
    }
    .into_iter()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_do_what_the_table_says_and_nothing_else() {
    let world = World::start().await;
    let platform = &world.platform;
    platform.create_integration(&world.access, &kintone()).await.expect("enabled");
    let anna = set_up(platform).await;
    for role in Role::ALL {
        let user = match role {
            Role::Admin => anna.clone(),
            role => add(platform, &world.access, role.as_str(), *role).await,
        };
        let (access, _) = platform.access_of(&user, None).await.expect("an environment");
        for Row { scope, call } in table() {
            let problem = call(platform, &access).await.err();
            let refused = problem.as_ref().filter(|problem| problem.code == "forbidden");
            assert_eq!(refused.is_none(), scope.least_role() <= *role, "{role} {scope:?}: {problem:?}");
            assert!(refused.is_none_or(|problem| problem.what.contains("role")), "{problem:?}");
        }
    }
    // These decide what a list shows instead of refusing it, or are asked for by the server.
    let elsewhere = [
        Scope::Proxy,
        Scope::ReadInstallationJobs,
        Scope::ManageInstallationJobs,
        Scope::ReadInstallationAudit,
    ];
    let missing = Scope::ALL
        .into_iter()
        .filter(|scope| table().all(|row| row.scope != *scope) && !elsewhere.contains(scope));
    assert_eq!(missing.collect::<Vec<_>>(), []);
}

fn kintone() -> IntegrationDraft {
    IntegrationDraft {
        provider: "kintone".into(),
        unique_key: "kintone".into(),
        ..IntegrationDraft::default()
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_member_asks_for_a_provider_and_an_administrator_enables_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = World::start_on(backend).await;
    let platform = &world.platform;
    let anna = set_up(platform).await;
    let (admin, _) = platform.access_of(&anna, None).await.expect("an environment");
    let ben = add(platform, &admin, "ben", Role::Member).await;
    let (member, _) = platform.access_of(&ben, None).await.expect("an environment");
    let draft = tokens("Customers", CUSTOMERS, "1");
    let create = async |access: &Access| platform.create_connection(access, &draft, true, &mut |_| {}).await;
    assert_eq!(code(create(&member).await), "provider_not_enabled");
    assert_eq!(code(platform.test_draft(&member, &draft, &mut |_| {}).await), "provider_not_enabled");

    let ask = async |access: &Access| platform.request_provider(access, "kintone", " for \n sales ").await;
    let asked = ask(&member).await.expect("asked");
    assert_eq!((asked.reason.as_str(), asked.asked_by_label.as_str()), ("for sales", "ben"));
    assert_eq!(code(ask(&member).await), "unique_key_taken");
    let other = ask(&admin).await.expect("somebody else asks too");
    let settle =
        async |id: &str, is_granted| platform.settle_provider_request(&admin, id, is_granted, "ok").await;
    assert_eq!(settle(asked.id.as_str(), true).await.expect("granted").state, ProviderRequestState::Granted);
    assert_eq!(code(settle(asked.id.as_str(), false).await), "version_conflict", "decided once");
    assert_eq!(
        settle(other.id.as_str(), false).await.expect("declined").state,
        ProviderRequestState::Declined
    );
    assert_eq!(code(ask(&member).await), "provider_enabled");
    assert!(create(&member).await.expect("enabled now").is_ok());
    assert_eq!(platform.list_provider_requests(&member).await.expect("listed").len(), 2);
    let elsewhere = platform.create_environment(&admin, "elsewhere").await.expect("made");
    let (elsewhere, _) = platform.access_of(&ben, Some(&elsewhere.name)).await.expect("an environment");
    assert!(platform.list_provider_requests(&elsewhere).await.expect("listed").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_more_of_others_than_they_may_do_themselves() {
    let world = World::start().await;
    let platform = &world.platform;
    set_up(platform).await;
    add(platform, &world.access, "ben", Role::Member).await;
    let scopes = ["installation:users:manage", "environment:connections:*"].map(str::to_owned);
    let (_, key) = platform.create_api_key(&world.access, "users", &scopes, None).await.expect("a key");
    let key = platform.authenticate(key.expose()).await.expect("valid");
    let invite = async |role| {
        let invitation = Invitation { login: "eve".into(), display_name: String::new(), role };
        platform.invite_user(&key, &invitation).await
    };
    for outcome in [
        code(invite(Role::Admin).await),
        code(invite(Role::Viewer).await),
        code(platform.change_role(&key, "ben", Role::Admin).await),
        code(platform.reset_password(&key, "anna").await),
        code(platform.enable_user(&key, "anna", false).await),
    ] {
        assert_eq!(outcome, "forbidden");
    }
    let last = platform.change_role(&world.access, "anna", Role::Member).await;
    assert_eq!(code(last), "last_administrator");
    assert_eq!(code(platform.enable_user(&world.access, "anna", false).await), "last_administrator");
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_on_people_are_in_the_trail_of_whoever_may_see_the_installation() {
    let world = World::start().await;
    let platform = &world.platform;
    let anna = set_up(platform).await;
    add(platform, &world.access, "ben", Role::Viewer).await;
    platform.change_role(&world.access, "ben", Role::Member).await.expect("changed");
    let (admin, _) = platform.access_of(&anna, None).await.expect("an environment");
    let events = platform.list_audit_events(&admin, None, 100).await.expect("listed");
    let told: Vec<String> = events
        .iter()
        .rev()
        .map(|event| format!("{} {} by {}", event.action, event.object.label, event.actor.label))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    installation.set_up anna by anna
    user.invited ben by operator
    user.password_chosen ben by ben
    user.role_changed ben by operator
    ");
    let key = platform.create_api_key(&world.access, "k", &["environment:*".to_owned()], None).await;
    let key = platform.authenticate(key.expect("a key").1.expose()).await.expect("valid");
    let events = platform.list_audit_events(&key, None, 100).await.expect("listed");
    assert!(events.iter().all(|event| event.environment_id.is_some()), "a key sees its environment alone");
}
