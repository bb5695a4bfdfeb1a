//! People who sign in: one first administrator, never none, and what ends when they change.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use tombolo_store::{
    AttemptBound, Change, Identification, Identity, NewPasswordLink, NewSetUpToken, NewSignIn, NewUser, Role,
    SignInId, StoreError, Timestamp, User, UserChange, UserId, UserUpdate,
};
use tombolo_vault::SystemRandom;

use crate::harness::{Engine, NOW, TestStore, at};

const IDLE: Duration = Duration::from_hours(7 * 24);
const WINDOW: Duration = Duration::from_mins(15);

fn person(login: &str, role: Role) -> NewUser {
    NewUser {
        id: UserId::generate(NOW, &SystemRandom).unwrap(),
        login: login.to_owned(),
        display_name: login.to_owned(),
        role,
        password_hash: Some("hash".into()),
        identity: None,
    }
}

async fn commit(store: &TestStore, change: UserChange) -> Result<(), StoreError> {
    commit_at(store, change, NOW).await
}

async fn commit_at(store: &TestStore, change: UserChange, at: Timestamp) -> Result<(), StoreError> {
    store.commit(&[Change::User(change)], at).await.map(drop)
}

async fn add(store: &TestStore, new: NewUser) -> User {
    let id = new.id.to_string();
    commit(store, UserChange::Insert(new)).await.unwrap();
    store.user(&id).await.unwrap().unwrap()
}

async fn sign_in(store: &TestStore, user: &User, token: &[u8]) -> Result<SignInId, StoreError> {
    let id = SignInId::generate(NOW, &SystemRandom).unwrap();
    let new = NewSignIn {
        id: id.clone(),
        token_hash: token.to_vec(),
        user: user.id.clone(),
        expected_version: user.version,
        browser: "Firefox".to_owned(),
        expires_at: at(30 * 86_400_000),
    };
    commit(store, UserChange::InsertSignIn(new)).await.map(|()| id)
}

async fn is_signed_in(store: &TestStore, token: &[u8], at: Timestamp) -> bool {
    store.sign_in(token, IDLE, at).await.unwrap().is_some()
}

fn token(hash: &[u8]) -> UserChange {
    UserChange::InsertSetUpToken(NewSetUpToken { token_hash: hash.to_vec(), expires_at: at(1000) })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_set_ups_at_once_make_one_administrator(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = Arc::new(TestStore::new(engine).await);
    // Two servers printed one each.
    for hash in [b"one", b"two"] {
        commit(&store, token(hash)).await.unwrap();
    }
    assert!(!store.is_set_up().await.unwrap());
    let set_ups = (0..200).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let hash = if number % 2 == 0 { b"one" } else { b"two" };
            let new = person(&format!("person {number}"), Role::Admin);
            commit(&store, UserChange::SetUp(new, hash.to_vec())).await
        })
    });
    let outcomes: Vec<_> = join_all(set_ups).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for outcome in outcomes {
        assert!(matches!(outcome, Ok(()) | Err(StoreError::SetUpAlready)), "{outcome:?}");
    }
    assert_eq!(store.users().await.unwrap().len(), 1);
    assert!(store.is_set_up().await.unwrap());
}

#[rstest]
#[tokio::test]
async fn a_set_up_takes_a_token_that_was_printed_lately(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    commit(&store, token(b"one")).await.unwrap();
    for (hash, moment) in [("guess", at(0)), ("one", at(1000))] {
        let refused =
            commit_at(&store, UserChange::SetUp(person("a", Role::Admin), hash.into()), moment).await;
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }
    assert!(!store.is_set_up().await.unwrap(), "a refused set-up leaves the installation as it is");

    // Whoever is made otherwise ends it as well.
    add(&store, person("Anna", Role::Admin)).await;
    let late = commit(&store, UserChange::SetUp(person("b", Role::Admin), b"one".to_vec())).await;
    assert!(matches!(late, Err(StoreError::SetUpAlready)));
}

#[rstest]
#[tokio::test]
async fn logins_are_compared_as_people_read_them(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let anna = add(&store, person("Anna@Example.com", Role::Member)).await;
    let taken = commit(&store, UserChange::Insert(person("ａｎｎａ@example.com ", Role::Admin))).await;
    assert!(matches!(taken, Err(StoreError::UniqueKeyTaken { object: "user", .. })), "{taken:?}");
    for reference in ["anna@example.com", anna.id.as_str()] {
        assert_eq!(store.user(reference).await.unwrap().as_ref(), Some(&anna));
    }
    let (found, hash) = store.user_to_sign_in("ANNA@EXAMPLE.COM").await.unwrap().unwrap();
    assert_eq!((found, hash.is_some()), (anna, true));
    assert!(store.user_to_sign_in("ben").await.unwrap().is_none());
}

