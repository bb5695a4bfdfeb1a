//! Lists the provider files, so that adding a provider touches no code.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

const DIRECTORY: &str = "../../providers";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DIRECTORY}");
    let manifest = std::env::var("CARGO_MANIFEST_DIR")?;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(Path::new(&manifest).join(DIRECTORY))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let name = path.file_name().and_then(|name| name.to_str());
            names.push(name.ok_or("the name of a provider file is not UTF-8")?.to_owned());
        }
    }
    names.sort();
    let mut code = "&[\n".to_owned();
    for name in names {
        // The text is found from the manifest at compile time: the program must not know where it was built.
        let path = format!("/{DIRECTORY}/{name}");
        writeln!(code, "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),")?;
    }
    code.push_str("]\n");
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("built_in.rs"), code)?;
    Ok(())
}
