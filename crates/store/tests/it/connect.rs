//! Connect sessions, what sockets are told, and the settings and variables of an environment.

use rstest::rstest;
use serde_json::json;
use tombolo_store::{
    Change, ConnectSessionId, ConnectSessionSecrets, ConnectionUpdate, EndUser, NewConnectSession,
    Organization, PutEnvironmentSettings, PutEnvironmentVariable, SocketMessage, StoreError,
};
use tombolo_vault::{Binding, HostSet, Sealed, SystemRandom};

use crate::harness::{Engine, NOW, TestStore, at};

fn session(store: &TestStore, token: u8, ends: i64) -> NewConnectSession {
    NewConnectSession {
        id: ConnectSessionId::generate(NOW, &SystemRandom).unwrap(),
        environment_id: store.environment().clone(),
        token_hash: vec![token; 32],
        draft: json!({ "allowed_integrations": ["kintone"] }),
        connection: None,
        sealed: None,
        expires_at: at(ends),
    }
}

#[rstest]
#[tokio::test]
async fn a_session_is_good_until_its_end(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let (long, short, ended) = (session(&store, 1, 1_000), session(&store, 2, 10), session(&store, 3, 1_000));
    for new in [&long, &short, &ended] {
        store.commit(&[Change::InsertConnectSession(new.clone())], NOW).await.unwrap();
    }
    let end = Change::EndConnectSession(store.environment().clone(), ended.id.clone());
    store.commit(std::slice::from_ref(&end), at(5)).await.unwrap();

    let mut good = Vec::new();
    for (token, moment) in [(1, 20), (2, 5), (2, 10), (3, 5), (9, 0)] {
        good.push(
            store.connect_session_by_token(&[token; 32], at(moment)).await.unwrap().map(|found| found.id),
        );
    }
    assert_eq!(good, [Some(long.id), Some(short.id), None, None, None]);
    let again = store.commit(&[end], at(6)).await;
    assert!(matches!(again, Err(StoreError::NotFound { .. })), "a session ends once: {again:?}");
    assert_eq!(store.prune_connect_sessions(at(500), 10).await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn the_secrets_of_a_session_are_written_one_after_the_other_and_gone_when_it_ends(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let new = NewConnectSession { sealed: Some(sealed(&store, 1)), ..session(&store, 1, 1_000) };
    store.commit(&[Change::InsertConnectSession(new.clone())], NOW).await.unwrap();
    let seal = |expected_version| {
        Change::SealConnectSession(ConnectSessionSecrets {
            environment_id: store.environment().clone(),
            id: new.id.clone(),
            sealed: sealed(&store, expected_version + 1),
            expected_version,
        })
    };
    store.commit(&[seal(1)], NOW).await.unwrap();
    let late = store.commit(&[seal(1)], NOW).await;
    assert!(matches!(late, Err(StoreError::VersionConflict { .. })), "{late:?}");
    let found = store.connect_session_by_token(&[1; 32], NOW).await.unwrap().unwrap();
    assert_eq!((found.sealed.is_some(), found.sealed_version), (true, 2));

    let abandoned = NewConnectSession { sealed: Some(sealed(&store, 1)), ..session(&store, 2, 500) };
    store.commit(&[Change::InsertConnectSession(abandoned.clone())], NOW).await.unwrap();
    assert_eq!(store.empty_connect_sessions(at(501)).await.unwrap(), 1);
    let left = store.connect_session(store.environment(), &abandoned.id).await.unwrap().unwrap();
    assert!(left.sealed.is_none(), "nobody can use it any more");

    let end = Change::EndConnectSession(store.environment().clone(), new.id.clone());
    store.commit(&[end], NOW).await.unwrap();
    let ended = store.connect_session(store.environment(), &new.id).await.unwrap().unwrap();
    assert!(ended.sealed.is_none());
    assert!(store.commit(&[seal(2)], NOW).await.is_err());
}

#[rstest]
#[tokio::test]
async fn a_socket_is_told_once_and_in_order(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let add = async |socket, text, moment, due_at| {
        let message = json!({ "text": text });
        let message = SocketMessage { socket_hash: vec![socket; 32], message, due_at: at(due_at) };
        store.commit(&[Change::AddSocketMessage(message)], at(moment)).await.unwrap();
    };
    for (socket, text, moment) in [(1, "first", 0), (2, "other", 1), (1, "second", 2)] {
        add(socket, text, moment, moment).await;
    }
    add(7, "later", 2, 20).await;
    let told = |sockets: &'static [u8]| {
        let hashes: Vec<Vec<u8>> = sockets.iter().map(|socket| vec![*socket; 32]).collect();
        let store = &store;
        async move {
            let taken = store.take_socket_messages(&hashes, at(10)).await.unwrap();
            taken.into_iter().map(|taken| taken.message["text"].clone()).collect::<Vec<_>>()
        }
    };
    assert_eq!(told(&[]).await, Vec::<serde_json::Value>::new());
    assert_eq!(told(&[1, 7]).await, ["first", "second"]);
    assert_eq!(told(&[1, 7]).await, Vec::<serde_json::Value>::new());
    assert_eq!(store.prune_socket_messages(at(1), 10).await.unwrap(), 0);
    assert_eq!(store.prune_socket_messages(at(2), 10).await.unwrap(), 1);

    add(7, "at once, in its place", 3, 3).await;
    assert_eq!(told(&[7]).await, ["at once, in its place"]);
    let later = store.take_socket_messages(&[vec![7; 32]], at(30)).await.unwrap();
    assert_eq!(later, []);
}

#[rstest]
#[tokio::test]
async fn a_connection_knows_its_person_and_its_receiver(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let integration = store.add_integration("kintone").await;
    let connection = store.add_connection(&integration, "Acme").await;
    assert_eq!((connection.end_user, connection.webhook_url), (None, None));

    let person = EndUser {
        id: "u1".to_owned(),
        display_name: Some("鈴木".to_owned()),
        email: None,
        tags: [("plan".to_owned(), "pro".to_owned())].into(),
        organization: Some(Organization { id: "o1".to_owned(), display_name: None }),
    };
    for (version, end_user, webhook_url, expected) in [
        (
            1,
            Some(person.clone()),
            Some(Some("https://a.example/hook".to_owned())),
            Some("https://a.example/hook"),
        ),
        (2, None, None, Some("https://a.example/hook")),
        (3, None, Some(None), None),
    ] {
        let mut update = ConnectionUpdate::new(store.environment().clone(), connection.id.clone(), version);
        (update.end_user, update.webhook_url) = (end_user, webhook_url);
        store.commit(&[Change::UpdateConnection(update)], at(1)).await.unwrap();
        let read = store.read(&connection.id).await;
        assert_eq!((read.end_user, read.webhook_url.as_deref()), (Some(person.clone()), expected));
    }
}

#[rstest]
#[tokio::test]
async fn variables_of_an_environment_are_written_one_after_the_other(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let put = |expected_version| {
        Change::PutEnvironmentVariable(PutEnvironmentVariable {
            environment_id: store.environment().clone(),
            name: "API_BASE".to_owned(),
            sealed: sealed(&store, expected_version + 1),
            expected_version,
        })
    };
    store.commit(&[put(0)], NOW).await.unwrap();
    store.commit(&[put(1)], NOW).await.unwrap();
    let late = store.commit(&[put(1)], NOW).await;
    assert!(matches!(late, Err(StoreError::VersionConflict { .. })), "{late:?}");

    let known = store.environment_variables(store.environment()).await.unwrap();
    assert_eq!(
        known.iter().map(|known| (known.name.as_str(), known.sealed_version)).collect::<Vec<_>>(),
        [("API_BASE", 2)]
    );
    let delete = Change::DeleteEnvironmentVariable(store.environment().clone(), "API_BASE".to_owned());
    store.commit(std::slice::from_ref(&delete), NOW).await.unwrap();
    assert!(store.environment_variables(store.environment()).await.unwrap().is_empty());
    assert!(store.commit(&[delete], NOW).await.is_err());

    // Another variable of the name goes on from there: an older value, sealed for its version, never fits again.
    let again = store.commit(&[put(0)], NOW).await;
    assert!(matches!(again, Err(StoreError::VersionConflict { .. })), "{again:?}");
    assert_eq!(store.environment_variable_version(store.environment(), "API_BASE").await.unwrap(), 2);
    assert_eq!(store.environment_variable_version(store.environment(), "OTHER").await.unwrap(), 0);
    store.commit(&[put(2)], NOW).await.unwrap();
    assert_eq!(store.environment_variables(store.environment()).await.unwrap()[0].sealed_version, 3);
}

#[rstest]
#[tokio::test]
async fn an_environment_keeps_its_settings(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let settings = json!({ "confirm_authorizations": false });
    let put = |expected: serde_json::Value, settings: &serde_json::Value| {
        let environment_id = store.environment().clone();
        [Change::PutEnvironmentSettings(PutEnvironmentSettings {
            environment_id,
            expected,
            settings: settings.clone(),
        })]
    };
    store.commit(&put(json!({}), &settings), NOW).await.unwrap();
    // Whoever read them before that brings nothing back.
    let late = store.commit(&put(json!({}), &json!({ "return_urls": [] })), NOW).await;
    assert!(matches!(late, Err(StoreError::VersionConflict { .. })), "{late:?}");
    let read = store.store.environment(store.environment()).await.unwrap().expect("it is there");
    assert_eq!(read.settings, settings);
}

fn sealed(store: &TestStore, version: u64) -> Sealed {
    let hosts = HostSet::default();
    let binding = Binding {
        environment: store.environment().as_str(),
        object: "API_BASE",
        column: "variable",
        record_version: version,
        hosts: &hosts,
    };
    store.data_key.seal(&binding, b"value", &SystemRandom).unwrap()
}
