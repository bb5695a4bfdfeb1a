use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;

use crate::world::{World, bare, run};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_listed_where_nobody_can_be_asked() {
    let world = World::start().await;
    let ran = world.run(&["connection", "create", "--provider", "kintone"]).await;
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.err.lines().skip(1).collect::<Vec<_>>().join("\n"), @r#"
    error: 4 more things are needed
      --name NAME  what people are to call the connection
      --field subdomain=VALUE  Subdomain
      --field app=VALUE  App IDs
      --secret-from token=SOURCE  API tokens
    "#);
    let ran = world.run(&["connection", "create"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--provider ID"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_no_arguments() {
    let world = World::start().await;
    let create = ["connection", "create", "--provider", "kintone", "--name", "x"];
    for (arguments, expected) in [
        (
            &["--field", "token=MARKER0000000000"][..],
            "`token` is a secret: an argument shows in the process list",
        ),
        (&["--field", "basic_password=MARKER"], "`basic_password` is a secret"),
        (&["--secret-from", "token=MARKER"], "write stdin, file:PATH or env:NAME"),
        (&["--from", "APIToken=x;Url=MARKER"], "is no argument"),
        (&["--secret-from", "token=env:NOT_SET"], "the environment has no variable NOT_SET"),
        (&["--secret-from", "token=stdin", "--from", "-"], "stdin can be read once only"),
        (&["--field", "tokne=1"], "Kintone has no field `tokne`"),
        (&["--paste", "https://example.com/k/1"], "this is no address of Kintone"),
        (&["--auth-scheme", "oauth9"], "there is no auth scheme `oauth9`"),
    ] {
        let ran = world.run(&[&create[..], arguments].concat()).await;
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(expected), "{arguments:?}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_connection_strings_are_refused_without_repeating_them() {
    let world = World::start().await;
    let create = ["connection", "create", "--provider", "kintone", "--name", "x", "--from", "-"];
    for (text, code, expected) in [
        ("AuthScheme=APIToken;MARKER", 2, "has no `=`"),
        ("AuthScheme=Kerberos;Url=https://demo.kintone.com", 2, "there is no auth scheme `kerberos`"),
        ("Url=https://demo.kintone.com;APIToken=MARKER00;AppId=1;Colour=MARKER", 2, "colour"),
        ("Url=https://evil.example.com;APIToken=MARKER00;AppId=1", 2, "this is no address of Kintone"),
        ("", 2, "stdin holds nothing"),
    ] {
        let ran = world.run_with(&create, text).await;
        assert_eq!(ran.code, code, "{text}: {}", ran.err);
        assert!(ran.err.contains(expected) && !ran.err.contains("MARKER"), "{text}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_provider_file_are_named_with_their_place() {
    let world = World::start().await;
    let good = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../providers/oomnitza.yaml"))
        .expect("a provider file");
    std::fs::write(world.path("oomnitza.yaml"), &good).expect("written");
    let ran = world.run(&["provider", "validate", "oomnitza.yaml"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "oomnitza.yaml: valid, oomnitza (Oomnitza)\n"));

    let broken = good.replacen("base_url:", "base_ulr:", 1);
    let line = good.lines().position(|line| line.starts_with("base_url:")).expect("a base URL") + 1;
    std::fs::write(world.path("broken.yaml"), broken).expect("written");
    let ran = world.run(&["provider", "validate", "broken.yaml"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with(&format!("broken.yaml:{line}:")), "{}", ran.out);
    assert!(ran.out.contains("\n  fix: "), "{}", ran.out);
    let json = world.json(&["provider", "validate", "broken.yaml"]).await;
    assert_eq!((&json["valid"], &json["faults"][0]["line"]), (&false.into(), &line.into()));

    let ran = world.run(&["provider", "validate", "missing.yaml"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("cannot read missing.yaml"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_by_looking() {
    let world = World::start().await;
    for arguments in [
        &["connection", "list"][..],
        &["audit", "verify"],
        &["key", "status"],
        &["request", "-c", "x", "GET", "/"],
    ] {
        let ran = world.run(arguments).await;
        assert_eq!(ran.code, 7, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("there is nothing in the data directory"), "{}", ran.err);
    }
    let ran = world.run(&["provider", "list"]).await;
    assert!(ran.code == 0 && ran.out.contains("oomnitza"), "{}", ran.err);
    assert!(!world.data().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_is_no_text_is_named_if_it_is_ours() {
    let world = World::start().await;
    let not_utf_8 = OsStr::from_bytes(b"\xff");
    let with = |name, arguments: &[&str]| {
        let mut command = world.command(arguments);
        command.env(name, not_utf_8);
        run(command, "")
    };
    let ran = with("LS_COLORS", &["provider", "list"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    for (name, arguments) in [
        ("TOMBOLO_LOG_FILTER", &["provider", "list"][..]),
        ("TOMBOLO_MASTER_KEY", &["serve", "--listen", "127.0.0.1:0"]),
        ("TOMBOLO_API_KEY", &["connection", "list", "--url", "http://127.0.0.1:1"]),
    ] {
        let ran = with(name, arguments).await;
        assert_eq!(ran.code, 1, "{name}: {}", ran.err);
        let expected = format!("error: the environment variable {name} is not UTF-8\n  Set it to a text");
        assert!(ran.err.starts_with(&expected), "{}", ran.err);
    }
    assert!(!world.data().exists(), "nothing was installed without the key that was meant");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_is_private_and_never_overwritten() {
    let world = World::start().await;
    let made = world.json(&["key", "generate", "new.key"]).await;
    let mode = world.path("new.key").metadata().expect("made").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let again = world.run(&["key", "generate", "new.key"]).await;
    assert_eq!(again.code, 1, "{}", again.err);
    let mut command = world.command(&["connection", "list", "--json"]);
    command.env("TOMBOLO_MASTER_KEY_FILE", world.path("new.key"));
    assert_eq!(run(command, "").await.code, 7);
    let mut command = world.command(&["api-key", "create", "first"]);
    command.env("TOMBOLO_MASTER_KEY_FILE", world.path("new.key"));
    assert_eq!(run(command, "").await.code, 0);
    let mut command = world.command(&["key", "status", "--json"]);
    command.env("TOMBOLO_MASTER_KEY_FILE", world.path("new.key"));
    let status: serde_json::Value = serde_json::from_str(&run(command, "").await.out).expect("a document");
    assert_eq!((&status["id"], &status["data_keys"]), (&made["id"], &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_nothing_works_anywhere() {
    let ran = run(bare(&["version", "--json"]), "").await;
    assert_eq!(ran.out.trim(), "{\n  \"version\": \"0.1.0\"\n}");
    for shell in ["bash", "zsh", "fish"] {
        let ran = run(bare(&["completions", shell]), "").await;
        assert!(ran.code == 0 && ran.out.contains("validate"), "{shell}");
    }
    let ran = run(bare(&["openapi"]), "").await;
    let document: serde_json::Value = serde_json::from_str(&ran.out).expect("a document");
    assert!(document["paths"]["/connections"].is_object());
    assert_eq!(run(bare(&["connection", "lst"]), "").await.code, 2);
    let ran = run(bare(&["connection", "list", "--url", "ftp://example.com"]), "").await;
    assert_eq!(ran.code, 2, "{}", ran.err);
}
