//! Turns the errors of sockets, TLS and HTTP into [`EgressError`]s.
//!
//! The only module that knows what the libraries' errors look like.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::body::BodyError;
use crate::error::{EgressError, EgressErrorKind as Kind};
use crate::origin::Origin;
use crate::resolve::ResolveError;

pub(crate) fn of_resolver(error: &ResolveError, origin: &Origin) -> EgressError {
    let host = origin.host();
    match error {
        ResolveError::NotFound => {
            EgressError::new(Kind::NameNotFound, format!("the host name {host} does not exist"))
        }
        ResolveError::Failed(text) => {
            EgressError::new(Kind::ResolverFailed, format!("the name {host} could not be looked up ({text})"))
        }
    }
}

pub(crate) fn of_connect(error: &io::Error, origin: &Origin) -> EgressError {
    let place = place(origin);
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            EgressError::new(Kind::ConnectionRefused, format!("{place} refused the connection"))
        }
        io::ErrorKind::TimedOut => {
            EgressError::new(Kind::ConnectTimedOut, format!("{place} did not accept a connection in time"))
        }
        _ => EgressError::new(Kind::Unreachable, format!("{place} cannot be reached ({error})")),
    }
}

pub(crate) fn of_handshake(error: &io::Error, origin: &Origin, with_identity: bool) -> EgressError {
    match tls_error_in(error) {
        Some(tls) => of_tls(tls, origin, with_identity),
        None => EgressError::new(
            Kind::TlsClosed,
            format!("{} closed the connection during the TLS handshake", place(origin)),
        ),
    }
}

/// An error between sending the request and the head of the answer.
pub(crate) fn of_head(error: &hyper::Error, origin: &Origin, with_identity: bool) -> EgressError {
    if let Some(body) = find::<BodyError>(error) {
        return EgressError::new(Kind::RequestBodyFailed, body.to_string());
    }
    if let Some(tls) = tls_error_in(error) {
        return of_tls(tls, origin, with_identity);
    }
    let place = place(origin);
    if error.is_parse_too_large() {
        EgressError::new(Kind::HeadTooLarge, format!("{place} answered with a head that is too large"))
    } else if error.is_parse() {
        EgressError::new(Kind::MalformedAnswer, format!("{place} answered with something that is not HTTP"))
    } else if error.is_canceled() {
        // Servers for mail and files speak first, and a request cannot be sent to one that already did.
        EgressError::new(
            Kind::ClosedBeforeHead,
            format!("{place} ended the connection before it took the request, as what is no web server does"),
        )
    } else {
        EgressError::new(Kind::ClosedBeforeHead, format!("{place} closed the connection without an answer"))
    }
}

/// An error while the body of the answer was coming in.
pub(crate) fn of_body(error: &hyper::Error, origin: &Origin) -> EgressError {
    if let Some(body) = find::<BodyError>(error) {
        return EgressError::new(Kind::RequestBodyFailed, body.to_string());
    }
    let place = place(origin);
    let malformed = find::<io::Error>(error).is_some_and(|error| {
        matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
    });
    if malformed || error.is_parse() {
        EgressError::new(Kind::MalformedAnswer, format!("{place} sent a body that is not framed as HTTP"))
    } else {
        EgressError::new(
            Kind::BodyReset,
            format!("{place} closed the connection in the middle of the answer"),
        )
    }
}

/// Host and port as every message names them.
pub(crate) fn place(origin: &Origin) -> String {
    format!("{}:{}", origin.bracketed_host(), origin.port())
}

fn of_tls(error: &rustls::Error, origin: &Origin, with_identity: bool) -> EgressError {
    let place = place(origin);
    let (kind, what) = match error {
        rustls::Error::InvalidCertificate(certificate) => {
            (of_certificate(certificate), format!("the certificate of {place} is not valid: {certificate}"))
        }
        rustls::Error::AlertReceived(alert) => of_alert(*alert, &place, with_identity),
        rustls::Error::PeerIncompatible(_) => {
            (Kind::TlsVersion, format!("{place} has no TLS version or cipher in common with us ({error})"))
        }
        rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => (Kind::TlsNotSpoken, format!("{place} does not speak TLS")),
        other => (Kind::TlsFailed, format!("the TLS handshake with {place} failed ({other})")),
    };
    EgressError::new(kind, what)
}

fn of_certificate(error: &CertificateError) -> Kind {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Kind::TlsUnknownAuthority,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Kind::TlsNameMismatch
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Kind::TlsExpired,
        // A self-signed authority that stands as the server's own certificate arrives here.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            Kind::TlsUnknownAuthority
        }
        _ => Kind::TlsCertificateInvalid,
    }
}

fn of_alert(alert: AlertDescription, place: &str, with_identity: bool) -> (Kind, String) {
    let about_our_certificate = matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
    );
    if alert == AlertDescription::CertificateRequired || (about_our_certificate && !with_identity) {
        (Kind::TlsCertificateRequired, format!("{place} asks for a client certificate"))
    } else if about_our_certificate {
        let what = format!("{place} does not accept the client certificate (TLS alert {alert:?})");
        (Kind::TlsClientCertificateRefused, what)
    } else if alert == AlertDescription::ProtocolVersion {
        (Kind::TlsVersion, format!("{place} speaks neither TLS 1.2 nor 1.3"))
    } else {
        (Kind::TlsAlert, format!("{place} ended the TLS handshake with the alert {alert:?}"))
    }
}

fn tls_error_in<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    find(error)
}

/// The first error of type `E` in the chain of causes, looking inside of I/O errors too.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // `source()` of an I/O error skips the error that it wraps.
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inside {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    None
}
