//! `tombolo doctor`: what stands in the way, and what to do about it. Needs no server, and changes nothing.

mod hosts;
mod identity_provider;
mod installation;
mod machine;

use clap::Args;
use serde::Serialize;
use tombolo_platform::start::StartOptions;

use super::GlobalOptions;
use crate::connect_api::master_key;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Colour, Output, one_line};

/// Find out what stands in the way. Needs no server; exits with 1 when something does.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tombolo doctor
  tombolo doctor --host acme.kintone.com
  tombolo doctor --json | jq '.checks[] | select(.verdict == \"bad\")'")]
pub struct Doctor {
    /// A host to reach; can be repeated; the hosts of the connections unless given.
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// Reach no host.
    #[arg(long, conflicts_with = "hosts")]
    offline: bool,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub subject: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen.
    pub saw: String,
    /// What to do; `null` when there is nothing to do.
    pub fix: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, but somebody should look at it.
    Notice,
    /// It does not work.
    Bad,
}

impl Check {
    fn good(subject: impl Into<String>, saw: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict: Verdict::Good, saw: saw.into(), fix: None }
    }

    fn notice(subject: impl Into<String>, saw: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict: Verdict::Notice, saw: saw.into(), fix: Some(fix.into()) }
    }

    fn bad(subject: impl Into<String>, saw: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict: Verdict::Bad, saw: saw.into(), fix: Some(fix.into()) }
    }

    /// A failure of a part.
    fn failed(subject: impl Into<String>, error: &anyhow::Error) -> Self {
        let failure = Failure::of(error);
        let (what, fix) = failure.map(|failure| (failure.what, failure.fix)).unwrap_or_default();
        Self::bad(subject, what, fix)
    }
}

impl Doctor {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        let mut checks = Vec::new();
        let options = match options(global) {
            Ok(options) => {
                checks.push(Check::good("configuration", "every setting fits"));
                Some(options)
            }
            Err(error) => {
                checks.push(Check::failed("configuration", &error));
                None
            }
        };
        checks.push(machine::clock());
        if let Some(options) = options {
            let mut hosts = self.hosts.clone();
            if global.url.is_none() {
                checks.extend(machine::data_directory(&options));
                checks.push(machine::master_key(&options));
            }
            let (found, known_hosts) = installation::look(global, &options, output).await;
            checks.extend(found);
            if hosts.is_empty() && !self.offline {
                hosts = known_hosts;
            }
            if !self.offline {
                hosts.extend(identity_provider::host(&options).filter(|host| !hosts.contains(host)));
                checks.extend(identity_provider::look(&options).await);
            }
            checks.extend(hosts::reach_all(&options, &hosts).await);
        }
        let is_bad = checks.iter().any(|check| check.verdict == Verdict::Bad);
        output.show(&serde_json::json!({ "healthy": !is_bad, "checks": checks }), |_| {
            let lines: Vec<String> = checks.iter().map(|check| words(check, output)).collect();
            let end = if is_bad { "Something stands in the way." } else { "Nothing stands in the way." };
            format!("{}\n\n{end}", lines.join("\n"))
        })?;
        Ok(if is_bad { Exit::Failure } else { Exit::Done })
    }
}

fn options(global: &GlobalOptions) -> anyhow::Result<StartOptions> {
    global.configuration()?.start_options(master_key())
}

fn words(check: &Check, output: Output) -> String {
    let (mark, colour) = match check.verdict {
        Verdict::Good => ("✓", Colour::Good),
        Verdict::Notice => ("!", Colour::Notice),
        Verdict::Bad => ("✗", Colour::Bad),
    };
    let mut text =
        format!("{} {}: {}", output.paint(colour, mark), check.subject, one_line(check.saw.clone()));
    if let Some(fix) = &check.fix {
        text.push_str("\n    ");
        text.push_str(&one_line(fix.clone()));
    }
    text
}
