//! Processes that the benchmark starts, and what they use.

use std::fs::DirBuilder;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command::output;

/// How long a process may take to answer after it was started.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A process on a core of its own. It is killed when this is dropped, and its files go.
pub(super) struct Process {
    child: Child,
    scratch: Scratch,
}

/// A directory for the files of one process. It is removed when this is dropped.
pub(super) struct Scratch(PathBuf);

impl Process {
    /// Starts a command that is pinned to a core.
    pub(super) fn start(core: u32, program: &Path, arguments: &[&str], scratch: Scratch) -> Result<Self> {
        // Both replace themselves by what they start, so the child's id is the program's. When this process is ended
        // without a chance to clean up, the kernel ends the child.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "taskset", "--cpu-list", &core.to_string()]);
        command.arg(program).args(arguments);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("{} could not be started", program.display()))?;
        Ok(Self { child, scratch })
    }

    /// The directory with its files.
    pub(super) fn directory(&self) -> &Path {
        self.scratch.path()
    }

    /// The process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a URL answers, with whatever status.
    pub(super) fn wait_for(&mut self, url: &str) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--insecure", "--max-time", "2", "--output", "/dev/null", url]);
            if output(&mut curl).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the process that should answer at {url} ended ({status})");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("nothing answers at {url} after {} s", START_TIMEOUT.as_secs())
    }

    /// Ends it with SIGKILL; its files stay until this is dropped.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop).context("the end of the process cannot be seen")
    }

    /// Starts the count of the highest memory use anew.
    pub(super) fn forget_peak(&self) -> Result<()> {
        let file = format!("/proc/{}/clear_refs", self.id());
        std::fs::write(&file, "5").with_context(|| file)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Scratch {
    /// A new, empty directory that only we may read.
    pub(super) fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tombolo-bench-{}-{count}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind is in the directory for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a process has used up to now.
pub(super) struct Usage {
    /// User and system time in seconds.
    pub(super) cpu_seconds: f64,
    /// Resident memory in bytes.
    pub(super) resident: u64,
    /// The highest resident memory in bytes.
    pub(super) resident_peak: u64,
}

impl Usage {
    /// Reads it from `/proc` (see proc(5)).
    pub(super) fn of(process: u32) -> Result<Self> {
        let read = |name: &str| {
            let file = format!("/proc/{process}/{name}");
            std::fs::read_to_string(&file).with_context(|| file)
        };
        let ticks_per_second: f64 = output(Command::new("getconf").arg("CLK_TCK"))?.trim().parse()?;
        let ticks =
            cpu_ticks(&read("stat")?).context("the stat of a process has another form than expected")?;
        let status = read("status")?;
        let memory = |key| kilobytes(&status, key).context("the status of a process has no memory use");
        Ok(Self {
            cpu_seconds: ticks as f64 / ticks_per_second,
            resident: memory("VmRSS:")? * 1024,
            resident_peak: memory("VmHWM:")? * 1024,
        })
    }
}

/// User and system time of `/proc/PID/stat`: fields 14 and 15, counted after the name, which may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn kilobytes(status: &str, key: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

/// A port of the loopback address that nobody listens on at this moment.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_understood() {
        let stat = "42 (a) b) c) S 1 42 42 0 -1 4194560 100 0 0 0 731 269 0 0 20 0 1 0 5 6 7";
        assert_eq!(cpu_ticks(stat), Some(1000));
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(1024));
        assert_eq!(kilobytes(status, "VmSwap:"), None);
    }

    #[test]
    fn a_process_uses_something() {
        let usage = Usage::of(std::process::id()).expect("this process runs");
        assert!(usage.resident > 100_000 && usage.resident_peak >= usage.resident);
    }
}
