use tombolo_egress::StageEvent;

use crate::support::authority::Authority;
use crate::support::upstream::Upstream;
use crate::support::{egress, get, probe, route, settings};

/// The events of one probe, without what differs from run to run.
async fn events(url: &str, port: u16, authority: &Authority) -> Vec<String> {
    let mut settings = settings(port);
    settings.extra_authorities = vec![authority.der()];
    let egress = egress(settings);
    let mut events = Vec::new();
    let watch = |event: StageEvent<'_>| {
        events.push(match event {
            StageEvent::Started(stage) => format!("{stage:?}"),
            StageEvent::Resolved { addresses, .. } => format!("resolved {addresses:?}"),
            StageEvent::Connected { peer, .. } => format!("connected {}", peer.ip()),
            StageEvent::Secured { version, .. } => format!("secured {version}"),
            StageEvent::Answered { status, .. } => format!("answered {status}"),
            StageEvent::Failed { stage, error, .. } => format!("{stage:?} failed: {}", error.kind().code()),
        });
    };
    let outcome = egress.probe().run(&route(&egress, url), get("/"), 1000, watch).await;
    assert_eq!(outcome.is_ok(), events.last().unwrap().starts_with("answered"));
    events
}

#[tokio::test]
async fn every_stage_is_reported_in_its_order() {
    let authority = Authority::new("Private CA");
    let upstream = Upstream::web(Some(authority.server("upstream.test", 2090))).await;
    let port = upstream.port();
    insta::assert_debug_snapshot!(events(&format!("https://upstream.test:{port}"), port, &authority).await, @r#"
    [
        "Resolve",
        "resolved [127.0.0.1]",
        "Connect",
        "connected 127.0.0.1",
        "Tls",
        "secured TLSv1_3",
        "Send",
        "answered 200 OK",
    ]
    "#);
    insta::assert_debug_snapshot!(events(&format!("https://other.test:{port}"), port, &authority).await, @r#"
    [
        "Resolve",
        "resolved [127.0.0.1]",
        "Connect",
        "connected 127.0.0.1",
        "Tls",
        "Tls failed: tls_name_mismatch",
    ]
    "#);
    insta::assert_debug_snapshot!(events(&format!("https://nowhere.test:{port}"), port, &authority).await, @r#"
    [
        "Resolve",
        "Resolve failed: name_not_found",
    ]
    "#);
    insta::assert_debug_snapshot!(events(&format!("http://upstream.test:{port}"), port, &authority).await, @r#"
    [
        "Resolve",
        "resolved [127.0.0.1]",
        "Connect",
        "connected 127.0.0.1",
        "Send",
        "Send failed: malformed_answer",
    ]
    "#);
}

#[tokio::test]
async fn a_probe_never_shares_or_repeats() {
    let upstream = Upstream::web(None).await;
    let egress = egress(settings(upstream.port()));
    let route = route(&egress, &format!("http://upstream.test:{}", upstream.port()));
    for expected in 1..=5 {
        let answer = probe(&egress, &route).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (200, b"GET / ".as_slice()));
        assert_eq!(upstream.connections(), expected);
    }

    let closing = Upstream::answering(b"").await;
    let egress = crate::support::egress(settings(closing.port()));
    let route = crate::support::route(&egress, &format!("http://upstream.test:{}", closing.port()));
    assert_eq!(probe(&egress, &route).await.unwrap_err().kind().code(), "closed_before_head");
    assert_eq!(closing.connections(), 1);
}
