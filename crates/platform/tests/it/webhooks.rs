//! Events reach the receivers that want them, signed, again and again until each has said yes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tombolo_platform::Housekeeping;
use tombolo_platform::webhooks::{Replay, WebhookChanges, WebhookDraft, WebhookFormat};
use tombolo_store::{Webhook, WebhookDeliveryState};

use crate::faults::tokens;
use crate::receiver::{Behaviour, Receiver, babbler};
use crate::world::{Backend, SetForward, World, connect_to};

pub const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
pub const HOUR: Duration = Duration::from_hours(1);
const KEEP: Housekeeping = Housekeeping { activity: Duration::from_hours(72), verify_every: None };

/// A world whose `hooks.example.com` is a receiver on this machine.
pub struct Hooked {
    pub world: World,
    pub clock: Arc<SetForward>,
    pub receiver: Receiver,
}

impl Hooked {
    pub async fn start(backend: Backend) -> Self {
        let clock = Arc::new(SetForward::default());
        let (receiver, babbling) = (Receiver::start().await, babbler().await);
        let (its_clock, address) = (Arc::clone(&clock), receiver.address.to_string());
        let world = World::start_changed(backend, move |options, emulator| {
            options.clock = its_clock;
            let mut rule = connect_to("hooks.example.com", &address);
            rule.without_tls = true;
            options.egress.connect_to.push(rule);
            options.webhook_patience = Duration::from_millis(500);
            // A receiver that proves nobody's identity, and something that is no web server.
            let address = emulator.https_address().expect("TLS").to_string();
            options.egress.connect_to.push(connect_to("untrusted.example.com", &address));
            let mut rule = connect_to("mail.example.com", &babbling.to_string());
            rule.without_tls = true;
            options.egress.connect_to.push(rule);
        })
        .await;
        Self { world, clock, receiver }
    }

    pub async fn webhook(&self, name: &str, event_types: &[&str]) -> (Webhook, String) {
        self.webhook_at(name, "https://hooks.example.com/in?tenant=1", WebhookFormat::Standard, event_types)
            .await
    }

    pub async fn webhook_at(
        &self,
        name: &str,
        url: &str,
        format: WebhookFormat,
        event_types: &[&str],
    ) -> (Webhook, String) {
        let draft = WebhookDraft {
            name: name.to_owned(),
            url: url.to_owned(),
            format,
            event_types: event_types.iter().map(|text| (*text).to_owned()).collect(),
        };
        let made = self.world.platform.create_webhook(&self.world.access, &draft).await;
        let (webhook, secret) = made.expect("a webhook");
        (webhook, secret.expose().to_owned())
    }

    /// Does what is due, once.
    pub async fn work(&self) -> usize {
        self.world.platform.work_once("worker", KEEP).await.expect("worked")
    }

    pub async fn link(&self, name: &str) {
        assert!(self.world.create(&tokens(name, CUSTOMERS, "1")).await.expect("accepted").is_ok());
    }

    /// The deliveries to a webhook, newest first, as state and attempts with status and outcome.
    pub async fn deliveries(&self, webhook: &str) -> Vec<(WebhookDeliveryState, String)> {
        let (platform, access) = (&self.world.platform, &self.world.access);
        let all = platform.list_webhook_deliveries(access, Some(webhook), None, None, None, 100).await;
        let mut told = Vec::new();
        for delivery in all.expect("listed") {
            let (_, _, attempts) =
                platform.read_webhook_delivery(access, delivery.id.as_str()).await.expect("shown");
            let attempts: Vec<String> = attempts
                .iter()
                .map(|attempt| match attempt.status {
                    Some(status) => format!("{} {status}", attempt.outcome),
                    None => attempt.outcome.clone(),
                })
                .collect();
            told.push((delivery.state, attempts.join(", ")));
        }
        told
    }

