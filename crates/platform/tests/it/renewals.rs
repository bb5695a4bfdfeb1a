//! No token is lost: not to a process that is killed, not to a database that is away, not to a vendor that is slow, wrong
//! or down.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;
use tombolo_kintone_emulator::{Effect, Fault};
use tombolo_platform::Clock;
use tombolo_platform::oauth::RenewalPatience;
use tombolo_platform::start::StartOptions;
use tombolo_store::testing::{HeldLock, OwnPostgres, set_reachable};
use tombolo_store::{Connection, Health};

use crate::oauth::{OAuthWorld, RECORD};
use crate::world::{Backend, Node, SetForward, options_towards};

/// What a process of its own does in the next test: it makes a call, for which a token has to be renewed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "is started by a_killed_process_leaves_no_renewal_stuck"]
async fn call_as_a_process() {
    let world: Value =
        serde_json::from_str(&std::env::var(CHILD_WORLD).expect("the parent says")).expect("JSON");
    let text = |member: &str| world[member].as_str().expect("a text");
    let directory = PathBuf::from(text("directory"));
    let mut options =
        options_towards(text("address"), Some(text("authority")), directory, Some(text("postgres")));
    let clock = Arc::new(SetForward::default());
    clock.by(Duration::from_mins(61));
    options.clock = clock;
    Node::start(options).await.get("Killed", RECORD).await;
    // Only the parent ends this process.
    std::future::pending::<()>().await;
}

const CHILD_WORLD: &str = "PLATFORM_TEST_CHILD_WORLD";

fn calling_process(oauth: &OAuthWorld, directory: &TempDir) -> Child {
    let (address, authority) = oauth.world.kintone_address();
    let world = json!({
        "address": address, "authority": authority, "directory": directory.path(),
        "postgres": oauth.world.postgres.as_deref(),
    });
    Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "renewals::call_as_a_process", "--ignored", "--nocapture"])
        .env(CHILD_WORLD, world.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    BeforeTheRequest,
    AfterTheRequest,
    BeforeTheCommit,
    AfterTheCommit,
}

impl Killed {
    /// Starts a process that renews, and kills it at this step.
    async fn kill(self, oauth: &OAuthWorld, connection: &Connection) {
        let directory = tempfile::tempdir().expect("a directory");
        let url = oauth.world.postgres.as_deref().expect("PostgreSQL");
        let mut lock = match self {
            // Read between the noting of the renewal and the request.
            Self::BeforeTheRequest => {
                Some(HeldLock::take(url, "LOCK TABLE oauth_clients IN ACCESS EXCLUSIVE MODE").await)
            }
            // Written with the tokens.
            Self::BeforeTheCommit => {
                let row =
                    format!("SELECT 1 FROM connections WHERE id = '{}' FOR NO KEY UPDATE", connection.id);
                Some(HeldLock::take(url, &row).await)
            }
            Self::AfterTheRequest | Self::AfterTheCommit => None,
        };
        if self == Self::AfterTheRequest {
            let slow = Effect::Latency { milliseconds: 60_000 };
            oauth.world.kintone().inject(Fault::new(slow).on("POST", "/oauth2/token").times(1));
        }
        let mut process = calling_process(oauth, &directory);
        match (self, &mut lock) {
            (Self::AfterTheRequest, _) => until(async || oauth.token_requests() > 0).await,
            (Self::AfterTheCommit, _) => {
                until(async || stored(oauth, connection).await.sealed_version > connection.sealed_version)
                    .await;
            }
            (_, Some(lock)) => lock.wait_for_another().await,
            (_, None) => unreachable!("the other steps hold a lock"),
        }
        process.kill().expect("it runs");
        process.wait().expect("it ends");
        if let Some(lock) = lock {
            lock.release().await;
        }
    }
}