type MakeUpdate = fn(UserId) -> UserUpdate;

#[rstest]
#[tokio::test]
async fn what_changes_a_person_ends_what_they_are_signed_in_with(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    add(&store, person("admin", Role::Admin)).await;
    let changes: [(MakeUpdate, bool); 5] = [
        (|id| UserUpdate { display_name: Some("Anna".to_owned()), ..UserUpdate::of(id) }, false),
        (|id| UserUpdate { role: Some(Role::Viewer), ..UserUpdate::of(id) }, true),
        (|id| UserUpdate { password_hash: Some("other".into()), ..UserUpdate::of(id) }, true),
        (|id| UserUpdate { enabled: Some(false), ..UserUpdate::of(id) }, true),
        (|id| UserUpdate { enabled: Some(true), ..UserUpdate::of(id) }, true),
    ];
    for (number, (change, ends)) in changes.into_iter().enumerate() {
        let before = add(&store, person(&format!("person {number}"), Role::Member)).await;
        let hash = format!("token {number}").into_bytes();
        sign_in(&store, &before, &hash).await.unwrap();
        commit(&store, UserChange::Update(change(before.id.clone()))).await.unwrap();
        assert_eq!(is_signed_in(&store, &hash, NOW).await, !ends, "change {number}");
        // Whoever compared the password before does not get in behind the change.
        let late = sign_in(&store, &before, b"late").await;
        assert_eq!(
            matches!(late, Err(StoreError::VersionConflict { .. })),
            ends,
            "change {number}: {late:?}"
        );
        store.tamper("DELETE FROM sign_ins").await;
    }
}

#[rstest]
#[tokio::test]
async fn a_sign_in_ends_by_itself(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let anna = add(&store, person("anna", Role::Admin)).await;
    let id = sign_in(&store, &anna, b"token").await.unwrap();
    let day = |number: i64| at(number * 86_400_000);
    for (now, expected) in [(day(6), true), (day(7), false)] {
        assert_eq!(is_signed_in(&store, b"token", now).await, expected, "not used until {now:?}");
    }
    for number in [6, 12, 18, 24] {
        commit_at(&store, UserChange::TouchSignIn(id.clone()), day(number)).await.unwrap();
    }
    for (now, expected) in [(day(29), true), (day(30), false)] {
        assert_eq!(is_signed_in(&store, b"token", now).await, expected, "used until {now:?}");
    }
    assert_eq!(store.sign_ins(&anna.id, IDLE, day(25)).await.unwrap()[0].used_at, day(24));
    assert_eq!(store.prune_sign_ins(IDLE, day(30), 10).await.unwrap(), 1);

    let id = sign_in(&store, &anna, b"token").await.unwrap();
    let ben = add(&store, person("ben", Role::Admin)).await;
    let stranger = commit(&store, UserChange::EndSignIn(ben.id, id.clone())).await;
    assert!(matches!(stranger, Err(StoreError::NotFound { .. })));
    commit(&store, UserChange::EndSignIn(anna.id, id)).await.unwrap();
    assert!(!is_signed_in(&store, b"token", NOW).await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_can_administer_is_always_left(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = Arc::new(TestStore::new(engine).await);
    let mut admins = Vec::new();
    for name in ["anna", "ben", "chie"] {
        admins.push(add(&store, person(name, Role::Admin)).await);
    }
    // Invited, but without a password: nobody can administer by that.
    add(&store, NewUser { password_hash: None, ..person("dai", Role::Admin) }).await;
    let changes = admins.into_iter().enumerate().map(|(number, admin)| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut update = UserUpdate::of(admin.id);
            if number % 2 == 0 {
                update.role = Some(Role::Member);
            } else {
                update.enabled = Some(false);
            }
            commit(&store, UserChange::Update(update)).await
        })
    });
    let outcomes: Vec<_> = join_all(changes).await.into_iter().map(Result::unwrap).collect();
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::LastAdministrator)));
    assert_eq!((refused.count(), outcomes.iter().filter(|outcome| outcome.is_ok()).count()), (1, 2));
}