    pub async fn read(&self, webhook: &str) -> Webhook {
        self.world.platform.read_webhook(&self.world.access, webhook).await.expect("it is there")
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_posted_to_every_webhook_that_wants_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let hooked = Hooked::start(backend).await;
    hooked.webhook("all", &[]).await;
    hooked.webhook("some", &["connection.*"]).await;
    hooked.webhook("other", &["webhook.disabled"]).await;
    hooked.link("案件管理").await;
    assert_eq!(hooked.work().await, 2, "one job for each receiver");
    let got = hooked.receiver.got();
    assert_eq!(got.len(), 2);
    let (one, two) = (&got[0], &got[1]);
    assert_eq!((one.body.clone(), one.header("webhook-id")), (two.body.clone(), two.header("webhook-id")));
    assert_eq!(one.path, "/in?tenant=1");
    assert_eq!(one.header("content-type"), "application/json");
    let mut body = one.json();
    assert!(body["timestamp"].as_str().expect("a time").ends_with('Z'));
    assert_eq!(body["data"]["object"]["id"], body["data"]["connection"]["id"]);
    for pointer in ["/timestamp", "/data/object/id", "/data/connection/id", "/data/connection/connection_id"]
    {
        *body.pointer_mut(pointer).expect(pointer) = json!("…");
    }
    insta::allow_duplicates! {
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).expect("JSON"), @r#"
        {
          "type": "connection.created",
          "timestamp": "…",
          "data": {
            "object": {
              "kind": "connection",
              "id": "…",
              "name": "案件管理"
            },
            "detail": {
              "provider": "kintone",
              "integration": "kintone",
              "auth_scheme": "api_token",
              "tested": true
            },
            "connection": {
              "id": "…",
              "connection_id": "…",
              "name": "案件管理",
              "integration": "kintone",
              "provider": "kintone",
              "auth_scheme": "api_token",
              "environment": "default",
              "tags": {},
              "end_user": null
            }
          }
        }
        "#);
    }
    for (webhook, expected) in [("all", 1), ("some", 1), ("other", 0)] {
        let told = hooked.deliveries(webhook).await;
        let expected = vec![(WebhookDeliveryState::Delivered, "delivered 200".to_owned()); expected];
        assert_eq!(told, expected, "{webhook}");
    }
    assert_eq!(hooked.work().await, 0, "the jobs are done");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_yes_is_tried_again_and_says_what_happened(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    use Behaviour::{Answers, Closes, Drips, Floods};
    let hooked = Hooked::start(backend).await;
    hooked.webhook("crm", &[]).await;
    let elsewhere = Some(("location", "https://elsewhere.example.com/"));
    hooked.receiver.then([
        Answers(302, elsewhere, "moved"),
        Answers(500, None, "<h1>oh \u{1b}no</h1>"),
        Closes,
        Answers(404, None, ""),
        Drips,
    ]);
    hooked.link("Sales").await;
    for _ in 0..5 {
        assert_eq!(hooked.work().await, 1);
        assert_eq!(hooked.work().await, 0, "not before the pause is over");
        hooked.clock.by(11 * HOUR);
    }
    let expected = "redirected 302, refused 500, unreachable, refused 404, delivered 200";
    assert_eq!(hooked.deliveries("crm").await, [(WebhookDeliveryState::Delivered, expected.to_owned())]);
    let got = hooked.receiver.got();
    assert_eq!(got.len(), 5, "no redirect was followed");
    let distinct =
        |name: &str| got.iter().map(|one| one.header(name).to_owned()).collect::<BTreeSet<_>>().len();
    assert_eq!(distinct("webhook-id"), 1, "the id stays, so that receivers can tell repetitions");
    assert_eq!(distinct("webhook-timestamp"), 5, "the time is that of the attempt");
    assert!(got.iter().all(|one| one.body == got[0].body));

    // An answer without end is read to a point, and its status counts.
    hooked.receiver.then([Floods]);
    hooked.link("Second").await;
    hooked.work().await;
    let (state, attempts) = hooked.deliveries("crm").await.remove(0);
    assert_eq!((state, attempts.as_str()), (WebhookDeliveryState::Delivered, "delivered 200"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_given_up_after_eight_attempts_over_28_hours_and_can_be_asked_for_again(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let hooked = Hooked::start(backend).await;
    hooked.webhook("crm", &[]).await;
    hooked.receiver.usually(Behaviour::Answers(500, None, ""));
    hooked.link("Sales").await;
    let began = hooked.world.platform.now();
    let mut attempts = 0;
    while let Some(next) = next_attempt(&hooked).await {
        assert!(next.since(began) < 31 * HOUR, "28 hours, and a little for chance");
        hooked.clock.by(next.since(hooked.world.platform.now()));
        attempts += hooked.work().await;
    }
    assert_eq!(attempts, 8);
    assert!(hooked.world.platform.now().since(began) > 27 * HOUR);
    assert_eq!(hooked.deliveries("crm").await[0].0, WebhookDeliveryState::Failed);

    hooked.receiver.usually(Behaviour::Answers(204, None, ""));
    let (platform, access) = (&hooked.world.platform, &hooked.world.access);
    let since = platform.now().minus(48 * HOUR);
    let failed = Replay::Time { since, until: None, delivered_too: false };
    let replayed =
        async |replay: &Replay| platform.replay_webhook(access, "crm", replay).await.expect("replayed");
    assert_eq!(replayed(&failed).await, 1);
    hooked.work().await;
    let (state, attempts) = hooked.deliveries("crm").await.remove(0);
    assert!(attempts.ends_with("refused 500, delivered 204"), "{attempts}");
    assert_eq!(state, WebhookDeliveryState::Delivered);
    assert_eq!(replayed(&failed).await, 0, "what arrived is left alone");
    assert_eq!(replayed(&Replay::Time { since, until: None, delivered_too: true }).await, 1);
    hooked.work().await;
    let event = hooked.receiver.got()[0].header("webhook-id").to_owned();
    assert_eq!(replayed(&Replay::Event(event)).await, 1);
    hooked.work().await;
    assert_eq!(hooked.receiver.got().len(), 11);
}

/// When the one delivery is tried next.
async fn next_attempt(hooked: &Hooked) -> Option<tombolo_store::Timestamp> {
    let (platform, access) = (&hooked.world.platform, &hooked.world.access);
    let all = platform.list_webhook_deliveries(access, None, None, None, None, 1).await.expect("listed");
    all.into_iter().find(|one| one.finished_at.is_none()).map(|one| one.due_at)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_asks_for_a_pause_gets_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let hooked = Hooked::start(backend).await;
    hooked.webhook("crm", &[]).await;
    hooked.receiver.then([Behaviour::Answers(429, Some(("retry-after", "600")), "")]);
    hooked.link("Sales").await;
    hooked.work().await;
    // Other events wait as well: it is the receiver that is busy.
    hooked.link("Second").await;
    hooked.clock.by(Duration::from_mins(9));
    hooked.work().await;
    assert_eq!(hooked.receiver.got().len(), 1);
    hooked.clock.by(Duration::from_secs(61));
    hooked.work().await;
    let told = hooked.deliveries("crm").await;
    let told: Vec<&str> = told.iter().map(|(_, attempts)| attempts.as_str()).collect();
    assert_eq!(told, ["delivered 200", "busy 429, delivered 200"]);
    assert_eq!(hooked.read("crm").await.paused_until, None);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_left_alone_at_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let hooked = Hooked::start(backend).await;
    hooked.webhook("crm", &["connection.*"]).await;
    hooked
        .webhook_at("watch", "https://hooks.example.com/watch", WebhookFormat::Standard, &["webhook.*"])
        .await;
    hooked.receiver.then([Behaviour::Answers(410, None, "")]);
    hooked.link("Sales").await;
    hooked.work().await;
    let crm = hooked.read("crm").await;
    assert!(crm.disabled_at.is_some());
    let reason = "The receiver answered 410: it wants no events any more.";
    assert_eq!(crm.disabled_reason.as_deref(), Some(reason));
    let told = hooked.receiver.got().pop().expect("the other webhook was told");
    assert_eq!((told.path.as_str(), told.json()["type"].as_str()), ("/watch", Some("webhook.disabled")));
    assert_eq!(told.json()["data"]["detail"]["why"], "gone");
    let trail = hooked.world.platform.list_audit_events(&hooked.world.access, None, 1).await.expect("listed");
    assert_eq!((trail[0].action.as_str(), trail[0].actor.id.as_str()), ("webhook.disabled", "webhooks"));

    hooked.receiver.forget();
    hooked.link("Second").await;
    hooked.work().await;
    assert!(hooked.receiver.got().is_empty());
    let enable = WebhookChanges { enabled: Some(true), ..WebhookChanges::default() };
    let (platform, access) = (&hooked.world.platform, &hooked.world.access);
    let refused = platform.test_webhook(access, "crm").await.expect_err("disabled");
    assert_eq!(refused.code, "webhook_disabled");
    platform.update_webhook(access, "crm", enable).await.expect("enabled");
    platform.test_webhook(access, "crm").await.expect("sent");
    hooked.work().await;
    assert_eq!(hooked.receiver.got().pop().expect("it arrives").json()["type"], "webhook.test");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn five_days_of_nothing_but_failures_disable_a_webhook(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let hooked = Hooked::start(backend).await;
    hooked.webhook("crm", &["connection.*"]).await;
    hooked
        .webhook_at("watch", "https://hooks.example.com/watch", WebhookFormat::Standard, &["webhook.*"])
        .await;
    hooked.receiver.usually(Behaviour::Answers(500, None, ""));
    let fail_for = async |hours: u32, name: &str| {
        for hour in 0..hours / 10 {
            hooked.link(&format!("{name} {hour}")).await;
            hooked.work().await;
            hooked.clock.by(10 * HOUR);
        }
    };
    fail_for(110, "a").await;
    assert!(hooked.read("crm").await.disabled_at.is_none(), "four days and a half");
    hooked.receiver.then([Behaviour::Answers(200, None, "")]);
    fail_for(110, "b").await;
    assert!(hooked.read("crm").await.disabled_at.is_none(), "one success in between begins anew");
    hooked.clock.by(240 * HOUR);
    fail_for(20, "c").await;
    assert!(hooked.read("crm").await.disabled_at.is_none(), "nothing was tried for days");
    fail_for(120, "d").await;
    let crm = hooked.read("crm").await;
    let reason = crm.disabled_reason.expect("it is disabled");
    assert!(reason.starts_with("Every attempt of five days failed"), "{reason}");
    assert!(hooked.deliveries("crm").await.iter().all(|(state, _)| *state != WebhookDeliveryState::Pending));
    hooked.receiver.usually(Behaviour::Answers(200, None, ""));
    hooked.work().await;
    let told = hooked.receiver.got().pop().expect("the other webhook is told");
    assert_eq!(
        (told.path.as_str(), told.json()["data"]["detail"]["why"].as_str()),
        ("/watch", Some("failing"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_may_not_be_sent_to_are_refused_when_typed_and_when_delivered() {
    let hooked = Hooked::start(Backend::Sqlite).await;
    let create = async |url: &str| {
        let draft = WebhookDraft {
            name: format!("to {}", url.chars().take(50).collect::<String>()),
            url: url.to_owned(),
            format: WebhookFormat::Standard,
            event_types: Vec::new(),
        };
        hooked.world.platform.create_webhook(&hooked.world.access, &draft).await.map(drop)
    };
    for url in [
        "http://hooks.example.com/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:169.254.169.254]/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com./",
        "https://private.kintone.com/in",
        "https://hooks.example.com/#part",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "hooks.example.com",
        "",
    ] {
        let refused = create(url).await.expect_err(url);
        assert_eq!((refused.code, refused.fields[0].field.as_str()), ("invalid_body", "url"), "{url}");
    }
    let overlong = format!("https://hooks.example.com/{}", "x".repeat(2000));
    assert!(create(&overlong).await.is_err());
    // A name that has no address yet is taken, and one that turns private later is met by the guard.
    create("https://later.example.com/").await.expect("it may come to have one");
    hooked.link("Sales").await;
    hooked.work().await;
    assert_eq!(hooked.deliveries("to https://later.example.com/").await[0].1, "unreachable");
    let location = hooked.world.location();
    tombolo_store::testing::tamper(&location, "UPDATE webhooks SET url = 'https://private.kintone.com/in'")
        .await;
    hooked.clock.by(HOUR);
    hooked.work().await;
    assert_eq!(hooked.deliveries("to https://later.example.com/").await[0].1, "unreachable, address_refused");
    assert!(hooked.receiver.got().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gives_no_answer_of_a_web_server_is_told_apart() {
    let hooked = Hooked::start(Backend::Sqlite).await;
    for name in ["hooks", "untrusted", "mail"] {
        let url = format!("https://{name}.example.com/");
        hooked.webhook_at(name, &url, WebhookFormat::Standard, &["connection.*"]).await;
    }
    hooked.receiver.then([Behaviour::Hangs]);
    hooked.link("Sales").await;
    hooked.work().await;
    let mut told = Vec::new();
    let (platform, access) = (&hooked.world.platform, &hooked.world.access);
    for name in ["hooks", "untrusted", "mail"] {
        let delivery = platform.list_webhook_deliveries(access, Some(name), None, None, None, 1).await;
        let id = delivery.expect("listed").remove(0).id;
        let attempt = platform.read_webhook_delivery(access, id.as_str()).await.expect("shown").2.remove(0);
        let what = attempt.what.split(';').next().expect("a clause").replace(":443", "");
        told.push(format!("{}: {what}", attempt.outcome));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    timed_out: there was no answer within 0.5 seconds
    unreachable: the certificate of untrusted.example.com is not valid: UnknownIssuer
    unreachable: mail.example.com answered with something that is not HTTP
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_stuck_keeps_no_other_waiting() {
    let hooked = Hooked::start(Backend::Sqlite).await;
    for (name, path) in [("stuck", "stuck"), ("crm", "in")] {
        let url = format!("https://hooks.example.com/{path}");
        hooked.webhook_at(name, &url, WebhookFormat::Standard, &[]).await;
    }
    let (platform, access) = (&hooked.world.platform, &hooked.world.access);
    for _ in 0..40 {
        platform.test_webhook(access, "stuck").await.expect("sent");
        platform.test_webhook(access, "crm").await.expect("sent");
    }
    platform.work(KEEP);
    let arrived = |path: &str| hooked.receiver.got().iter().filter(|one| one.path == path).count();
    while arrived("/in") < 40 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(arrived("/stuck") < 40, "eight at a time, and each of them takes as long as it may");
    assert_eq!(platform.figures().await.jobs.iter().map(|(_, count)| count).sum::<u64>(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_while_something_is_sent_makes_nothing_forgotten() {
    let hooked = Hooked::start(Backend::Postgres).await;
    hooked.webhook("crm", &[]).await;
    hooked.receiver.usually(Behaviour::Ponders(Duration::from_millis(300)));
    hooked.link("Sales").await;
    hooked.world.platform.work(KEEP);
    while hooked.receiver.got().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // What a restart of the database does to whoever is connected.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    tombolo_store::testing::tamper(&hooked.world.location(), end).await;
    loop {
        let (platform, access) = (&hooked.world.platform, &hooked.world.access);
        let found = platform.list_webhook_deliveries(access, None, None, None, None, 1).await;
        // The first statement on each connection that was ended fails.
        if found.is_ok_and(|found| found[0].state == WebhookDeliveryState::Delivered) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(hooked.receiver.got().len(), 1, "its outcome was noted once the database was back");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_ends_what_it_has_begun_and_leaves_the_rest_to_others(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let hooked = Hooked::start(backend).await;
    hooked.webhook("crm", &[]).await;
    hooked.receiver.usually(Behaviour::Ponders(Duration::from_millis(300)));
    let (platform, access) = (&hooked.world.platform, &hooked.world.access);
    for _ in 0..20 {
        platform.test_webhook(access, "crm").await.expect("sent");
    }
    platform.work(KEEP);
    while hooked.receiver.got().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    platform.stop_working(Duration::from_secs(10)).await;
    let delivered = hooked.deliveries("crm").await;
    let delivered = delivered.iter().filter(|(state, _)| *state == WebhookDeliveryState::Delivered).count();
    assert_eq!(hooked.receiver.got().len(), delivered, "nothing is sent twice because of it");
    assert!(delivered < 20);
    let jobs = platform.list_jobs(access, None, None, None, 10).await.expect("listed");
    assert!(jobs.iter().all(|job| job.state == tombolo_store::JobState::Queued), "{jobs:?}");
    assert_eq!(hooked.work().await, 0, "it is over here");
}
