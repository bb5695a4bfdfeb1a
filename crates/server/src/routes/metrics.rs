//! Figures for Prometheus, in its text format 0.0.4.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::Extensions;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName};
use tombolo_platform::PlatformFigures;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::access::Peer;

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// What requests are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// A call by `/proxy/`.
    Proxy,
    /// A call by the drop-in URL.
    DropIn,
    /// Everything else.
    Api,
}

impl Counted {
    const ALL: [Self; 3] = [Self::Proxy, Self::DropIn, Self::Api];

    fn name(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::DropIn => "drop_in",
            Self::Api => "api",
        }
    }
}

/// The requests that one thread answered since the start, by front and class of status.
#[derive(Debug, Default)]
pub(crate) struct Requests([[AtomicU64; CLASSES]; Counted::ALL.len()]);

/// 1xx to 5xx.
const CLASSES: usize = 5;

impl Requests {
    pub(crate) fn count(&self, counted: Counted, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES) - 1;
        self.0[counted as usize][class].fetch_add(1, Ordering::Relaxed);
    }
}

/// The counters of all threads: each counts for itself, so that counting costs a call nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestCounts(Arc<Mutex<Vec<Arc<Requests>>>>);

impl RequestCounts {
    /// New counters, for one thread.
    pub(crate) fn of_one_thread(&self) -> Arc<Requests> {
        let requests = Arc::<Requests>::default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&requests));
        requests
    }

    fn sum(&self, counted: Counted, class: usize) -> u64 {
        let threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        threads.iter().map(|thread| thread.0[counted as usize][class].load(Ordering::Relaxed)).sum()
    }
}

/// Shows figures
///
/// In the text format of Prometheus. Jobs are counted every ten seconds at most. The names of upstream hosts are shown to the operator alone, at the socket of the
/// data directory: they tell whose accounts are linked. Public.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "operation", security(()),
    responses((status = 200, description = "The figures", body = String, content_type = "text/plain"))
)]
async fn metrics(
    State(routes): State<Routes>,
    extensions: Extensions,
) -> ([(HeaderName, &'static str); 1], String) {
    let by_host = matches!(extensions.get(), Some(Peer::Operator));
    let mut text = render(&routes.counts, &routes.platform.figures().await, by_host);
    if let Some(places) = &routes.places {
        connections(&mut text, places.taken(), places.all());
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

fn render(counts: &RequestCounts, figures: &PlatformFigures, by_host: bool) -> String {
    let mut text = String::new();
    head(
        &mut text,
        "tombolo_requests_total",
        "counter",
        "Requests that were answered, by front and class of status.",
    );
    for counted in Counted::ALL {
        for class in 0..CLASSES {
            let (front, digit, count) = (counted.name(), class + 1, counts.sum(counted, class));
            line(
                &mut text,
                format_args!("tombolo_requests_total{{front=\"{front}\",class=\"{digit}xx\"}} {count}"),
            );
        }
    }
    let name = "tombolo_upstream_calls_in_flight";
    head(&mut text, name, "gauge", "Calls that are in flight to upstreams.");
    if by_host {
        for load in &figures.hosts {
            line(&mut text, format_args!("{name}{{host=\"{}\"}} {}", label(&load.host), load.in_flight));
        }
    } else {
        let all: u64 = figures.hosts.iter().map(|load| u64::from(load.in_flight)).sum();
        line(&mut text, format_args!("{name} {all}"));
    }
    let name = "tombolo_upstream_calls_limit";
    head(&mut text, name, "gauge", "Calls that may be in flight to upstreams.");
    if by_host {
        for load in &figures.hosts {
            line(&mut text, format_args!("{name}{{host=\"{}\"}} {}", label(&load.host), load.limit));
        }
    } else {
        let all: u64 = figures.hosts.iter().map(|load| u64::from(load.limit)).sum();
        line(&mut text, format_args!("{name} {all}"));
    }
    let name = "tombolo_activity_dropped_total";
    head(&mut text, name, "counter", "Calls that the log of calls had to leave out.");
    line(&mut text, format_args!("{name} {}", figures.activity_dropped));
    let name = "tombolo_waiting_pages";
    head(&mut text, name, "gauge", "Pages that wait for what comes of a window that they opened.");
    line(&mut text, format_args!("{name} {}", figures.waiting_pages));
    if !figures.jobs.is_empty() {
        let name = "tombolo_jobs";
        head(&mut text, name, "gauge", "Jobs that are kept, by state; every server tells those of all.");
        for (state, count) in &figures.jobs {
            line(&mut text, format_args!("{name}{{state=\"{state}\"}} {count}"));
        }
    }
    text
}

fn connections(text: &mut String, taken: usize, all: usize) {
    let name = "tombolo_connections";
    head(text, name, "gauge", "Sockets of callers that are open, waiting pages among them.");
    line(text, format_args!("{name} {taken}"));
    let name = "tombolo_connections_limit";
    head(text, name, "gauge", "Sockets of callers that may be open.");
    line(text, format_args!("{name} {all}"));
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    line(text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

/// A label's value, escaped as the format asks.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use tombolo_platform::proxy::HostLoad;
    use tombolo_platform::store::JobState;

    use super::*;

    #[test]
    fn hosts_are_for_the_operator_alone() {
        let counts = RequestCounts::default();
        counts.of_one_thread().count(Counted::DropIn, StatusCode::OK);
        counts.of_one_thread().count(Counted::DropIn, StatusCode::OK);
        counts.of_one_thread().count(Counted::Api, StatusCode::NOT_FOUND);
        let host = |host: &str, in_flight, limit| HostLoad { host: host.to_owned(), in_flight, limit };
        let figures = PlatformFigures {
            hosts: vec![host("a.example.com", 2, 20), host("b\".example.com", 1, 10)],
            activity_dropped: 7,
            waiting_pages: 3,
            jobs: vec![(JobState::Queued, 2), (JobState::Dead, 1)],
        };
        insta::assert_snapshot!(render(&counts, &figures, true));
        assert!(!render(&counts, &figures, false).contains("example"));
        assert!(render(&counts, &figures, false).contains("tombolo_upstream_calls_limit 30\n"));
    }
}
