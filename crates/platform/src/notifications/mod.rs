//! Notifications: people are told by mail or in a chat how connections do, with a link to mend them.
//!
//! News are written in the act that they are about (`news`), folded until they are due (`decision`), written in the
//! language of whoever reads them (`words`), and sent by one job for each recipient (`deliver`).

mod chat;
mod decision;
mod deliver;
mod links;
mod mail;
mod news;
mod recipients;
mod words;

pub use links::ReconnectAbout;
pub use mail::{MailSettings, MailTls, Mailer};
pub(crate) use news::{news_of_end, news_of_health, news_of_unconfirmed};
pub use recipients::{RecipientChanges, RecipientDraft};

/// How recipients are reached and what they are told, for those who show them.
pub use tombolo_store::{Channel, NoticeKind};
