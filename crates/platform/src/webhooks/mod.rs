//! Outgoing webhooks: an environment's events are posted to the receivers that its administrators name, signed, until each
//! has said that it got them.

mod attempt;
mod body;
mod deliver;
mod deliveries;
mod event_types;
mod pause;
mod receivers;
mod signature;

pub use deliveries::Replay;
pub use event_types::EventType;
pub use receivers::{WebhookChanges, WebhookDraft};
pub use signature::WebhookSecret;

/// The format of bodies, for those who show them.
pub use tombolo_store::WebhookFormat;
