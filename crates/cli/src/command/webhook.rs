//! `tombolo webhook`

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use tombolo_api::{
    CreateWebhook, ReplayWebhook, UpdateWebhook, Webhook as Known, WebhookDeliveries, WebhookDeliveriesQuery,
    WebhookDeliveryDetails, WebhookDeliveryState, WebhookFormat,
};

use super::arguments::{Confirmation, Page, from_wire_name, moment, moment_or_dash, wire_name};
use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, properties, say, table};

/// How long the outcome of a test event is waited for: as long as a receiver may take.
const PATIENCE: Duration = Duration::from_secs(25);

/// Where events are posted to, and what is on its way there. Every command takes a webhook's name or id.
#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// List the webhooks.
    List,
    /// Make a webhook, and print its signing secret: it is shown this once.
    #[command(after_help = "Examples:
  tombolo webhook create crm --to https://crm.example.com/hooks
  tombolo webhook create crm --to https://crm.example.com/hooks --event 'connection.*'
  tombolo webhook create app --to https://app.example.com/nango --format nango")]
    Create(Create),
    /// Show a webhook with everything but its secret.
    Show(Named),
    /// Change, enable or disable a webhook.
    Update(Update),
    /// Delete a webhook.
    Delete(Delete),
    /// Give a webhook another signing secret, and print it. The one before signs as well for 24 hours.
    RotateSecret(Named),
    /// Send a test event, and tell whether it arrives.
    Test(Named),
    /// Send events again: one, or those of a time.
    #[command(after_help = "Examples:
  tombolo webhook replay crm --event evt_…
  tombolo webhook replay crm --since 2026-11-22T08:00:00Z
  tombolo webhook replay crm --since 2026-11-22T08:00:00Z --until 2026-11-22T09:00:00Z --delivered-too

They keep their ids, by which the receiver knows what it has seen. Events are kept for 7 days.")]
    Replay(Replay),
    /// List deliveries, newest first.
    Deliveries(Deliveries),
    /// Show a delivery and what came of each attempt.
    Delivery(Delivery),
}

/// What a webhook is made from.
#[derive(Debug, Args)]
pub struct Create {
    /// What people are to call it.
    name: String,
    /// Where events are to be posted to.
    #[arg(long, value_name = "URL")]
    to: String,
    /// What a body is to look like: standard or nango.
    #[arg(long, value_name = "FORMAT", default_value = "standard", value_parser = from_wire_name::<WebhookFormat>)]
    format: WebhookFormat,
    /// A type that it is to get, such as connection.created or connection.*; can be repeated; all unless given.
    #[arg(long = "event", value_name = "TYPE")]
    event_types: Vec<String>,
}

/// One webhook.
#[derive(Debug, Args)]
pub struct Named {
    /// The webhook's name or id.
    webhook: String,
}

/// What changes; what is left out stays.
#[derive(Debug, Args)]
pub struct Update {
    /// The webhook's name or id.
    webhook: String,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Another address.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// A type that it is to get; can be repeated.
    #[arg(long = "event", value_name = "TYPE")]
    event_types: Vec<String>,
    /// Get every type.
    #[arg(long, conflicts_with = "event_types")]
    all_events: bool,
    /// Get events again.
    #[arg(long)]
    enable: bool,
    /// Get nothing any more.
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
}

/// What is deleted.
#[derive(Debug, Args)]
pub struct Delete {
    /// The webhook's name or id.
    webhook: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

/// What is sent again.
#[derive(Debug, Args)]
pub struct Replay {
    /// The webhook's name or id.
    webhook: String,
    /// The id of one event.
    #[arg(long, value_name = "ID", conflicts_with_all = ["since", "until", "delivered_too"], required_unless_present = "since")]
    event: Option<String>,
    /// What happened from this moment on, such as 2026-11-22T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// What happened before this moment; until now unless given.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// What arrived is sent again too.
    #[arg(long)]
    delivered_too: bool,
}

/// Which deliveries are listed.
#[derive(Debug, Args)]
pub struct Deliveries {
    /// Only those to this webhook.
    webhook: Option<String>,
    /// Only those of the event with this id.
    #[arg(long, value_name = "ID")]
    event: Option<String>,
    /// Only those in this state: pending, delivered, failed or skipped.
    #[arg(long, value_name = "STATE", value_parser = from_wire_name::<WebhookDeliveryState>)]
    state: Option<WebhookDeliveryState>,
    #[command(flatten)]
    page: Page,
}

/// Which delivery is shown.
#[derive(Debug, Args)]
pub struct Delivery {
    /// The delivery's id.
    id: String,
}

impl Webhook {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        let nothing = match self {
            Self::Create(_) => WhereNothingIs::Install,
            _ => WhereNothingIs::Refuse,
        };
        on_api(global, nothing, output, async |api| self.on(api, output).await).await
    }

