use tombolo_vault::testing::SeededRandom;
use tombolo_vault::{
    DataKey, KeyCheck, KeyCheckError, KeyRing, MasterKey, SystemRandom, UnwrapError, WrappedDataKey,
};

fn master(seed: u64) -> MasterKey {
    MasterKey::generate(&SeededRandom::new(seed)).expect("seeded bytes never fail")
}

#[test]
fn a_data_key_unwraps_with_the_key_that_wrapped_it() {
    let data_key = DataKey::generate("env_1", 2, &SystemRandom).unwrap();
    let wrapped = data_key.wrap(&master(1), &SystemRandom).unwrap();
    let stored = WrappedDataKey::from_bytes(wrapped.as_bytes().to_vec()).unwrap();
    assert_eq!((stored.version(), stored.master_key_id()), (2, master(1).id()));

    let rings = [KeyRing::new(master(1)), KeyRing::new(master(2)).with_older(master(1))];
    for ring in rings {
        let again = ring.unwrap_data_key(&stored, "env_1").unwrap();
        assert_eq!((again.id(), again.version()), (data_key.id(), 2));
    }
}

#[test]
fn wrong_master_key_environment_or_bytes_are_refused() {
    let data_key = DataKey::generate("env_1", 2, &SystemRandom).unwrap();
    let wrapped = data_key.wrap(&master(1), &SystemRandom).unwrap();
    let ring = KeyRing::new(master(1));

    let foreign = KeyRing::new(master(2)).unwrap_data_key(&wrapped, "env_1").unwrap_err();
    assert!(matches!(foreign, UnwrapError::UnknownMasterKey { needed, .. } if needed == master(1).id()));
    assert_eq!(ring.unwrap_data_key(&wrapped, "env_2").unwrap_err(), UnwrapError::NotAuthentic);

    for at in 0..wrapped.as_bytes().len() * 8 {
        let mut bytes = wrapped.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        let unwrapped =
            WrappedDataKey::from_bytes(bytes).and_then(|wrapped| ring.unwrap_data_key(&wrapped, "env_1"));
        assert!(unwrapped.is_err(), "bit {at} was not noticed");
    }
    for length in 0..wrapped.as_bytes().len() {
        let cut = WrappedDataKey::from_bytes(wrapped.as_bytes()[..length].to_vec());
        let unwrapped = cut.and_then(|wrapped| ring.unwrap_data_key(&wrapped, "env_1"));
        assert!(unwrapped.is_err(), "cut to {length} bytes");
    }
}

#[test]
fn the_key_check_knows_its_key_and_its_installation() {
    let check = KeyCheck::create(&master(1), "instance", &SystemRandom).unwrap();
    let check = KeyCheck::from_bytes(check.as_bytes().to_vec());

    assert_eq!(check.verify(&KeyRing::new(master(1)), "instance"), Ok(()));
    assert_eq!(check.verify(&KeyRing::new(master(2)).with_older(master(1)), "instance"), Ok(()));
    let wrong = KeyCheckError::WrongMasterKey { needed: master(1).id(), supplied: master(2).id() };
    assert_eq!(check.verify(&KeyRing::new(master(2)), "instance"), Err(wrong));
    assert_eq!(check.verify(&KeyRing::new(master(1)), "another"), Err(KeyCheckError::Damaged));
    for length in 0..check.as_bytes().len() {
        let cut = KeyCheck::from_bytes(check.as_bytes()[..length].to_vec());
        assert_eq!(cut.verify(&KeyRing::new(master(1)), "instance"), Err(KeyCheckError::Damaged));
    }
}