async fn until(holds: impl AsyncFn() -> bool) {
    while !holds().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn stored(oauth: &OAuthWorld, connection: &Connection) -> Connection {
    let found = oauth.world.platform.store().connection(&connection.environment_id, &connection.id).await;
    found.expect("read").expect("there")
}

/// A vendor that keeps refresh tokens good never notices. One that replaces them has done so when the request has arrived:
/// then a person is needed, and is told why.
#[rstest]
#[case::before_the_request(Killed::BeforeTheRequest, true)]
#[case::after_the_request(Killed::AfterTheRequest, false)]
#[case::before_the_commit(Killed::BeforeTheCommit, false)]
#[case::after_the_commit(Killed::AfterTheCommit, true)]
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_no_renewal_stuck(
    #[case] killed: Killed,
    #[case] survives_rotation: bool,
    #[values(false, true)] rotates: bool,
) {
    let oauth = OAuthWorld::start(Backend::Postgres).await;
    if rotates {
        oauth.rotate_refresh_tokens();
    }
    let connection = oauth.linked("Killed").await;
    oauth.clock.by(Duration::from_mins(61));
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    oauth.world.kintone().clear_requests();
    killed.kill(&oauth, &connection).await;

    // Five seconds are the promise; `cargo xtask bench refresh` measures it.
    let get = tokio::time::timeout(Duration::from_secs(20), oauth.world.get("Killed", RECORD));
    let (status, code) = get.await.expect("the lease of a dead process runs out");
    if survives_rotation || !rotates {
        assert_eq!((status, code.as_str()), (200, ""));
        assert_eq!(stored(&oauth, &connection).await.health, Health::Active);
        return;
    }
    assert_eq!(code, "authorization_dead");
    let found = stored(&oauth, &connection).await;
    assert_eq!(found.health, Health::NeedsReconnecting);
    let told = found.health_detail["renewal"]["what"].as_str().expect("why").to_owned();
    assert!(
        told.contains("ended without a word, and the vendor may have replaced the refresh token"),
        "{told}"
    );
}

/// The vendor has answered and the database is away: the only good tokens are kept until it is back.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_outlive_a_database_that_is_away_when_they_come() {
    let oauth = OAuthWorld::start(Backend::Postgres).await;
    oauth.rotate_refresh_tokens();
    let connection = oauth.linked("Away").await;
    let url = oauth.world.postgres.clone().expect("PostgreSQL");
    oauth.clock.by(Duration::from_mins(61));
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    oauth.world.kintone().clear_requests();
    let slow = Effect::Latency { milliseconds: 500 };
    oauth.world.kintone().inject(Fault::new(slow).on("POST", "/oauth2/token").times(1));
    let away = async {
        until(async || oauth.token_requests() > 0).await;
        set_reachable(&url, false).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let calls = oauth.world.kintone().requests().len();
        assert_eq!(calls, 1, "nobody uses a token that is not stored");
        set_reachable(&url, true).await;
    };
    let (answer, ()) = tokio::join!(oauth.world.get("Away", RECORD), away);
    assert_eq!(answer, (200, String::new()));
    assert_eq!(oauth.token_requests(), 1);
    assert_eq!(stored(&oauth, &connection).await.sealed_version, connection.sealed_version + 1);
}

/// Whatever the vendor does instead of answering, it is asked again no sooner than it wants, and no caller asks by itself.
#[rstest]
#[case::it_says_when(Effect::Status { status: 429, code: None, html: None, json: None, retry_after: Some(600), headers: BTreeMap::new() }, "token_unavailable", 600)]
#[case::it_is_down(Effect::page(503, "<h1>Later</h1>"), "token_unavailable", 2)]
#[case::it_breaks_off(Effect::DropConnection, "token_unavailable", 2)]
#[case::it_answers_a_page(Effect::page(200, "<h1>Hello</h1>"), "token_malformed", 2)]
#[case::it_says_that_it_failed_with_status_200(Effect::json(200, json!({ "error": "temporarily_unavailable" })), "token_unavailable", 2)]
#[case::it_answers_without_a_token(Effect::json(200, json!({ "ok": true })), "token_malformed", 2)]
#[case::it_refuses_the_client(Effect::json(401, json!({ "error": "invalid_client" })), "token_refused", 2)]
#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_gives_no_token_is_left_in_peace(
    #[case] effect: Effect,
    #[case] code: &str,
    #[case] seconds: u64,
) {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    let connection = oauth.linked("Waits").await;
    oauth.clock.by(Duration::from_mins(61));
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    oauth.world.kintone().clear_requests();
    oauth.world.kintone().inject(Fault::new(effect).on("POST", "/oauth2/token").times(1));
    let failed_at = oauth.clock.now();
    assert_eq!(oauth.world.get("Waits", RECORD).await.1, code);
    // The answer is kept in memory for a second, then it is the database that knows.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let renewal =
        oauth.world.platform.store().renewal(&connection.id).await.expect("read").expect("it failed");
    let pause = renewal.retry_at.expect("it is tried again").since(failed_at);
    assert!(pause >= Duration::from_secs(seconds), "{pause:?}");
    if seconds > 2 {
        assert_eq!(oauth.world.get("Waits", RECORD).await.1, code);
        assert_eq!(oauth.token_requests(), 1);
    }
    oauth.clock.by(pause);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(oauth.world.get("Waits", RECORD).await.0, 200);
    assert_eq!((oauth.token_requests(), stored(&oauth, &connection).await.health), (2, Health::Active));
}

