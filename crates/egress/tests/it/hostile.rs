//! Hosts that try to be read as something else than they look like.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tombolo_egress::{
    Egress, EgressErrorKind, EgressSettings, OriginRules, Resolve, ResolveFuture, RouteOptions, Timings,
};

use crate::support::get;
use crate::support::upstream::Upstream;

/// Reads every name as loopback, as some system resolvers do with `0x7f.1` and the like.
#[derive(Default)]
struct CredulousResolver {
    asked: AtomicUsize,
}

impl Resolve for CredulousResolver {
    fn resolve<'a>(&'a self, _host: &'a str, port: u16) -> ResolveFuture<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))])))
    }
}

const TARGETS: [[u8; 4]; 12] = [
    [127, 0, 0, 1],
    [127, 0, 0, 2],
    [127, 255, 255, 254],
    [0, 0, 0, 0],
    [10, 0, 0, 1],
    [172, 16, 0, 1],
    [192, 168, 1, 1],
    [169, 254, 169, 254],
    [100, 64, 0, 1],
    [198, 18, 0, 1],
    [224, 0, 0, 1],
    [255, 255, 255, 255],
];

/// One IPv4 address in every spelling that some parser accepts.
fn spellings(octets: [u8; 4]) -> Vec<String> {
    let [a, b, c, d] = octets;
    let number = u32::from_be_bytes(octets);
    let dotted = format!("{a}.{b}.{c}.{d}");
    let (high, low) = (number >> 16, number & 0xffff);
    let moved = |text: &str, zero: char| -> String {
        let shift = |digit: u32| char::from_u32(zero as u32 + digit).unwrap();
        text.chars().map(|character| character.to_digit(10).map_or(character, shift)).collect()
    };
    let percent = |text: &str| text.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:02x}"));
    let bytes = u128::from(number);
    vec![
        dotted.clone(),
        format!("{dotted}."),
        format!("{number}"),
        format!("{number}."),
        format!("{number:#x}"),
        format!("0X{number:X}"),
        format!("0{number:o}"),
        format!("0x00000000{number:x}"),
        format!("{}", bytes + (1 << 32)),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:#x}.0{b:o}.{c}.{d}"),
        format!("00000{a:o}.{b}.{c}.{d}"),
        format!("{a}.{}", number & 0x00ff_ffff),
        format!("{a}.{b}.{low}"),
        format!("{a:#x}.{:#x}", number & 0x00ff_ffff),
        format!("{}.{b}.{c}.{d}", u16::from(a) + 256),
        moved(&dotted, '０'),
        moved(&dotted, '𝟎'),
        moved(&dotted, '𝟘'),
        moved(&dotted, '𝟬'),
        dotted.replace('1', "①").replace('2', "②"),
        dotted.replace('.', "。"),
        dotted.replace('.', "．"),
        dotted.replace('.', "｡"),
        dotted.replace('.', "%2e"),
        dotted.replace('.', "%E3%80%82"),
        dotted.replacen('.', "\u{ad}.", 1),
        dotted.replacen('.', "\u{200b}.", 1),
        percent(&dotted),
        percent(&percent(&dotted)),
        format!("[::ffff:{dotted}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:ffff:{high:x}:{low:x}]"),
        format!("[::{dotted}]"),
        format!("[::ffff:0:{dotted}]"),
        format!("[64:ff9b::{dotted}]"),
        format!("[64:ff9b:1::{dotted}]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[2001:0:{high:x}:{low:x}::1]"),
        format!("[2001::{:x}:{:x}]", !high & 0xffff, !low & 0xffff),
        format!("[::ffff:{dotted}%25eth0]"),
        format!("[{dotted}]"),
        format!("user@{dotted}"),
        format!("user:password@{dotted}"),
        format!("www.example.com@{dotted}"),
        format!("www.example.com%40{dotted}"),
        format!("{dotted}\\@www.example.com"),
        format!("{dotted}\u{0}.example.com"),
        format!("{dotted}%00.example.com"),
        format!("{dotted}\t"),
        format!("{dotted}\r\nHost: www.example.com"),
        format!("{dotted}%0d%0a"),
        format!(" {dotted}"),
        format!("{dotted}..example.com"),
        format!("{dotted}.nip.io"),
    ]
}

