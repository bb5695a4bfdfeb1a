//! Client certificates, as people give them on the command line: files of each kind, with a password from wherever it is.

use crate::world::{CUSTOMERS, Ran, World, run};

const PASSWORD: &str = "canaryCertificatePassword000000000000007";
/// A keystore of a JDK, with the key of somebody whom the emulated vendor does not know.
const KEYSTORE: &[u8] = include_bytes!("../../../auth/tests/certificates/one.jks");
const KEYSTORE_PASSWORD: &str = "marker-password";

/// A world whose tenant lets nobody in without a certificate, and files for `anna`.
async fn world() -> World {
    let world = World::start().await;
    world.kintone().set_allowed_networks("demo", vec!["203.0.113.0/24".to_owned()]).expect("changed");
    issue(&world, "anna");
    std::fs::write(world.path("keystore.jks"), KEYSTORE).expect("written");
    std::fs::write(world.path("password.txt"), format!("{PASSWORD}\n")).expect("written");
    world
}

fn issue(world: &World, name: &str) {
    let made = world.kintone().issue_client_certificate("demo", "anna", None).expect("made");
    let pem = format!("{}{}", made.certificate_pem, made.private_key_pem);
    std::fs::write(world.path(&format!("{name}.pfx")), made.pfx(PASSWORD).expect("packed")).expect("written");
    std::fs::write(world.path(&format!("{name}.pem")), pem).expect("written");
}

async fn with_passwords(world: &World, arguments: &[&str], input: &str) -> Ran {
    let mut command = world.command(arguments);
    command.env("TOKEN", CUSTOMERS).env("PASSWORD", PASSWORD).env("OTHER", "another password");
    command.env("KEYSTORE", KEYSTORE_PASSWORD);
    run(command, input).await
}

async fn create(world: &World, name: &str, more: &[&str], input: &str) -> Ran {
    let mut arguments = vec!["connection", "create", "--provider", "kintone", "--name", name];
    arguments.extend(["--field", "subdomain=demo", "--field", "app=1", "--secret-from", "token=env:TOKEN"]);
    arguments.extend(more);
    with_passwords(world, &arguments, input).await
}

