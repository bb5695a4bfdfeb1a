//! No secret is in the files of the database in any readable form.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tombolo_store::{Change, Location, NewApiKey};
use tombolo_vault::SystemRandom;

use crate::harness::{Engine, NOW, TestStore, master_key};

const MARKER: &str = "marker-store-canary-91c2";

#[tokio::test]
async fn secrets_are_nowhere_in_the_files() {
    use secrecy::ExposeSecret;

    let store = TestStore::new(Engine::Sqlite).await;
    let integration = store.add_integration("kintone").await;
    let mut new = store.new_connection(&integration, "visible-name");
    new.sealed = Some(store.seal(&new.id, 1, &new.target.hosts, MARKER));
    store.add(new, NOW).await;
    let environment = store.environment().clone();
    let (key, text) =
        NewApiKey::generate(environment, "CI".to_owned(), Vec::new(), None, NOW, &SystemRandom).unwrap();
    store.commit(&[Change::InsertApiKey(key)], NOW).await.unwrap();
    let master = master_key(1).to_key_file_text();

    let Location::Sqlite(files) = &store.location else { panic!("this is SQLite") };
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(files.file.parent().unwrap()).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let found = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);

    assert!(found(b"visible-name"), "the search finds what is there");
    let key_secret = &text.expose()["tmb_".len() + text.lookup().as_str().len() + 1..];
    let master_secret = master.expose_secret().split_once(':').unwrap().1;
    for secret in [MARKER, key_secret, master_secret] {
        // The middle third of the base64 text is the same wherever the secret begins, up to three shifts.
        for shift in 0..3 {
            let shifted = format!("{}{secret}", "x".repeat(shift));
            let encoded = STANDARD_NO_PAD.encode(shifted);
            assert!(!found(&encoded.as_bytes()[4..encoded.len() - 4]), "base64 of {secret:?}");
        }
        let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        assert!(!found(hex.as_bytes()) && !found(hex.to_uppercase().as_bytes()), "hex of {secret:?}");
        assert!(!found(secret.as_bytes()), "{secret:?}");
    }
    let key_bytes = STANDARD_NO_PAD.decode(master_secret).unwrap();
    assert!(!found(&key_bytes[..32]), "the bytes of the master key");
}
