use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt;
use tombolo_egress::{AddressPolicy, Egress, EgressErrorKind, Resolve, ResolveFuture, Timings};

use crate::support::upstream::{Upstream, read_head};
use crate::support::{get, route, settings};

/// Stands for a public address: the operator's rules let it through.
const ALLOWED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const FORBIDDEN: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Changes its mind with every question, like a name server with a lifetime of zero.
#[derive(Default)]
struct AlternatingResolver {
    asked: AtomicUsize,
}

impl Resolve for AlternatingResolver {
    fn resolve<'a>(&'a self, _host: &'a str, port: u16) -> ResolveFuture<'a> {
        let answer: &[Ipv4Addr] = match self.asked.fetch_add(1, Ordering::SeqCst) % 4 {
            0 => &[ALLOWED],
            1 => &[FORBIDDEN],
            2 => &[ALLOWED, FORBIDDEN],
            _ => &[FORBIDDEN, ALLOWED],
        };
        let answer = answer.iter().map(|address| SocketAddr::from((*address, port))).collect();
        Box::pin(std::future::ready(Ok(answer)))
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_never_reaches_the_forbidden_address() {
    let allowed = Upstream::raw("127.0.0.2", |mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await.ok();
    })
    .await;
    let canary = tokio::net::TcpListener::bind((FORBIDDEN, allowed.port())).await.unwrap();
    let mut settings = settings(allowed.port());
    settings.addresses = AddressPolicy::new(vec!["127.0.0.2/32".parse().unwrap()]);
    let resolver = Arc::new(AlternatingResolver::default());
    let egress = Egress::new(settings, Arc::clone(&resolver) as Arc<dyn Resolve>);
    let pool = egress.pool();
    let route = route(&egress, &format!("http://rebinding.test:{}", allowed.port()));

    let (mut answered, mut refused) = (0, 0);
    for _ in 0..10_000 {
        match pool.send(&route, get("/"), &mut Timings::default()).await {
            Ok(response) => {
                assert_eq!(response.status(), 200);
                answered += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), EgressErrorKind::AddressRefused);
                refused += 1;
            }
        }
    }

    assert_eq!(answered + refused, 10_000);
    assert!(answered >= 2_500 && refused >= 2_500, "{answered} answered, {refused} refused");
    assert_eq!(allowed.connections(), resolver.asked.load(Ordering::SeqCst).div_ceil(4));
    let waiting = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(waiting, canary.accept()).await.is_err(), "the canary was reached");
}
