use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::json;
use tombolo_store::{
    Change, ConnectionCursor, ConnectionFilter, ConnectionHealth, ConnectionUpdate, CredentialsReplacement,
    Health, IntegrationUpdate, NewApiKey, NewConnection, NewIntegration, Revocation, StoreError, TokenLife,
};
use tombolo_vault::SystemRandom;

use crate::harness::{Engine, NOW, TestStore, at, new_integration, target};

#[rstest]
#[tokio::test]
async fn a_connection_reads_back_with_its_secret(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let integration = store.add_integration("kintone").await;
    let mut new = store.new_connection(&integration, "案件管理 (本番)");
    new.sealed = Some(store.seal(&new.id, NewConnection::SEALED_VERSION, &new.target.hosts, "marker-1"));
    new.tags = BTreeMap::from([("team".to_owned(), "営業".to_owned())]);
    new.metadata = json!({ "b": 1, "a": [true, null, "\u{1f980}", "NUL \u{0}"], "key\u{0}": {} });

    let connection = store.add(new.clone(), at(5)).await;

    assert_eq!(store.opened(&connection), "marker-1");
    assert_eq!(
        (connection.name.as_str(), connection.connection_id.as_str()),
        ("案件管理 (本番)", new.id.as_str())
    );
    assert_eq!(
        (&connection.target, &connection.tags, &connection.metadata),
        (&new.target, &new.tags, &new.metadata)
    );
    assert_eq!((connection.version, connection.created_at, connection.updated_at), (1, at(5), at(5)));
    assert_eq!(store.data_keys(store.environment()).await.unwrap()[0].uses, 1);
}