/// Forms that are not about one IPv4 address.
fn others() -> Vec<String> {
    let mut hosts: Vec<String> = [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "localhost.localdomain",
        "ｌｏｃａｌｈｏｓｔ",
        "ⓛocalhost",
        "loc%61lhost",
        "local\u{ad}host",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000::0001]",
        "[::1%25lo]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fec0::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[100::1]",
        "[3fff::1]",
        "[5f00::1]",
        "[2001:2::1]",
        "[2001:10::1]",
        "[::1",
        "::1",
        "[]",
        "[:]",
        "[::1]]",
        "",
        ".",
        "..",
        ".example.com",
        "example..com",
        "example.com..",
        "%",
        "%zz",
        "a b.example.com",
        "<host>",
        "exa|mple.com",
        "exa^mple.com",
        "xn--",
        "xn--a",
        "xn--\u{1f4a9}",
        "example.com:",
        "example.com:0x50",
        "example.com:００８０",
        "example.com:+443",
        "example.com:99999",
        "example.com:-1",
        "user@example.com",
        "@example.com",
        ":@example.com",
        "a@b@example.com",
        "example.com\u{7f}",
        "example.com\u{85}",
        "example.com\u{2028}",
        "exa\u{202e}mple.com",
        "0",
        "00",
        "0x",
        "0x0",
        "0x.0x.0",
        "1e1",
        "1.2.3.4.5",
        "127.0.0.1.0x7f",
        "256.256.256.256",
        "metadata.google.internal",
        "instance-data",
        "*.example.com",
        "example.com;127.0.0.1",
        "example.com,127.0.0.1",
        "127.0.0.1,example.com",
        "{host}",
        "$(id)",
        "`id`",
        "'",
        "\"",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    hosts.push(format!("{}.com", "a".repeat(64)));
    hosts.push(format!("{}com", "a.".repeat(130)));
    hosts.push(format!("{}.com", "a".repeat(100_000)));
    hosts
}

fn corpus(port: u16) -> BTreeSet<String> {
    let mut urls = BTreeSet::new();
    for host in TARGETS.into_iter().flat_map(spellings).chain(others()) {
        urls.insert(format!("https://{host}:{port}/"));
        urls.insert(format!("https://{host}"));
    }
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        for scheme in [
            "http:",
            "https:",
            "https:/",
            "https:///",
            "https:\\\\",
            "https:/\\",
            "//",
            "\\\\",
            "ftp://",
            "file://",
            "gopher://",
            "ws://",
            "wss://",
            "HTTP://",
            "https\u{0}://",
            "ht\ntps://",
            "\u{1}https://",
            " https://",
            "javascript:",
            "jar:https://",
            "view-source:https://",
            "blob:https://",
            "unix://",
            "data:",
        ] {
            urls.insert(format!("{scheme}{host}:{port}"));
        }
        for around in [
            "https://www.example.com#@{}",
            "https://www.example.com?@{}",
            "https://www.example.com/@{}",
            "https://www.example.com\\@{}",
            "https://{}#@www.example.com",
            "https://{}?@www.example.com",
        ] {
            urls.insert(around.replace("{}", &format!("{host}:{port}")));
        }
    }
    urls
}

/// Tries one URL all the way; gives the reason for which nothing came of it.
async fn outcome(egress: &Arc<Egress>, url: &str) -> String {
    let origin = match egress.parse_origin(url) {
        Ok(origin) => origin,
        Err(refusal) => return refusal.code().to_owned(),
    };
    let Ok(route) = egress.route(origin, RouteOptions::default()) else { return "tls_settings".to_owned() };
    match egress.pool().send(&route, get("/"), &mut Timings::default()).await {
        Ok(response) => format!("answered {}", response.status()),
        Err(error) => error.kind().code().to_owned(),
    }
}

async fn refuses_the_corpus(strict: bool) {
    let canary = Upstream::web_on("127.0.0.1", None).await;
    let port = canary.port();
    // The same port on the other addresses of this machine, where that can be had.
    let six = tokio::net::TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
    let second = tokio::net::TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), port)).await.unwrap();
    let rules = OriginRules { allow_http: !strict, extra_ports: vec![port], allow_ip_literals: !strict };
    let resolver = Arc::new(CredulousResolver::default());
    let settings = EgressSettings { origins: rules, ..EgressSettings::default() };
    let egress = Egress::new(settings, Arc::clone(&resolver) as Arc<dyn Resolve>);
    let urls = corpus(port);
    assert!(urls.len() >= 500, "{} forms", urls.len());

    let refused_address = EgressErrorKind::AddressRefused.code();
    for url in &urls {
        let outcome = outcome(&egress, url).await;
        assert!(outcome.starts_with("url_") || outcome == refused_address, "{url:?}: {outcome}");
    }

    assert_eq!(canary.connections(), 0);
    let waiting = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(waiting, second.accept()).await.is_err());
    if let Some(six) = six {
        assert!(tokio::time::timeout(waiting, six.accept()).await.is_err());
    }
    // The rule about names did not do all the work alone: ordinary names reached the check of addresses.
    assert!(resolver.asked.load(Ordering::SeqCst) > 10);
}

#[tokio::test]
async fn no_hostile_form_connects_under_the_strict_rules() {
    refuses_the_corpus(true).await;
}

#[tokio::test]
async fn no_hostile_form_connects_even_where_numeric_hosts_are_allowed() {
    refuses_the_corpus(false).await;
}

#[tokio::test]
async fn the_canary_would_have_noticed() {
    let canary = Upstream::web(None).await;
    let resolver = Arc::new(CredulousResolver::default());
    let egress = Egress::new(crate::support::settings(canary.port()), resolver);
    assert_eq!(outcome(&egress, &format!("http://example.com:{}", canary.port())).await, "answered 200 OK");
    assert_eq!(canary.connections(), 1);
}
