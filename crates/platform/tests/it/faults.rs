//! Calls while the upstream, the credential or the way there is not as it should be.

use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Method};
use rstest::rstest;
use tombolo_kintone_emulator::{Effect, Fault};
use tombolo_platform::proxy::{Call, CallBody, send};
use tombolo_platform::{Access, ConnectionDraft};
use tombolo_store::{ActivityFilter, Health};

use crate::world::{Backend, World, call_with, draft};

const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
const ORDERS: &str = "demoTokenOrdersAll0000000000000000000000";
const PRODUCTS: &str = "demoTokenProductsAll00000000000000000000";
const RECORD: &str = "/k/v1/record.json?app=1&id=1";
const NEW_RECORD: &str =
    r#"{"app":1,"record":{"customer_code":{"value":"C-900"},"company":{"value":"New"}}}"#;

pub fn tokens(name: &str, token: &str, app: &str) -> ConnectionDraft {
    draft(
        name,
        "api_token",
        &[("subdomain", "demo"), ("domain", "kintone.com"), ("token", token), ("app", app)],
    )
}

pub fn password(name: &str, user: &str, password: &str) -> ConnectionDraft {
    let fields = [
        ("subdomain", "demo"),
        ("domain", "kintone.com"),
        ("login_name", user),
        ("password", password),
        ("app", "1"),
    ];
    draft(name, "password", &fields)
}

async fn linked(backend: Backend, draft: &ConnectionDraft) -> World {
    let world = World::start_on(backend).await;
    link(&world, draft).await;
    world.kintone().clear_requests();
    world
}

async fn link(world: &World, draft: &ConnectionDraft) {
    world.create(draft).await.expect("accepted").unwrap_or_else(|report| panic!("{report:#?}"));
}

fn status(status: u16, code: &str) -> Effect {
    Effect::refusal(status, code)
}

fn tokens_seen(world: &World) -> Vec<String> {
    let header = |seen: &tombolo_kintone_emulator::LoggedRequest| {
        seen.header("x-cybozu-api-token").unwrap_or_default().to_owned()
    };
    world.kintone().requests().iter().map(header).collect()
}

