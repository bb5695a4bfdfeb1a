//! Whom an environment tells about the health of its connections, what there is to tell them, and the links to mend it.

mod links;
mod notices;
mod recipients;

pub use links::{NewReconnectLink, ReconnectLink};
pub use notices::{DueNotice, NewNotice, NoticeKind, Told};
pub use recipients::{Channel, NewRecipient, Recipient, RecipientUpdate};

use crate::commit::Act;
use crate::error::StoreError;
use crate::id::{AuthorizationId, ConnectionId, EnvironmentId, RecipientId};
use crate::timestamp::Timestamp;

/// The kind of the job that tells one recipient whatever is due. There is one for each recipient, which rests in between:
/// so that nobody is told the same by two workers.
pub const NOTIFICATION_JOB: &str = "notification";

/// One thing to write about notifications.
#[derive(Debug, Clone)]
pub enum NotificationChange {
    /// Makes a recipient.
    Insert(NewRecipient),
    /// Changes a recipient.
    Update(RecipientUpdate),
    /// Empties the secret of a recipient, frees its name and forgets what it was to be told.
    Delete(EnvironmentId, RecipientId),
    /// Notes news of a connection for every recipient that wants them.
    Notice(NewNotice),
    /// Notes that a recipient got a message.
    Sent(EnvironmentId, RecipientId),
    /// Notes that news were told, or need not be told, unless newer ones came meanwhile.
    Told(Told),
    /// Puts news off.
    PutOff(RecipientId, ConnectionId, Timestamp),
    /// Makes the link of a message.
    InsertLink(NewReconnectLink),
    /// Notes what was begun from a link. Another authorization than the one that was read is a conflict.
    BeginFromLink {
        /// The link.
        link_hash: Vec<u8>,
        /// What was begun from it before.
        expected: Option<AuthorizationId>,
        /// What is begun now.
        authorization: AuthorizationId,
    },
}

impl NotificationChange {
    pub(crate) async fn apply(&self, act: &mut Act<'_>) -> Result<(), StoreError> {
        match self {
            Self::Insert(new) => recipients::insert(act, new).await,
            Self::Update(update) => recipients::update(act, update).await,
            Self::Delete(environment, id) => {
                recipients::delete(act, environment, id).await?;
                notices::forget(act, id).await
            }
            Self::Notice(new) => notices::insert(act, new).await,
            Self::Sent(environment, id) => recipients::sent(act, environment, id).await,
            Self::Told(told) => notices::told(act, told).await,
            Self::PutOff(recipient, connection, until) => {
                notices::put_off(act, recipient, connection, *until).await
            }
            Self::InsertLink(new) => links::insert(act, new).await,
            Self::BeginFromLink { link_hash, expected, authorization } => {
                links::begin(act, link_hash, expected.as_ref(), authorization).await
            }
        }
    }
}
