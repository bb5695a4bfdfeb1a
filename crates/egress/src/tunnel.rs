use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::error::{EgressError, EgressErrorKind};
use crate::failure::place;
use crate::origin::Origin;
use crate::proxy_server::ProxyServer;
use crate::stream::Stream;

/// A proxy server has no reason to say more than this before the tunnel stands.
const HEAD_MAX_BYTES: usize = 16 * 1024;

/// Opens a tunnel to `target` through the proxy server at the other end of `stream` (RFC 9110 §9.3.6).
pub(crate) async fn open(
    stream: &mut Stream,
    proxy: &ProxyServer,
    target: &Origin,
) -> Result<(), EgressError> {
    let broken = |what: &str| {
        let what = format!("the proxy server {} {what}", place(&proxy.origin));
        EgressError::new(EgressErrorKind::ProxyFailed, what)
    };
    stream.write_all(&request(proxy, target)).await.map_err(|_| broken("closed the connection"))?;
    stream.flush().await.map_err(|_| broken("closed the connection"))?;
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_MAX_BYTES {
            return Err(broken("answered with a head that is too large"));
        }
        // Byte by byte, because what follows the head belongs to the tunnel. The head is short and comes once
        // per connection.
        let byte = stream.read_u8().await.map_err(|_| broken("closed the connection without an answer"))?;
        head.push(byte);
    }
    let status = status(&head).ok_or_else(|| broken("answered with something that is not HTTP"))?;
    let what = format!("the proxy server {} answered {status} to CONNECT", place(&proxy.origin));
    match status {
        200..=299 => Ok(()),
        407 => Err(EgressError::new(EgressErrorKind::ProxyAuthentication, what)),
        _ => Err(EgressError::new(EgressErrorKind::ProxyRefused, what)),
    }
}

fn request(proxy: &ProxyServer, target: &Origin) -> Vec<u8> {
    let target = place(target);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(credentials) = &proxy.credentials {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(credentials.authorization().as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let rest = line.strip_prefix(b"HTTP/1.1 ").or_else(|| line.strip_prefix(b"HTTP/1.0 "))?;
    let (digits, after) = rest.split_at_checked(3)?;
    if !matches!(after.first(), None | Some(b' ')) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn reads_the_status_line() {
        let cases: [(&[u8], Option<u16>); 6] = [
            (b"HTTP/1.1 200 Connection established\r\n\r\n", Some(200)),
            (b"HTTP/1.0 407\r\n\r\n", Some(407)),
            (b"HTTP/1.1 2000 OK\r\n\r\n", None),
            (b"HTTP/2 200\r\n\r\n", None),
            (b"SSH-2.0-OpenSSH\r\n\r\n", None),
            (b"HTTP/1.1 2\r\n\r\n", None),
        ];
        for (head, expected) in cases {
            assert_eq!(status(head), expected, "{}", head.escape_ascii());
        }
    }
}
