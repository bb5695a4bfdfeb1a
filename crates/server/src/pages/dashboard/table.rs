//! What tables of the dashboard show in the same way everywhere.

use tombolo_platform::store::{Connection, Health, Timestamp};

use crate::pages::shell::Shell;
use crate::routes::moment;

/// A moment as `<time>` has it: for machines, and in UTC for whoever has no script that shows it in their own zone.
pub(crate) struct Moment {
    pub(crate) machine: String,
    pub(crate) human: String,
}

impl Moment {
    pub(crate) fn new(at: Timestamp) -> Self {
        let at = moment(at);
        Self { machine: at.to_string(), human: at.strftime("%Y-%m-%d %H:%M UTC").to_string() }
    }
}

/// A health in words, and the colour it has.
pub(crate) fn health(shell: &Shell, connection: &Connection) -> (String, &'static str) {
    let (words, colour) = match connection.health {
        Health::Active => ("health-active", "good"),
        Health::Unverified => ("health-unverified", ""),
        Health::Expiring => ("health-expiring", "warn"),
        Health::Failing => ("health-failing", "warn"),
        Health::NeedsReconnecting => ("health-needs-reconnecting", "bad"),
    };
    (shell.say(words), colour)
}
