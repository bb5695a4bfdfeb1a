//! `tombolo audit`

use clap::Subcommand;
use tombolo_api::{AuditActor, AuditEvents, AuditVerification, PageQuery};

use super::arguments::{Page, moment};
use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::output::{Output, say, table};

/// Who did what to which object.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List what was done, newest first.
    List(Page),
    /// Walk along the whole chain of events. Exits with 1 when one is missing or was changed.
    Verify,
}

impl Audit {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        on_api(global, WhereNothingIs::Refuse, output, async |api| self.on(api, output).await).await
    }

    async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List(Page { limit, cursor }) => {
                let events = api.list_audit_events(&PageQuery { limit, cursor }).await?;
                output.show(&events, list)?;
                if let (Some(cursor), false) = (&events.next_cursor, output.json) {
                    say(format_args!("more: --cursor {cursor}"));
                }
                Ok(Exit::Done)
            }
            Self::Verify => {
                let found = api.verify_audit_events().await?;
                output.show(&found, verdict)?;
                Ok(if found.intact { Exit::Done } else { Exit::Failure })
            }
        }
    }
}

fn list(page: &AuditEvents) -> String {
    let rows = page.events.iter().map(|event| {
        [
            moment(event.at),
            who(&event.actor),
            event.action.clone(),
            event.object.label.clone(),
            event.object.id.clone(),
        ]
    });
    table(["at", "who", "action", "object", "id"], rows)
}

/// The operator has no name beside what it is.
fn who(actor: &AuditActor) -> String {
    if actor.kind == actor.label { actor.label.clone() } else { format!("{} {}", actor.kind, actor.label) }
}

fn verdict(found: &AuditVerification) -> String {
    let waiting = match found.waiting {
        0 => String::new(),
        waiting => format!(", {waiting} not chained yet"),
    };
    match &found.broken {
        None => format!("intact: {} events verified{waiting}", found.verified),
        Some(broken) => format!(
            "BROKEN at event {}: {}\n{} events before it are intact{waiting}.\nSomebody wrote to the database past the program, or a backup was mixed in: compare with a backup, and with copies of the events that were sent elsewhere.",
            broken.sequence, broken.reason, found.verified
        ),
    }
}
