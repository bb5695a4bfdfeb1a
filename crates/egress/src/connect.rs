//! The steps from a route to a connection that speaks HTTP: resolve, reach, secure, start.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use crate::address::{AddressClass, RefusedAddress};
use crate::body::Body;
use crate::egress::Egress;
use crate::error::{EgressError, EgressErrorKind};
use crate::failure::{self, place};
use crate::origin::Origin;
use crate::own_address::is_own_address;
use crate::proxy_server::ChosenBy;
use crate::resolve::ResolveError;
use crate::route::{Route, TimeOuts, TlsRoute};
use crate::stream::Stream;
use crate::tunnel;

/// Heads above this are refused; real ones stay below 16 KiB.
const HEAD_MAX_BYTES: usize = 64 * 1024;
/// Most bytes of a body that one connection holds in each direction: larger pieces save few system calls and cost memory
/// for every stream.
const BUFFER_MAX_BYTES: usize = 128 * 1024;

/// What drives the socket of a connection; it must be spawned.
pub(crate) type Driver = Connection<TokioIo<Stream>, Body>;

/// A TCP connection to the first hop, with the tunnel opened where there is a proxy server.
pub(crate) struct Reached {
    pub(crate) stream: Stream,
    pub(crate) peer: SocketAddr,
}

impl Egress {
    /// The addresses of the first hop, each of them checked. One bad address refuses the whole answer: a name
    /// that mixes public and private addresses is an attack or a mistake, never a service.
    pub(crate) async fn resolve(&self, route: &Route) -> Result<Vec<SocketAddr>, EgressError> {
        let (origin, fixed, trusted) = match &route.proxy {
            Some(proxy) => {
                let trusted = proxy.server.chosen_by == ChosenBy::Operator;
                (&proxy.server.origin, proxy.fixed_address, trusted)
            }
            None => (&route.origin, route.fixed_address, false),
        };
        if let Some(address) = fixed {
            return Ok(vec![address]);
        }
        let found = self.look_up(origin, route.time_outs.connect).await;
        let addresses = if route.proxy.is_some() { found.map_err(EgressError::at_proxy) } else { found }?;
        if !trusted {
            self.check(&addresses, origin)?;
        }
        Ok(addresses)
    }

    /// Whether a name that somebody types now may be connected to as far as is known: for forms. One that has no address at
    /// the moment may. Every connection is checked again, because names change their minds.
    pub async fn check_now(&self, route: &Route) -> Result<(), EgressError> {
        match self.resolve(route).await {
            Err(error) if error.kind() == EgressErrorKind::AddressRefused => Err(error),
            _ => Ok(()),
        }
    }

    async fn look_up(&self, origin: &Origin, within: Duration) -> Result<Vec<SocketAddr>, EgressError> {
        if let Some(address) = origin.ip() {
            return Ok(vec![SocketAddr::new(address, origin.port())]);
        }
        let found = timeout(within, self.resolver.resolve(origin.host(), origin.port()))
            .await
            .unwrap_or_else(|_| Err(ResolveError::Failed("no answer in time".to_owned())))
            .and_then(|found| if found.is_empty() { Err(ResolveError::NotFound) } else { Ok(found) });
        found.map_err(|error| failure::of_resolver(&error, origin))
    }

    fn check(&self, addresses: &[SocketAddr], origin: &Origin) -> Result<(), EgressError> {
        for address in addresses {
            if let Err(refused) = self.check_one(address.ip()) {
                let what =
                    format!("{} stands for {refused}, which this server does not connect to", origin.host());
                return Err(EgressError::new(EgressErrorKind::AddressRefused, what));
            }
        }
        Ok(())
    }

    fn check_one(&self, address: IpAddr) -> Result<(), RefusedAddress> {
        let policy = &self.settings.addresses;
        policy.check(address)?;
        if !policy.is_allowed_by_operator(address) && is_own_address(address) {
            return Err(RefusedAddress { address, class: AddressClass::OwnInterface });
        }
        Ok(())
    }
}

/// Connects to exactly these addresses, and through the proxy server where there is one.
pub(crate) async fn reach(route: &Route, addresses: &[SocketAddr]) -> Result<Reached, EgressError> {
    let Some(proxy) = &route.proxy else {
        let (stream, peer) = dial(addresses, &route.origin, route.time_outs.connect).await?;
        return Ok(Reached { stream: Stream::Plain(stream), peer });
    };
    let server = &proxy.server;
    let (stream, peer) =
        dial(addresses, &server.origin, route.time_outs.connect).await.map_err(EgressError::at_proxy)?;
    let mut stream = secure(Stream::Plain(stream), proxy.tls.as_ref(), &server.origin, &route.time_outs)
        .await
        .map_err(EgressError::at_proxy)?;
    timeout(route.time_outs.connect, tunnel::open(&mut stream, server, &route.origin)).await.unwrap_or_else(
        |_| {
            let what = format!("the proxy server {} did not answer in time", place(&server.origin));
            Err(EgressError::new(EgressErrorKind::ProxyFailed, what))
        },
    )?;
    Ok(Reached { stream, peer })
}

