//! Two processes of Tombolo on one PostgreSQL, with connections whose tokens the vendor renews.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};

use super::super::process::{Process, Scratch, Usage, free_port};
use super::http::Caller;
use super::postgres::Postgres;
use super::vendor::{CLIENT, Vendor};
use crate::command::output;

/// The provider of most connections: their tokens are renewed a little before their end.
pub(super) const AHEAD: &str = "bench";
/// A provider whose tokens are renewed at their end and not before.
pub(super) const LATE: &str = "bench-late";
/// How many seconds before the end of a token of [`AHEAD`] it is renewed; a quarter more for some.
pub(super) const MARGIN: u32 = 5;

const HOST: &str = "vendor.bench.test";
/// Connections that are imported at the same time.
const IMPORTERS: u32 = 16;

/// Everything that runs on our side.
pub(super) struct Installation {
    // In the order in which they end.
    nodes: Vec<Node>,
    program: PathBuf,
    key: String,
    vendor_port: u16,
    shared: Scratch,
    /// Their database.
    pub(super) postgres: Postgres,
}

struct Node {
    process: Process,
    port: u16,
}

impl Installation {
    /// Starts both processes.
    pub(super) fn start(program: PathBuf, vendor: &Vendor) -> Result<Self> {
        let (postgres, shared) = (Postgres::start()?, Scratch::new()?);
        let providers = shared.path().join("providers");
        std::fs::create_dir(&providers)?;
        std::fs::write(providers.join(format!("{AHEAD}.yaml")), provider(AHEAD, MARGIN))?;
        std::fs::write(providers.join(format!("{LATE}.yaml")), provider(LATE, 0))?;
        output(Command::new(&program).args(["key", "generate"]).arg(shared.path().join("master.key")))?;
        let key = String::new();
        let mut made = Self { nodes: Vec::new(), program, key, vendor_port: vendor.port, shared, postgres };
        let (scratch, _) = made.configured()?;
        made.run(&scratch, &["api-key", "create", "bench"])?.trim().clone_into(&mut made.key);
        for name in [AHEAD, LATE] {
            let client = ["oauth-client", "create", "--provider", name, "--name", name, "--no-input"];
            let registration = ["--client-id", CLIENT.0, "--secret-from", "env:BENCH_CLIENT_SECRET"];
            made.run(&scratch, &[&client[..], &registration].concat())?;
        }
        for number in [0, 1] {
            let node = made.start_node(number)?;
            made.nodes.push(node);
        }
        Ok(made)
    }

    /// A caller of one of the two.
    pub(super) fn caller(&self, node: usize) -> Result<Caller> {
        let port = self.nodes[node].port;
        Caller::connect(port, &self.key).with_context(|| format!("node {node} takes no connection"))
    }

