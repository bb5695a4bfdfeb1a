//! Certificate files as people have them, made by OpenSSL and a JDK (`tests/certificates/make.sh`): what is read, and the
//! verdict on what is not.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tombolo_auth::{CertificateFile, CertificateKind, ClientCertificate, Credentials, CredentialsBuilder};
use zeroize::Zeroizing;

const PASSWORD: &str = "marker-password";
/// Within the century for which the files are good, 2030-01-01.
const NOW: i64 = 1_893_456_000;

fn is_pem(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "pem")
}

/// What a form holds: PEM as it is, anything else in base64.
fn material(file: &str) -> String {
    let path = format!("{}/tests/certificates/{file}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    if is_pem(file) { String::from_utf8(bytes).expect("text") } else { STANDARD.encode(bytes) }
}

fn read_text(kind: &str, material: &str, password: &str, subject: &str, now: i64) -> String {
    let kind = CertificateKind::parse(kind).expect("a kind");
    match ClientCertificate::read(&CertificateFile { kind, material, password, subject }, now) {
        Ok((certificate, facts)) => {
            let pem = certificate.to_pem();
            let (chain, _) = certificate.into_tls();
            let credentials = CredentialsBuilder::new().value(ClientCertificate::CREDENTIAL, &pem).build();
            let credentials =
                Credentials::from_bytes(Zeroizing::new(credentials.as_bytes().to_vec())).expect("whole");
            let (stored, _) = ClientCertificate::of(&credentials).expect("reads").expect("there").into_tls();
            assert_eq!(stored, chain, "what is kept is what was read");
            assert!(!pem.contains(PASSWORD) && !format!("{facts:?}").contains("PRIVATE"));
            format!("{} ({} in the chain)", facts.subject, chain.len())
        }
        Err(fault) => {
            let fault = fault.into_field_error();
            assert!(!format!("{fault:?}").contains(PASSWORD), "{fault:?}");
            assert!(!fault.message.ja.is_ascii() && !fault.message.en.is_empty(), "{fault:?}");
            format!("{}: {}", fault.field, fault.code)
        }
    }
}

fn read(kind: &str, file: &str, password: &str, subject: &str) -> String {
    read_text(kind, &material(file), password, subject, NOW)
}

#[test]
fn every_kind_of_file_that_people_have_is_read() {
    for (kind, file, password, expected) in [
        ("auto", "chain.pem", "", "O=Acme, CN=anna (2 in the chain)"),
        ("pem", "sec1.pem", "", "O=Acme, CN=anna (1 in the chain)"),
        ("auto", "pkcs1.pem", "", "CN=rsa (1 in the chain)"),
        ("auto", "ed25519.pem", "", "CN=ed (1 in the chain)"),
        ("auto", "sealed.pem", PASSWORD, "O=Acme, CN=anna (1 in the chain)"),
        ("auto", "sealed-des3.pem", PASSWORD, "O=Acme, CN=anna (1 in the chain)"),
        ("auto", "sealed-scrypt.pem", PASSWORD, "O=Acme, CN=anna (1 in the chain)"),
        ("pfx", "modern.pfx", PASSWORD, "O=Acme, CN=anna (2 in the chain)"),
        ("PFXBlob", "legacy.pfx", PASSWORD, "O=Acme, CN=anna (2 in the chain)"),
        ("auto", "empty-password.pfx", "", "O=Acme, CN=anna (2 in the chain)"),
        ("auto", "japanese-password.pfx", "証明書のパスワード", "O=Acme, CN=anna (2 in the chain)"),
        ("auto", "without-mac.pfx", PASSWORD, "O=Acme, CN=anna (2 in the chain)"),
        ("jks", "one.jks", PASSWORD, "O=Acme, CN=anna (2 in the chain)"),
    ] {
        assert_eq!(read(kind, file, password, ""), expected, "{file}");
    }
}

#[test]
fn a_subject_selects_one_of_several_keys() {
    for file in ["two.pem", "two.jks", "java9.jks"] {
        for (subject, expected) in [
            ("", "certificate_subject: certificate_subject_needed"),
            ("ben", "CN=ben"),
            ("BEN", "CN=ben"),
            ("cn=ben", "certificate_subject: certificate_subject_unknown"),
            ("O=Acme,CN=ben", "CN=ben"),
            ("o = acme , cn = anna", "CN=anna"),
            ("carla", "certificate_subject: certificate_subject_unknown"),
        ] {
            let told = read("auto", file, PASSWORD, subject);
            assert!(told.contains(expected), "{file} {subject}: {told}");
        }
        assert!(read("auto", file, PASSWORD, "*").contains("CN="), "{file}: the first");
    }
    let several = CertificateFile {
        kind: CertificateKind::Auto,
        material: &material("two.pem"),
        password: "",
        subject: "",
    };
    let fault = ClientCertificate::read(&several, NOW).expect_err("two");
    assert_eq!(
        fault.to_string(),
        "The file holds several keys. Choose a subject: O=Acme, CN=anna; O=Acme, CN=ben."
    );
}

#[test]
fn each_file_that_cannot_be_used_has_a_verdict_of_its_own() {
    for (kind, file, password, expected) in [
        ("auto", "modern.pfx", "wrong", "certificate_password: certificate_password_wrong"),
        ("auto", "modern.pfx", "", "certificate_password: certificate_password_needed"),
        ("auto", "without-mac.pfx", "wrong", "certificate_password: certificate_password_wrong"),
        ("auto", "sealed.pem", "wrong", "certificate_password: certificate_password_wrong"),
        ("auto", "sealed.pem", "", "certificate_password: certificate_password_needed"),
        ("auto", "one.jks", "wrong", "certificate_password: certificate_password_wrong"),
        ("auto", "one.jks", "", "certificate_password: certificate_password_needed"),
        ("auto", "own-key-password.jks", PASSWORD, "certificate_password: certificate_key_password"),
        ("auto", "traditional.pem", PASSWORD, "certificate: certificate_encryption"),
        ("auto", "sealed-pbes1.pem", PASSWORD, "certificate: certificate_encryption"),
        ("auto", "rc2-128.pfx", PASSWORD, "certificate: certificate_encryption"),
        ("auto", "rc4.pfx", PASSWORD, "certificate: certificate_encryption"),
        ("auto", "costly.pfx", PASSWORD, "certificate: certificate_too_costly"),
        ("auto", "old.jceks", PASSWORD, "certificate: certificate_format_unsupported"),
        ("auto", "alone.cer", "", "certificate: certificate_without_key"),
        ("auto", "trusted-only.jks", PASSWORD, "certificate: certificate_without_key"),
        ("auto", "mismatch.pem", "", "certificate: certificate_of_another_key"),
        ("auto", "version-1.pem", "", "certificate: certificate_unsupported"),
        ("pem", "modern.pfx", PASSWORD, "certificate_type: certificate_of_another_type"),
        ("pfx", "chain.pem", "", "certificate_type: certificate_of_another_type"),
        ("pfx", "one.jks", PASSWORD, "certificate_type: certificate_of_another_type"),
        ("windows-store", "modern.pfx", PASSWORD, "certificate_type: certificate_in_store"),
        ("keychain", "modern.pfx", PASSWORD, "certificate_type: certificate_in_store"),
    ] {
        assert_eq!(read(kind, file, password, ""), expected, "{file} {password}");
    }
    for (text, expected) in [
        ("", "certificate: required"),
        ("not a file", "certificate: certificate_format_unknown"),
        ("AAAA", "certificate: certificate_format_unknown"),
        ("-----BEGIN NOTHING-----\n-----END NOTHING-----", "certificate: certificate_without_key"),
        ("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----", "certificate: certificate_malformed"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
            "certificate: certificate_format_unsupported",
        ),
    ] {
        assert_eq!(read_text("auto", text, "", "", NOW), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_told_with_the_command_that_helps() {
    let told = |kind: &str, file: &str| {
        let kind = CertificateKind::parse(kind).expect("a kind");
        let file = CertificateFile { kind, material: &material(file), password: PASSWORD, subject: "" };
        ClientCertificate::read(&file, NOW).expect_err("refused").to_string()
    };
    for (kind, file, command) in [
        ("auto", "traditional.pem", "openssl pkcs8 -topk8"),
        ("auto", "rc2-128.pfx", "openssl pkcs12 -legacy"),
        ("auto", "old.jceks", "keytool -importkeystore"),
        ("auto", "own-key-password.jks", "keytool -keypasswd"),
        ("USER", "modern.pfx", "Export-PfxCertificate"),
        ("keychain", "modern.pfx", "security export"),
        ("nss", "modern.pfx", "pk12util"),
    ] {
        let text = told(kind, file);
        assert!(text.contains(command), "{file}: {text}");
    }
}

#[test]
fn a_certificate_is_looked_at_in_the_light_of_the_day() {
    let pem = material("chain.pem");
    assert_eq!(read_text("auto", &pem, "", "", 0), "certificate: certificate_not_yet_valid");
    assert_eq!(read_text("auto", &pem, "", "", 10 * NOW), "certificate: certificate_expired");
    let file = CertificateFile { kind: CertificateKind::Auto, material: &pem, password: "", subject: "" };
    let (_, facts) = ClientCertificate::read(&file, NOW).expect("valid");
    let last = read_text("auto", &pem, "", "", facts.not_after);
    assert!(last.contains("CN=anna"), "the last second counts: {last}");
    let expired = ClientCertificate::read(&file, facts.not_after + 1).expect_err("over").to_string();
    assert!(expired.starts_with("The certificate of O=Acme, CN=anna expired on 21"), "{expired}");
}

/// Whatever somebody uploads, there is a verdict: no panic, no endless computing. Every file is cut at many places, and
/// single bytes are changed.
#[test]
fn broken_files_have_verdicts() {
    let mut state = 1_u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    for file in ["chain.pem", "sealed-des3.pem", "modern.pfx", "legacy.pfx", "one.jks", "alone.cer"] {
        let path = format!("{}/tests/certificates/{file}", env!("CARGO_MANIFEST_DIR"));
        let whole = std::fs::read(path).expect("readable");
        let given = |bytes: &[u8]| {
            if is_pem(file) { String::from_utf8_lossy(bytes).into_owned() } else { STANDARD.encode(bytes) }
        };
        for length in (0..whole.len()).step_by(whole.len() / 24 + 1) {
            let told = read_text("auto", &given(&whole[..length]), PASSWORD, "", NOW);
            // Sections that are whole stand for themselves, whatever is cut off behind them.
            assert!(is_pem(file) || told.starts_with("certificate: "), "{file} cut at {length}: {told}");
        }
        for _ in 0..40 {
            let mut bytes = whole.clone();
            let position = random() % bytes.len();
            bytes[position] ^= 1 << (random() % 8);
            read_text("auto", &given(&bytes), PASSWORD, "", NOW);
        }
        let noise: Vec<u8> = (0..whole.len()).map(|_| random() as u8).collect();
        read_text("auto", &given(&noise), PASSWORD, "", NOW);
        // The beginning of a kind, and then anything.
        let start: Vec<u8> = whole.iter().take(8).copied().chain(noise.iter().copied()).collect();
        read_text("auto", &given(&start), PASSWORD, "", NOW);
    }
}
