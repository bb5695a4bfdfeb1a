//! `cargo xtask bench pages`: what each page costs, against what was promised. The list of pages is
//! `crates/server/tests/browser/pages.mjs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;
use serde::Deserialize;

use super::process::{Process, Scratch, free_port};
use super::program::build;
use crate::checkout::Checkout;
use crate::command::output;
use crate::tools::node::Node;

/// How it is measured.
#[derive(Args)]
pub(crate) struct Options {
    /// The profile that the program is built with.
    #[arg(long, default_value = "release")]
    profile: String,
    /// How often each page is asked for in each language.
    #[arg(long, default_value_t = 300)]
    requests: u32,
    /// Only the pages whose name has one of these texts in it.
    pages: Vec<String>,
}

/// What is promised of every page: milliseconds on the server for 99 of 100 requests, and bytes.
const MILLISECONDS: f64 = 50.0;
const HTML_GZIP: u64 = 30_000;
const STYLE_GZIP: u64 = 20_000;
const SCRIPT: u64 = 40_000;

/// The cores that the server and everything else are on.
const CORES: [u32; 2] = [0, 1];

/// Something of the built-in tenants of the emulator, as the world of the pages asks for it.
const TENANTS: [(&str, &str); 3] = [
    ("VENDOR_TOKEN", "demoTokenCustomersAll0000000000000000000"),
    ("VENDOR_OTHER_TOKEN", "demoTokenOrdersAll0000000000000000000000"),
    ("VENDOR_PASSWORD", "demo-password-anna"),
];

#[derive(Deserialize)]
struct Measured {
    page: String,
    median: f64,
    p99: f64,
    html: Size,
    style: Size,
    script: Size,
}

#[derive(Clone, Copy, Deserialize)]
struct Size {
    raw: u64,
    gzip: u64,
}

/// Prints a line for each page with the worse of both languages; fails when one keeps a promise not.
pub(crate) fn run(checkout: &Checkout, options: &Options) -> Result<()> {
    let node = Node::find_or_install()?;
    let program = build(checkout, &options.profile)?;
    let (mut emulator, ports) = start_emulator(&program)?;
    emulator.wait_for(&format!("http://127.0.0.1:{}/t/demo/k/v1/apis.json", ports[0]))?;
    let authority = emulator.directory().join("authority.pem");
    let scratch = Scratch::new()?;
    let port = free_port()?;
    std::fs::write(
        scratch.path().join("tombolo.toml"),
        configuration(scratch.path(), port, ports, &authority),
    )?;
    let file = scratch.path().join("tombolo.toml").display().to_string();
    let mut server = Process::start(CORES[0], &program, &["serve", "--config", &file], scratch)?;
    server.wait_for(&format!("http://127.0.0.1:{port}/ready"))?;
    let scopes = ["environment:*", "environment:connections:read_credentials", "installation:*"];
    let scopes = scopes.iter().flat_map(|scope| ["--scope", scope]);
    let key =
        output(Command::new(&program).args(["--config", &file, "api-key", "create", "bench"]).args(scopes))?;

    let mut measure = Command::new("taskset");
    measure.args(["--cpu-list", &CORES[1].to_string()]).arg(&node.binary);
    measure.arg(checkout.root().join("crates/server/tests/browser/measure.mjs"));
    measure.env("BASE_URL", format!("http://localhost:{port}")).env("API_KEY", key.trim());
    measure.env("VENDOR_CONTROL_URL", format!("http://127.0.0.1:{}", ports[2])).envs(TENANTS);
    measure.env("REQUESTS", options.requests.to_string());
    if !options.pages.is_empty() {
        measure.env("PAGES", options.pages.join(","));
    }
    let measured: Vec<Measured> = serde_json::from_str(&output(&mut measure)?)?;
    let (table, broken) = judged(&worst(measured));
    print!("{table}");
    if broken > 0 {
        bail!("{broken} promises are not kept: see the marks");
    }
    Ok(())
}

/// Starts the emulated vendor; answers the ports of plain HTTP, of TLS and of its control API.
fn start_emulator(program: &Path) -> Result<(Process, [u16; 3])> {
    let scratch = Scratch::new()?;
    let ports = [free_port()?, free_port()?, free_port()?];
    let [http, tls, control] = ports.map(|port| format!("127.0.0.1:{port}"));
    let authority = scratch.path().join("authority.pem").display().to_string();
    let arguments = [
        "emulator",
        "--listen",
        &http,
        "--listen-tls",
        &tls,
        "--listen-control",
        &control,
        "--authority-file",
        &authority,
    ];
    Ok((Process::start(CORES[1], program, &arguments, scratch)?, ports))
}

