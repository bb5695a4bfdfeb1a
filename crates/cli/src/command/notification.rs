//! `tombolo notification`

use clap::{Args, Subcommand};
use tombolo_api::{
    CreateNotificationRecipient, NotificationChannel, NotificationKind, NotificationLanguage,
    NotificationRecipient, UpdateNotificationRecipient,
};

use super::arguments::{Confirmation, from_wire_name, moment, moment_or_dash, wire_name};
use super::connection::secret_source::SecretSource;
use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, properties, say, table};

/// Whom this environment tells how its connections do. Every command takes a recipient's name or id.
#[derive(Debug, Subcommand)]
pub enum Notification {
    /// List the recipients.
    List,
    /// Make a recipient.
    #[command(after_help = "Examples:
  tombolo notification create ops --mail ops@example.com
  tombolo notification create 情シス --mail it@example.co.jp --language ja
  tombolo notification create chat --chat slack --url-from env:SLACK_URL
  tombolo notification create alerts --chat teams --url-from file:teams-url.txt --kind needs_reconnecting --kind failing
  tombolo notification create owners --end-users

Mail needs a mail server: the operator names one in the section [mail] of the configuration. The address of a chat is a
secret, so it never stands in an argument.")]
    Create(Create),
    /// Show a recipient; never the address of a chat.
    Show(Named),
    /// Change, enable or disable a recipient.
    Update(Update),
    /// Delete a recipient.
    Delete(Delete),
    /// Send a test message now, and tell whether it is taken.
    Test(Named),
}

/// What a recipient is made from.
#[derive(Debug, Args)]
pub struct Create {
    /// What people are to call it.
    name: String,
    /// A mailbox.
    #[arg(long, value_name = "ADDRESS", required_unless_present_any = ["chat", "end_users"], conflicts_with_all = ["chat", "end_users"])]
    mail: Option<String>,
    /// A chat: slack, teams, discord, or json for a program.
    #[arg(long, value_name = "FORMAT", value_parser = chat_named, requires = "url_from", conflicts_with = "end_users")]
    chat: Option<NotificationChannel>,
    /// Mail to the end user whom each connection belongs to; the person's tag `language` says what they read.
    #[arg(long)]
    end_users: bool,
    /// The address that the chat gave, from `stdin`, `file:PATH` or `env:NAME`.
    #[arg(long, value_name = "SOURCE", requires = "chat")]
    url_from: Option<SecretSource>,
    /// The language that it reads: en or ja.
    #[arg(long, value_name = "LANGUAGE", default_value = "en", value_parser = from_wire_name::<NotificationLanguage>)]
    language: NotificationLanguage,
    /// What it is to be told: `failing`, `needs_reconnecting`, `expiring`, `mended` or `unconfirmed`; can be repeated; everything
    /// unless given.
    #[arg(long = "kind", value_name = "KIND", value_parser = from_wire_name::<NotificationKind>)]
    kinds: Vec<NotificationKind>,
}

/// One recipient.
#[derive(Debug, Args)]
pub struct Named {
    /// The recipient's name or id.
    recipient: String,
}

/// What changes; what is left out stays.
#[derive(Debug, Args)]
pub struct Update {
    /// The recipient's name or id.
    recipient: String,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Another mailbox.
    #[arg(long, value_name = "ADDRESS")]
    mail: Option<String>,
    /// Another address of the chat, from `stdin`, `file:PATH` or `env:NAME`.
    #[arg(long, value_name = "SOURCE", conflicts_with = "mail")]
    url_from: Option<SecretSource>,
    /// The language that it reads: en or ja.
    #[arg(long, value_name = "LANGUAGE", value_parser = from_wire_name::<NotificationLanguage>)]
    language: Option<NotificationLanguage>,
    /// What it is to be told; can be repeated.
    #[arg(long = "kind", value_name = "KIND", value_parser = from_wire_name::<NotificationKind>)]
    kinds: Vec<NotificationKind>,
    /// Tell it everything.
    #[arg(long, conflicts_with = "kinds")]
    all_kinds: bool,
    /// Tell it what happens again.
    #[arg(long)]
    enable: bool,
    /// Tell it nothing any more.
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
}