/// The TLS handshake with the upstream; nothing for plain `http`.
pub(crate) async fn secure(
    stream: Stream,
    tls: Option<&TlsRoute>,
    origin: &Origin,
    time_outs: &TimeOuts,
) -> Result<Stream, EgressError> {
    let Some(tls) = tls else { return Ok(stream) };
    let connector = TlsConnector::from(tls.config.clone());
    match timeout(time_outs.tls, connector.connect(tls.server_name.clone(), stream)).await {
        Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
        Ok(Err(error)) => Err(failure::of_handshake(&error, origin, tls.with_identity)),
        Err(_) => {
            let what = format!("{} did not finish the TLS handshake in time", place(origin));
            Err(EgressError::new(EgressErrorKind::TlsTimedOut, what))
        }
    }
}

/// Puts HTTP/1.1 onto the stream. Sends nothing yet.
pub(crate) async fn start(
    stream: Stream,
    origin: &Origin,
) -> Result<(SendRequest<Body>, Driver), EgressError> {
    let mut builder = Builder::new();
    builder.max_header_size(HEAD_MAX_BYTES).max_buf_size(BUFFER_MAX_BYTES);
    #[expect(clippy::disallowed_methods, reason = "this is the one place that speaks HTTP to the outside")]
    let started = builder.handshake(TokioIo::new(stream)).await;
    started.map_err(|error| failure::of_head(&error, origin, false))
}

/// Tries the addresses in order. Each gets an equal share of the time that is left, so that one that swallows
/// packets does not use up the time of the others.
async fn dial(
    addresses: &[SocketAddr],
    origin: &Origin,
    within: Duration,
) -> Result<(TcpStream, SocketAddr), EgressError> {
    let end = Instant::now() + within;
    let mut last = std::io::Error::from(std::io::ErrorKind::TimedOut);
    for (index, address) in addresses.iter().enumerate() {
        let still_to_try = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = end.saturating_duration_since(Instant::now()) / still_to_try;
        #[expect(clippy::disallowed_methods, reason = "this is the one place that connects to the outside")]
        let connecting = TcpStream::connect(address);
        match timeout(share, connecting).await {
            Ok(Ok(stream)) => {
                // Requests are written whole, so waiting for more to send along only costs time.
                let _ = stream.set_nodelay(true);
                return Ok((stream, *address));
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = std::io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failure::of_connect(&last, origin))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use crate::egress::{Egress, EgressSettings};
    use crate::resolve::FixedResolver;
    use crate::route::RouteOptions;

    /// One name a line, of services that people connect to.
    const PUBLIC_HOSTS: &str = include_str!("../tests/data/public_hosts.txt");

    /// Addresses that such services really have.
    const PUBLIC_ADDRESSES: [&str; 12] = [
        "13.114.40.48",
        "20.27.177.113",
        "52.84.0.1",
        "99.86.4.33",
        "103.79.14.1",
        "142.250.196.142",
        "172.64.155.119",
        "192.30.255.112",
        "198.17.255.1",
        "2404:6800:4004:826::200e",
        "2606:4700::6812:1b77",
        "2a03:2880:f10f:83:face:b00c:0:25de",
    ];

    #[tokio::test]
    async fn real_public_hosts_are_not_refused() {
        let mut resolver = FixedResolver::default();
        let mut addresses = PUBLIC_ADDRESSES.iter().cycle();
        for host in PUBLIC_HOSTS.lines() {
            let two: Vec<IpAddr> =
                addresses.by_ref().take(2).map(|address| address.parse().unwrap()).collect();
            resolver = resolver.with(host, &two);
        }
        let egress = Egress::new(EgressSettings::default(), Arc::new(resolver));
        let mut count = 0;
        for host in PUBLIC_HOSTS.lines() {
            let origin = egress.parse_origin(&format!("https://{host}")).unwrap();
            assert_eq!(origin.host(), host);
            let route = egress.route(origin, RouteOptions::default()).unwrap();
            let resolved = egress.resolve(&route).await.unwrap();
            assert!(resolved.len() == 2 && resolved.iter().all(|address| address.port() == 443));
            count += 1;
        }
        assert!(count >= 100, "{count} hosts");
    }
}
