use std::time::Duration;

use tombolo_store::{
    Authorization, Change, Connection, ConnectionId, EnvironmentId, Health, NewNotice, NoticeKind,
    NotificationChange,
};

/// A connection that fails is told of when it has failed for so long: most failures mend themselves before.
const PATIENCE: Duration = Duration::from_mins(10);
/// How long news wait for others, to be told together.
const GATHER: Duration = Duration::from_mins(1);

/// What there is to tell when a connection has another health than before.
pub(crate) fn news_of_health(connection: &Connection, health: Health) -> Option<Change> {
    let (kind, wait) = kind_of(connection.health, health)?;
    Some(notice(&connection.environment_id, &connection.id, kind, None, wait))
}

/// What it means that a connection does otherwise than before, and how long that waits.
fn kind_of(before: Health, health: Health) -> Option<(NoticeKind, Duration)> {
    Some(match health {
        Health::Active => (NoticeKind::Mended, GATHER),
        // It works again, although its end is near.
        Health::Expiring if matches!(before, Health::Failing | Health::NeedsReconnecting) => {
            (NoticeKind::Mended, GATHER)
        }
        Health::Failing => (NoticeKind::Failing, PATIENCE),
        Health::NeedsReconnecting => (NoticeKind::NeedsReconnecting, GATHER),
        // Of an end that is near, the warnings tell.
        Health::Expiring | Health::Unverified => return None,
    })
}

/// What there is to tell when the credentials of a connection end in so many days.
pub(crate) fn news_of_end(connection: &Connection, days_left: Option<u32>) -> Change {
    notice(&connection.environment_id, &connection.id, NoticeKind::Expiring, days_left, GATHER)
}

/// What there is to tell when an account was linked again from a link, and somebody has to confirm whose it is.
pub(crate) fn news_of_unconfirmed(authorization: &Authorization) -> Change {
    let Authorization { environment_id, connection, .. } = authorization;
    notice(environment_id, connection, NoticeKind::Unconfirmed, None, Duration::ZERO)
}

fn notice(
    environment_id: &EnvironmentId,
    connection: &ConnectionId,
    kind: NoticeKind,
    days_left: Option<u32>,
    wait: Duration,
) -> Change {
    Change::Notification(NotificationChange::Notice(NewNotice {
        environment_id: environment_id.clone(),
        connection: connection.clone(),
        kind,
        days_left,
        wait,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `mended` in the place of a warning would keep people from hearing of the end.
    #[test]
    fn what_works_again_is_told_however_near_its_end_is() {
        use Health::{Active, Expiring, Failing, NeedsReconnecting, Unverified};
        for (before, health, expected) in [
            (Failing, Active, Some(NoticeKind::Mended)),
            (Failing, Expiring, Some(NoticeKind::Mended)),
            (NeedsReconnecting, Expiring, Some(NoticeKind::Mended)),
            (Active, Expiring, None),
            (Unverified, Expiring, None),
            (Expiring, Active, Some(NoticeKind::Mended)),
            (Expiring, Failing, Some(NoticeKind::Failing)),
        ] {
            assert_eq!(kind_of(before, health).map(|(kind, _)| kind), expected, "{before:?} to {health:?}");
        }
    }
}
