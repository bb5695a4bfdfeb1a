//! `tombolo activity`

mod follow;

use clap::Args;
use tombolo_api::{Activity as Calls, ActivityQuery, ProxiedCall, StatusClass};

use super::arguments::{Page, from_wire_name, moment};
use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::output::{Colour, Output, one_line, say, table};

/// See the calls that were made, newest first. Paths show the names of query parameters, never their values.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tombolo activity --connection \"Sales\" --errors
  tombolo activity --follow
  tombolo activity --json | jq '.calls[].total_micros'")]
pub struct Activity {
    /// Only through this connection: its id, connection id or name.
    #[arg(long, short, value_name = "CONNECTION")]
    connection: Option<String>,
    /// Only through the integration with this key.
    #[arg(long, value_name = "KEY")]
    integration: Option<String>,
    /// Only with a status of this class: 2xx, 3xx, 4xx or 5xx.
    #[arg(long, value_name = "CLASS", value_parser = from_wire_name::<StatusClass>)]
    status: Option<StatusClass>,
    /// Only those that failed.
    #[arg(long)]
    errors: bool,
    /// Go on showing calls as they are made, oldest first; with --json one document per line.
    #[arg(long, short, conflicts_with = "cursor")]
    follow: bool,
    #[command(flatten)]
    page: Page,
}

impl Activity {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        on_api(global, WhereNothingIs::Refuse, output, async |api| self.on(api, output).await).await
    }

    async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        let wanted = ActivityQuery {
            connection: self.connection,
            integration: self.integration,
            status: self.status,
            errors: self.errors.then_some(true),
            limit: self.page.limit,
            cursor: self.page.cursor,
        };
        if self.follow {
            return follow::follow(api, &wanted, output).await;
        }
        let calls = api.list_activity(&wanted).await?;
        output.show(&calls, list)?;
        if let (Some(cursor), false) = (&calls.next_cursor, output.json) {
            say(format_args!("more: --cursor {cursor}"));
        }
        Ok(Exit::Done)
    }
}

fn told(call: &ProxiedCall, output: Output) -> String {
    let colour = if failed(call) { Colour::Bad } else { Colour::Good };
    let outcome = output.paint(colour, &outcome(call));
    let path = one_line(call.path.clone());
    format!("{}  {outcome}  {:>8}  {} {path}", moment(call.at), duration(call.total_micros), call.method)
}

fn list(calls: &Calls) -> String {
    let rows = calls.calls.iter().map(|call| {
        [
            moment(call.at),
            outcome(call),
            duration(call.total_micros),
            call.method.clone(),
            call.path.clone(),
            call.attempts.to_string(),
            call.request_id.clone(),
        ]
    });
    table(["at", "status", "time", "method", "path", "attempts", "request id"], rows)
}

fn failed(call: &ProxiedCall) -> bool {
    call.error.is_some() || call.status.is_none_or(|status| status >= 400)
}

fn outcome(call: &ProxiedCall) -> String {
    match (call.status, &call.error) {
        (Some(status), None) => status.to_string(),
        (Some(status), Some(error)) => format!("{status} {error}"),
        (None, Some(error)) => error.clone(),
        (None, None) => "-".to_owned(),
    }
}

/// A duration as people read it.
pub fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("0.{} ms", micros / 100),
        1_000..10_000_000 => format!("{} ms", (micros + 500) / 1_000),
        _ => format!("{} s", (micros + 500_000) / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_have_a_fitting_unit() {
        for (micros, text) in
            [(0, "0.0 ms"), (430, "0.4 ms"), (2_600, "3 ms"), (980_400, "980 ms"), (12_400_000, "12 s")]
        {
            assert_eq!(duration(micros), text);
        }
    }
}
