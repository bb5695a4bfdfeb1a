use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use tombolo_store::SqliteLocation;
use tombolo_store::testing::tamper;

use crate::world::World;

fn verdicts(report: &Value) -> Vec<(String, String)> {
    let text = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().expect("checks");
    checks.iter().map(|check| (text(check, "subject"), text(check, "verdict"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_installation_is_told_as_such() {
    let world = World::start().await;
    let fresh = world.json(&["doctor"]).await;
    assert_eq!(fresh["healthy"], true, "{fresh:#}");
    assert!(!world.data().exists(), "it looks and makes nothing");
    assert_eq!(world.link("Sales").await.code, 0);
    let report = world.json(&["doctor"]).await;
    assert_eq!(report["healthy"], true, "{report:#}");
    let seen = verdicts(&report);
    for subject in
        ["configuration", "clock", "data directory", "master key", "database", "demo.kintone.com:443"]
    {
        assert!(seen.contains(&(subject.to_owned(), "good".to_owned())), "{subject}: {seen:?}");
    }
    let words = world.run(&["doctor"]).await;
    assert_eq!(words.code, 0);
    assert!(
        words.out.contains("tls TLSv1_3") && words.out.ends_with("Nothing stands in the way.\n"),
        "{}",
        words.out
    );
}

/// A database that comes without what this machine remembers of it was restored, or is a copy.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_is_told_with_the_connections_that_wait() {
    let world = World::start().await;
    assert_eq!(world.link("Sales").await.code, 0);
    // As if the account had been linked by OAuth.
    let create = ["oauth-client", "create", "--provider", "kintone", "--name", "Demo", "--no-input"];
    assert_eq!(world.run(&[&create[..], &["--field", "subdomain=demo"]].concat()).await.code, 0);
    let files = SqliteLocation::new(world.data().join("tombolo.db"), world.data().join("activity.db"));
    let by_oauth = "UPDATE connections SET renew_at = 1, oauth_client_id = (SELECT id FROM oauth_clients)";
    tamper(&files.into(), by_oauth).await;
    std::fs::remove_file(world.data().join("progress.json")).expect("removed");
    let report = world.json(&["doctor", "--offline"]).await;
    let check =
        report["checks"].as_array().expect("checks").iter().find(|check| check["verdict"] == "notice");
    let saw = check.and_then(|check| check["saw"].as_str()).unwrap_or_else(|| panic!("{report:#}"));
    assert!(saw.contains("restored from a backup") && saw.ends_with("Sales"), "{saw}");
    assert_eq!(report["healthy"], true, "calls go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_obstacle_has_its_verdict_and_fix() {
    let world = World::start().await;
    assert_eq!(world.link("Sales").await.code, 0);
    let find = |report: &Value, subject: &str| {
        let checks = report["checks"].as_array().expect("checks").clone();
        let bad = checks.into_iter().find(|check| check["subject"] == subject && check["verdict"] != "good");
        bad.unwrap_or_else(|| panic!("nothing is wrong with {subject}: {report:#}"))
    };
    for (host, saw) in [("localhost", "name"), ("http://demo.kintone.com", "https"), ("10.0.0.1", "name")] {
        let report = world.json(&["doctor", "--host", host]).await;
        let check = find(&report, host);
        assert!(check["saw"].as_str().is_some_and(|text| text.contains(saw)), "{check:#}");
        assert!(check["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{check:#}");
        assert_eq!(report["healthy"], false);
    }
    let key = world.data().join("master.key");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).expect("changed");
    let check = find(&world.json(&["doctor", "--offline"]).await, "master key");
    assert!(check["fix"].as_str().is_some_and(|fix| fix.contains("chmod 600")), "{check:#}");
    std::fs::rename(&key, world.path("away.key")).expect("moved");
    let report = world.json(&["doctor", "--offline"]).await;
    find(&report, "master key");
    find(&report, "database");
    // Another key is no substitute.
    assert_eq!(world.run(&["key", "generate", "data/master.key"]).await.code, 0);
    find(&world.json(&["doctor", "--offline"]).await, "database");
    std::fs::write(world.path("tombolo.toml"), "[server]\nlitsen = \"x\"\n").expect("written");
    find(&world.json(&["doctor", "--offline"]).await, "configuration");
}
