//! Of all that a file holds: one key, the certificate that belongs to it, and the way up to an authority.

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::X509Certificate;

use super::{CertificateFacts, CertificateFault, ClientCertificate, Contents, Key};

/// Longest chain; longer ones are cut, and the server says what it misses.
const CHAIN_MAX: usize = 10;

/// A key with the certificate that belongs to it.
struct Pair {
    alias: Option<String>,
    key: Key,
    certificate: Vec<u8>,
    facts: Facts,
}

/// What matters of a certificate.
#[derive(Clone)]
struct Facts {
    subject: String,
    common_name: Option<String>,
    not_before: i64,
    not_after: i64,
}

/// Picks the pair that is meant, and refuses one that is not valid at `now`.
pub(super) fn choose(
    contents: Contents,
    wanted: &str,
    now: i64,
) -> Result<(ClientCertificate, CertificateFacts), CertificateFault> {
    let Contents { keys, certificates } = contents;
    if keys.is_empty() {
        return Err(CertificateFault::NoKey);
    }
    if certificates.is_empty() {
        return Err(CertificateFault::NoCertificate);
    }
    let pairs = pairs(keys, &certificates)?;
    let pair = pick(pairs, wanted.trim())?;
    let Facts { subject, not_before, not_after, .. } = pair.facts;
    if now > not_after {
        return Err(CertificateFault::Expired { subject, not_after });
    }
    if now < not_before {
        return Err(CertificateFault::NotYetValid { subject, not_before });
    }
    let chain = chain(pair.certificate, &certificates);
    if !is_usable(&chain, &pair.key) {
        return Err(CertificateFault::UnsupportedCertificate);
    }
    Ok((ClientCertificate { chain, key: pair.key }, CertificateFacts { subject, not_after }))
}

/// Whether the library that shows the certificate in the handshake takes it.
fn is_usable(chain: &[Vec<u8>], key: &Key) -> bool {
    let Ok(key) = any_supported_type(&key.to_tls()) else { return false };
    let chain = chain.iter().cloned().map(CertificateDer::from).collect();
    CertifiedKey::new(chain, key).keys_match().is_ok()
}

fn pairs(keys: Vec<(Option<String>, Key)>, certificates: &[Vec<u8>]) -> Result<Vec<Pair>, CertificateFault> {
    let mut pairs = Vec::new();
    let mut usable = false;
    for (alias, key) in keys {
        let Ok(signing) = any_supported_type(&key.to_tls()) else { continue };
        usable = true;
        let Some(public) = signing.public_key() else { continue };
        let owned = certificates.iter().find_map(|der| {
            let (_, parsed) = parse_x509_certificate(der).ok()?;
            let belongs = parsed.public_key().raw == public.as_ref();
            belongs.then(|| (der.clone(), facts(&parsed)))
        });
        if let Some((certificate, facts)) = owned {
            pairs.push(Pair { alias, key, certificate, facts });
        }
    }
    match (pairs.is_empty(), usable) {
        (false, _) => Ok(pairs),
        (true, true) => Err(CertificateFault::KeyOfAnother),
        (true, false) => Err(CertificateFault::UnsupportedKey),
    }
}

fn facts(certificate: &X509Certificate<'_>) -> Facts {
    let common_name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let validity = certificate.validity();
    Facts {
        subject: certificate.subject().to_string(),
        common_name: common_name.map(str::to_owned),
        not_before: validity.not_before.timestamp(),
        not_after: validity.not_after.timestamp(),
    }
}

fn pick(mut pairs: Vec<Pair>, wanted: &str) -> Result<Pair, CertificateFault> {
    let subjects = || pairs.iter().map(|pair| pair.facts.subject.clone()).collect::<Vec<_>>();
    let is_meant = |pair: &Pair| match wanted {
        "" | "*" => true,
        wanted => {
            same_name(&pair.facts.subject, wanted)
                || pair.facts.common_name.as_deref().is_some_and(|name| same_name(name, wanted))
                || pair.alias.as_deref().is_some_and(|alias| same_name(alias, wanted))
        }
    };
    let fitting: Vec<usize> =
        pairs.iter().enumerate().filter(|(_, pair)| is_meant(pair)).map(|(position, _)| position).collect();
    match fitting.as_slice() {
        [only] => Ok(pairs.swap_remove(*only)),
        [first, ..] if wanted == "*" => Ok(pairs.swap_remove(*first)),
        [] => Err(CertificateFault::UnknownSubject { subjects: subjects() }),
        _ => Err(CertificateFault::SeveralKeys { subjects: subjects() }),
    }
}

/// Names are compared without regard to case and to blanks around `,` and `=`.
fn same_name(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        let parts = text.split(',').map(|part| part.split('=').map(str::trim).collect::<Vec<_>>().join("="));
        parts.map(|part| part.trim().to_lowercase()).collect::<Vec<_>>().join(",")
    };
    plain(one) == plain(other)
}

/// The certificate and its issuers as far as the file has them. An authority that vouches for itself is left out: whoever
/// does not know it already will not trust it because we send it.
fn chain(certificate: Vec<u8>, certificates: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut chain = vec![certificate];
    while chain.len() < CHAIN_MAX {
        let last = chain.last().and_then(|der| parse_x509_certificate(der).ok());
        let Some((_, last)) = last else { break };
        let issuer = certificates.iter().find(|der| {
            let parsed = parse_x509_certificate(der).ok();
            parsed.is_some_and(|(_, other)| {
                other.subject().as_raw() == last.issuer().as_raw()
                    && other.issuer().as_raw() != other.subject().as_raw()
            })
        });
        match issuer {
            Some(issuer) if !chain.contains(issuer) => {
                let issuer = issuer.clone();
                chain.push(issuer);
            }
            _ => break,
        }
    }
    chain
}