/// The exit code, and what a person is told.
fn told(ran: &Ran) -> String {
    if ran.code == 0 {
        return format!("0 {}", ran.out.lines().last().unwrap_or_default());
    }
    let says = |line: &&str| line.starts_with("error:") || line.starts_with("certificate");
    let said: Vec<&str> = ran.err.lines().map(str::trim).filter(says).collect();
    format!("{} {}", ran.code, said.join(" "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_comes_from_a_file_and_its_password_from_anywhere_but_an_argument() {
    let world = world().await;
    let by = |file: &'static str, password: &'static str| {
        let mut given = vec!["--field", file];
        if !password.is_empty() {
            given.extend(["--secret-from", password]);
        }
        given
    };
    let pfx = "certificate=@anna.pfx";
    let mut lines = Vec::new();
    for (what, given, input) in [
        ("PFX, variable", by(pfx, "certificate_password=env:PASSWORD"), ""),
        ("PFX, file", by(pfx, "certificate_password=file:password.txt"), ""),
        ("PFX, stdin", by(pfx, "certificate_password=stdin"), PASSWORD),
        ("PEM, no password", by("certificate=@anna.pem", ""), ""),
        ("PFX, wrong password", by(pfx, "certificate_password=env:OTHER"), ""),
        ("PFX, no password", by(pfx, ""), ""),
        ("keystore, wrong password", by("certificate=@keystore.jks", "certificate_password=env:OTHER"), ""),
        ("keystore of a stranger", by("certificate=@keystore.jks", "certificate_password=env:KEYSTORE"), ""),
        ("no such file", by("certificate=@nobody.pfx", "certificate_password=env:PASSWORD"), ""),
        ("no certificate at all", by("certificate=@password.txt", ""), ""),
        ("no such variable", by(pfx, "certificate_password=env:NOTHING"), ""),
        ("an argument", vec!["--field", pfx, "--field", "certificate_password=x"], ""),
        ("a store of Windows", vec!["--field", "certificate_type=USER"], ""),
        ("no certificate", vec![], ""),
    ] {
        let ran = create(&world, what, &given, input).await;
        assert!(!format!("{}{}", ran.out, ran.err).contains(PASSWORD), "{what}: the password is shown");
        lines.push(format!("{what}: {}", told(&ran)));
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    PFX, variable: 0 connection available
    PFX, file: 0 connection available
    PFX, stdin: 0 connection available
    PEM, no password: 0 connection available
    PFX, wrong password: 2 error: 1 field of the form needs attention: certificate_password certificate_password: This password does not open the file. It is the one that was set when the file was made.
    PFX, no password: 2 error: 1 field of the form needs attention: certificate_password certificate_password: The file is protected with a password: fill it in.
    keystore, wrong password: 2 error: 1 field of the form needs attention: certificate_password certificate_password: This password does not open the file. It is the one that was set when the file was made.
    keystore of a stranger: 4
    no such file: 1 error: cannot read nobody.pfx: No such file or directory (os error 2)
    no certificate at all: 2 error: 1 field of the form needs attention: certificate certificate: This is no certificate file that we know. Give a PEM text, or a PFX or JKS file in base64.
    no such variable: 2 error: the environment has no variable NOTHING
    an argument: 2 error: `certificate_password` is a secret: an argument shows in the process list and the shell's history
    a store of Windows: 2 error: 1 field of the form needs attention: certificate_type certificate_type: This server does not look into the certificate store of Windows. Export the certificate there with its key, in PowerShell: Export-PfxCertificate -Cert Cert:\CurrentUser\My\THUMBPRINT -FilePath FILE.pfx -Password (Read-Host -AsSecureString)
    no certificate: 4
    ");
    let bytes = World::bytes_below(&world.data());
    let found = bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
    assert!(!found, "the password is stored in the clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_tested_and_replaced() {
    let world = world().await;
    let pfx = ["--field", "certificate=@anna.pfx", "--secret-from", "certificate_password=env:PASSWORD"];
    assert_eq!(create(&world, "c", &pfx, "").await.code, 0);
    let shown = world.run(&["connection", "show", "c"]).await;
    assert!(shown.out.contains("demo.s.kintone.com:443"), "{}", shown.out);
    let tested = world.run(&["connection", "test", "c"]).await;
    assert_eq!((tested.code, tested.out.lines().last()), (0, Some("connection available")));

    let update = |more: &[&'static str]| {
        let update = ["connection", "update", "c", "--secret-from", "token=env:TOKEN"];
        [&update[..], more].concat()
    };
    issue(&world, "new");
    let wrong = ["--field", "certificate=@new.pfx", "--secret-from", "certificate_password=env:OTHER"];
    let refused = with_passwords(&world, &update(&wrong), "").await;
    assert_ne!(refused.code, 0, "{}", refused.out);
    let stranger =
        ["--field", "certificate=@keystore.jks", "--secret-from", "certificate_password=env:KEYSTORE"];
    let refused = with_passwords(&world, &update(&stranger), "").await;
    assert_eq!(refused.code, 4, "{}\n{}", refused.out, refused.err);
    let get = ["request", "-c", "c", "GET", "/k/v1/record.json?app=1&id=1"];
    assert_eq!(world.run(&get).await.code, 0, "nothing was changed");

    world.kintone().clear_requests();
    let replaced = with_passwords(&world, &update(&["--field", "certificate=@new.pem"]), "").await;
    assert_eq!(replaced.code, 0, "{}\n{}", replaced.out, replaced.err);
    assert_eq!(world.run(&get).await.code, 0);

    // Stored without a test, a keystore can be used by whoever knows the person.
    let keystore = [&stranger[..], &["--no-test"]].concat();
    let stored = with_passwords(&world, &update(&keystore), "").await;
    assert_eq!(stored.code, 0, "{}\n{}", stored.out, stored.err);
    let tested = world.run(&["connection", "test", "c"]).await;
    assert_eq!(tested.code, 4, "{}", tested.out);
}
