use thiserror::Error;

/// Why an address that somebody typed is not an origin that we send to.
///
/// The sentences never repeat the text itself, except for the part that is named:
/// a pasted URL may carry a password or a token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing, or nothing that a URL parser accepts.
    #[error("this is not a URL ({reason}); write it like https://example.cybozu.com")]
    NotAUrl {
        /// The parser's own words.
        reason: String,
    },
    /// A line break, tab, NUL, blank or other character that a URL cannot hold.
    #[error("the URL holds a blank, line break, backslash or control character; remove it")]
    ForbiddenCharacter,
    /// `http://` while the operator has not allowed it.
    #[error("the URL starts with http://, which sends the credentials unprotected; use https://")]
    PlainHttp,
    /// `ftp://`, `file://` and others.
    #[error("the URL must start with https://")]
    Scheme,
    /// `https://user:password@host`.
    #[error("the URL carries a user name or password before the host; put them into their own fields")]
    UserInformation,
    /// A port outside of the allow-list.
    #[error("port {port} is not allowed; use 443, or ask the operator to allow this port")]
    Port {
        /// The port that was asked for.
        port: u16,
    },
    /// No host at all.
    #[error("the URL has no host; write it like https://example.cybozu.com")]
    EmptyHost,
    /// `https://example.com./`.
    #[error("the host ends in a dot; remove the dot")]
    TrailingDot,
    /// A numeric address in any of its spellings.
    #[error("the host is an IP address; use the host name of the service")]
    IpLiteral,
    /// A host with non-ASCII characters.
    #[error("the host is not written in ASCII; if it is right, write it as {ascii}")]
    NotAscii {
        /// What the name becomes (UTS 46).
        ascii: String,
    },
    /// A percent-encoding, an empty or overlong label, or a spelling that the parser reads otherwise.
    #[error("the host is not a plain host name: {reason}")]
    Host {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A path, query or fragment where only the origin is wanted.
    #[error("only the scheme and the host are wanted here; remove everything after the host")]
    NotAnOrigin,
}

impl Refusal {
    /// A stable name for translations, metrics and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAUrl { .. } => "url_malformed",
            Self::ForbiddenCharacter => "url_forbidden_character",
            Self::PlainHttp => "url_plain_http",
            Self::Scheme => "url_scheme",
            Self::UserInformation => "url_user_information",
            Self::Port { .. } => "url_port",
            Self::EmptyHost => "url_empty_host",
            Self::TrailingDot => "url_trailing_dot",
            Self::IpLiteral => "url_ip_literal",
            Self::NotAscii { .. } => "url_not_ascii",
            Self::Host { .. } => "url_host",
            Self::NotAnOrigin => "url_not_an_origin",
        }
    }
}