#[rstest]
#[tokio::test]
async fn a_link_for_a_password_is_good_once_and_the_newest_alone(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let anna = add(&store, NewUser { password_hash: None, ..person("anna", Role::Member) }).await;
    let link = |hash: &[u8]| {
        let (user, link_hash) = (anna.id.clone(), hash.to_vec());
        UserChange::InsertLink(NewPasswordLink { user, link_hash, expires_at: at(1000) })
    };
    let opens = async |hash: &[u8], moment| store.user_of_link(hash, moment).await.unwrap().is_some();
    commit(&store, link(b"first")).await.unwrap();
    commit(&store, link(b"second")).await.unwrap();
    assert!(!opens(b"first", NOW).await && opens(b"second", NOW).await && !opens(b"second", at(1000)).await);
    let take = || commit(&store, UserChange::TakeLink(b"second".to_vec()));
    take().await.unwrap();
    assert!(matches!(take().await, Err(StoreError::NotFound { .. })));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_counted_before_anything_is_compared(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = Arc::new(TestStore::new(engine).await);
    let bounds = || {
        let bound = |subject: &[u8], most| AttemptBound { subject_hash: subject.to_vec(), most };
        vec![bound(b"login", 10), bound(b"address", 15)]
    };
    let attempts = (0..40).map(|_| {
        let (store, bounds) = (Arc::clone(&store), bounds());
        tokio::spawn(async move { store.count_attempt(&bounds, WINDOW, NOW).await.unwrap() })
    });
    let passed = join_all(attempts).await.into_iter().filter(|outcome| *outcome.as_ref().unwrap()).count();
    assert_eq!(passed, 10, "40 at the same time are no way around the bound");

    let count = async |milliseconds| store.count_attempt(&bounds(), WINDOW, at(milliseconds)).await.unwrap();
    assert!(!count(WINDOW.as_millis() as i64 - 1).await);
    assert!(count(WINDOW.as_millis() as i64).await, "another window has begun");
    let subjects = vec![b"login".to_vec(), b"address".to_vec()];
    commit(&store, UserChange::ForgetAttempts(subjects)).await.unwrap();
    assert_eq!(store.prune_attempts(at(i64::from(u32::MAX)), 10).await.unwrap(), 0);
}

#[rstest]
#[tokio::test]
async fn one_identity_is_one_persons(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let identity = Identity { issuer: "https://id.example.com".to_owned(), subject: "7".to_owned() };
    let other = Identity { subject: "8".to_owned(), ..identity.clone() };
    let anna =
        NewUser { identity: Some(identity.clone()), password_hash: None, ..person("anna", Role::Admin) };
    let anna = add(&store, anna).await;
    assert_eq!(store.user_of_identity(&identity).await.unwrap(), Some(anna.clone()));
    assert_eq!(store.user_of_identity(&other).await.unwrap(), None);

    let again = NewUser { identity: Some(identity.clone()), ..person("ben", Role::Member) };
    let taken = commit(&store, UserChange::Insert(again)).await;
    assert!(matches!(taken, Err(StoreError::UniqueKeyTaken { object: "identity", .. })), "{taken:?}");
    let ben = add(&store, person("ben", Role::Member)).await;
    let link = async |user: &User, identity: &Identity| {
        let update = UserUpdate { identity: Some(identity.clone()), ..UserUpdate::of(user.id.clone()) };
        commit(&store, UserChange::Update(update)).await
    };
    let taken = link(&ben, &identity).await;
    assert!(matches!(taken, Err(StoreError::UniqueKeyTaken { object: "identity", .. })), "{taken:?}");
    link(&ben, &other).await.unwrap();
    link(&ben, &other).await.unwrap();
    let third = Identity { subject: "9".to_owned(), ..identity.clone() };
    let replaced = link(&ben, &third).await;
    assert!(matches!(replaced, Err(StoreError::VersionConflict { .. })), "{replaced:?}");

    sign_in(&store, &ben, b"t").await.unwrap();
    commit(&store, UserChange::Unlink(ben.id.clone())).await.unwrap();
    assert!(!is_signed_in(&store, b"t", NOW).await, "what stood on the identity has ended");
    assert_eq!(store.user_of_identity(&other).await.unwrap(), None);
    let last = commit(&store, UserChange::Unlink(anna.id)).await;
    assert!(matches!(last, Err(StoreError::LastAdministrator)), "she has no password");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_is_taken_once_and_in_time(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = Arc::new(TestStore::new(engine).await);
    let anna = add(&store, person("anna", Role::Member)).await;
    let sent = |state: &[u8], user| Identification {
        state_hash: state.to_vec(),
        browser_hash: b"browser".to_vec(),
        user,
        return_path: "/profile".to_owned(),
        expires_at: at(1000),
    };
    for new in [sent(b"one", None), sent(b"two", Some(anna.id.clone()))] {
        commit(&store, UserChange::InsertIdentification(new)).await.unwrap();
    }
    assert_eq!(store.identifications(NOW).await.unwrap(), 2);
    let takes = (0..20).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.take_identification(b"one", NOW).await.unwrap() })
    });
    let taken: Vec<_> = join_all(takes).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(taken, [sent(b"one", None)]);
    assert_eq!(store.take_identification(b"two", at(1000)).await.unwrap(), None, "too late");
    assert_eq!(store.prune_identifications(at(1000), 10).await.unwrap(), 1);
}