fn configuration(directory: &Path, port: u16, ports: [u16; 3], authority: &Path) -> String {
    let [http, tls, _] = ports;
    let hosts = [("demo.kintone.com", "demo"), ("sample.cybozu.com", "sample")].map(|(host, tenant)| {
        format!(
            "{{ host = \"{host}\", address = \"127.0.0.1:{tls}\", authority_file = \"{}\", \
             browser_address = \"http://localhost:{http}/t/{tenant}\" }}",
            authority.display(),
        )
    });
    format!(
        "data_dir = \"{}\"\n[server]\nlisten = \"127.0.0.1:{port}\"\nproxy_threads = 1\nrequests_per_minute = 0\n\
         [verification]\nevery_hours = 0\n[egress]\nconnect_to = [{}]\n[log]\nfilter = \"warn\"\n",
        directory.join("data").display(),
        hosts.join(", "),
    )
}

/// For each page the worse of its languages.
fn worst(measured: Vec<Measured>) -> Vec<Measured> {
    let mut pages: BTreeMap<String, Measured> = BTreeMap::new();
    for one in measured {
        match pages.get_mut(&one.page) {
            None => drop(pages.insert(one.page.clone(), one)),
            Some(known) => {
                known.median = known.median.max(one.median);
                known.p99 = known.p99.max(one.p99);
                for (size, other) in [
                    (&mut known.html, one.html),
                    (&mut known.style, one.style),
                    (&mut known.script, one.script),
                ] {
                    *size = Size { raw: size.raw.max(other.raw), gzip: size.gzip.max(other.gzip) };
                }
            }
        }
    }
    pages.into_values().collect()
}

/// The table, in which an exclamation mark stands behind what is more than promised, and how many of these there are.
fn judged(pages: &[Measured]) -> (String, usize) {
    let mut broken = 0;
    let mut mark = |is_kept: bool| {
        broken += usize::from(!is_kept);
        if is_kept { ' ' } else { '!' }
    };
    let mut table = format!(
        "{:<44} {:>10} {:>9} {:>17} {:>17} {:>17}\n",
        "page", "median ms", "p99 ms", "HTML kB (gzip)", "CSS kB (gzip)", "script kB (gzip)"
    );
    let size = |size: Size| format!("{:.1} ({:.1})", kilobytes(size.raw), kilobytes(size.gzip));
    for page in pages {
        let line = format!(
            "{:<44} {:>10.2} {:>8.2}{} {:>16}{} {:>16}{} {:>16}{}",
            page.page,
            page.median,
            page.p99,
            mark(page.p99 <= MILLISECONDS),
            size(page.html),
            mark(page.html.gzip <= HTML_GZIP),
            size(page.style),
            mark(page.style.gzip <= STYLE_GZIP),
            size(page.script),
            mark(page.script.raw <= SCRIPT),
        );
        let _ = writeln!(table, "{}", line.trim_end());
    }
    let _ = writeln!(
        table,
        "promised: p99 {MILLISECONDS:.0} ms, HTML {:.0} kB and CSS {:.0} kB in gzip, script {:.0} kB",
        kilobytes(HTML_GZIP),
        kilobytes(STYLE_GZIP),
        kilobytes(SCRIPT),
    );
    (table, broken)
}

fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_language_counts_and_broken_promises_are_marked() {
        let page = |name: &str, p99, script| Measured {
            page: name.to_owned(),
            median: 1.5,
            p99,
            html: Size { raw: 9_000, gzip: 3_000 },
            style: Size { raw: 20_000, gzip: 5_000 },
            script: Size { raw: script, gzip: 9_000 },
        };
        let pages =
            [page("connect-form", 4.0, 10_000), page("connect-form", 60.0, 9_000), page("home", 2.0, 41_000)];
        let (table, broken) = judged(&worst(pages.into()));
        assert_eq!(broken, 2);
        insta::assert_snapshot!(table, @r"
        page                                          median ms    p99 ms    HTML kB (gzip)     CSS kB (gzip)  script kB (gzip)
        connect-form                                       1.50    60.00!        9.0 (3.0)        20.0 (5.0)        10.0 (9.0)
        home                                               1.50     2.00         9.0 (3.0)        20.0 (5.0)        41.0 (9.0)!
        promised: p99 50 ms, HTML 30 kB and CSS 20 kB in gzip, script 40 kB
        ");
    }
}