/// However it is said, and with whatever status: this token will never be good again.
#[rstest]
#[case::as_the_standard_says(400)]
#[case::as_if_all_were_well(200)]
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_refresh_token_asks_for_a_person(#[case] status: u16) {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    let connection = oauth.linked("Revoked").await;
    oauth.clock.by(Duration::from_mins(61));
    let dead = json!({ "error": "invalid_grant", "error_description": "revoked by the user" });
    oauth.world.kintone().inject(Fault::new(Effect::json(status, dead)).on("POST", "/oauth2/token"));
    oauth.world.kintone().clear_requests();
    assert_eq!(oauth.world.get("Revoked", RECORD).await.1, "authorization_dead");
    assert_eq!(stored(&oauth, &connection).await.health, Health::NeedsReconnecting);
    assert_eq!(oauth.world.get("Revoked", RECORD).await.1, "credential_refused");
    assert_eq!(oauth.token_requests(), 1, "it is not sent a second time");
}

/// A token endpoint that takes longer than a caller waits: the caller is told, and the tokens come nevertheless.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_goes_on_when_nobody_waits_for_it_any_more() {
    let patience = RenewalPatience { caller: Duration::from_millis(50), ..RenewalPatience::default() };
    let oauth = OAuthWorld::start_with(Backend::Sqlite, |options| options.renewal_patience = patience).await;
    let connection = oauth.linked("Slow").await;
    oauth.clock.by(Duration::from_mins(61));
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    oauth.world.kintone().clear_requests();
    let slow = Effect::Latency { milliseconds: 1_000 };
    oauth.world.kintone().inject(Fault::new(slow).on("POST", "/oauth2/token").times(1));
    assert_eq!(oauth.world.get("Slow", RECORD).await, (504, "token_unavailable".to_owned()));
    until(async || stored(&oauth, &connection).await.sealed_version > connection.sealed_version).await;
    assert_eq!(oauth.world.get("Slow", RECORD).await.0, 200);
    assert_eq!(oauth.token_requests(), 1);
}

/// A token endpoint that never answers is given up, and it is remembered that it may have replaced the refresh token.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_endpoint_that_hangs_is_given_up() {
    let patience = RenewalPatience { vendor: Duration::from_millis(300), ..RenewalPatience::default() };
    let oauth = OAuthWorld::start_with(Backend::Sqlite, |options| options.renewal_patience = patience).await;
    let connection = oauth.linked("Hangs").await;
    oauth.clock.by(Duration::from_mins(61));
    oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
    let hangs = Effect::Latency { milliseconds: 600_000 };
    oauth.world.kintone().inject(Fault::new(hangs).on("POST", "/oauth2/token").times(1));
    assert_eq!(oauth.world.get("Hangs", RECORD).await, (502, "token_unavailable".to_owned()));
    let renewal = oauth.world.platform.store().renewal(&connection.id).await.expect("read").expect("noted");
    assert!(renewal.retry_at.is_some() && renewal.interrupted.is_some(), "{renewal:?}");
    assert_eq!(stored(&oauth, &connection).await.health, Health::Failing, "it passes");
}

/// PostgreSQL crashes and comes back while the vendor is asked. Nobody notices but by the time that it takes.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_restarts_during_a_renewal_loses_no_token() {
    let mut server = OwnPostgres::start();
    let url = server.url();
    let oauth =
        OAuthWorld::start_with(Backend::Postgres, |options| options.postgres = Some(url.into())).await;
    oauth.rotate_refresh_tokens();
    let connection = oauth.linked("Restarts").await;
    for restarts in 1..=2 {
        oauth.clock.by(Duration::from_mins(61));
        oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
        oauth.world.kintone().clear_requests();
        let slow = Effect::Latency { milliseconds: 500 };
        oauth.world.kintone().inject(Fault::new(slow).on("POST", "/oauth2/token").times(1));
        let restart = async {
            until(async || oauth.token_requests() > 0).await;
            server = tokio::task::spawn_blocking(move || server.restarted()).await.expect("it restarts");
            server
        };
        let (answer, restarted) = tokio::join!(oauth.world.get("Restarts", RECORD), restart);
        server = restarted;
        assert_eq!(answer, (200, String::new()));
        assert_eq!(oauth.token_requests(), 1);
        assert_eq!(stored(&oauth, &connection).await.sealed_version, connection.sealed_version + restarts);
    }
}

