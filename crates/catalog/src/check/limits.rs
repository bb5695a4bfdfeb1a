//! The vendor's limits.

use super::Faults;
use crate::provider::ProviderText;

/// Checks that the governor can start, and below the vendor's own limit.
pub(super) fn check(written: &ProviderText, faults: &mut Faults<'_>) {
    let Some(concurrency) = &written.limits.concurrency else { return };
    if concurrency.start == 0 || concurrency.start > concurrency.max {
        faults.add(
            written.id.referenced,
            format!("`limits.concurrency` starts with {} of {}", concurrency.start, concurrency.max),
            "start with at least 1 and at most `max`, well below it: people's browsers share the limit",
        );
    }
}
