//! An emulator, a data directory, and the binary.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tombolo_kintone_emulator::{Control, Emulator, EmulatorOptions};

/// A token that reads and writes app 1 of the tenant `demo`.
pub const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
/// A token that reads and writes app 2 of the tenant `demo`.
pub const ORDERS: &str = "demoTokenOrdersAll0000000000000000000000";

pub struct World {
    emulator: Emulator,
    directory: TempDir,
}

/// What a run of the binary came to.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl World {
    pub async fn start() -> Self {
        let emulator = Emulator::start(EmulatorOptions::default()).await.expect("the emulator starts");
        let directory = tempfile::tempdir().expect("a directory");
        let world = Self { emulator, directory };
        let pem = world.emulator.certificate_authority_pem().expect("TLS");
        std::fs::write(world.path("ca.pem"), pem).expect("written");
        let address = world.emulator.https_address().expect("TLS");
        let hosts = ["demo.kintone.com", "demo.s.kintone.com", "sample.cybozu.com"].map(|host| {
            let authority = world.path("ca.pem").display().to_string();
            format!("{{ host = \"{host}\", address = \"{address}\", authority_file = \"{authority}\" }}")
        });
        let text = format!("[egress]\nconnect_to = [{}]\n", hosts.join(", "));
        std::fs::write(world.path("tombolo.toml"), text).expect("written");
        world
    }

    /// What the emulator can be told and asked.
    pub fn kintone(&self) -> Control {
        self.emulator.control()
    }

    /// Where a browser reaches the emulated vendor; the tenant `demo` is below `/t/demo`.
    pub fn vendor_url(&self) -> String {
        format!("http://{}", self.emulator.http_address())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The binary with the world's configuration, and nothing of the environment that the test runs in.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(arguments);
        command.env("TOMBOLO_CONFIG", self.path("tombolo.toml")).env("TOMBOLO_DATA_DIR", self.data());
        command.current_dir(self.directory.path());
        command
    }

    pub async fn run(&self, arguments: &[&str]) -> Ran {
        run(self.command(arguments), "").await
    }

    pub async fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        run(self.command(arguments), input).await
    }

    /// Runs with `--json` and reads stdout, which is one document whatever the outcome.
    pub async fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat()).await;
        serde_json::from_str(&ran.out)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}\n{}", ran.out, ran.err))
    }

    /// Links the apps Customers and Orders of the tenant `demo`.
    pub async fn link(&self, name: &str) -> Ran {
        let mut command = self.command(&[
            "connection",
            "create",
            "--provider",
            "kintone",
            "--name",
            name,
            "--field",
            "subdomain=demo",
            "--field",
            "app=1,2",
            "--secret-from",
            "token=env:TOKENS",
            "--tag",
            "team=east",
        ]);
        command.env("TOKENS", format!("{CUSTOMERS},{ORDERS}"));
        run(command, "").await
    }

    /// Every byte below a directory, for looking for what must not be there.
    pub fn bytes_below(directory: &Path) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("readable").path();
            if path.is_file() {
                bytes.extend(std::fs::read(&path).expect("readable"));
            }
        }
        bytes
    }
}

/// The binary with an empty environment.
pub fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tombolo"));
    command.args(arguments).env_clear().env("TZ", "UTC");
    command
}

/// Runs a command to its end without blocking the emulator, which runs on the same threads.
pub async fn run(mut command: Command, input: &str) -> Ran {
    let input = input.to_owned();
    let finished = tokio::task::spawn_blocking(move || -> std::io::Result<Output> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input may have ended already.
            let _ = stdin.write_all(input.as_bytes());
        }
        child.wait_with_output()
    });
    let output = finished.await.expect("not cancelled").expect("the binary runs");
    Ran {
        code: output.status.code().expect("not killed"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A text with ids, times and paths made the same in every run.
pub fn steady(text: &str) -> String {
    let word = |word: &str| {
        let plain = word.trim_matches(['(', ')', '`', '"', ',']);
        let is_id = plain.len() > 20 && plain.split_once('_').is_some_and(|(kind, _)| kind.len() <= 4);
        let is_number = plain.len() > 12 && plain.bytes().all(|byte| byte.is_ascii_digit());
        if is_id || is_number { word.replace(plain, "ID") } else { word.to_owned() }
    };
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let indent: String = line.chars().take_while(|c| *c == ' ').collect();
            let mut words: Vec<String> = line.split_whitespace().map(word).collect();
            if words.last().is_some_and(|last| last == "ms") {
                let count = words.len();
                "N".clone_into(&mut words[count - 2]);
            }
            format!("{indent}{}", words.join(" "))
        })
        .collect();
    lines.join("\n")
}
