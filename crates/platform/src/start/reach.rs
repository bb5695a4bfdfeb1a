//! Tries the way to a host under the operator's rules, with nothing started: for whoever looks for what stands in it.

use std::net::IpAddr;
use std::sync::Arc;

use http::Request;
use http::header::DATE;
use tombolo_egress::{Body, Egress, EgressError, EgressErrorKind, ProbeStage, RouteOptions, StageEvent};

use super::{StartError, StartOptions, egress_settings};
use crate::problem::Problem;
use crate::users::{IdentityProvider, Way};

/// Largest answer that is read. A longer one is an answer as well.
const ANSWER_BYTES: usize = 64 * 1024;

/// What the way to a host is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The steps that were taken; all passed but perhaps the last.
    pub steps: Vec<ReachStep>,
    /// The `Date` of the answer (RFC 9110 §6.6.1), which tells whether the clocks agree.
    pub date: Option<String>,
}

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachStep {
    /// `name`, `connect`, `tls` or `answer`.
    pub step: &'static str,
    /// What was seen, or why it failed, as a clause.
    pub saw: String,
    /// How long it took, in microseconds.
    pub micros: u32,
    /// What to do, as a clause, when the step failed.
    pub fix: Option<String>,
}

/// Sends one request without credentials to a host, given as `host`, `host:port` or a URL. Any answer will do.
pub async fn reach(options: &StartOptions, host: &str) -> Result<Reach, StartError> {
    let egress = Egress::new(egress_settings(&options.egress)?, Arc::clone(&options.resolver));
    let url = if host.contains("://") { host.to_owned() } else { format!("https://{host}") };
    let refused = |step, saw: String, fix: &str| {
        let step = ReachStep { step, saw, micros: 0, fix: Some(fix.to_owned()) };
        Ok(Reach { steps: vec![step], date: None })
    };
    let origin = match egress.parse_origin(&url) {
        Ok(origin) => origin,
        Err(refusal) => return refused("name", refusal.to_string(), "give a host, such as acme.example.com"),
    };
    let route = match egress.route(origin, RouteOptions::default()) {
        Ok(route) => route,
        Err(error) => {
            return refused("tls", error.to_string(), "check the authorities in the configuration");
        }
    };
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = http::Uri::from_static("/");
    let mut steps = Vec::new();
    let answer = egress.probe().run(&route, request, ANSWER_BYTES, |event| steps.extend(step(&event))).await;
    let date = answer.ok().and_then(|answer| Some(answer.headers.get(DATE)?.to_str().ok()?.to_owned()));
    Ok(Reach { steps, date })
}

/// Asks the identity provider of the configuration what it says about itself: how many keys it signs with, or why nobody could
/// sign in. `None` when there is no identity provider.
pub async fn reach_identity_provider(
    options: &StartOptions,
) -> Result<Option<Result<usize, Problem>>, StartError> {
    let Some(settings) = options.oidc.clone() else { return Ok(None) };
    let provider =
        IdentityProvider::new(settings).map_err(|reason| StartError::Setting { setting: "oidc", reason })?;
    let egress = Egress::new(egress_settings(&options.egress)?, Arc::clone(&options.resolver));
    let way = Way { egress: &egress, now: options.clock.now() };
    Ok(Some(provider.look(&way).await))
}

/// The step that an event ends.
fn step(event: &StageEvent<'_>) -> Option<ReachStep> {
    let passed = |step, saw, micros| Some(ReachStep { step, saw, micros, fix: None });
    match event {
        StageEvent::Started(_) => None,
        StageEvent::Resolved { addresses, micros } => {
            let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
            passed("name", addresses.join(", "), *micros)
        }
        StageEvent::Connected { peer, micros } => passed("connect", peer.to_string(), *micros),
        StageEvent::Secured { version, micros } => passed("tls", (*version).to_owned(), *micros),
        StageEvent::Answered { status, micros } => passed("answer", format!("HTTP {status}"), *micros),
        StageEvent::Failed { error, micros, .. } if error.kind() == EgressErrorKind::BodyTooLarge => {
            passed("answer", "a long answer".to_owned(), *micros)
        }
        StageEvent::Failed { stage, error, micros } => Some(failed(*stage, error, *micros)),
    }
}

fn failed(stage: ProbeStage, error: &EgressError, micros: u32) -> ReachStep {
    let step = match stage {
        ProbeStage::Resolve => "name",
        ProbeStage::Connect => "connect",
        ProbeStage::Tls => "tls",
        ProbeStage::Send => "answer",
    };
    ReachStep { step, saw: error.what().to_owned(), micros, fix: Some(error.fix().to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_egress::FixedResolver;

    #[tokio::test]
    async fn every_obstacle_is_told_at_its_step() {
        let mut options = StartOptions::in_directory("unused".into());
        options.resolver = Arc::new(
            FixedResolver::default().with("private.example.com", &["10.0.0.5".parse().expect("an address")]),
        );
        for (host, step, saw) in [
            ("private.example.com", "name", "10.0.0.5"),
            ("missing.example.com", "name", "missing.example.com"),
            ("http://example.com", "name", "https"),
        ] {
            let found = reach(&options, host).await.expect("the settings fit");
            let last = found.steps.last().expect("a step");
            assert_eq!((last.step, found.steps.len()), (step, 1), "{host}");
            assert!(last.saw.contains(saw) && last.fix.is_some(), "{host}: {last:?}");
        }
    }
}
