//! A mail server on this machine: it speaks SMTP (RFC 5321), with STARTTLS and AUTH if it is told to, and keeps what it got.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tombolo_platform::notifications::{MailSettings, MailTls};

/// What stands nowhere else.
pub const PASSWORD: &str = "MARKER-mail-password-4711";

#[derive(Debug, Clone, Default)]
pub struct Mail {
    pub to: String,
    /// The head, line by line, folded lines put together.
    pub head: Vec<String>,
    pub text: String,
    pub was_protected: bool,
    pub authenticated: Option<String>,
}

impl Mail {
    pub fn header(&self, name: &str) -> String {
        let found = self.head.iter().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    }

    /// The subject without its encoding (RFC 2047).
    pub fn subject(&self) -> String {
        let words = self.header("subject");
        let decoded = words.split(' ').map(|word| {
            match word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?=")) {
                Some(encoded) => {
                    (true, String::from_utf8(STANDARD.decode(encoded).expect("base64")).expect("UTF-8"))
                }
                None => (false, word.to_owned()),
            }
        });
        let mut subject = String::new();
        let mut was_encoded = true;
        for (is_encoded, word) in decoded {
            // A blank between two encoded words belongs to neither.
            if !(subject.is_empty() || was_encoded && is_encoded) {
                subject.push(' ');
            }
            subject.push_str(&word);
            was_encoded = is_encoded;
        }
        subject
    }

    /// The link in the text.
    pub fn link(&self) -> &str {
        let start = self.text.find("http://").unwrap_or_else(|| panic!("no link in {}", self.text));
        self.text[start..].split_whitespace().next().expect("a link")
    }
}

#[derive(Clone)]
pub struct MailServer {
    pub address: SocketAddr,
    /// The PEM text of its certificate.
    pub certificate: String,
    got: Arc<Mutex<Vec<Mail>>>,
    /// What is answered to a recipient instead of yes.
    refusal: Arc<Mutex<Option<&'static str>>>,
    /// What is answered to a sender instead of yes.
    sender_refusal: Arc<Mutex<Option<&'static str>>>,
    tls: Option<TlsAcceptor>,
}

impl MailServer {
    /// One that knows no TLS, for this machine.
    pub async fn start() -> Self {
        Self::start_with(None, String::new()).await
    }

    /// One that takes nothing before STARTTLS and AUTH.
    pub async fn strict() -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = CertificateParams::new(["localhost".to_owned()]).expect("a name").self_signed(&key);
        let certificate = certificate.expect("a certificate");
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("they fit");
        Self::start_with(Some(TlsAcceptor::from(Arc::new(config))), certificate.pem()).await
    }

    async fn start_with(tls: Option<TlsAcceptor>, certificate: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let server = Self {
            address,
            certificate,
            got: Arc::default(),
            refusal: Arc::default(),
            sender_refusal: Arc::default(),
            tls,
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let server = serving.clone();
                // A client that goes away ends its session.
                tokio::spawn(async move {
                    let _ = server.serve(socket).await;
                });
            }
        });
        server
    }

    pub fn settings(&self) -> MailSettings {
        let is_strict = self.tls.is_some();
        MailSettings {
            host: "localhost".to_owned(),
            port: self.address.port(),
            tls: if is_strict { MailTls::StartTls } else { MailTls::Never },
            user: is_strict.then(|| ("tombolo".to_owned(), PASSWORD.into())),
            from: "Tombolo <tombolo@example.com>".to_owned(),
            authorities: is_strict.then(|| self.certificate.clone()),
        }
    }

    pub fn got(&self) -> Vec<Mail> {
        std::mem::take(&mut *self.got.lock().expect("not poisoned"))
    }

    pub fn refuse(&self, answer: Option<&'static str>) {
        *self.refusal.lock().expect("not poisoned") = answer;
    }

    pub fn refuse_sender(&self, answer: Option<&'static str>) {
        *self.sender_refusal.lock().expect("not poisoned") = answer;
    }

    async fn serve(self, mut socket: tokio::net::TcpStream) -> std::io::Result<()> {
        socket.write_all(b"220 localhost ready\r\n").await?;
        let wants_tls = self.talk(&mut socket, false).await?;
        if let (true, Some(tls)) = (wants_tls, &self.tls) {
            let mut protected = tls.accept(socket).await?;
            self.talk(&mut protected, true).await?;
        }
        Ok(())
    }

    /// Talks until the end, or until the client wants to change over to TLS.
    async fn talk(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        is_protected: bool,
    ) -> std::io::Result<bool> {
        let mut stream = BufReader::new(stream);
        let mut mail = Mail { was_protected: is_protected, ..Mail::default() };
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            let command = line.trim_end().to_owned();
            line.clear();
            let upper = command.to_ascii_uppercase();
            let may_send = self.tls.is_none() || mail.authenticated.is_some();
            let answer = match upper.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" if self.tls.is_some() && !is_protected => "250-localhost\r\n250 STARTTLS",
                "EHLO" if is_protected => "250-localhost\r\n250 AUTH PLAIN",
                "EHLO" => "250-localhost\r\n250 8BITMIME",
                "STARTTLS" => {
                    stream.write_all(b"220 go on\r\n").await?;
                    return Ok(true);
                }
                "AUTH" => {
                    let encoded = command.rsplit(' ').next().unwrap_or_default();
                    let plain = STANDARD.decode(encoded).unwrap_or_default();
                    let plain = String::from_utf8_lossy(&plain).replace('\0', " ");
                    let is_right = plain.trim() == format!("tombolo {PASSWORD}");
                    mail.authenticated = is_right.then(|| "tombolo".to_owned());
                    if is_right { "235 welcome" } else { "535 no" }
                }
                "MAIL" if !may_send => "530 authenticate first",
                "MAIL" => (*self.sender_refusal.lock().expect("not poisoned")).unwrap_or("250 ok"),
                "RCPT" => {
                    mail.to = command.trim_start_matches("RCPT TO:").trim_matches(['<', '>']).to_owned();
                    (*self.refusal.lock().expect("not poisoned")).unwrap_or("250 ok")
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    self.take(&mut stream, &mut mail).await?;
                    "250 taken"
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await?;
                    return Ok(false);
                }
                _ => "500 what?",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(false)
    }

    async fn take(&self, stream: &mut (impl AsyncBufRead + Unpin), mail: &mut Mail) -> std::io::Result<()> {
        let (mut lines, mut line) = (Vec::new(), String::new());
        while stream.read_line(&mut line).await? > 0 && line != ".\r\n" {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        let end = lines.iter().position(String::is_empty).unwrap_or(lines.len());
        mail.head.clear();
        for line in &lines[..end] {
            match mail.head.last_mut() {
                Some(last) if line.starts_with(' ') => last.push_str(line),
                _ => mail.head.push(line.clone()),
            }
        }
        let body = lines.get(end + 1..).unwrap_or_default();
        mail.text = match mail.header("content-transfer-encoding").as_str() {
            "base64" => String::from_utf8(STANDARD.decode(body.concat()).expect("base64")).expect("UTF-8"),
            "quoted-printable" => unquoted(&body.join("\n")),
            _ => body.join("\n"),
        }
        .replace("\r\n", "\n");
        self.got.lock().expect("not poisoned").push(mail.clone());
        Ok(())
    }
}

fn unquoted(text: &str) -> String {
    let text = text.replace("=\n", "");
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let digits = [rest.next().expect("a digit"), rest.next().expect("a digit")];
            let digits = std::str::from_utf8(&digits).expect("ASCII").to_owned();
            bytes.push(u8::from_str_radix(&digits, 16).expect("hexadecimal"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}
