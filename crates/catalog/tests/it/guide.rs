//! `docs/adding-a-provider.md` is true: its example is whole, and it explains every key that a file may have.

use tombolo_catalog::{Common, Provider};

const GUIDE: &str = include_str!("../../../../docs/adding-a-provider.md");

#[test]
fn the_example_is_a_whole_file() {
    let faults = parse(example()).err().unwrap_or_default();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_key_is_explained() {
    let explained = GUIDE.split("## The parts").nth(1).expect("the guide explains the parts");
    for key_of_block in [
        "categories:",
        "    suffix:",
        "    header:",
        "    capability:",
        "{ path: /v2/me",
        "member: id",
        "    stops:",
        "  concurrency:",
        "start:",
        "  nothing_done:",
        "code: error.code",
    ] {
        for key in keys_beside(key_of_block) {
            let is_explained = [format!("`{key}`"), format!("`{key}:"), format!(".{key}`")];
            assert!(is_explained.iter().any(|form| explained.contains(form)), "the guide lacks `{key}`");
        }
    }
}

/// All keys that the block of a key may have, as the parser lists them when it meets one that it does not know.
fn keys_beside(key: &str) -> Vec<String> {
    assert_eq!(example().matches(key).count(), 1, "{key}");
    let name = key.trim_start_matches([' ', '{']).split(':').next().unwrap_or_default();
    let unknown = key.replacen(name, "zzzzzzzzzzzzzzzz", 1);
    let faults = parse(&example().replacen(key, &unknown, 1)).expect_err(key);
    let (_, keys) =
        faults[0].split_once("the keys of this block are ").unwrap_or_else(|| panic!("{}", faults[0]));
    keys.split(", ").map(|key| key.trim().to_owned()).collect()
}

fn example() -> &'static str {
    let (_, rest) = GUIDE.split_once("```yaml\n").expect("the guide has an example");
    rest.split("```").next().unwrap_or_default()
}

fn parse(text: &str) -> Result<Provider, Vec<String>> {
    let common = Common::built_in().expect("the common table loads");
    Provider::parse("acme.yaml", text, &common)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}
