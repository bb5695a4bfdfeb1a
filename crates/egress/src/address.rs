use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use thiserror::Error;

/// Which addresses may be connected to: the global ones, and the networks that the operator allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    allowed_networks: Vec<IpNet>,
}

/// An address that the policy does not let through.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{address} is {class}")]
pub struct RefusedAddress {
    /// The address itself.
    pub address: IpAddr,
    /// What kind of address it is.
    pub class: AddressClass,
}

/// Kinds of addresses that are not global (IANA special-purpose registries, RFC 6890).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressClass {
    /// `0.0.0.0/8` and `::`.
    Unspecified,
    /// `127.0.0.0/8` and `::1`.
    Loopback,
    /// RFC 1918.
    Private,
    /// `100.64.0.0/10` (RFC 6598).
    CarrierShared,
    /// `169.254.0.0/16` and `fe80::/10`: cloud metadata lives here.
    LinkLocal,
    /// `fc00::/7`.
    UniqueLocal,
    /// `fec0::/10`, deprecated but still routed by some.
    SiteLocal,
    /// `224.0.0.0/4` and `ff00::/8`.
    Multicast,
    /// `255.255.255.255`.
    Broadcast,
    /// Addresses for documents.
    Documentation,
    /// `198.18.0.0/15` and `2001:2::/48`.
    Benchmark,
    /// Reserved or set aside for protocols.
    Reserved,
    /// An IPv4 address written as an IPv6 one.
    EmbeddedIpv4,
    /// NAT64 around an IPv4 address that is itself refused, or with a local prefix.
    Nat64,
    /// `2002::/16`, which tunnels to any IPv4 address.
    SixToFour,
    /// `2001::/32`, which tunnels to any IPv4 address.
    Teredo,
    /// A global address that belongs to the machine this server runs on.
    OwnInterface,
}

impl AddressPolicy {
    /// Global addresses, and those inside of `allowed_networks`.
    pub fn new(allowed_networks: Vec<IpNet>) -> Self {
        Self { allowed_networks }
    }

    /// Says whether one address may be connected to.
    pub fn check(&self, address: IpAddr) -> Result<(), RefusedAddress> {
        if self.is_allowed_by_operator(address) {
            return Ok(());
        }
        match self.class(address) {
            None => Ok(()),
            Some(class) => Err(RefusedAddress { address, class }),
        }
    }

    /// Whether the operator named a network that holds the address.
    pub(crate) fn is_allowed_by_operator(&self, address: IpAddr) -> bool {
        self.allowed_networks.iter().any(|network| network.contains(&address))
    }

    fn class(&self, address: IpAddr) -> Option<AddressClass> {
        match address {
            IpAddr::V4(address) => ipv4_class(address),
            IpAddr::V6(address) => match nat64_embedded(address) {
                // Networks without IPv4 of their own reach the whole IPv4 world through this prefix.
                Some(embedded) => self.check(IpAddr::V4(embedded)).is_err().then_some(AddressClass::Nat64),
                None => ipv6_class(address),
            },
        }
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::CarrierShared => "a carrier's shared address",
            Self::LinkLocal => "a link-local address",
            Self::UniqueLocal => "a unique local address",
            Self::SiteLocal => "a site-local address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Documentation => "a documentation address",
            Self::Benchmark => "a benchmarking address",
            Self::Reserved => "a reserved address",
            Self::EmbeddedIpv4 => "an IPv4 address inside of an IPv6 one",
            Self::Nat64 => "a NAT64 address of a network that is not public",
            Self::SixToFour => "a 6to4 address",
            Self::Teredo => "a Teredo address",
            Self::OwnInterface => "an address of this machine",
        })
    }
}

fn ipv4_class(address: Ipv4Addr) -> Option<AddressClass> {
    let class = match address.octets() {
        [0, ..] => AddressClass::Unspecified,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressClass::Private,
        [100, 64..=127, ..] => AddressClass::CarrierShared,
        [127, ..] => AddressClass::Loopback,
        [169, 254, ..] => AddressClass::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => AddressClass::Documentation,
        [192, 88, 99, _] => AddressClass::SixToFour,
        [198, 18..=19, ..] => AddressClass::Benchmark,
        [224..=239, ..] => AddressClass::Multicast,
        [255, 255, 255, 255] => AddressClass::Broadcast,
        [192, 0, 0, _] | [240..=255, ..] => AddressClass::Reserved,
        _ => return None,
    };
    Some(class)
}

