//! A backup is put in the place of the database. No refresh token that the vendor may have replaced is used before a person
//! says so, and nothing is sent twice.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use secrecy::ExposeSecret as _;
use tombolo_kintone_emulator::Emulator;
use tombolo_platform::start::StartOptions;
use tombolo_platform::webhooks::WebhookDraft;
use tombolo_platform::{Clock, Housekeeping};
use tombolo_store::testing::{copied_postgres_database, set_reachable, tamper};
use tombolo_store::{
    Change, Connection, Health, NewJob, WebhookDeliveryFilter, WebhookDeliveryState, WebhookFormat,
};

use crate::oauth::{OAuthWorld, RECORD};
use crate::world::{Backend, Node, SetForward};

const KEEP: Housekeeping =
    Housekeeping { activity: Duration::from_hours(1), verify_every: Some(Duration::ZERO) };

/// What is left of a world whose platform has stopped.
struct Stopped {
    options: StartOptions,
    clock: Arc<SetForward>,
    emulator: Emulator,
    _directory: tempfile::TempDir,
}

impl Stopped {
    async fn start(&self) -> Node {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Node::start(StartOptions { clock, ..self.options.clone() }).await
    }

    /// A copy of the database as it is now.
    async fn back_up(&self) -> Backup {
        if let Some(url) = &self.options.postgres {
            return Backup::Database(copied_postgres_database(url.expose_secret()).await);
        }
        let database = self.options.data_directory.join("tombolo.db");
        Backup::File(std::fs::read(database).expect("closed in good order, it is one file"))
    }

    fn restore(&mut self, backup: Backup) {
        match backup {
            Backup::Database(url) => self.options.postgres = Some(url.into()),
            Backup::File(bytes) => {
                std::fs::write(self.options.data_directory.join("tombolo.db"), bytes).expect("written");
            }
        }
    }

    fn token_requests(&self) -> usize {
        let seen = self.emulator.control().requests();
        seen.iter().filter(|seen| seen.path.ends_with("/oauth2/token")).count()
    }

    /// All access tokens end, by the clock and at the vendor.
    fn let_tokens_end(&self) {
        self.clock.by(Duration::from_mins(61));
        self.emulator.control().expire_access_tokens("demo", None, None).expect("a tenant");
        self.emulator.control().clear_requests();
    }
}

enum Backup {
    File(Vec<u8>),
    Database(String),
}

async fn stop(node: Node) {
    node.platform.store().close().await;
}

async fn read(node: &Node, name: &str) -> Connection {
    node.platform.find_connection(&node.access.environment, None, name).await.expect("there").0
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_uses_no_refresh_token_by_itself_and_sends_nothing_twice(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let oauth = OAuthWorld::start(backend).await;
    // The vendor is known to keep the refresh token of this one.
    oauth.linked("Kept").await;
    oauth.clock.by(Duration::from_mins(61));
    assert_eq!(oauth.world.get("Kept", RECORD).await.0, 200);
    let hook = WebhookDraft {
        name: "hook".to_owned(),
        url: "https://demo.kintone.com/hook".to_owned(),
        format: WebhookFormat::Standard,
        event_types: Vec::new(),
    };
    oauth.world.platform.create_webhook(&oauth.world.access, &hook).await.expect("made");
    oauth.rotate_refresh_tokens();
    oauth.linked("Replaced").await;
    oauth.linked("Linked again").await;
    let mut stopped = stopped(oauth).await;

    let backup = stopped.back_up().await;
    let node = stopped.start().await;
    stopped.let_tokens_end();
    assert_eq!(node.get("Replaced", RECORD).await.0, 200);
    assert_eq!(read(&node, "Replaced").await.restored_at, None, "a start is no restoration");
    stop(node).await;
    stopped.restore(backup);

    let node = stopped.start().await;
    stopped.let_tokens_end();
    let health = async |name: &str| {
        let found = read(&node, name).await;
        (found.health, found.restored_at.is_some())
    };
    assert_eq!(health("Kept").await, (Health::Active, false));
    assert_eq!(health("Replaced").await, (Health::Unverified, true));
    let failed = WebhookDeliveryFilter {
        state: Some(WebhookDeliveryState::Failed),
        ..WebhookDeliveryFilter::default()
    };
    let environment = &node.access.environment;
    let deliveries = node.platform.store().webhook_deliveries(environment, &failed, None, 100).await;
    assert_eq!(deliveries.expect("read").len(), 2, "of the two connections that were linked");
    // Neither calls nor the worker use a refresh token, nor does anything test the connection by itself.
    let job = NewJob {
        environment_id: Some(node.access.environment.clone()),
        kind: "verification".to_owned(),
        payload: serde_json::json!({}),
        run_at: node.platform.now(),
        max_attempts: 1,
        idempotency_key: None,
    };
    node.platform.store().commit(&[Change::EnqueueJob(job)], node.platform.now()).await.expect("enqueued");
    assert!(node.platform.work_once("worker", KEEP).await.expect("worked") > 0);
    assert_eq!(node.get("Replaced", RECORD).await, (424, "restored".to_owned()));
    assert_eq!(node.get("Linked again", RECORD).await, (424, "restored".to_owned()));
    assert!(stopped.token_requests() <= 1, "only that of the connection that is known to keep its token");

    // Somebody tests both: one token was replaced after the backup, the other was not.
    for (name, expected) in [("Replaced", Err("authorization_dead")), ("Linked again", Ok(true))] {
        let tested = node.platform.test_connection(&node.access, None, name, &mut |_| {}).await;
        assert_eq!(tested.map(|report| report.available).map_err(|problem| problem.code), expected, "{name}");
    }
    assert_eq!(health("Replaced").await, (Health::NeedsReconnecting, false));
    assert_eq!(health("Linked again").await, (Health::Active, false));
    assert_eq!(node.get("Linked again", RECORD).await.0, 200);
    stop(node).await;

    // That was that: the next start finds what it knows.
    let node = stopped.start().await;
    stopped.let_tokens_end();
    assert_eq!(node.get("Linked again", RECORD).await.0, 200);
}

async fn stopped(oauth: OAuthWorld) -> Stopped {
    let (world, clock) = (oauth.world, oauth.clock);
    let options = world.options();
    // A server makes it.
    std::fs::create_dir_all(&options.data_directory).expect("made");
    let (emulator, directory) = world.stopped().await;
    Stopped { options, clock, emulator, _directory: directory }
}

/// A database file that comes without what is remembered of it: a backup on another machine, or a copy.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_on_another_machine_is_a_restored_one() {
    let oauth = OAuthWorld::start(Backend::Sqlite).await;
    oauth.linked("Moved").await;
    let stopped = stopped(oauth).await;
    let remembered = stopped.options.data_directory.join("progress.json");
    assert!(Path::exists(&remembered));
    std::fs::remove_file(remembered).expect("removed");
    let node = stopped.start().await;
    assert_eq!(read(&node, "Moved").await.health, Health::Unverified);
    // Its access token is still good, and harms nobody.
    assert_eq!(node.get("Moved", RECORD).await.0, 200);
}