/// What is deleted.
#[derive(Debug, Args)]
pub struct Delete {
    /// The recipient's name or id.
    recipient: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Notification {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        let nothing = match self {
            Self::Create(_) => WhereNothingIs::Install,
            _ => WhereNothingIs::Refuse,
        };
        on_api(global, nothing, output, async |api| self.on(api, output).await).await
    }

    async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List => output.show(&api.list_recipients().await?, |all| list(all))?,
            Self::Create(create) => {
                let made = api.create_recipient(&create.draft()?).await?;
                output.show(&made, words)?;
                say(format_args!("see whether it arrives: tombolo notification test {}", made.id));
            }
            Self::Show(Named { recipient }) => output.show(&api.read_recipient(&recipient).await?, words)?,
            Self::Update(update) => update.on(api, output).await?,
            Self::Delete(Delete { recipient, confirmation }) => {
                let known = api.read_recipient(&recipient).await?;
                confirmation.ask(&format!("Delete the recipient `{}` ({})?", known.name, known.id))?;
                api.delete_recipient(&known.id).await?;
                let answer = serde_json::json!({ "deleted": known.id, "name": known.name });
                output.show(&answer, |_| format!("deleted `{}`", known.name))?;
            }
            Self::Test(Named { recipient }) => {
                let told = api.test_recipient(&recipient).await?;
                output.show(&told, |told| format!("`{}` has taken a test message", told.name))?;
            }
        }
        Ok(Exit::Done)
    }
}

impl Create {
    fn draft(self) -> anyhow::Result<CreateNotificationRecipient> {
        let (channel, address) = match (self.mail, self.chat, &self.url_from) {
            (Some(mail), ..) => (NotificationChannel::Mail, Some(mail)),
            (None, Some(chat), Some(source)) => (chat, Some(source.read()?)),
            _ => (NotificationChannel::EndUserMail, None),
        };
        Ok(CreateNotificationRecipient {
            name: self.name,
            channel,
            address,
            language: self.language,
            kinds: self.kinds,
        })
    }
}

impl Update {
    async fn on(self, api: &Api, output: Output) -> anyhow::Result<()> {
        let kinds = (self.all_kinds || !self.kinds.is_empty()).then_some(self.kinds);
        let enabled = match (self.enable, self.disable) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        };
        let address = match self.url_from {
            Some(source) => Some(source.read()?),
            None => self.mail,
        };
        let change =
            UpdateNotificationRecipient { name: self.name, address, language: self.language, kinds, enabled };
        if change == UpdateNotificationRecipient::default() {
            return Err(Failure::usage("nothing is to change", "See --help for what can.").into());
        }
        output.show(&api.update_recipient(&self.recipient, &change).await?, words)
    }
}

fn chat_named(name: &str) -> Result<NotificationChannel, String> {
    match from_wire_name::<NotificationChannel>(name) {
        Ok(NotificationChannel::Mail | NotificationChannel::EndUserMail) => {
            Err("a mailbox is given with --mail".to_owned())
        }
        other => other,
    }
}

fn list(all: &[NotificationRecipient]) -> String {
    if all.is_empty() {
        return "nobody is told yet: `tombolo notification create NAME --mail ADDRESS`".to_owned();
    }
    let rows = all.iter().map(|known| {
        let state = if known.enabled { "enabled" } else { "disabled" };
        [
            known.name.clone(),
            wire_name(known.channel),
            known.address.clone(),
            state.to_owned(),
            known.id.clone(),
        ]
    });
    table(["name", "channel", "address", "state", "id"], rows)
}

fn words(known: &NotificationRecipient) -> String {
    let kinds: Vec<String> = known.kinds.iter().map(wire_name).collect();
    properties([
        ("name", known.name.clone()),
        ("id", known.id.clone()),
        ("channel", wire_name(known.channel)),
        ("address", known.address.clone()),
        ("language", wire_name(known.language)),
        ("told", if kinds.is_empty() { "everything".to_owned() } else { kinds.join(", ") }),
        ("disabled", moment_or_dash(known.disabled_at)),
        ("last message", moment_or_dash(known.sent_at)),
        ("created", moment(known.created_at)),
        ("updated", moment(known.updated_at)),
    ])
}