/// When a token ends is counted from its arrival, by our own clock: that of the vendor may show anything.
#[rstest]
#[case::ours_is_ahead(3 * 60)]
#[case::ours_is_behind(-3 * 60)]
#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_differ_from_the_vendors_change_nothing(#[case] minutes_ahead: i64) {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    if minutes_ahead > 0 {
        oauth.clock.by(Duration::from_mins(minutes_ahead.unsigned_abs()));
    } else {
        oauth.world.kintone().advance_clock(SignedDuration::from_mins(-minutes_ahead));
    }
    oauth.linked("Skewed").await;
    for minutes in [30, 25] {
        oauth.world.kintone().clear_requests();
        oauth.clock.by(Duration::from_mins(minutes as u64));
        oauth.world.kintone().advance_clock(SignedDuration::from_mins(minutes));
        assert_eq!(oauth.world.get("Skewed", RECORD).await.0, 200);
        assert_eq!(oauth.token_requests(), 0, "the token is good for an hour");
    }
    oauth.clock.by(Duration::from_mins(6));
    oauth.world.kintone().advance_clock(SignedDuration::from_mins(6));
    assert_eq!(oauth.world.get("Skewed", RECORD).await.0, 200);
    assert_eq!(oauth.token_requests(), 1);
}

/// Two processes whose clocks are two hours apart share a token that the vendor replaces at each use. Whoever comes first
/// renews, and no token is used twice: the lease goes by the database's clock.
#[tokio::test(flavor = "multi_thread")]
async fn processes_whose_clocks_differ_use_no_token_twice() {
    let oauth = OAuthWorld::start(Backend::Postgres).await;
    oauth.rotate_refresh_tokens();
    let connection = oauth.linked("Two clocks").await;
    let theirs = Arc::new(SetForward::default());
    theirs.by(Duration::from_hours(2));
    let clock = Arc::clone(&theirs) as Arc<dyn Clock>;
    let other = Node::start(StartOptions { clock, ..oauth.world.options() }).await;
    for _ in 0..3 {
        let (before, passed) = (stored(&oauth, &connection).await.sealed_version, Duration::from_mins(61));
        oauth.clock.by(passed);
        theirs.by(passed);
        oauth.world.kintone().expire_access_tokens("demo", None, None).expect("a tenant");
        oauth.world.kintone().clear_requests();
        let here = join_all((0..16).map(|_| oauth.world.get("Two clocks", RECORD)));
        let there = join_all((0..16).map(|_| other.get("Two clocks", RECORD)));
        let (here, there) = tokio::join!(here, there);
        assert!(here.iter().chain(&there).all(|answer| answer.0 == 200), "{here:?} {there:?}");
        let renewed = stored(&oauth, &connection).await.sealed_version - before;
        assert_eq!(oauth.token_requests() as u64, renewed, "every request was a success");
        assert!((1..=2).contains(&renewed), "{renewed} renewals");
    }
}

/// A token that is still good goes on while the vendor gives no new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_is_used_during_an_outage() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    let connection = oauth.linked("Goes on").await;
    oauth.world.kintone().inject(Fault::new(Effect::Maintenance).on("POST", "/oauth2/token"));
    oauth.clock.by(Duration::from_mins(58));
    let housekeeping =
        tombolo_platform::Housekeeping { activity: Duration::from_hours(1), verify_every: None };
    oauth.world.platform.work_once("worker", housekeeping).await.expect("looked");
    until(async || {
        oauth
            .world
            .platform
            .store()
            .renewal(&connection.id)
            .await
            .expect("read")
            .is_some_and(|known| known.retry_at.is_some())
    })
    .await;
    assert_eq!(oauth.world.get("Goes on", RECORD).await.0, 200);
}
