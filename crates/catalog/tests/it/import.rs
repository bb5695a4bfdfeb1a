//! The provider format of others. `NPM_CLIENTS_DIR` names the folder whose `node_modules` holds the published file.

use std::path::Path;

use tombolo_catalog::import::{self, Import};

/// The published file, or `None` where it is not installed.
fn published() -> Option<Import> {
    let Some(clients) = std::env::var_os("NPM_CLIENTS_DIR") else {
        eprintln!("NOT RUN: the published provider file is not read, because NPM_CLIENTS_DIR is unset");
        return None;
    };
    let path = Path::new(&clients).join("node_modules/@nangohq/providers/providers.yaml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(import::import("providers.yaml", &text).unwrap_or_else(|fault| panic!("{fault}")))
}

#[test]
fn at_least_95_of_100_published_entries_load_and_the_others_say_why_not() {
    let Some(import) = published() else { return };
    let loaded = import.entries.iter().filter(|entry| entry.outcome.is_ok()).count();
    let all = import.entries.len();
    for (mode, loaded, all) in import::by_auth_mode(&import) {
        println!("{mode} {loaded} of {all}");
    }
    for entry in &import.entries {
        if let Err(reason) = &entry.outcome {
            println!("{} ({}): {reason}", entry.id, entry.auth_mode);
            assert!(!reason.is_empty(), "{}", entry.id);
        }
    }
    assert!(loaded * 100 >= all * 95, "{loaded} of {all}");
}

/// The hosts and the schemes of entries, or why there are none.
fn told(text: &str) -> String {
    let import = import::import("entries.yaml", text).unwrap_or_else(|fault| panic!("{fault}"));
    let lines = import.entries.iter().map(|entry| match &entry.outcome {
        Ok(converted) => {
            let schemes: Vec<&str> =
                converted.provider.auth.iter().map(|scheme| scheme.auth_mode().name()).collect();
            let hosts = converted.text.split("base_url:").next().unwrap_or_default();
            let hosts: Vec<&str> = hosts.lines().filter_map(|line| line.trim().strip_prefix("- ")).collect();
            format!("{}: {} at {}", entry.id, schemes.join(" "), hosts.join(" "))
        }
        Err(reason) => format!("{}: {reason}", entry.id),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_field_never_decides_more_of_a_host_than_its_entry_leaves_open() {
    let entry = |id: &str, base: &str, field: &str| {
        format!(
            "{id}:\n  display_name: Acme\n  auth_mode: API_KEY\n  proxy:\n    base_url: {base}\n    headers: {{ x-key: '${{apiKey}}' }}\n\
             \x20 connection_config:\n    part: {{ title: Part, {field} }}\n"
        )
    };
    let text = [
        entry("a-label", "https://${connectionConfig.part}.acme.example", "example: north"),
        entry("b-part", "https://api-${connectionConfig.part}.acme.example/v1", "example: eu"),
        entry("c-labels", "https://${connectionConfig.part}.acme.example", "example: north.eu"),
        entry("d-ending", "https://api.acme.${connectionConfig.part}", "enum: [example, test]"),
        entry("e-whole", "https://${connectionConfig.part}", "example: crm.acme.example"),
        entry("f-open", "https://acme.${connectionConfig.part}", "example: com"),
        entry("g-plain", "http://acme.example", "example: x"),
    ];
    insta::assert_snapshot!(told(&text.concat()), @r#"
    a-label: API_KEY at "{part}.acme.example"
    b-part: API_KEY at api-{part}.acme.example
    c-labels: API_KEY at "{part}.acme.example" "{part1}.{part2}.acme.example"
    d-ending: API_KEY at api.acme.example api.acme.test
    e-whole: API_KEY at "*"
    f-open: API_KEY at "*"
    g-plain: `http://acme.example` is not protected by TLS
    "#);
}

#[test]
fn an_entry_that_cannot_be_used_says_why() {
    let entry = |id: &str, rest: &str| {
        format!(
            "{id}:\n  display_name: Acme\n  proxy: {{ base_url: https://acme.example, headers: {{ {rest} }} }}\n"
        )
    };
    let text = [
        entry("a", "x: 'y' } }\n  auth_mode: API_KEY\n  more: { a: { b: c"),
        entry("b", "x: '${anything}' } }\n  auth_mode: API_KEY\n  more: { a: { b: c"),
        entry("c", "x: 'y' } }\n  auth_mode: PALM_READING\n  more: { a: { b: c"),
        entry(
            "d",
            "x: '${apiKey}' } }\n  auth_mode: OAUTH2\n  token_url: https://acme.example/token\n  more: { a: { b: c",
        ),
        entry(
            "e",
            "x: '${apiKey}' } }\n  auth_mode: TWO_STEP\n  body_format: xml\n  token_url: https://acme.example/token\n  more: { a: { b: c",
        ),
    ];
    insta::assert_snapshot!(told(&text.concat()), @r"
    a: it does not say where the key goes
    b: nothing fills `${anything}`
    c: its auth_mode `PALM_READING` is not known here
    d: it names no page where a person agrees
    e: a step of its login is `xml`, which is not written here
    ");
}