/// What is sent again, how often, and what never is.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_what_does_no_harm_is_sent_again(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let mut short = tokens("c", CUSTOMERS, "1");
    short.settings.insert("Retries".to_owned(), "2".to_owned());
    let world = linked(backend, &short).await;
    let get = (Method::GET, RECORD, "");
    let post = (Method::POST, "/k/v1/record.json", NEW_RECORD);
    let cursor = (Method::GET, "/k/v1/records/cursor.json?id=none", "");
    let again = 2_u64;
    let cases = [
        ("GET, dropped before the answer", get.clone(), Effect::DropConnection, Some(again), 3, 200),
        ("POST, dropped before the answer", post.clone(), Effect::DropAnswer, Some(1), 1, 502),
        ("GET, busy", get.clone(), status(429, "GAIA_TO04"), Some(again), 3, 200),
        ("POST, busy: nothing was done", post.clone(), status(429, "GAIA_TO04"), Some(1), 2, 200),
        ("GET, busy for good", get.clone(), status(429, "GAIA_TO04"), None, 3, 429),
        ("GET, unavailable", get.clone(), status(503, "X"), Some(1), 2, 200),
        ("POST, unavailable", post.clone(), status(503, "X"), Some(1), 1, 503),
        ("GET, plain 500", get.clone(), status(500, "X"), Some(1), 1, 500),
        ("POST, plain 500", post.clone(), status(500, "X"), Some(1), 1, 500),
        ("POST, data locked", post.clone(), status(400, "GAIA_DA02"), Some(1), 2, 200),
        ("GET of a cursor, dropped", cursor.clone(), Effect::DropConnection, Some(1), 1, 502),
        ("GET of a cursor, busy", cursor.clone(), status(429, "GAIA_TO04"), Some(1), 1, 429),
        ("GET of a cursor, unavailable", cursor.clone(), status(503, "X"), Some(1), 1, 503),
    ];
    let mut wrong = Vec::new();
    for (name, (method, target, body), effect, times, attempts, expected) in cases {
        world.kintone().reset().expect("the seed");
        world.kintone().inject(Fault { count: times, ..Fault::new(effect) });
        let (status, _, answer) = world.call("c", method, target, body).await;
        let seen = world.kintone().requests().len();
        if (status, seen) != (expected, attempts) {
            wrong.push(format!(
                "{name}: {status} after {seen} attempts, expected {expected} after {attempts}; {answer}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_upstream_is_given_up_and_not_asked_again() {
    let mut short = tokens("c", CUSTOMERS, "1");
    short.settings.insert("TIMEOUT".to_owned(), "1".to_owned());
    let world = linked(Backend::Sqlite, &short).await;
    world.kintone().inject(Fault::new(Effect::Latency { milliseconds: 4_000 }));
    let (status, _, answer) = world.call("c", Method::POST, "/k/v1/record.json", NEW_RECORD).await;
    assert_eq!((status, answer["code"].as_str()), (504, Some("head_timed_out")), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_an_error_and_logged() {
    let world = linked(Backend::Sqlite, &tokens("c", CUSTOMERS, "1")).await;
    world.kintone().inject(Fault::new(Effect::ResetMidBody).times(1));
    let (status, _, body) = world.call("c", Method::GET, RECORD, "").await;
    assert_eq!((status, body.as_str()), (200, Some("broken off")));
    world.platform.flush_activity().await;
    let page = world.platform.list_activity(&world.access, None, ActivityFilter::default(), None, 10);
    let page = page.await.expect("the log");
    let logged: Vec<_> =
        page.calls.iter().map(|call| (call.status, call.error_kind.as_str(), call.attempts)).collect();
    assert_eq!(logged, [(200, "body_reset", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_upstream_says_comes_back_as_it_is() {
    let world = linked(Backend::Sqlite, &tokens("c", CUSTOMERS, "1")).await;
    world.kintone().inject(Fault::new(Effect::page(403, "<h1>No</h1>")).times(1));
    let (status, headers, _) = world.call("c", Method::GET, RECORD, "").await;
    assert_eq!(status, 403);
    assert!(headers["content-type"].to_str().is_ok_and(|kind| kind.starts_with("text/html")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_429_halves_what_is_in_flight_and_ends() {
    let mut never = tokens("c", CUSTOMERS, "1");
    never.settings.insert("retries".to_owned(), "0".to_owned());
    let world = linked(Backend::Sqlite, &never).await;
    let limit = async || world.platform.figures().await.hosts.iter().map(|host| host.limit).next();
    assert_eq!(limit().await, None, "no call is compiled yet");
    assert_eq!(world.get("c", RECORD).await.0, 200);
    assert_eq!(limit().await, Some(20));
    world.kintone().inject(Fault::new(status(429, "GAIA_TO04")).times(2));
    for expected in [10, 5] {
        assert_eq!(world.get("c", RECORD).await, (429, "GAIA_TO04".to_owned()));
        assert_eq!(limit().await, Some(expected));
    }
    assert_eq!(world.get("c", RECORD).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_keeps_to_its_own_limit() {
    let mut narrow = tokens("c", CUSTOMERS, "1");
    narrow.settings.insert("max_concurrency".to_owned(), "1".to_owned());
    let world = linked(Backend::Sqlite, &narrow).await;
    let plan = world.platform.plan(&world.access.environment, None, "c").await.expect("a plan");
    let call = |headers: HeaderMap| Call {
        method: Method::GET,
        target: RECORD,
        headers,
        body: CallBody::Full(Bytes::new()),
        caller: None,
        request_id: "req_test",
        started: Instant::now(),
    };
    let first = send(&world.lane, &plan, call(HeaderMap::new())).await.expect("an answer");
    let mut second = pin!(send(&world.lane, &plan, call(HeaderMap::new())));
    assert!(tokio::time::timeout(Duration::from_millis(200), second.as_mut()).await.is_err());
    assert_eq!(world.kintone().requests().len(), 1, "the second waits while the first answer is read");
    drop(first);
    assert_eq!(second.await.expect("an answer").status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_caller_goes_away_is_in_the_log() {
    let world = linked(Backend::Sqlite, &tokens("c", CUSTOMERS, "1")).await;
    world.kintone().inject(Fault::new(Effect::Latency { milliseconds: 60_000 }));
    let call = world.call("c", Method::POST, "/k/v1/record.json", NEW_RECORD);
    assert!(tokio::time::timeout(Duration::from_millis(300), call).await.is_err());
    world.platform.flush_activity().await;
    let page = world.platform.list_activity(&world.access, None, ActivityFilter::default(), None, 10);
    let page = page.await.expect("the log");
    let logged: Vec<_> = page.calls.iter().map(|call| (call.status, call.error_kind.as_str())).collect();
    assert_eq!(logged, [(0, "caller_gone")]);
}

/// Each call carries the tokens that it needs and no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_carries_the_tokens_that_it_needs() {
    let all = format!("{CUSTOMERS},{ORDERS},{PRODUCTS}");
    let world = linked(Backend::Sqlite, &tokens("c", &all, "1,2,3")).await;
    let order = r#"{"app":2,"record":{}}"#;
    let bulk = r#"{"requests":[{"method":"POST","api":"/k/v1/record.json","payload":{"app":1,"record":{}}},{"method":"POST","api":"/k/v1/record.json","payload":{"app":3,"record":{}}}]}"#;
    for (name, method, target, body, expected) in [
        ("by query", Method::GET, "/k/v1/records.json?app=3", "", vec![PRODUCTS]),
        ("by body", Method::POST, "/k/v1/record.json", r#"{"record":{},"app":"1"}"#, vec![CUSTOMERS]),
        (
            "a write takes along what it looks up",
            Method::POST,
            "/k/v1/record.json",
            order,
            vec![ORDERS, CUSTOMERS, PRODUCTS],
        ),
        ("a read does not", Method::GET, "/k/v1/records.json?app=2", "", vec![ORDERS]),
        ("several in one", Method::POST, "/k/v1/bulkRequest.json", bulk, vec![CUSTOMERS, PRODUCTS]),
        ("undecided", Method::GET, "/k/v1/file.json?fileKey=none", "", vec![CUSTOMERS, ORDERS, PRODUCTS]),
    ] {
        world.kintone().clear_requests();
        world.call("c", method, target, body).await;
        let seen = tokens_seen(&world);
        assert_eq!(seen.len(), 1, "{name}: {seen:?}");
        let mut sent: Vec<&str> = seen[0].split(',').collect();
        let mut expected = expected;
        sent.sort_unstable();
        expected.sort_unstable();
        assert_eq!(sent, expected, "{name}");
    }
}

/// One bad token would spoil every request that carries it.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_refused_stays_at_home() {
    let world = linked(Backend::Sqlite, &tokens("c", &format!("{CUSTOMERS},{ORDERS}"), "1,2")).await;
    world.kintone().revoke_token("demo", ORDERS).expect("a token");
    let report = world.platform.test_connection(&world.access, None, "c", &mut |_| {}).await.expect("tested");
    assert!(!report.available);
    world.kintone().clear_requests();
    world.call("c", Method::GET, "/k/v1/file.json?fileKey=none", "").await;
    assert_eq!(tokens_seen(&world), [CUSTOMERS]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_refused_is_no_companion_of_others() {
    let all = format!("{CUSTOMERS},{ORDERS},{PRODUCTS}");
    let world = linked(Backend::Sqlite, &tokens("c", &all, "1,2,3")).await;
    world.kintone().revoke_token("demo", PRODUCTS).expect("a token");
    let report = world.platform.test_connection(&world.access, None, "c", &mut |_| {}).await.expect("tested");
    assert!(!report.available);
    world.kintone().clear_requests();
    world.call("c", Method::POST, "/k/v1/record.json", r#"{"app":2,"record":{}}"#).await;
    let seen = tokens_seen(&world);
    assert!(seen[0].contains(ORDERS) && seen[0].contains(CUSTOMERS), "{seen:?}");
    assert!(!seen[0].contains(PRODUCTS), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_could_not_be_tried_is_not_held_to_be_refused() {
    let world = linked(Backend::Sqlite, &tokens("c", &format!("{CUSTOMERS},{ORDERS}"), "1,2")).await;
    world.kintone().inject(Fault::new(status(503, "X")).on("GET", "/k/v1/app.json"));
    let report = world.platform.test_connection(&world.access, None, "c", &mut |_| {}).await.expect("tested");
    assert!(!report.available);
    world.kintone().reset().expect("the seed");
    world.call("c", Method::GET, "/k/v1/file.json?fileKey=none", "").await;
    assert_eq!(tokens_seen(&world), [format!("{CUSTOMERS},{ORDERS}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_get_becomes_a_post_that_means_get() {
    let world = linked(Backend::Sqlite, &tokens("c", CUSTOMERS, "1")).await;
    let condition = format!("company%20%3D%20%22{}%22", "x".repeat(5000));
    let target = format!("/k/v1/records.json?app=1&query={condition}&totalCount=true");
    let (status, _, body) = world.call("c", Method::GET, &target, "").await;
    assert_eq!((status, body["totalCount"].as_str()), (200, Some("0")), "{body}");
    let seen = world.kintone().requests().remove(0);
    assert_eq!((seen.method.as_str(), seen.header("x-http-method-override")), ("POST", Some("GET")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_space_is_a_world_of_its_own() {
    let world = World::start().await;
    let guest = [
        ("subdomain", "sample"),
        ("domain", "cybozu.com"),
        ("token", "sampleTokenGuestKadai0000000000000000000"),
        ("app", "21"),
        ("guest_space_id", "5"),
        ("basic_username", "gate"),
        ("basic_password", "sample-gate-password"),
    ];
    link(&world, &draft("g", "api_token", &guest)).await;
    for (target, expected) in [
        ("/k/v1/records.json?app=21", (200, "")),
        ("/k/guest/5/v1/records.json?app=21", (200, "")),
        ("/k/guest/6/v1/records.json?app=21", (403, "path_outside")),
        ("/k/guest/5/../6/v1/records.json?app=21", (400, "path_refused")),
        ("/k/v1/apis.json", (200, "")),
    ] {
        assert_eq!(world.get("g", target).await, (expected.0, expected.1.to_owned()), "{target}");
    }
}

/// No spelling of a credential header reaches the vendor.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_cannot_smuggle_a_credential_in() {
    let world = linked(Backend::Sqlite, &tokens("c", CUSTOMERS, "1")).await;
    let names = [
        "X-Cybozu-API-Token",
        "X-CYBOZU-AUTHORIZATION",
        "authorization",
        "Cookie",
        "X-Requested-With",
        "Proxy-Authorization",
        "X-Forwarded-For",
        "Forwarded",
    ];
    let mut headers = HeaderMap::new();
    for name in names {
        let variants = [name.to_owned(), name.to_lowercase(), name.replace('-', "_")];
        for variant in variants.into_iter().flat_map(|name| [format!("nango-proxy-{name}"), name]) {
            let name: http::HeaderName = variant.parse().expect("a header name");
            headers.append(name, "smuggled-marker".parse().expect("a value"));
        }
    }
    let line = (Method::GET, RECORD, headers, "");
    let (status, _, body) = call_with(&world.platform, &world.lane, &world.access, "c", line).await;
    assert_eq!(status, 200, "{body}");
    let seen = world.kintone().requests().remove(0);
    let smuggled: Vec<_> = seen.headers.iter().filter(|(_, value)| value.contains("smuggled")).collect();
    assert!(smuggled.is_empty(), "{smuggled:?}");
    assert_eq!(seen.header("x-cybozu-api-token"), Some(CUSTOMERS));
}

async fn health(world: &World, access: &Access, name: &str) -> Health {
    world.platform.read_connection(access, None, name).await.expect("it is there").0.health
}

/// A wrong password is sent once: not by the next call, not after another commit, not after a restart, until tested.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_is_not_sent_again_until_it_is_tested(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let world = linked(backend, &password("p", "anna", "demo-password-anna")).await;
    assert_eq!(world.get("p", RECORD).await.0, 200);
    world.kintone().set_password("demo", "anna", "changed-at-the-vendor").expect("a user");
    world.kintone().clear_requests();
    let refused = (424, "credential_refused".to_owned());
    assert_eq!(world.get("p", RECORD).await.0, 401);
    assert_eq!(world.get("p", RECORD).await, refused);
    for _ in 0..100 {
        if health(&world, &world.access, "p").await == Health::NeedsReconnecting {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(health(&world, &world.access, "p").await, Health::NeedsReconnecting);
    // Another commit of the environment makes every plan be read anew.
    link(&world, &tokens("other", CUSTOMERS, "1")).await;
    world.kintone().clear_requests();
    assert_eq!(world.get("p", RECORD).await, refused);
    let events = world.platform.list_audit_events(&world.access, None, 10).await.expect("the trail");
    assert!(events.iter().any(|event| event.action == "connection.health_changed"), "{events:?}");

    let (node, emulator, _directory) = world.restarted().await;
    assert_eq!(node.get("p", RECORD).await, refused);
    assert!(emulator.control().requests().is_empty(), "nothing went out since the refusal");
    emulator.control().set_password("demo", "anna", "demo-password-anna").expect("a user");
    let report = node.platform.test_connection(&node.access, None, "p", &mut |_| {}).await.expect("tested");
    assert!(report.available);
    assert_eq!(node.get("p", RECORD).await.0, 200);
}

/// Those who wait for their place when the password is refused do not try it any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_is_not_sent_by_those_who_wait() {
    let world = linked(Backend::Sqlite, &password("p", "anna", "demo-password-anna")).await;
    world.kintone().set_password("demo", "anna", "changed-at-the-vendor").expect("a user");
    world.kintone().inject(Fault::new(Effect::Latency { milliseconds: 200 }));
    let answers = join_all((0..100).map(|_| world.get("p", RECORD))).await;
    let places = world.platform.figures().await.hosts[0].limit as usize;
    let sent = world.kintone().requests().len();
    assert!(sent <= places.max(20), "{sent} were sent");
    assert_eq!(answers.iter().filter(|answer| answer.1 == "credential_refused").count(), 100 - sent);
}