    async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List => output.show(&api.list_webhooks().await?, |all| list(all))?,
            Self::Create(Create { name, to, format, event_types }) => {
                let draft = CreateWebhook { name, url: to, format, event_types };
                let made = api.create_webhook(&draft).await?;
                output.show(&made, |made| made.secret.clone())?;
                say(format_args!("made the webhook `{}` ({})", made.webhook.name, made.webhook.id));
                say("This secret is shown this once: keep it where the receiver finds it.");
            }
            Self::Show(Named { webhook }) => output.show(&api.read_webhook(&webhook).await?, words)?,
            Self::Update(update) => update.on(api, output).await?,
            Self::Delete(Delete { webhook, confirmation }) => {
                let known = api.read_webhook(&webhook).await?;
                confirmation.ask(&format!("Delete the webhook `{}` ({})?", known.name, known.id))?;
                api.delete_webhook(&known.id).await?;
                let answer = serde_json::json!({ "deleted": known.id, "name": known.name });
                output.show(&answer, |_| format!("deleted `{}`", known.name))?;
            }
            Self::RotateSecret(Named { webhook }) => {
                let changed = api.rotate_webhook_secret(&webhook).await?;
                output.show(&changed, |changed| changed.secret.clone())?;
                say("This secret is shown this once. The one before signs as well for 24 hours.");
            }
            Self::Test(Named { webhook }) => return test(api, &webhook, output).await,
            Self::Replay(Replay { webhook, event, since, until, delivered_too }) => {
                let wanted = ReplayWebhook { event, since, until, delivered_too };
                let answer = api.replay_webhook(&webhook, &wanted).await?;
                output.show(&answer, |answer| format!("{} on the way", answer.replayed))?;
            }
            Self::Deliveries(Deliveries { webhook, event, state, page: Page { limit, cursor } }) => {
                let wanted = WebhookDeliveriesQuery { webhook, event, state, limit, cursor };
                let page = api.list_webhook_deliveries(&wanted).await?;
                output.show(&page, deliveries)?;
                if let (Some(cursor), false) = (&page.next_cursor, output.json) {
                    say(format_args!("more: --cursor {cursor}"));
                }
            }
            Self::Delivery(Delivery { id }) => {
                output.show(&api.read_webhook_delivery(&id).await?, details)?;
            }
        }
        Ok(Exit::Done)
    }
}

impl Update {
    async fn on(self, api: &Api, output: Output) -> anyhow::Result<()> {
        let types = (self.all_events || !self.event_types.is_empty()).then_some(self.event_types);
        let enabled = match (self.enable, self.disable) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        };
        let change = UpdateWebhook { name: self.name, url: self.to, event_types: types, enabled };
        if change == UpdateWebhook::default() {
            return Err(Failure::usage("nothing is to change", "See --help for what can.").into());
        }
        output.show(&api.update_webhook(&self.webhook, &change).await?, words)
    }
}

/// Waits for the first attempt, and fails when it does.
async fn test(api: &Api, webhook: &str, output: Output) -> anyhow::Result<Exit> {
    let sent = api.test_webhook(webhook).await?;
    let started = Instant::now();
    let mut shown = api.read_webhook_delivery(&sent.id).await?;
    while shown.tried.is_empty() && started.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(100)).await;
        shown = api.read_webhook_delivery(&sent.id).await?;
    }
    output.show(&shown, details)?;
    if shown.tried.is_empty() {
        say("It is on its way, and a running server sends it: see `tombolo webhook delivery`.");
        return Ok(Exit::Done);
    }
    let arrived = shown.delivery.state == WebhookDeliveryState::Delivered;
    Ok(if arrived { Exit::Done } else { Exit::Failure })
}

fn list(all: &[Known]) -> String {
    if all.is_empty() {
        return "no webhooks yet: make one with `tombolo webhook create NAME --to URL`".to_owned();
    }
    let rows = all
        .iter()
        .map(|webhook| [webhook.name.clone(), webhook.url.clone(), state(webhook), webhook.id.clone()]);
    table(["name", "url", "state", "id"], rows)
}

fn state(webhook: &Known) -> String {
    match (webhook.disabled_at, webhook.failing_since) {
        (Some(at), _) => format!("disabled {}", moment(at)),
        (None, Some(at)) => format!("failing since {}", moment(at)),
        (None, None) => "enabled".to_owned(),
    }
}

fn words(webhook: &Known) -> String {
    let types =
        if webhook.event_types.is_empty() { "all".to_owned() } else { webhook.event_types.join(", ") };
    properties([
        ("name", webhook.name.clone()),
        ("id", webhook.id.clone()),
        ("url", webhook.url.clone()),
        ("format", wire_name(webhook.format)),
        ("events", types),
        ("state", state(webhook)),
        ("reason", webhook.disabled_reason.clone().unwrap_or_default()),
        ("paused until", moment_or_dash(webhook.paused_until)),
        ("previous secret until", moment_or_dash(webhook.previous_secret_until)),
        ("created", moment(webhook.created_at)),
        ("updated", moment(webhook.updated_at)),
    ])
}

fn deliveries(page: &WebhookDeliveries) -> String {
    let rows = page.deliveries.iter().map(|delivery| {
        [
            moment(delivery.created_at),
            delivery.event_type.clone(),
            wire_name(delivery.state),
            delivery.attempts.to_string(),
            moment_or_dash(delivery.next_attempt_at),
            delivery.id.clone(),
        ]
    });
    table(["asked for", "event", "state", "attempts", "next attempt", "id"], rows)
}

fn details(shown: &WebhookDeliveryDetails) -> String {
    let delivery = &shown.delivery;
    let facts = properties([
        ("id", delivery.id.clone()),
        ("event", format!("{} ({})", delivery.event_type, delivery.event)),
        ("webhook", delivery.webhook.clone()),
        ("state", wire_name(delivery.state)),
        ("next attempt", moment_or_dash(delivery.next_attempt_at)),
        ("data", shown.data.to_string()),
    ]);
    let attempts = shown.tried.iter().map(|attempt| {
        let said = if attempt.answer.is_empty() {
            String::new()
        } else {
            format!("\n  it said: {}", attempt.answer)
        };
        let (number, at, took) = (attempt.number, moment(attempt.at), attempt.milliseconds);
        format!("attempt {number} at {at}: {}, {took} ms\n  {}{said}", attempt.outcome, attempt.what)
    });
    std::iter::once(facts).chain(attempts).collect::<Vec<_>>().join("\n")
}
