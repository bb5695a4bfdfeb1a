use std::fmt;

/// Why a request had no usable answer.
///
/// The text says what happened and what to do. It names hosts and certificates, never credentials,
/// header values, paths or query strings.
pub struct EgressError(Box<Details>);

struct Details {
    kind: EgressErrorKind,
    side: Side,
    what: String,
}

/// Where the cause lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// What the caller typed or sent.
    Caller,
    /// This server, its settings or its network.
    Operator,
    /// The network between this server and the upstream.
    Network,
    /// The proxy server on the way.
    Proxy,
    /// The upstream service.
    Upstream,
}

/// Whether the same request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// It would fail again.
    Never,
    /// The trouble may pass, and nothing of the request was sent.
    Safe,
    /// The trouble may pass, but the upstream may have acted on the request already.
    IfIdempotent,
}

/// What happened. The set grows, so match with a wildcard arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EgressErrorKind {
    /// The host name does not exist.
    NameNotFound,
    /// The resolver gave no answer.
    ResolverFailed,
    /// The guard refused an address of the host.
    AddressRefused,
    /// Nothing listens on the port.
    ConnectionRefused,
    /// No TCP connection in time.
    ConnectTimedOut,
    /// No route to the host, or another failure of the network.
    Unreachable,
    /// The proxy server wants other credentials (407).
    ProxyAuthentication,
    /// The proxy server refused to open the tunnel.
    ProxyRefused,
    /// The proxy server broke off or does not speak HTTP.
    ProxyFailed,
    /// The certificate comes from an authority that is not trusted.
    TlsUnknownAuthority,
    /// The certificate is for other names.
    TlsNameMismatch,
    /// The certificate has expired or is not valid yet.
    TlsExpired,
    /// The certificate is unusable in another way.
    TlsCertificateInvalid,
    /// Neither TLS 1.2 nor 1.3 is spoken.
    TlsVersion,
    /// The port does not speak TLS at all.
    TlsNotSpoken,
    /// A client certificate is needed, and none was given.
    TlsCertificateRequired,
    /// The client certificate that was given is not accepted.
    TlsClientCertificateRefused,
    /// The upstream ended the handshake with another alert.
    TlsAlert,
    /// The connection was closed during the handshake.
    TlsClosed,
    /// The handshake took too long.
    TlsTimedOut,
    /// The handshake failed in another way.
    TlsFailed,
    /// The request cannot be written as HTTP/1.1 to this route.
    InvalidRequest,
    /// The body of the request broke off.
    RequestBodyFailed,
    /// The connection was closed before an answer began.
    ClosedBeforeHead,
    /// No answer began in time.
    HeadTimedOut,
    /// The head of the answer is too large.
    HeadTooLarge,
    /// The answer is not HTTP/1.1.
    MalformedAnswer,
    /// The body stopped coming.
    BodyTimedOut,
    /// The connection was closed in the middle of the body.
    BodyReset,
    /// The body is larger than the caller wants to hold.
    BodyTooLarge,
}

impl EgressError {
    pub(crate) fn new(kind: EgressErrorKind, what: String) -> Self {
        Self(Box::new(Details { kind, side: kind.side(), what }))
    }

    /// The same trouble on the way to the proxy server instead of the upstream.
    pub(crate) fn at_proxy(mut self) -> Self {
        if matches!(self.0.side, Side::Upstream | Side::Network) {
            self.0.side = Side::Proxy;
        }
        self
    }

    /// What happened, for code.
    pub fn kind(&self) -> EgressErrorKind {
        self.0.kind
    }

    /// Whose side the cause is on.
    pub fn side(&self) -> Side {
        self.0.side
    }

    /// Whether the same request may be sent again.
    pub fn may_retry(&self) -> Retry {
        self.0.kind.may_retry()
    }

    /// What happened, as a clause without a full stop.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// What to do about it, as a clause without a full stop.
    pub fn fix(&self) -> &'static str {
        self.0.kind.fix()
    }
}

