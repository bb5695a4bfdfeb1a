//! Upstreams of every temper, certificates, and clients that may reach them.

pub mod authority;
pub mod upload;
pub mod upstream;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use tombolo_egress::{
    AddressPolicy, Body, Egress, EgressError, EgressSettings, FixedResolver, OriginRules, Pool, ProbeAnswer,
    Resolve, Route, RouteOptions, TimeOuts, Timings,
};

pub const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Rules under which tests may reach loopback, on one port, with http.
pub fn settings(port: u16) -> EgressSettings {
    EgressSettings {
        origins: OriginRules { allow_http: true, extra_ports: vec![port], allow_ip_literals: false },
        addresses: AddressPolicy::new(vec!["127.0.0.1/32".parse().unwrap()]),
        ..EgressSettings::default()
    }
}

pub fn resolver() -> Arc<dyn Resolve> {
    Arc::new(FixedResolver::default().with("upstream.test", &[LOOPBACK]).with("other.test", &[LOOPBACK]))
}

pub fn egress(settings: EgressSettings) -> Arc<Egress> {
    Egress::new(settings, resolver())
}

/// Short enough for a test to wait for, long enough for a busy machine.
pub fn time_outs() -> TimeOuts {
    TimeOuts {
        connect: Duration::from_secs(5),
        tls: Duration::from_secs(5),
        head: Duration::from_secs(5),
        body_idle: Duration::from_secs(5),
    }
}

pub fn route(egress: &Egress, url: &str) -> Arc<Route> {
    route_with(egress, url, RouteOptions { time_outs: time_outs(), ..RouteOptions::default() })
}

pub fn route_with(egress: &Egress, url: &str, options: RouteOptions) -> Arc<Route> {
    egress.route(egress.parse_origin(url).unwrap(), options).unwrap()
}

pub fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub async fn fetch(pool: &Pool, route: &Arc<Route>, request: Request<Body>) -> (u16, String, Timings) {
    let mut timings = Timings::default();
    let response = pool.send(route, request, &mut timings).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect(1 << 20, Duration::from_secs(5)).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap(), timings)
}

pub async fn probe(egress: &Arc<Egress>, route: &Arc<Route>) -> Result<ProbeAnswer, EgressError> {
    egress.probe().run(route, get("/"), 1 << 16, |_| ()).await
}

/// The code of the error, whatever part of the exchange it comes from.
pub async fn probe_code(egress: &Arc<Egress>, url: &str) -> &'static str {
    match probe(egress, &route(egress, url)).await {
        Ok(_) => "answered",
        Err(error) => error.kind().code(),
    }
}