fn ipv6_class(address: Ipv6Addr) -> Option<AddressClass> {
    let class = match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressClass::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        // Compatible (RFC 4291 §2.5.5.1), mapped (§2.5.5.2) and translated (RFC 2765) forms.
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => AddressClass::EmbeddedIpv4,
        [0x64, 0xff9b, ..] => AddressClass::Nat64,
        [0x2001, 0, ..] => AddressClass::Teredo,
        [0x2001, 2, 0, ..] => AddressClass::Benchmark,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => AddressClass::Documentation,
        [0x2001, 0..=0x1ff, ..] => AddressClass::Reserved,
        [0x2002, ..] => AddressClass::SixToFour,
        [0xfc00..=0xfdff, ..] => AddressClass::UniqueLocal,
        [0xfe80..=0xfebf, ..] => AddressClass::LinkLocal,
        [0xfec0..=0xfeff, ..] => AddressClass::SiteLocal,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        // IANA has given out 2000::/3 only, so the rest is nobody's.
        [0x2000..=0x3fff, ..] => return None,
        _ => AddressClass::Reserved,
    };
    Some(class)
}

/// The IPv4 address behind the well-known NAT64 prefix `64:ff9b::/96` (RFC 6052 §2.1).
fn nat64_embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{AddressClass, AddressPolicy};

    fn class(address: &str) -> Option<AddressClass> {
        AddressPolicy::default().check(address.parse().unwrap()).err().map(|refused| refused.class)
    }

    #[test]
    fn every_special_network_is_refused_from_its_first_to_its_last_address() {
        use AddressClass as Class;
        let networks = [
            ("0.0.0.0", "0.255.255.255", Class::Unspecified),
            ("10.0.0.0", "10.255.255.255", Class::Private),
            ("100.64.0.0", "100.127.255.255", Class::CarrierShared),
            ("127.0.0.0", "127.255.255.255", Class::Loopback),
            ("169.254.0.0", "169.254.255.255", Class::LinkLocal),
            ("172.16.0.0", "172.31.255.255", Class::Private),
            ("192.0.0.0", "192.0.0.255", Class::Reserved),
            ("192.0.2.0", "192.0.2.255", Class::Documentation),
            ("192.88.99.0", "192.88.99.255", Class::SixToFour),
            ("192.168.0.0", "192.168.255.255", Class::Private),
            ("198.18.0.0", "198.19.255.255", Class::Benchmark),
            ("198.51.100.0", "198.51.100.255", Class::Documentation),
            ("203.0.113.0", "203.0.113.255", Class::Documentation),
            ("224.0.0.0", "239.255.255.255", Class::Multicast),
            ("240.0.0.0", "255.255.255.254", Class::Reserved),
            ("255.255.255.255", "255.255.255.255", Class::Broadcast),
            ("::", "::", Class::Unspecified),
            ("::1", "::1", Class::Loopback),
            ("::2", "::ffff:ffff", Class::EmbeddedIpv4),
            ("::ffff:0.0.0.0", "::ffff:255.255.255.255", Class::EmbeddedIpv4),
            ("::ffff:0:0.0.0.0", "::ffff:0:255.255.255.255", Class::EmbeddedIpv4),
            ("64:ff9b::10.0.0.0", "64:ff9b::10.255.255.255", Class::Nat64),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Class::Nat64),
            ("100::", "100::ffff:ffff:ffff:ffff", Class::Reserved),
            ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", Class::Teredo),
            ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", Class::Benchmark),
            ("2001:10::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Reserved),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Class::Documentation),
            ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::SixToFour),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Documentation),
            ("4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Reserved),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::UniqueLocal),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::LinkLocal),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::SiteLocal),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Multicast),
        ];
        for (first, last, expected) in networks {
            assert_eq!(class(first), Some(expected), "{first}");
            assert_eq!(class(last), Some(expected), "{last}");
        }
    }

    #[test]
    fn the_neighbours_of_special_networks_are_global() {
        let neighbours = [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "203.0.114.0",
            "223.255.255.255",
            "64:ff9b::8.8.8.8",
            "2000::",
            "2001:200::",
            "2001:db7:ffff::",
            "2001:db9::",
            "2003::",
            "3ffe::",
            "3fff:1000::",
        ];
        for address in neighbours {
            assert_eq!(class(address), None, "{address}");
        }
    }

    #[test]
    fn an_allowed_network_opens_itself_and_nothing_else() {
        let policy = AddressPolicy::new(vec!["10.1.0.0/16".parse().unwrap(), "fd00::/64".parse().unwrap()]);
        let passes = |address: &str| policy.check(address.parse().unwrap()).is_ok();
        assert!(passes("10.1.2.3") && passes("fd00::1") && passes("64:ff9b::10.1.2.3") && passes("8.8.8.8"));
        for address in ["10.2.0.1", "fd00:0:0:1::1", "::ffff:10.1.2.3", "::10.1.2.3", "127.0.0.1"] {
            assert!(!passes(address), "{address}");
        }
        let refused = policy.check("169.254.169.254".parse().unwrap()).unwrap_err();
        assert_eq!(refused.to_string(), "169.254.169.254 is a link-local address");
    }
}
