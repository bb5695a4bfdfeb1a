//! The page of the settings, made of the file that documents them.

const FILE: &str = include_str!("../../../../../config.default.toml");

const HEAD: &str = "# Configuration

Every setting of Tombolo with its default. A file that is given with `--config` overrides what it names; a variable
`TOMBOLO_<SECTION>_<KEY>` overrides the file; an option of the command line wins. An unknown setting is an error. A variable gives
a list as it stands here, or as its members: `TOMBOLO_EGRESS_EXTRA_PORTS=8443,9443`.

This page is made from `config.default.toml`, which is a whole configuration file. [Operating](operating.md) says what to do with
it.
";

#[test]
fn the_page_of_the_settings_is_that_of_the_file() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let made = page();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(path, &made).expect("written");
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == made,
        "docs/configuration.md is out of date: run this test with UPDATE_GENERATED=1"
    );
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut section = "";
    let mut comment: Vec<&str> = Vec::new();
    let mut rows: Vec<String> = Vec::new();
    // The head of the file says what the head of the page says.
    let lines = FILE.lines().skip_while(|line| !line.is_empty()).chain(["[]"]);
    for line in lines {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if !rows.is_empty() {
                let title = if section.is_empty() { "At the top" } else { section };
                page.extend([format!("\n## {title}\n\n{}", rows.concat())]);
            }
            (section, rows) = (name, Vec::new());
            comment.clear();
        } else if let Some(text) = line.strip_prefix("# ") {
            comment.push(text);
        } else if let Some((key, default)) = line.split_once(" = ") {
            let variable = [section, key].map(str::to_uppercase).join("_").trim_start_matches('_').to_owned();
            let (examples, told): (Vec<&str>, Vec<&str>) =
                comment.drain(..).partition(|line| line.starts_with(&format!("{key} = ")));
            rows.push(format!("### `{key}`\n\n"));
            if !told.is_empty() {
                rows.push(format!("{}\n\n", told.join("\n")));
            }
            rows.push(format!("Default: `{default}`. Variable: `TOMBOLO_{variable}`.\n\n"));
            for example in examples {
                rows.push(format!("```toml\n{example}\n```\n\n"));
            }
        }
    }
    format!("{}\n", page.trim_end())
}