#[rstest]
#[tokio::test]
async fn names_are_unique_by_what_is_seen(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let integration = store.add_integration("kintone").await;
    let first = store.add_connection(&integration, "がくせい").await;
    let insert = |name: &str| Change::InsertConnection(store.new_connection(&integration, name));

    let error = store.commit(&[insert(" か\u{3099}くせい ")], NOW).await.unwrap_err();
    assert!(matches!(&error, StoreError::NameTaken { .. }), "{error}");
    let error = store.commit(&[insert(" ")], NOW).await.unwrap_err();
    assert!(matches!(&error, StoreError::Invalid(_)), "{error}");

    let delete = Change::DeleteConnection(store.environment().clone(), first.id.clone());
    store.commit(&[delete, insert("がくせい")], NOW).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn texts_that_one_database_could_not_store_are_refused_by_both(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let integration = store.add_integration("kintone").await;
    let connection = store.add_connection(&integration, "Sales").await;
    let environment = store.environment().clone();
    let refused = async |change: Change| match store.commit(&[change], NOW).await {
        Err(error @ StoreError::Invalid(_)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let cases = [
        ("a\0".to_owned(), "must not hold control characters such as line breaks; take them out"),
        ("a\nb".to_owned(), "must not hold control characters such as line breaks; take them out"),
        ("あ".repeat(256), "has at most 255 characters; shorten it"),
        ("a".repeat(100_000), "has at most 255 characters; shorten it"),
    ];
    for (text, reason) in cases {
        for (tag, value, what) in [(&*text, "east", "a tag"), ("team", &*text, "the value of a tag")] {
            let tags = BTreeMap::from([(tag.to_owned(), value.to_owned())]);
            let new = NewConnection { tags: tags.clone(), ..store.new_connection(&integration, "Other") };
            assert_eq!(refused(Change::InsertConnection(new)).await, format!("{what} {reason}"));
            let mut update = ConnectionUpdate::new(environment.clone(), connection.id.clone(), 1);
            update.tags = Some(tags);
            assert_eq!(refused(Change::UpdateConnection(update)).await, format!("{what} {reason}"));
        }
        let new = NewIntegration { display_name: text.clone(), ..new_integration(&environment, "other") };
        let message = format!("the name of an integration {reason}");
        assert_eq!(refused(Change::InsertIntegration(new)).await, message);
        let update = IntegrationUpdate {
            environment_id: environment.clone(),
            id: integration.clone(),
            expected_version: 1,
            unique_key: None,
            display_name: Some(text.clone()),
            auth_schemes: None,
            defaults: None,
            oauth_client: None,
        };
        assert_eq!(refused(Change::UpdateIntegration(update)).await, message);
        let (key, _) =
            NewApiKey::generate(environment.clone(), text, Vec::new(), None, NOW, &SystemRandom).unwrap();
        assert_eq!(refused(Change::InsertApiKey(key)).await, format!("the name of an API key {reason}"));
    }
    // The longest that is taken: four bytes for each character.
    let longest = "\u{1f980}".repeat(255);
    let tags = BTreeMap::from([(longest.clone(), longest.clone())]);
    let new = NewConnection { tags: tags.clone(), ..store.new_connection(&integration, "Longest") };
    assert_eq!(store.add(new, NOW).await.tags, tags);
    let filter = ConnectionFilter { tags: vec![(longest.clone(), longest)], ..ConnectionFilter::default() };
    assert_eq!(store.list_connections(&environment, &filter, None, 10).await.unwrap().connections.len(), 1);
}

#[tokio::test]
async fn a_search_for_what_postgresql_cannot_hold_is_no_fault_of_the_program() {
    let store = TestStore::new(Engine::Postgres).await;
    let error = store.integration(store.environment(), "a\0").await.unwrap_err();
    insta::assert_snapshot!(error, @r#"the database does not take one of the values (invalid byte sequence for encoding "UTF8": 0x00); shorten it, or take characters out that cannot be seen"#);
    assert!(matches!(error, StoreError::Invalid(_)));
}

#[rstest]
#[tokio::test]
async fn a_connection_is_found_by_id_name_and_integration(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let (one, two) = (store.add_integration("one").await, store.add_integration("two").await);
    let with_id = |integration, name: &str| {
        let mut new = store.new_connection(integration, name);
        new.connection_id = Some("user-1".to_owned());
        new
    };
    let first = store.add(with_id(&one, "First"), NOW).await;
    let second = store.add(with_id(&two, "Second"), NOW).await;

    let error = store.commit(&[Change::InsertConnection(with_id(&one, "Third"))], NOW).await.unwrap_err();
    assert!(matches!(&error, StoreError::UniqueKeyTaken { object: "connection", .. }), "{error}");
    let found = store.connection_of_integration(store.environment(), &two, "user-1").await.unwrap();
    assert_eq!(found, Some(second.clone()));
    assert_eq!(
        store.connections_called(store.environment(), " First").await.unwrap(),
        std::slice::from_ref(&first)
    );
    assert_eq!(store.connections_called(store.environment(), "user-1").await.unwrap().len(), 2);
    for connection in store.connections_called(store.environment(), "user-1").await.unwrap() {
        let by_id = store.connections_called(store.environment(), connection.id.as_str()).await.unwrap();
        assert_eq!(by_id, [connection], "an id still finds a connection that has another text for it");
    }
    assert_eq!(store.connections_called(store.environment(), "").await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn changing_the_target_empties_the_secret(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let integration = store.add_integration("kintone").await;
    let mut new = store.new_connection(&integration, "Acme");
    new.sealed = Some(store.seal(&new.id, 1, &new.target.hosts, "marker-1"));
    new.health = Health::Active;
    let first = store.add(new, NOW).await;
    let update = || ConnectionUpdate::new(store.environment().clone(), first.id.clone(), 1);

    let renamed = ConnectionUpdate { name: Some("Acme 2".to_owned()), ..update() };
    store.commit(&[Change::UpdateConnection(renamed)], at(1)).await.unwrap();
    let kept = store.read(&first.id).await;
    assert_eq!((store.opened(&kept).as_str(), kept.version, kept.name.as_str()), ("marker-1", 2, "Acme 2"));

    let stale =
        ConnectionUpdate { target: Some((target("evil.example"), None, TokenLife::default())), ..update() };
    let error = store.commit(&[Change::UpdateConnection(stale.clone())], at(2)).await.unwrap_err();
    assert!(matches!(&error, StoreError::VersionConflict { .. }), "{error}");

    let moved = ConnectionUpdate { expected_version: 2, ..stale };
    store.commit(&[Change::UpdateConnection(moved)], at(3)).await.unwrap();
    let emptied = store.read(&first.id).await;
    assert_eq!((emptied.sealed, emptied.sealed_version, emptied.health), (None, 2, Health::Unverified));
    assert_eq!(emptied.target, target("evil.example"));
}

#[rstest]
#[tokio::test]
async fn of_two_refreshes_one_wins(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let integration = store.add_integration("kintone").await;
    let connection = store.add_connection(&integration, "Acme").await;
    let refresh = |secret: &str| {
        Change::ReplaceCredentials(CredentialsReplacement {
            environment_id: store.environment().clone(),
            id: connection.id.clone(),
            expected_sealed_version: 1,
            sealed: store.seal(&connection.id, 2, &connection.target.hosts, secret),
            life: TokenLife::default(),
            keeps_refresh_token: false,
            hosts: connection.target.hosts.clone(),
        })
    };
    let (one, two) = ([refresh("one")], [refresh("two")]);

    let (first, second) = tokio::join!(store.commit(&one, NOW), store.commit(&two, NOW));

    let (winner, error) = match (first, second) {
        (Ok(_), Err(error)) => ("one", error),
        (Err(error), Ok(_)) => ("two", error),
        both => panic!("exactly one must win: {both:?}"),
    };
    assert!(matches!(error, StoreError::VersionConflict { .. }), "{error}");
    assert_eq!(store.opened(&store.read(&connection.id).await), winner);
    assert_eq!(store.data_keys(store.environment()).await.unwrap()[0].uses, 1);
}

#[rstest]
#[tokio::test]
async fn health_belongs_to_the_credentials_that_were_tested(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let integration = store.add_integration("kintone").await;
    let connection = store.add_connection(&integration, "Acme").await;
    let news = |sealed_version, outdates| {
        Change::RecordHealth(ConnectionHealth {
            environment_id: store.environment().clone(),
            id: connection.id.clone(),
            sealed_version,
            health: Health::NeedsReconnecting,
            detail: json!({ "code": "GAIA_IA02" }),
            tested_at: Some(at(1)),
            next_test_at: None,
            outdates,
        })
    };

    let unchanged = store.commit(&[news(1, false)], at(1)).await.unwrap();
    assert_eq!(unchanged.generations, [], "nobody has to read anything again");
    assert_eq!(store.commit(&[news(1, true)], at(1)).await.unwrap().generations.len(), 1);
    let refused = store.read(&connection.id).await;
    assert_eq!(
        (refused.health, refused.version, refused.last_tested_at),
        (Health::NeedsReconnecting, 1, Some(at(1)))
    );
    let error = store.commit(&[news(2, true)], at(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::VersionConflict { .. }), "{error}");
}

#[rstest]
#[tokio::test]
async fn a_deleted_connection_is_gone_with_its_secret(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let integration = store.add_integration("kintone").await;
    let mut new = store.new_connection(&integration, "Acme");
    new.sealed = Some(store.seal(&new.id, 1, &new.target.hosts, "marker-1"));
    new.tags = BTreeMap::from([("team".to_owned(), "sales".to_owned())]);
    let connection = store.add(new, NOW).await;
    let environment = store.environment().clone();

    let in_use =
        store.commit(&[Change::DeleteIntegration(environment.clone(), integration.clone())], NOW).await;
    assert!(matches!(in_use, Err(StoreError::IntegrationInUse { .. })));
    let delete = Change::DeleteConnection(environment.clone(), connection.id.clone());
    store
        .commit(&[delete.clone(), Change::DeleteIntegration(environment.clone(), integration)], NOW)
        .await
        .unwrap();

    assert_eq!(store.connection(&environment, &connection.id).await.unwrap(), None);
    assert_eq!(store.connections_called(&environment, "Acme").await.unwrap(), []);
    let tagged = ConnectionFilter {
        tags: vec![("team".to_owned(), "sales".to_owned())],
        ..ConnectionFilter::default()
    };
    assert_eq!(store.list_connections(&environment, &tagged, None, 10).await.unwrap().connections, []);
    assert!(matches!(store.commit(&[delete], NOW).await, Err(StoreError::NotFound { .. })));
}

/// All pages of a list, as names, after checking that cursors survive being printed and that no page is longer than asked.
async fn all_pages(store: &TestStore, filter: &ConnectionFilter, limit: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut after: Option<ConnectionCursor> = None;
    loop {
        let page = store.list_connections(store.environment(), filter, after.as_ref(), limit).await.unwrap();
        assert!(page.connections.len() <= limit);
        names.extend(page.connections.into_iter().map(|connection| connection.name));
        let Some(next) = page.next else { return names };
        after = Some(next.to_string().parse().unwrap());
    }
}

#[rstest]
#[tokio::test]
async fn lists_come_in_pages(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let store = TestStore::new(engine).await;
    let (one, two) = (store.add_integration("one").await, store.add_integration("two").await);
    for number in 0..20 {
        let mut new =
            store.new_connection(if number % 2 == 0 { &one } else { &two }, &format!("Ａcme {number:02}"));
        new.health = if number % 3 == 0 { Health::NeedsReconnecting } else { Health::Active };
        new.connection_id =
            Some(if number < 5 { format!("acme-{number}") } else { format!("user-{number:02}") });
        new.tags = BTreeMap::from([("group".to_owned(), (number % 4).to_string())]);
        // Pairs share a moment, so that the id must break the tie.
        store.add(new, at(number / 2)).await;
    }
    let mut other = store.new_connection(&one, "other");
    other.connection_id = Some("acme-other".to_owned());
    store.add(other, at(100)).await;
    let names =
        |numbers: &[i64]| numbers.iter().map(|number| format!("Ａcme {number:02}")).collect::<Vec<_>>();
    let all = ConnectionFilter::default();

    for limit in [1, 2, 7, 100] {
        let everything = all_pages(&store, &all, limit).await;
        assert_eq!(everything.len(), 21);
        assert_eq!(everything[0], "other");

        let filter = ConnectionFilter {
            integrations: vec![one.clone()],
            health: Some(Health::NeedsReconnecting),
            ..all.clone()
        };
        assert_eq!(all_pages(&store, &filter, limit).await, names(&[18, 12, 6, 0]));

        let tag = vec![("group".to_owned(), "1".to_owned())];
        let filter =
            ConnectionFilter { tags: tag.clone(), health: Some(Health::NeedsReconnecting), ..all.clone() };
        assert_eq!(all_pages(&store, &filter, limit).await, names(&[9]));

        let search = |text: &str| ConnectionFilter { search: Some(text.to_owned()), ..all.clone() };
        assert_eq!(
            all_pages(&store, &search("ACME 1"), limit).await,
            names(&[10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
        );
        assert_eq!(
            all_pages(&store, &search("user-1"), limit).await,
            names(&[10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
        );
        let by_both = all_pages(&store, &search("acme"), limit).await;
        assert_eq!((by_both.len(), by_both.last().map(String::as_str)), (21, Some("other")));
        let filter = ConnectionFilter { tags: tag, ..search("acme") };
        assert_eq!(all_pages(&store, &filter, limit).await, names(&[1, 5, 9, 13, 17]));
    }
}

/// The credentials of a deleted connection are kept as they stood, until its tokens are given back.
#[rstest]
#[tokio::test]
async fn what_is_to_be_given_back_outlives_its_connection(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let store = TestStore::new(engine).await;
    let environment = store.environment().clone();
    let integration = store.add_integration("kintone").await;
    let connection = store.add_connection(&integration, "Acme").await;
    let revocation = Revocation {
        environment_id: environment.clone(),
        connection: connection.id.clone(),
        name: "Acme".to_owned(),
        provider: "acme".to_owned(),
        auth_scheme: "oauth2".to_owned(),
        oauth_client: None,
        config: json!({ "subdomain": "acme" }),
        gates: json!([]),
        settings: json!({}),
        hosts: connection.target.hosts.clone(),
        sealed: store.seal(&connection.id, 1, &connection.target.hosts, "MARKER-revoked"),
        sealed_version: 1,
    };
    let delete = Change::DeleteConnection(environment.clone(), connection.id.clone());
    let older = Revocation { sealed_version: 0, ..revocation.clone() };
    let late = store.commit(&[Change::InsertRevocation(older), delete.clone()], at(1)).await;
    assert!(matches!(late, Err(StoreError::VersionConflict { .. })), "renewed meanwhile: {late:?}");
    store.commit(&[Change::InsertRevocation(revocation.clone()), delete], at(1)).await.unwrap();
    assert_eq!(store.revocation(&environment, &connection.id).await.unwrap(), Some(revocation.clone()));
    let other = store.add_environment("other").await;
    assert_eq!(store.revocation(&other, &connection.id).await.unwrap(), None);
    let foreign = Change::DeleteRevocation(other, connection.id.clone());
    store.commit(&[foreign], at(2)).await.unwrap();
    assert!(store.revocation(&environment, &connection.id).await.unwrap().is_some());

    let forget = Change::DeleteRevocation(environment.clone(), connection.id.clone());
    store.commit(&[forget], at(2)).await.unwrap();
    assert_eq!(store.revocation(&environment, &connection.id).await.unwrap(), None);
    store.commit(&[Change::ReplaceRevocation(revocation.clone())], at(3)).await.unwrap();
    let newer = store.seal(&connection.id, 2, &connection.target.hosts, "MARKER-newer");
    let newer = Revocation { sealed: newer, sealed_version: 2, ..revocation };
    store.commit(&[Change::ReplaceRevocation(newer.clone())], at(3)).await.unwrap();
    assert_eq!(store.revocation(&environment, &connection.id).await.unwrap(), Some(newer));
    assert_eq!(store.prune_revocations(at(3), 10).await.unwrap(), 0);
    assert_eq!(store.prune_revocations(at(4), 10).await.unwrap(), 1);
}
