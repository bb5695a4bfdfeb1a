use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::LazyLock;

/// Whether an address belongs to this machine, however public it is: services that listen on every interface
/// often trust whoever comes from there.
///
/// Only an address of one's own can be bound to, and asking the kernel needs neither a list of interfaces nor
/// its upkeep. Sends nothing.
pub(crate) fn is_own_address(address: IpAddr) -> bool {
    *BIND_IS_TELLING && can_bind(address)
}

/// Systems that are set up to bind to foreign addresses (`ip_nonlocal_bind`, routes of type `local`) would make
/// every address look like an own one. The documentation networks are nobody's.
static BIND_IS_TELLING: LazyLock<bool> = LazyLock::new(|| {
    let nobodys = [
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    ];
    !nobodys.into_iter().any(can_bind)
});

fn can_bind(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_own_address;

    #[test]
    fn loopback_is_ours_and_foreign_addresses_are_not() {
        assert!(is_own_address("127.0.0.1".parse().unwrap()));
        for foreign in ["13.114.40.48", "142.250.196.142", "2606:4700::6812:1b77"] {
            assert!(!is_own_address(foreign.parse().unwrap()), "{foreign}");
        }
    }
}
