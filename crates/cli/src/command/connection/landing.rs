//! Where the browser of whoever runs a command lands with what proves that it has finished (RFC 8252 §7.3): the address is
//! of this machine alone, so a proof that arrives was given to a browser that runs here.

use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tombolo_platform::catalog::Language;

use crate::language::either;

/// Longest head of a request that is read.
const HEAD_BYTES: usize = 8 * 1024;
/// A browser on the same machine does not need longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A port of this machine that browsers can be sent to.
pub struct Landing {
    listener: TcpListener,
    /// Its address.
    pub url: String,
}

impl Landing {
    /// Takes a free port.
    pub async fn open() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://127.0.0.1:{}/", listener.local_addr()?.port());
        Ok(Self { listener, url })
    }

    /// Serves browsers until one brings a proof of this authorization.
    pub async fn proof(&self, authorization: &str, language: Language) -> SecretString {
        let (sender, mut proofs) = mpsc::channel(1);
        loop {
            tokio::select! {
                Some(proof) = proofs.recv() => return proof,
                accepted = self.listener.accept() => {
                    let Ok((socket, _)) = accepted else {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    };
                    let (sender, authorization) = (sender.clone(), authorization.to_owned());
                    tokio::spawn(async move {
                        let served = tokio::time::timeout(PATIENCE, serve(socket, &authorization, language));
                        if let Ok(Ok(Some(proof))) = served.await {
                            let _ = sender.send(proof).await;
                        }
                    });
                }
            }
        }
    }
}

async fn serve(
    mut socket: TcpStream,
    authorization: &str,
    language: Language,
) -> std::io::Result<Option<SecretString>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") && head.len() < HEAD_BYTES {
        if socket.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    let head = String::from_utf8_lossy(&head);
    let proof = proof_of(head.lines().next().unwrap_or_default(), authorization);
    let (status, words) = if proof.is_some() {
        let words = either(
            language,
            "Go back to the terminal: the command finishes there. You can close this window.",
            "ターミナルに戻ってください。コマンドが接続を完了します。このウィンドウは閉じてもかまいません。",
        );
        ("200 OK", words)
    } else {
        ("404 Not Found", either(language, "There is nothing here.", "このページはありません。"))
    };
    let body = format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Tombolo</title>\n<p>{words}</p>\n"
    );
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         content-security-policy: default-src 'none'; frame-ancestors 'none'\r\nreferrer-policy: no-referrer\r\n\
         cache-control: no-store\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(answer.as_bytes()).await?;
    socket.shutdown().await?;
    Ok(proof)
}

/// The proof in the first line of a request, if it is about this authorization.
fn proof_of(line: &str, authorization: &str) -> Option<SecretString> {
    let (query, _) = line.strip_prefix("GET /?")?.split_once(' ')?;
    // Ids and proofs have no character that is written otherwise in a query.
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(known, value)| (known == name).then_some(value))
    };
    if parameter("authorization") != Some(authorization) {
        return None;
    }
    parameter("proof").filter(|proof| !proof.is_empty()).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_proof_is_read_from_the_line_of_its_authorization_alone() {
        for (line, proof) in [
            ("GET /?authorization=aut_1&proof=p-_q HTTP/1.1", Some("p-_q")),
            ("GET /?proof=p&authorization=aut_1 HTTP/1.1", Some("p")),
            ("GET /?authorization=aut_2&proof=p HTTP/1.1", None),
            ("GET /?authorization=aut_1&proof= HTTP/1.1", None),
            ("POST /?authorization=aut_1&proof=p HTTP/1.1", None),
            ("GET /favicon.ico HTTP/1.1", None),
            ("", None),
        ] {
            let found = proof_of(line, "aut_1");
            assert_eq!(found.as_ref().map(ExposeSecret::expose_secret), proof, "{line}");
        }
    }
}