/// PostgreSQL is put back to an older state while servers run: they notice before they use a token of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_back_under_a_running_server_is_noticed() {
    let oauth = OAuthWorld::start(Backend::Postgres).await;
    oauth.rotate_refresh_tokens();
    oauth.linked("Running").await;
    let other = Node::start(StartOptions {
        clock: Arc::clone(&oauth.clock) as Arc<dyn Clock>,
        data_directory: oauth.world.directory.path().join("other"),
        ..oauth.world.options()
    })
    .await;
    assert_eq!(oauth.world.get("Running", RECORD).await.0, 200);
    assert_eq!(other.get("Running", RECORD).await.0, 200);
    tamper(&oauth.world.location(), "UPDATE environments SET generation = generation - 1").await;
    oauth.clock.by(Duration::from_mins(61));
    oauth.world.kintone().clear_requests();
    assert_eq!(oauth.world.get("Running", RECORD).await.1, "restored");
    assert_eq!(other.get("Running", RECORD).await.1, "restored");
    assert_eq!(oauth.token_requests(), 0);
    let tested =
        oauth.world.platform.test_connection(&oauth.world.access, None, "Running", &mut |_| {}).await;
    assert!(tested.expect("tested").available);
    assert_eq!(other.get("Running", RECORD).await.0, 200);
    assert_eq!(oauth.token_requests(), 1);
}

/// A standby took over and lost nothing. The servers that go on say so, and one that knows nothing starts beside them.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_took_over_is_no_restored_backup() {
    let oauth = OAuthWorld::start(Backend::Postgres).await;
    oauth.rotate_refresh_tokens();
    oauth.linked("Going on").await;
    oauth.world.platform.keep_informed();
    let url = oauth.world.options().postgres.expect("the URL of the database").expose_secret().to_owned();
    tamper(&oauth.world.location(), "UPDATE instance SET home = 'before/00000001'").await;
    let mut home = Some("before/00000001".to_owned());
    while home.as_deref() == Some("before/00000001") {
        set_reachable(&url, false).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        set_reachable(&url, true).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        home = oauth.world.platform.store().progress().await.expect("read").expect("there").home;
    }
    let other = Node::start(StartOptions {
        clock: Arc::clone(&oauth.clock) as Arc<dyn Clock>,
        data_directory: oauth.world.directory.path().join("other"),
        ..oauth.world.options()
    })
    .await;
    assert_eq!(read(&other, "Going on").await.restored_at, None);
    oauth.clock.by(Duration::from_mins(61));
    assert_eq!(other.get("Going on", RECORD).await.0, 200);
}
