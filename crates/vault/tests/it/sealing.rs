use std::collections::HashSet;

use tombolo_vault::testing::SeededRandom;
use tombolo_vault::{
    Binding, BoundHost, DataKey, EnvelopeError, HostRole, HostSet, OpenError, Sealed, SystemRandom,
};

const SECRET: &[u8] = b"marker-vault-secret-7261";

fn hosts(names: &[&str]) -> HostSet {
    names.iter().map(|name| BoundHost::new(HostRole::Api, name, 443).expect("a literal host")).collect()
}

fn binding(hosts: &HostSet) -> Binding<'_> {
    Binding { environment: "env_1", object: "con_1", column: "credentials", record_version: 7, hosts }
}

fn key(seed: u64) -> DataKey {
    DataKey::generate("env_1", 3, &SeededRandom::new(seed)).expect("seeded bytes never fail")
}

#[test]
fn round_trip() {
    let hosts = hosts(&["acme.cybozu.com", "acme.s.cybozu.com"]);
    let key = key(1);
    for length in [0, 1, 15, 16, 17, 4096] {
        let secret = vec![b'x'; length];
        let sealed = key.seal(&binding(&hosts), &secret, &SystemRandom).unwrap();
        let stored = Sealed::from_bytes(sealed.as_bytes().to_vec()).unwrap();

        assert_eq!(key.open(&binding(&hosts), &stored).unwrap().as_slice(), secret);
        assert_eq!((stored.data_key_id(), stored.data_key_version()), (key.id(), 3));
    }
}

#[test]
fn no_part_of_the_secret_shows() {
    let hosts = hosts(&["acme.cybozu.com"]);
    let sealed = key(1).seal(&binding(&hosts), SECRET, &SystemRandom).unwrap();

    assert!(!sealed.as_bytes().windows(4).any(|window| SECRET.windows(4).any(|part| part == window)));
    assert_eq!(format!("{sealed:?}"), format!("Sealed(key {} version 3)", key(1).id()));
}

#[test]
fn every_flipped_bit_is_detected() {
    let hosts = hosts(&["acme.cybozu.com"]);
    let key = key(1);
    let sealed = key.seal(&binding(&hosts), SECRET, &SystemRandom).unwrap();
    for at in 0..sealed.as_bytes().len() * 8 {
        let mut bytes = sealed.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        let opened = Sealed::from_bytes(bytes).and_then(|sealed| key.open(&binding(&hosts), &sealed));
        match (at / 8, opened) {
            (0 | 1, Err(OpenError::Envelope(EnvelopeError::UnknownFormat { .. })))
            | (2..10, Err(OpenError::WrongKey { .. }))
            | (10.., Err(OpenError::NotAuthentic)) => {}
            (byte, other) => panic!("bit {at} in byte {byte}: {:?}", other.map(|_| "opened")),
        }
    }
}

#[test]
fn every_truncation_is_detected() {
    let hosts = hosts(&["acme.cybozu.com"]);
    let key = key(1);
    let sealed = key.seal(&binding(&hosts), SECRET, &SystemRandom).unwrap();
    for length in 0..sealed.as_bytes().len() {
        let opened = Sealed::from_bytes(sealed.as_bytes()[..length].to_vec())
            .and_then(|sealed| key.open(&binding(&hosts), &sealed));
        let expected = if length < 42 {
            OpenError::Envelope(EnvelopeError::Truncated { length })
        } else {
            OpenError::NotAuthentic
        };
        assert_eq!(opened.unwrap_err(), expected, "cut to {length} bytes");
    }
}

#[test]
fn no_two_bindings_can_be_swapped() {
    let (one, two) = (hosts(&["acme.cybozu.com"]), hosts(&["evil.example"]));
    let both = hosts(&["acme.cybozu.com", "evil.example"]);
    let other_port: HostSet =
        [BoundHost::new(HostRole::Api, "acme.cybozu.com", 8443).unwrap()].into_iter().collect();
    let token: HostSet =
        [BoundHost::new(HostRole::TokenEndpoint, "acme.cybozu.com", 443).unwrap()].into_iter().collect();
    let base = binding(&one);
    let bindings = [
        base,
        Binding { environment: "env_2", ..base },
        Binding { object: "con_2", ..base },
        Binding { column: "client_secret", ..base },
        Binding { record_version: 6, ..base },
        Binding { hosts: &two, ..base },
        Binding { hosts: &both, ..base },
        Binding { hosts: &other_port, ..base },
        Binding { hosts: &token, ..base },
    ];
    let key = key(1);
    for sealed_for in &bindings {
        let sealed = key.seal(sealed_for, SECRET, &SystemRandom).unwrap();
        for opened_for in &bindings {
            let opened = key.open(opened_for, &sealed);
            if sealed_for == opened_for {
                assert_eq!(opened.unwrap().as_slice(), SECRET);
            } else {
                assert_eq!(opened.unwrap_err(), OpenError::NotAuthentic, "{sealed_for:?} as {opened_for:?}");
            }
        }
    }
}

#[test]
fn another_key_is_named() {
    let hosts = hosts(&["acme.cybozu.com"]);
    let (right, wrong) = (key(1), key(2));
    let sealed = right.seal(&binding(&hosts), SECRET, &SystemRandom).unwrap();

    let expected = OpenError::WrongKey { needed: right.id(), supplied: wrong.id(), version: 3 };
    assert_eq!(wrong.open(&binding(&hosts), &sealed).unwrap_err(), expected);
}

#[test]
fn nonces_do_not_repeat() {
    let hosts = hosts(&[]);
    let key = key(1);
    let mut nonces = HashSet::new();
    for _ in 0..100_000 {
        let sealed = key.seal(&binding(&hosts), b"x", &SystemRandom).unwrap();
        assert!(nonces.insert(sealed.as_bytes()[14..26].to_vec()), "a nonce came twice");
    }
}

/// Bytes made by the first version of the format must open for ever.
#[test]
fn stored_bytes_of_version_one_open() {
    let stored = concat!(
        "0101077803697c02a8c6000000031df0cb55fc273df82d7466cb0a1e8669e53d55a30c043adc5c35",
        "12e375549a16f3f03b48b1da407fae0ff6c599cf4c5cdf3c9b2d"
    );
    let bytes = (0..stored.len()).step_by(2).map(|at| u8::from_str_radix(&stored[at..at + 2], 16).unwrap());
    let sealed = Sealed::from_bytes(bytes.collect()).unwrap();
    let hosts = hosts(&["acme.cybozu.com"]);

    assert_eq!(key(1).open(&binding(&hosts), &sealed).unwrap().as_slice(), SECRET);
}
