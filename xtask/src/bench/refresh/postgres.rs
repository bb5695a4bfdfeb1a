//! A PostgreSQL of the benchmark's own, in a directory that goes with it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::super::process::Scratch;
use crate::command::output;
use crate::tools::postgresql;

/// How long the server may take to accept connections.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The running server. It ends when this is dropped.
pub(super) struct Postgres {
    server: Child,
    programs: PathBuf,
    scratch: Scratch,
}

/// A transaction that holds a lock until this is dropped.
pub(super) struct HeldLock {
    session: Child,
    input: ChildStdin,
}

impl Postgres {
    /// Makes an empty server and waits until it accepts connections.
    pub(super) fn start() -> Result<Self> {
        let programs = postgresql::find_or_install()?;
        let scratch = Scratch::new()?;
        // Neither program runs as root.
        let user = match std::fs::metadata(scratch.path())?.uid() {
            0 => {
                let (user, group) = (id(&["-u", "postgres"])?, id(&["-g", "postgres"])?);
                chown(scratch.path(), Some(user), Some(group))?;
                vec![format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]
            }
            _ => Vec::new(),
        };
        let program = |name: &str| {
            let mut command = Command::new("setpriv");
            command.args(&user).args(["--pdeathsig", "QUIT"]).arg(programs.join(name));
            command.current_dir(scratch.path());
            command
        };
        let data = scratch.path().join("data");
        let mut init = program("initdb");
        init.args(["--no-sync", "--username=bench", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        output(init.arg(&data))?;
        let mut server = program("postgres");
        server.arg("-D").arg(&data).arg("-k").arg(scratch.path()).args(["-c", "listen_addresses="]);
        let server = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let started = Self { server, programs, scratch };
        let deadline = Instant::now() + START_TIMEOUT;
        while started.query("SELECT 1").is_err() {
            if Instant::now() > deadline {
                bail!("PostgreSQL accepts no connection after {} s", START_TIMEOUT.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(started)
    }

    /// Where it is, as libpq takes it.
    pub(super) fn url(&self) -> String {
        format!("postgres://bench@localhost/postgres?host={}", self.scratch.path().display())
    }

    /// The first column of the only row.
    pub(super) fn query(&self, statement: &str) -> Result<String> {
        let mut psql = self.psql();
        output(psql.args(["--command", statement])).map(|text| text.trim().to_owned())
    }

    /// Runs a statement that locks, and keeps its transaction open.
    pub(super) fn lock(&self, statement: &str) -> Result<HeldLock> {
        let mut session = self.psql().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut input = session.stdin.take().context("it was asked for")?;
        let output = session.stdout.take().context("it was asked for")?;
        writeln!(input, "BEGIN;\n{statement};\n\\echo held")?;
        let mut lines = BufReader::new(output).lines();
        while lines.next().context("the lock was refused")?? != "held" {}
        Ok(HeldLock { session, input })
    }

    /// Waits until somebody waits for a lock.
    pub(super) fn wait_for_blocked(&self, at_most: Duration) -> Result<()> {
        let deadline = Instant::now() + at_most;
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        while self.query(waiting)? == "0" {
            if Instant::now() > deadline {
                bail!("nobody came to the lock");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn psql(&self) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", &self.url()]);
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The immediate shutdown; an error means that it has already ended.
        let _ = output(Command::new("kill").args(["-QUIT", &self.server.id().to_string()]));
        let _ = self.server.wait();
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        // The end of the session is the end of its transaction.
        let _ = writeln!(self.input, "ROLLBACK;\n\\quit");
        let _ = self.session.wait();
    }
}

fn id(arguments: &[&str]) -> Result<u32> {
    Ok(output(Command::new("id").args(arguments))?.trim().parse()?)
}