impl EgressErrorKind {
    /// A stable name for translations, metrics and logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NameNotFound => "name_not_found",
            Self::ResolverFailed => "resolver_failed",
            Self::AddressRefused => "address_refused",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectTimedOut => "connect_timed_out",
            Self::Unreachable => "unreachable",
            Self::ProxyAuthentication => "proxy_authentication",
            Self::ProxyRefused => "proxy_refused",
            Self::ProxyFailed => "proxy_failed",
            Self::TlsUnknownAuthority => "tls_unknown_authority",
            Self::TlsNameMismatch => "tls_name_mismatch",
            Self::TlsExpired => "tls_expired",
            Self::TlsCertificateInvalid => "tls_certificate_invalid",
            Self::TlsVersion => "tls_version",
            Self::TlsNotSpoken => "tls_not_spoken",
            Self::TlsCertificateRequired => "tls_certificate_required",
            Self::TlsClientCertificateRefused => "tls_client_certificate_refused",
            Self::TlsAlert => "tls_alert",
            Self::TlsClosed => "tls_closed",
            Self::TlsTimedOut => "tls_timed_out",
            Self::TlsFailed => "tls_failed",
            Self::InvalidRequest => "invalid_request",
            Self::RequestBodyFailed => "request_body_failed",
            Self::ClosedBeforeHead => "closed_before_head",
            Self::HeadTimedOut => "head_timed_out",
            Self::HeadTooLarge => "head_too_large",
            Self::MalformedAnswer => "malformed_answer",
            Self::BodyTimedOut => "body_timed_out",
            Self::BodyReset => "body_reset",
            Self::BodyTooLarge => "body_too_large",
        }
    }

    fn side(self) -> Side {
        match self {
            Self::NameNotFound
            | Self::AddressRefused
            | Self::TlsCertificateRequired
            | Self::TlsClientCertificateRefused
            | Self::InvalidRequest
            | Self::RequestBodyFailed
            | Self::BodyTooLarge => Side::Caller,
            Self::ResolverFailed => Side::Operator,
            Self::ConnectTimedOut | Self::Unreachable => Side::Network,
            Self::ProxyAuthentication | Self::ProxyRefused | Self::ProxyFailed => Side::Proxy,
            _ => Side::Upstream,
        }
    }

    fn may_retry(self) -> Retry {
        match self {
            Self::ResolverFailed
            | Self::ConnectionRefused
            | Self::ConnectTimedOut
            | Self::Unreachable
            | Self::ProxyFailed
            | Self::TlsClosed
            | Self::TlsTimedOut => Retry::Safe,
            Self::ClosedBeforeHead | Self::HeadTimedOut | Self::BodyTimedOut | Self::BodyReset => {
                Retry::IfIdempotent
            }
            _ => Retry::Never,
        }
    }

    fn fix(self) -> &'static str {
        match self {
            Self::NameNotFound => "check the spelling of the host name",
            Self::ResolverFailed => {
                "check the name servers of the machine that runs this server, then try again"
            }
            Self::AddressRefused => {
                "use a host on the public internet, or ask the operator to add its network to the allowed networks"
            }
            Self::ConnectionRefused => "check the host and port, and that the service is running",
            Self::ConnectTimedOut => "check that a firewall lets this server out to that host and port",
            Self::Unreachable => "check the network of this server",
            Self::ProxyAuthentication => "check the user name and password of the proxy server",
            Self::ProxyRefused => "ask whoever runs the proxy server to allow this host",
            Self::ProxyFailed => "check the address of the proxy server",
            Self::TlsUnknownAuthority => {
                "add the certificate of the authority if the service has a private one; otherwise somebody may be listening in"
            }
            Self::TlsNameMismatch => {
                "check the host name; the service presents a certificate for another one"
            }
            Self::TlsExpired => {
                "tell whoever runs the service to renew it, and check the clock of this server"
            }
            Self::TlsCertificateInvalid => "tell whoever runs the service that its certificate is unusable",
            Self::TlsVersion => "the service must offer TLS 1.2 or 1.3",
            Self::TlsNotSpoken => "check the port; it does not speak https",
            Self::TlsCertificateRequired => "add the client certificate that the service asks for",
            Self::TlsClientCertificateRefused => {
                "check that the client certificate is the right one and has neither expired nor been revoked"
            }
            Self::TlsAlert | Self::TlsFailed => "ask whoever runs the service, with this text",
            Self::TlsClosed => "check the host and port; the service may refuse the address of this server",
            Self::TlsTimedOut | Self::HeadTimedOut | Self::BodyTimedOut => {
                "try again later, or raise the time-out"
            }
            Self::InvalidRequest => "correct the request",
            Self::RequestBodyFailed => "send the request again",
            Self::ClosedBeforeHead | Self::BodyReset => "try again if the request may be repeated",
            Self::HeadTooLarge | Self::MalformedAnswer => {
                "check that host and port belong to the service; the answer is not one of a web server"
            }
            Self::BodyTooLarge => "ask for less at once, or raise the limit",
        }
    }
}

impl fmt::Display for EgressError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}; {}", self.what(), self.fix())
    }
}

impl fmt::Debug for EgressError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EgressError")
            .field("kind", &self.0.kind)
            .field("side", &self.0.side)
            .field("what", &self.0.what)
            .finish()
    }
}

impl std::error::Error for EgressError {}
