use std::time::{Duration, SystemTime};

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use tombolo_store::Timestamp;

use super::words::Written;

/// How long the server has for each step.
const PATIENCE: Duration = Duration::from_secs(20);

/// The operator's mail server.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// The account, if it asks for one.
    pub user: Option<(String, SecretString)>,
    /// Whom messages come from, such as `Tombolo <tombolo@example.com>`.
    pub from: String,
    /// PEM text of authorities that are trusted beside the public ones.
    pub authorities: Option<String>,
}

/// How a connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// It begins in the clear and has to change over (STARTTLS), usually on port 587.
    StartTls,
    /// From its beginning, usually on port 465.
    Always,
    /// Not at all: only towards this machine.
    Never,
}

/// Sends mail through the operator's server.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Why a message was not taken.
#[derive(Debug)]
pub(super) struct NotSent {
    /// Whether it makes no sense to send it to this address again.
    pub(super) is_final: bool,
    /// What the server said. The server belongs to the operator, and is told no secret but the link.
    pub(super) why: String,
}

impl Mailer {
    /// Nothing is sent yet; the sentence says what is wrong with the settings.
    pub fn new(settings: &MailSettings) -> Result<Self, String> {
        let from = settings.from.parse::<Mailbox>();
        let from = from.map_err(|error| format!("`{}` is no sender: {error}", settings.from))?;
        let is_here = matches!(settings.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        let tls = match settings.tls {
            MailTls::StartTls => Tls::Required(parameters(settings)?),
            MailTls::Always => Tls::Wrapper(parameters(settings)?),
            MailTls::Never if is_here => Tls::None,
            MailTls::Never => {
                return Err("only a server on this machine is spoken to without TLS".to_owned());
            }
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.as_str())
            .port(settings.port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some((user, password)) = &settings.user {
            builder =
                builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self { transport: builder.build(), from })
    }

    /// Sends a text. The same `id` is the same message, should it arrive twice.
    pub(super) async fn send(
        &self,
        to: &str,
        written: &Written,
        id: &str,
        at: Timestamp,
    ) -> Result<(), NotSent> {
        let to: Address = to.parse().map_err(|error| {
            let why = format!("the address is none: {error}");
            NotSent { is_final: true, why }
        })?;
        let milliseconds = u64::try_from(at.as_milliseconds()).unwrap_or_default();
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(written.subject.as_str())
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds))
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(Automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(written.text.clone())
            .map_err(|error| NotSent { is_final: false, why: error.to_string() })?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let said = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                Err(NotSent {
                    is_final: error.is_permanent() && is_about_mailbox(&said),
                    why: error.to_string(),
                })
            }
        }
    }
}

/// Whether a reply blames the mailbox of the person alone. A code of three digits does not: 5xx is also how a server refuses
/// our password or our sender, and both can be put right without anybody's news being lost. So are 5.1.0, 5.1.7 and 5.1.8
/// (the sender's address) and the rest of 5.2 (a full mailbox, a quota, who may send).
fn is_about_mailbox(said: &str) -> bool {
    const CODES: [&str; 6] = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"];
    said.split_whitespace().next().is_some_and(|code| CODES.contains(&code))
}

fn parameters(settings: &MailSettings) -> Result<TlsParameters, String> {
    let mut builder =
        TlsParameters::builder(settings.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
    if let Some(pem) = &settings.authorities {
        let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|error| error.to_string())?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| error.to_string())
}

/// `Auto-Submitted` (RFC 3834): nobody's absence note answers it.
#[derive(Clone)]
struct Automatic;

impl Header for Automatic {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
