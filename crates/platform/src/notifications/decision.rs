use std::time::Duration;

use tombolo_store::{Channel, DueNotice, NoticeKind, Timestamp};

/// About one connection nobody hears more than once in this time, unless it has become worse.
const QUIET: Duration = Duration::from_hours(1);

/// What is done about news that are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// They are told.
    Tell,
    /// They are told later, unless others come before.
    Wait(Timestamp),
    /// They are no news.
    Drop,
}

impl Decision {
    pub(super) fn about(notice: &DueNotice, channel: Channel, now: Timestamp) -> Self {
        // Only the environment's own people can say whose account it is.
        if notice.kind == NoticeKind::Unconfirmed && channel == Channel::EndUserMail {
            return Self::Drop;
        }
        let Some((told, told_at)) = notice.told else {
            // Who was not told that something is wrong need not be told that it is over.
            return if notice.kind == NoticeKind::Mended { Self::Drop } else { Self::Tell };
        };
        // A nearer end is news, and so is a further account that waits.
        let may_repeat = matches!(notice.kind, NoticeKind::Expiring | NoticeKind::Unconfirmed);
        if notice.kind == told && !may_repeat {
            return Self::Drop;
        }
        let quiet_until = told_at.plus(QUIET);
        if now < quiet_until && notice.kind <= told && !may_repeat {
            return Self::Wait(quiet_until);
        }
        Self::Tell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of the kinds is that of their weight.
    #[test]
    fn a_connection_that_flaps_is_told_of_once_an_hour() {
        use NoticeKind::{Expiring, Failing, Mended, NeedsReconnecting, Unconfirmed};
        let minute = |minutes: i64| Timestamp::from_milliseconds(minutes * 60_000);
        for (kind, told, now, expected) in [
            (Failing, None, 10, Decision::Tell),
            (Mended, None, 10, Decision::Drop),
            (Failing, Some((Failing, 0)), 10, Decision::Drop),
            (Failing, Some((Failing, 0)), 600, Decision::Drop),
            (Mended, Some((Failing, 0)), 10, Decision::Wait(minute(60))),
            (Mended, Some((Failing, 0)), 60, Decision::Tell),
            (Mended, Some((Mended, 0)), 90, Decision::Drop),
            (Failing, Some((Mended, 0)), 10, Decision::Tell),
            (NeedsReconnecting, Some((Failing, 0)), 1, Decision::Tell),
            (Failing, Some((NeedsReconnecting, 0)), 1, Decision::Wait(minute(60))),
            (Expiring, Some((Expiring, 0)), 1, Decision::Tell),
            (Unconfirmed, Some((Unconfirmed, 0)), 1, Decision::Tell),
        ] {
            let notice = DueNotice {
                connection: "con_019ab697e8007838a5822a6f9e62da21".parse().expect("an id"),
                kind,
                days_left: None,
                happened_at: minute(0),
                told: told.map(|(kind, at)| (kind, minute(at))),
            };
            let found = Decision::about(&notice, Channel::Mail, minute(now));
            assert_eq!(found, expected, "{kind:?} after {told:?} at minute {now}");
        }
    }
}
