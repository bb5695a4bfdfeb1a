use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};

use crate::body::Body;
use crate::connect;
use crate::deadline::Deadline;
use crate::egress::Egress;
use crate::error::EgressError;
use crate::exchange::{self, Failed};
use crate::route::Route;
use crate::shelf::{Line, Shelf};
use crate::timings::{Timings, micros_since};

/// Sends single requests in stages that can be watched, for connection tests.
///
/// Each request has a connection of its own and goes out exactly once.
#[derive(Clone, Debug)]
pub struct Probe(Arc<Egress>);

/// A complete answer.
#[derive(Clone, Debug)]
pub struct ProbeAnswer {
    /// The status.
    pub status: StatusCode,
    /// The headers as they came.
    pub headers: HeaderMap,
    /// The body as it came, not decompressed.
    pub body: Bytes,
    /// Where the time went.
    pub timings: Timings,
}

/// The steps of a probe, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbeStage {
    /// Name to addresses, and the check of each.
    Resolve,
    /// TCP, and the tunnel through a proxy server.
    Connect,
    /// TLS. Left out for plain `http`.
    Tls,
    /// Request and complete answer.
    Send,
}

/// What is reported while a probe runs.
#[derive(Clone, Debug)]
pub enum StageEvent<'a> {
    /// A stage begins.
    Started(ProbeStage),
    /// The name stands for these addresses, all of which may be connected to.
    Resolved {
        /// In the order of preference.
        addresses: Vec<IpAddr>,
        /// Duration of the stage.
        micros: u32,
    },
    /// A connection stands.
    Connected {
        /// The upstream's address, or the proxy server's.
        peer: SocketAddr,
        /// Duration of the stage.
        micros: u32,
    },
    /// The upstream has proved its identity.
    Secured {
        /// `TLSv1_2` or `TLSv1_3`.
        version: &'static str,
        /// Duration of the stage.
        micros: u32,
    },
    /// The answer is complete.
    Answered {
        /// Its status.
        status: StatusCode,
        /// Duration of the stage.
        micros: u32,
    },
    /// A stage failed, and with it the probe.
    Failed {
        /// The stage.
        stage: ProbeStage,
        /// Why.
        error: &'a EgressError,
        /// Duration of the stage.
        micros: u32,
    },
}

impl Probe {
    pub(crate) fn new(egress: Arc<Egress>) -> Self {
        Self(egress)
    }

    /// Sends one request and reads the whole answer, at most `body_bytes_max` bytes of it.
    ///
    /// The body may take as long as `body_idle` of the route's time-outs altogether. Every stage is reported to
    /// `watch` when it begins and when it ends.
    pub async fn run(
        &self,
        route: &Arc<Route>,
        mut request: Request<Body>,
        body_bytes_max: usize,
        mut watch: impl FnMut(StageEvent<'_>),
    ) -> Result<ProbeAnswer, EgressError> {
        let mut stages = Stages { watch: &mut watch, timings: Timings::default() };
        exchange::prepare(route, &mut request)?;

        let start = stages.start(ProbeStage::Resolve);
        let addresses = stages.end(ProbeStage::Resolve, start, self.0.resolve(route).await)?;
        stages.timings.dns = micros_since(start);
        let found = addresses.iter().map(SocketAddr::ip).collect();
        (stages.watch)(StageEvent::Resolved { addresses: found, micros: stages.timings.dns });

        let start = stages.start(ProbeStage::Connect);
        let reached = connect::reach(route, &addresses).await;
        let reached = stages.end(ProbeStage::Connect, start, reached)?;
        stages.timings.tcp = micros_since(start);
        (stages.watch)(StageEvent::Connected { peer: reached.peer, micros: stages.timings.tcp });

        let mut stream = reached.stream;
        if route.tls.is_some() {
            let start = stages.start(ProbeStage::Tls);
            let secured = connect::secure(stream, route.tls.as_ref(), &route.origin, &route.time_outs).await;
            stream = stages.end(ProbeStage::Tls, start, secured)?;
            stages.timings.tls = micros_since(start);
            let version = stream.tls_version().unwrap_or("unknown");
            (stages.watch)(StageEvent::Secured { version, micros: stages.timings.tls });
        }

        let start = stages.start(ProbeStage::Send);
        let answer = send(stream, route, request, body_bytes_max, &mut stages.timings).await;
        let mut answer = stages.end(ProbeStage::Send, start, answer)?;
        answer.timings = stages.timings;
        (stages.watch)(StageEvent::Answered { status: answer.status, micros: micros_since(start) });
        Ok(answer)
    }
}

async fn send(
    stream: crate::stream::Stream,
    route: &Arc<Route>,
    request: Request<Body>,
    body_bytes_max: usize,
    timings: &mut Timings,
) -> Result<ProbeAnswer, EgressError> {
    let (sender, driver) = connect::start(stream, &route.origin).await?;
    let deadline = Deadline::new(tokio::time::Instant::now() + route.time_outs.head);
    // A shelf that keeps nothing closes the connection after the answer.
    let shelf = Arc::new(Shelf::new(route.pool_key.clone(), 0));
    let line = Line { sender, deadline };
    let response = exchange::send(line, Some(driver), request, route, &shelf, timings)
        .await
        .map_err(Failed::into_error)?;
    let (head, body) = response.into_parts();
    let body = body.collect(body_bytes_max, route.time_outs.body_idle).await?;
    Ok(ProbeAnswer { status: head.status, headers: head.headers, body, timings: *timings })
}

struct Stages<'a, W: FnMut(StageEvent<'_>)> {
    watch: &'a mut W,
    timings: Timings,
}

impl<W: FnMut(StageEvent<'_>)> Stages<'_, W> {
    fn start(&mut self, stage: ProbeStage) -> Instant {
        (self.watch)(StageEvent::Started(stage));
        Instant::now()
    }

    /// Reports a failure; the success of a stage has its own event.
    fn end<T>(
        &mut self,
        stage: ProbeStage,
        start: Instant,
        outcome: Result<T, EgressError>,
    ) -> Result<T, EgressError> {
        if let Err(error) = &outcome {
            (self.watch)(StageEvent::Failed { stage, error, micros: micros_since(start) });
        }
        outcome
    }
}
