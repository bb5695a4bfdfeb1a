//! OAuth clients, authorizations, and what is due to be renewed.

use rstest::rstest;
use serde_json::json;
use tombolo_store::{
    Authorization, AuthorizationId, AuthorizationStage, AuthorizationStep, Change, ClientOwner, ConnectionId,
    NewAuthorization, NewOAuthClient, OAuthClientId, OAuthClientUpdate, StoreError, TokenLife,
};
use tombolo_vault::{HostSet, SystemRandom};

use crate::harness::{Engine, NOW, TestStore, at};

fn client(store: &TestStore, name: &str, callback: &str) -> NewOAuthClient {
    NewOAuthClient {
        id: OAuthClientId::generate(NOW, &SystemRandom).unwrap(),
        environment_id: store.environment().clone(),
        provider: "kintone".to_owned(),
        auth_scheme: "oauth2".to_owned(),
        name: name.to_owned(),
        callback: callback.to_owned(),
        shared_callback: false,
        client_id: String::new(),
        config: json!({ "subdomain": "acme" }),
        scopes: vec!["k:app_record:read".to_owned()],
        hosts: HostSet::default(),
        sealed: None,
        owner: None,
    }
}

async fn authorization(store: &TestStore, client: &OAuthClientId, start: u8) -> AuthorizationId {
    let id = AuthorizationId::generate(NOW, &SystemRandom).unwrap();
    let new = NewAuthorization {
        sealed: None,
        id: id.clone(),
        environment_id: store.environment().clone(),
        oauth_client: client.clone(),
        connection: ConnectionId::generate(NOW, &SystemRandom).unwrap(),
        connect_session: None,
        links_again: None,
        socket_hash: None,
        start_hash: vec![start; 32],
        draft: json!({ "name": "Acme" }),
        expires_at: at(1_000),
    };
    store.commit(&[Change::InsertAuthorization(new)], NOW).await.unwrap();
    id
}

fn started(store: &TestStore, id: &AuthorizationId, state: u8) -> Change {
    Change::StepAuthorization(AuthorizationStep {
        environment_id: store.environment().clone(),
        id: id.clone(),
        from: &[AuthorizationStage::Waiting, AuthorizationStage::Started],
        stage: AuthorizationStage::Started,
        started: Some((vec![state; 32], vec![7; 32])),
        proof_hash: None,
        sealed: None,
        outcome: json!(null),
        expires_at: None,
    })
}

#[rstest]
#[tokio::test]
async fn clients_are_found_by_id_name_and_callback(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let new = client(&store, " Acme ", "abc");
    let id = new.id.clone();
    store.commit(&[Change::InsertOAuthClient(new)], NOW).await.unwrap();

    for reference in [id.as_str(), "Acme"] {
        let found = store.oauth_client(store.environment(), reference).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(id.clone()), "{reference}");
    }
    assert!(store.oauth_client_of_callback("abc").await.unwrap().is_some());
    let other = store.add_environment("other").await;
    assert!(store.oauth_client(&other, "Acme").await.unwrap().is_none());
    let twice = store.commit(&[Change::InsertOAuthClient(client(&store, "Acme", "abd"))], NOW).await;
    assert!(matches!(twice, Err(StoreError::UniqueKeyTaken { .. })));

    let update = OAuthClientUpdate {
        environment_id: store.environment().clone(),
        id: id.clone(),
        expected_version: 1,
        name: None,
        client_id: Some("l.1".to_owned()),
        scopes: None,
        sealed: None,
    };
    store.commit(&[Change::UpdateOAuthClient(update.clone())], at(1)).await.unwrap();
    let changed = store.oauth_client(store.environment(), "Acme").await.unwrap().unwrap();
    assert_eq!((changed.client_id.as_str(), changed.version, changed.sealed_version), ("l.1", 2, 1));
    let stale = store.commit(&[Change::UpdateOAuthClient(update)], at(2)).await;
    assert!(matches!(stale, Err(StoreError::VersionConflict { .. })));
}

#[rstest]
#[tokio::test]
async fn clients_of_an_owner_are_listed_for_that_owner(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let acme = ClientOwner::Organization("acme: north".to_owned());
    let anna = ClientOwner::EndUser("acme: north".to_owned());
    for (name, owner) in [("all", None), ("acme", Some(&acme)), ("anna", Some(&anna))] {
        let new = NewOAuthClient { owner: owner.cloned(), ..client(&store, name, name) };
        store.commit(&[Change::InsertOAuthClient(new)], NOW).await.unwrap();
    }
    let listed = async |of, owner| {
        let found = store.oauth_clients_for(store.environment(), of, owner).await.unwrap();
        found.into_iter().map(|client| (client.name, client.owner)).collect::<Vec<_>>()
    };
    let of = ("kintone", "oauth2");
    let all = ("all".to_owned(), None);
    assert_eq!(listed(of, None).await, std::slice::from_ref(&all));
    assert_eq!(listed(of, Some(&acme)).await, [("acme".to_owned(), Some(acme.clone())), all]);
    assert!(listed(("kintone", "password"), Some(&acme)).await.is_empty());
    assert!(listed(("other", "oauth2"), Some(&acme)).await.is_empty());
    assert_eq!(store.oauth_clients_of(store.environment(), &anna).await.unwrap(), 1);

    // What was in a redirect URI once is not given to another client.
    let known = store.oauth_client(store.environment(), "anna").await.unwrap().unwrap();
    store.commit(&[Change::DeleteOAuthClient(store.environment().clone(), known.id)], NOW).await.unwrap();
    assert!(store.has_callback("anna").await.unwrap());
    assert!(!store.has_callback("nobody").await.unwrap());
    assert_eq!(store.oauth_clients_of(store.environment(), &anna).await.unwrap(), 0);
}

