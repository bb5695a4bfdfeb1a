//! What stands in front of the service: allowed networks and HTTP Basic. They answer pages, not JSON.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::AUTHORIZATION;

use crate::http::{Answer, Request, is_certified_host};
use crate::model::{BasicGate, Tenant};

/// The page that refuses the request, if a gate does. From an allowed network no user name is asked for; from
/// elsewhere the Basic gate is the way in, if there is one, and a client certificate of a user always is.
pub(crate) fn refuse_at_gate(
    tenant: &Tenant,
    request: &Request,
    certified_user: Option<&str>,
) -> Option<Answer> {
    if certified_user.is_some() {
        return None;
    }
    if request.host().is_some_and(|host| is_certified_host(&host)) {
        return Some(Answer::html(
            StatusCode::FORBIDDEN,
            "403 Forbidden",
            "This address asks for a client certificate of a user of this site.",
        ));
    }
    let restricted = !tenant.allowed_networks.is_empty();
    if restricted && tenant.allowed_networks.iter().any(|network| contains(network, request.peer.ip())) {
        return None;
    }
    match &tenant.basic_gate {
        Some(gate) => (!opens(gate, request)).then(Answer::basic_gate),
        None if restricted => Some(Answer::html(
            StatusCode::FORBIDDEN,
            "403 Forbidden",
            "Access from your network is not allowed. Ask the administrator to allow its address.",
        )),
        None => None,
    }
}

/// Whether a request carries the user name and password of a gate.
pub(crate) fn opens(gate: &BasicGate, request: &Request) -> bool {
    let expected = STANDARD.encode(format!("{}:{}", gate.username, gate.password));
    let given = request.header(AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
    given.is_some_and(|(scheme, value)| scheme.eq_ignore_ascii_case("basic") && value.trim() == expected)
}

/// Whether a network in CIDR form, or a single address, contains an address.
fn contains(network: &str, address: IpAddr) -> bool {
    let (base, length) = network.split_once('/').unwrap_or((network, ""));
    let Ok(base) = base.parse::<IpAddr>() else { return false };
    let (base, address, width) = match (base, address.to_canonical()) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            (u128::from(base.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => (base.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let length: u32 = if length.is_empty() { width } else { length.parse().unwrap_or(width) };
    let shift = width - length.min(width);
    (base ^ address).checked_shr(shift).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_their_addresses() {
        for (network, address, expected) in [
            ("127.0.0.0/8", "127.1.2.3", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("10.0.0.0/8", "127.0.0.1", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("::/0", "::1", true),
            ("::1/128", "::2", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("nonsense", "127.0.0.1", false),
        ] {
            assert_eq!(contains(network, address.parse().unwrap()), expected, "{network} {address}");
        }
    }
}
