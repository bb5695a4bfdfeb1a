use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whom an environment tells about the health of its connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationRecipient {
    /// Names it for ever.
    pub id: String,
    /// What people call it; unique in its environment.
    pub name: String,
    /// How it is reached.
    pub channel: NotificationChannel,
    /// A mailbox, or the host of a chat; the address of a chat is a secret. Empty for the mail of end users.
    pub address: String,
    /// The language it reads.
    pub language: NotificationLanguage,
    /// What it is told; empty for everything.
    pub kinds: Vec<NotificationKind>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Since when it is told nothing.
    pub disabled_at: Option<Timestamp>,
    /// When it got the last message.
    pub sent_at: Option<Timestamp>,
    /// Grows with every change.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// How a recipient is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationChannel {
    /// A mailbox.
    Mail,
    /// The mailbox of the end user whom the connection in question belongs to; its tag `language` says what they read.
    EndUserMail,
    /// A chat that takes what Slack takes: `{text}`.
    Slack,
    /// Microsoft Teams: an adaptive card.
    Teams,
    /// Discord: `{content}`.
    Discord,
    /// A program: `{subject, text, connections}`.
    Json,
}

/// A language that messages are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationLanguage {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

/// What there is to tell about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// It works again.
    Mended,
    /// Its credentials end in 30, 7 or 1 days.
    Expiring,
    /// It has failed for ten minutes.
    Failing,
    /// Only a person can mend it.
    NeedsReconnecting,
    /// An account was linked again from the link of a message, and somebody has to confirm whose it is.
    Unconfirmed,
}

/// The environment's recipients in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationRecipients {
    /// All of them.
    pub recipients: Vec<NotificationRecipient>,
}

/// What a recipient is made from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateNotificationRecipient {
    /// What people are to call it; unique in its environment.
    pub name: String,
    /// How it is to be reached. It stays.
    pub channel: NotificationChannel,
    /// The mailbox, or the `https` address that the chat gave, which is never shown again; nothing for the mail of end
    /// users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    pub address: Option<String>,
    /// The language it reads; English unless given.
    #[serde(default)]
    pub language: NotificationLanguage,
    /// What it is to be told; everything unless given.
    #[serde(default)]
    pub kinds: Vec<NotificationKind>,
}

impl fmt::Debug for CreateNotificationRecipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, channel, address: _, language, kinds } = self;
        formatter
            .debug_struct("CreateNotificationRecipient")
            .field("name", name)
            .field("channel", channel)
            .field("language", language)
            .field("kinds", kinds)
            .finish_non_exhaustive()
    }
}

/// What changes about a recipient; what is left out stays.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateNotificationRecipient {
    /// What people are to call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another mailbox, or another address of the chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    pub address: Option<String>,
    /// The language it reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<NotificationLanguage>,
    /// What it is to be told; empty for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<NotificationKind>>,
    /// Whether it is to be told anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

impl fmt::Debug for UpdateNotificationRecipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, address: _, language, kinds, enabled } = self;
        formatter
            .debug_struct("UpdateNotificationRecipient")
            .field("name", name)
            .field("language", language)
            .field("kinds", kinds)
            .field("enabled", enabled)
            .finish_non_exhaustive()
    }
}