    /// Brings connections along through the API, one for each of these families of tokens; each is called like its family.
    pub(super) fn import(&self, vendor: &Vendor, provider: &str, families: &[(u32, bool)]) -> Result<()> {
        let import = |caller: &mut Caller, (family, is_lenient): (u32, bool)| {
            let (access, refresh) = vendor.open(family, is_lenient);
            let body = serde_json::json!({
                "provider_config_key": provider, "connection_id": family.to_string(), "name": format!("{provider} {family}"),
                "credentials": { "type": "OAUTH2", "access_token": access, "refresh_token": refresh },
            });
            let more = "\r\nContent-Type: application/json";
            let answer = caller.send("POST /connections", more, &body.to_string())?;
            match answer.second_word() {
                "200" | "201" => Ok(()),
                status => bail!("a connection could not be imported: {status} {}", answer.body),
            }
        };
        let Some((first, rest)) = families.split_first() else { return Ok(()) };
        // The first one makes the integration.
        import(&mut self.caller(0)?, *first)?;
        let next = AtomicU32::new(0);
        thread::scope(|scope| {
            let importers: Vec<_> = (0..IMPORTERS)
                .map(|number| {
                    let next = &next;
                    scope.spawn(move || {
                        let mut caller = self.caller(number as usize % 2)?;
                        while let Some(family) = rest.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                            import(&mut caller, *family)?;
                        }
                        Ok(())
                    })
                })
                .collect();
            importers
                .into_iter()
                .try_for_each(|importer| importer.join().unwrap_or_else(|_| bail!("an importer ended early")))
        })
    }

    /// Ends a process with SIGKILL.
    pub(super) fn kill(&mut self, node: usize) -> Result<()> {
        self.nodes[node].process.kill()
    }

    /// Starts a process in the place of one that was killed.
    pub(super) fn start_again(&mut self, node: usize) -> Result<()> {
        self.nodes[node] = self.start_node(node)?;
        Ok(())
    }

    /// The highest resident memory of each process, in MiB.
    pub(super) fn memory_peaks(&self) -> Result<Vec<f64>> {
        let peak = |node: &Node| {
            let usage = Usage::of(node.process.id())?;
            Ok(usage.resident_peak as f64 / (1024.0 * 1024.0))
        };
        self.nodes.iter().map(peak).collect()
    }

    /// How many rights to renew are held at this moment.
    pub(super) fn held_leases(&self) -> Result<String> {
        self.postgres.query(
            "SELECT count(*) FROM leases WHERE name LIKE 'renew:%' \
             AND held_until > extract(epoch FROM clock_timestamp()) * 1000",
        )
    }

    fn start_node(&self, number: usize) -> Result<Node> {
        let (scratch, port) = self.configured()?;
        let configuration = configuration_of(&scratch);
        let arguments = ["serve", "--config", &configuration.display().to_string()];
        let mut process = Process::start(number as u32, &self.program, &arguments, scratch)?;
        process.wait_for(&format!("http://127.0.0.1:{port}/ready"))?;
        Ok(Node { process, port })
    }

    /// A directory with a configuration of its own, and the port in it.
    fn configured(&self) -> Result<(Scratch, u16)> {
        let (scratch, port) = (Scratch::new()?, free_port()?);
        let text = format!(
            "data_dir = \"{data}\"\n[server]\nlisten = \"127.0.0.1:{port}\"\nproxy_threads = 1\n\
             requests_per_minute = 0\n[database]\nurl = \"{database}\"\n[master_key]\nfile = \"{key}\"\n\
             [providers]\ndirectory = \"{providers}\"\n[verification]\nevery_hours = 0\n\
             [egress]\nconnect_to = [{{ host = \"{HOST}\", address = \"127.0.0.1:{vendor}\", without_tls = true }}]\n\
             [log]\nfilter = \"error\"\n",
            data = scratch.path().join("data").display(),
            database = self.postgres.url(),
            key = self.shared.path().join("master.key").display(),
            providers = self.shared.path().join("providers").display(),
            vendor = self.vendor_port,
        );
        std::fs::write(configuration_of(&scratch), text)?;
        Ok((scratch, port))
    }

    fn run(&self, scratch: &Scratch, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(configuration_of(scratch)).args(arguments);
        output(command.env("BENCH_CLIENT_SECRET", CLIENT.1))
    }
}

fn configuration_of(scratch: &Scratch) -> PathBuf {
    scratch.path().join("tombolo.toml")
}

fn provider(id: &str, margin: u32) -> String {
    format!(
        "id: {id}
name: {{ en: Benchmark, ja: ベンチマーク }}
description: {{ en: The vendor of the benchmark., ja: ベンチマークの接続先です。 }}
documentation: https://example.com/
hosts: [{HOST}]
base_url: https://{HOST}
auth:
  - id: oauth2
    name: {{ en: OAuth 2.0, ja: OAuth 2.0 }}
    type: oauth2
    oauth2:
      flow: authorization_code
      authorization_url: https://{HOST}/authorize
      token_url: https://{HOST}/token
      client_authentication: body
      refresh_margin: {margin}
strip_headers: [Authorization]
test:
  - id: credential
    name: {{ en: The credential is accepted, ja: 認証情報が受け付けられる }}
    request: {{ path: /me }}
    accept: {{ json: true }}
"
    )
}
