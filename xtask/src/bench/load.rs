//! The load of small answers: `wrk`, on the core that the subject does not have.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::subject::{OTHER_CORE, Running};
use crate::command::output;

/// Connections that are kept open.
pub(super) const CONNECTIONS: u32 = 64;

/// What the load generator saw.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) requests: u64,
    pub(super) duration: Duration,
    pub(super) bytes: f64,
    pub(super) median: Duration,
    pub(super) percentile_99: Duration,
}

/// Puts a load on a subject. An answer other than 2xx or a failed connection makes the whole measurement an error: a
/// fast refusal is no throughput.
pub(super) fn run(wrk: &Path, subject: &Running, path: &str, seconds: u32) -> Result<Outcome> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &OTHER_CORE.to_string()]).arg(wrk);
    command.args(["--threads", "1", "--latency", "--timeout", "60s"]);
    command.args(["--connections", &CONNECTIONS.to_string()]);
    command.args(["--duration", &format!("{seconds}s")]);
    for header in &subject.headers {
        command.args(["--header", header]);
    }
    let text = output(command.arg(format!("{}{}", subject.base_url, path)))?;
    if let Some(fault) = text.lines().find(|line| line.contains("Non-2xx") || line.contains("Socket errors"))
    {
        bail!("{}: {}", subject.subject.name(), fault.trim());
    }
    parse(&text).with_context(|| format!("wrk wrote something else than expected:\n{text}"))
}

/// Reads the report of wrk 4.
fn parse(text: &str) -> Option<Outcome> {
    let after = |start: &str| text.lines().find_map(|line| line.trim().strip_prefix(start)).map(str::trim);
    let total = text.lines().find(|line| line.contains(" requests in "))?.trim();
    let (requests, rest) = total.split_once(" requests in ")?;
    let (duration, read) = rest.split_once(", ")?;
    Some(Outcome {
        requests: requests.parse().ok()?,
        duration: parse_duration(duration)?,
        bytes: parse_bytes(read.strip_suffix(" read")?)?,
        median: parse_duration(after("50%")?)?,
        percentile_99: parse_duration(after("99%")?)?,
    })
}

fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    Some(Duration::from_secs_f64(number * seconds))
}

/// wrk counts in powers of 1024.
fn parse_bytes(text: &str) -> Option<f64> {
    let (number, unit) = split_unit(text)?;
    let exponent = ["B", "KB", "MB", "GB", "TB"].iter().position(|known| *known == unit)?;
    Some(number * 1024_f64.powi(i32::try_from(exponent).ok()?))
}

fn split_unit(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|character: char| character.is_ascii_alphabetic())?;
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let report = "Running 8s test @ http://localhost:1/small\n  1 threads and 64 connections\n  \
                      Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency     0.94ms    1.10ms  30.02ms   97.51%\n  \
                      Latency Distribution\n     50%  812.00us\n     75%    1.00ms\n     90%    1.20ms\n     99%    2.50ms\n  \
                      523712 requests in 8.01s, 0.61GB read\nRequests/sec:  65382.00\nTransfer/sec:     78.10MB\n";
        let expected = Outcome {
            requests: 523_712,
            duration: Duration::from_millis(8010),
            bytes: 0.61 * 1024.0 * 1024.0 * 1024.0,
            median: Duration::from_micros(812),
            percentile_99: Duration::from_micros(2500),
        };
        assert_eq!(parse(report), Some(expected));
        assert_eq!(parse("unable to connect"), None);
    }
}