#[rstest]
#[tokio::test]
async fn a_client_stays_while_connections_need_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let new = client(&store, "Acme", "abc");
    let id = new.id.clone();
    store.commit(&[Change::InsertOAuthClient(new)], NOW).await.unwrap();
    let integration = store.add_integration("kintone").await;
    let mut connection = store.new_connection(&integration, "By OAuth");
    connection.target.oauth_client = Some(id.clone());
    connection.life = TokenLife { expires_at: Some(at(100)), renew_at: Some(at(50)), ends_at: None };
    let connection = store.add(connection, NOW).await;
    assert_eq!(connection.life.renew_at, Some(at(50)));

    let delete = || [Change::DeleteOAuthClient(store.environment().clone(), id.clone())];
    assert!(matches!(store.commit(&delete(), NOW).await, Err(StoreError::OAuthClientInUse { .. })));
    store
        .commit(&[Change::DeleteConnection(store.environment().clone(), connection.id.clone())], at(1))
        .await
        .unwrap();
    store.commit(&delete(), at(2)).await.unwrap();
    assert!(store.oauth_client_of_callback("abc").await.unwrap().is_none());
}

#[rstest]
#[tokio::test]
async fn an_answer_is_taken_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let new = client(&store, "Acme", "abc");
    let client = new.id.clone();
    store.commit(&[Change::InsertOAuthClient(new)], NOW).await.unwrap();
    let id = authorization(&store, &client, 1).await;
    assert!(store.authorization_to_start(&[1; 32]).await.unwrap().is_some());
    store.commit(&[started(&store, &id, 2)], at(1)).await.unwrap();
    assert!(store.take_authorization(&[3; 32], at(2)).await.unwrap().is_none(), "another state");
    assert!(store.take_authorization(&[2; 32], at(1_000)).await.unwrap().is_none(), "too late");

    let takes = (0..8).map(|_| store.take_authorization(&[2; 32], at(2)));
    let taken: Vec<Option<Authorization>> =
        futures_util::future::join_all(takes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(taken.iter().flatten().count(), 1);
    let first = taken.into_iter().flatten().next().unwrap();
    assert_eq!((first.stage, first.browser_hash), (AuthorizationStage::Answered, Some(vec![7; 32])));
    let again = store.commit(&[started(&store, &id, 4)], at(3)).await;
    assert!(matches!(again, Err(StoreError::VersionConflict { .. })), "an answer ends it");

    assert_eq!(store.prune_authorizations(at(999), 10).await.unwrap(), 0);
    assert_eq!(store.prune_authorizations(at(2_000), 10).await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn what_a_person_types_is_tried_so_often_and_not_more(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let new = client(&store, "Acme", "abc");
    let client = new.id.clone();
    store.commit(&[Change::InsertOAuthClient(new)], NOW).await.unwrap();
    let id = authorization(&store, &client, 1).await;
    let count = || store.count_try(store.environment(), &id, 3, at(2));
    assert!(!count().await.unwrap(), "nobody has come back");
    let waits = AuthorizationStep {
        environment_id: store.environment().clone(),
        id: id.clone(),
        from: &[AuthorizationStage::Waiting],
        stage: AuthorizationStage::Unconfirmed,
        started: None,
        proof_hash: Some(vec![9; 32]),
        sealed: None,
        outcome: json!(null),
        expires_at: None,
    };
    store.commit(&[Change::StepAuthorization(waits)], at(1)).await.unwrap();
    let read = store.authorization(store.environment(), &id).await.unwrap().unwrap();
    assert_eq!(read.proof_hash, Some(vec![9; 32]));

    let tries = futures_util::future::join_all((0..8).map(|_| count())).await;
    assert_eq!(tries.into_iter().filter(|tried| *tried.as_ref().unwrap()).count(), 3);
    let other = store.add_environment("other").await;
    assert!(!store.count_try(&other, &id, 9, at(2)).await.unwrap());
    assert!(!store.count_try(store.environment(), &id, 9, at(1_000)).await.unwrap(), "too late");
}
