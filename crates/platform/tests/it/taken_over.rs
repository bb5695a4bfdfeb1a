//! Connections are taken over from another product with their tokens, and no token is lost on the way.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tombolo_kintone_emulator::{Effect, Fault};
use tombolo_platform::oauth::{ImportedTokens, VendorTokens};
use tombolo_platform::{Belonging, ConnectionImport, CreatedConnection, ImportedCredentials, Problem};
use tombolo_store::Health;

use crate::oauth::{OAuthWorld, RECORD};
use crate::world::Backend;

/// What the other product had, of which the access token has ended.
async fn ended_tokens(oauth: &OAuthWorld) -> ImportedTokens {
    let (access_token, refresh_token) = oauth.tokens_of_another_product().await;
    let expires_at = Some(oauth.world.platform.now().minus(Duration::from_mins(1)));
    oauth.world.kintone().clear_requests();
    ImportedTokens {
        tokens: VendorTokens::OAuth2 {
            access_token: access_token.into(),
            refresh_token: Some(refresh_token.into()),
            expires_at,
        },
        client: None,
    }
}

fn import_of(name: Option<&str>, tokens: &ImportedTokens) -> ConnectionImport {
    let config = [("subdomain", "demo"), ("domain", "kintone.com"), ("app", "1")];
    ConnectionImport {
        integration: "kintone".to_owned(),
        name: name.map(str::to_owned),
        connection_id: None,
        credentials: ImportedCredentials::Tokens(tokens.clone()),
        config: config.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        tags: BTreeMap::new(),
        metadata: json!({}),
        belonging: Belonging::default(),
    }
}

async fn take_over(
    oauth: &OAuthWorld,
    name: Option<&str>,
    tokens: &ImportedTokens,
) -> Result<CreatedConnection, Problem> {
    oauth.world.platform.import_connection(&oauth.world.access, import_of(name, tokens)).await
}

/// What can be seen without the vendor is refused before the vendor is asked: the other product's token stays good.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_exchanged_for_an_import_that_is_refused() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    oauth.rotate_refresh_tokens();
    oauth.linked("Taken").await;
    let tokens = ended_tokens(&oauth).await;
    for (change, code) in [
        ("name", "name_taken"),
        ("subdomain", "invalid_body"),
        ("setting", "invalid_body"),
        ("integration", "unknown_provider_config"),
        ("connection id", "invalid_body"),
        ("metadata", "created"),
    ] {
        let mut import = import_of(Some(if change == "name" { "Taken" } else { "Free" }), &tokens);
        match change {
            "subdomain" => drop(import.config.insert("subdomain".to_owned(), "no/subdomain".to_owned())),
            "setting" => drop(import.config.insert("TIMEOUT".to_owned(), "soon".to_owned())),
            "integration" => import.integration = "nobody".to_owned(),
            "connection id" => import.connection_id = Some(" surrounded ".to_owned()),
            _ => {}
        }
        let outcome = oauth.world.platform.import_connection(&oauth.world.access, import).await;
        let told = outcome.map_or_else(|problem| problem.code, |_| "created");
        assert_eq!(told, code, "{change}");
        assert_eq!(oauth.token_requests(), usize::from(code == "created"), "{change}");
    }
    assert_eq!(oauth.world.get("Free", RECORD).await.0, 200);
}

/// Two at once about one connection, and the vendor has given new tokens to both: the later one comes in the place of the
/// earlier, and the one that was there before may have been changed meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn imports_that_collide_keep_what_the_vendor_gave() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    oauth.rotate_refresh_tokens();
    for round in ["made", "replaced"] {
        let tokens = [ended_tokens(&oauth).await, ended_tokens(&oauth).await];
        let slow = Effect::Latency { milliseconds: 300 };
        oauth.world.kintone().inject(Fault::new(slow).on("POST", "/oauth2/token"));
        let [one, other] = tokens.each_ref().map(|tokens| {
            let mut import = import_of(None, tokens);
            import.connection_id = Some("the same".to_owned());
            oauth.world.platform.import_connection(&oauth.world.access, import)
        });
        let (one, other) = tokio::join!(one, other);
        for outcome in [one, other] {
            assert_eq!(outcome.map(|_| ()).map_err(|problem| problem.to_string()), Ok(()), "{round}");
        }
        oauth.world.kintone().clear_faults();
        assert_eq!(oauth.world.get("the same", RECORD).await.0, 200, "{round}");
    }
}

/// Once the vendor has given new tokens, they are kept: a test that fails shows in the health of the connection.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_were_renewed_are_kept_although_the_test_fails() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    oauth.rotate_refresh_tokens();
    let tokens = ended_tokens(&oauth).await;
    oauth.world.kintone().inject(Fault::new(Effect::status(520)).on("GET", "/k/v1/apps.json"));
    let made = take_over(&oauth, Some("Fails"), &tokens).await.expect("it is stored");
    assert_eq!(
        (made.connection.health, made.report.map(|report| report.available)),
        (Health::Failing, Some(false))
    );
    oauth.world.kintone().clear_faults();
    assert_eq!(oauth.world.get("Fails", RECORD).await.0, 200);
    let tested = oauth.world.platform.test_connection(&oauth.world.access, None, "Fails", &mut |_| {}).await;
    assert!(tested.expect("tested").available);
    assert_eq!(oauth.token_requests(), 1);

    // Tokens that need no renewal are still good where they come from, so nothing is stored.
    let (access_token, refresh_token) = oauth.tokens_of_another_product().await;
    let tokens = ImportedTokens {
        tokens: VendorTokens::OAuth2 {
            access_token: access_token.into(),
            refresh_token: Some(refresh_token.into()),
            expires_at: Some(oauth.world.platform.now().plus(Duration::from_mins(50))),
        },
        client: None,
    };
    oauth.world.kintone().inject(Fault::new(Effect::status(520)).on("GET", "/k/v1/apps.json"));
    assert!(take_over(&oauth, Some("Not stored"), &tokens).await.is_err());
    assert_eq!(oauth.world.get("Not stored", RECORD).await.1, "unknown_connection");
}

/// A caller that goes away in the middle takes nothing along.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_when_its_caller_has_gone() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    oauth.rotate_refresh_tokens();
    let tokens = ended_tokens(&oauth).await;
    let slow = Effect::Latency { milliseconds: 300 };
    oauth.world.kintone().inject(Fault::new(slow).on("POST", "/oauth2/token"));
    let asked = async {
        while oauth.token_requests() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = take_over(&oauth, Some("Left alone"), &tokens) => panic!("it takes longer"),
        () = asked => {}
    }
    while oauth.world.get("Left alone", RECORD).await.0 != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(oauth.token_requests(), 1);
}
