//! How many requests may be in flight at one upstream host, adapted to what the host says about itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, TryAcquireError};

/// The share of the vendor's limit that we use at most: people's browsers and other integrations need the rest.
const SHARE_PERCENT: u32 = 80;

/// One governor per upstream host, whatever connection or environment calls.
#[derive(Debug, Default)]
pub struct Governors {
    by_host: Mutex<HashMap<String, Arc<Governor>>>,
}

/// The requests in flight at one host.
#[derive(Debug)]
pub struct Governor {
    permits: Semaphore,
    /// How many permits there are in all, in use or not.
    limit: AtomicU32,
    /// How many permits the next releases must give up, because the limit fell while they were in use.
    owed: AtomicU32,
    in_flight: AtomicU32,
    ceiling: u32,
}

/// The right to have one request in flight; given back when it is dropped.
#[derive(Debug)]
pub struct Permit(Arc<Governor>);

/// The load of one upstream host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostLoad {
    /// The host.
    pub host: String,
    /// How many requests are in flight.
    pub in_flight: u32,
    /// How many may be.
    pub limit: u32,
}

/// No permit became free in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests are waiting for this host")]
pub struct Crowded;

impl Governors {
    /// The governor of a host. The limits are those of the first connection that asks.
    pub fn of_host(&self, host: &str, start: u32, max: u32) -> Arc<Governor> {
        let mut by_host = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(governor) = by_host.get(host) {
            Arc::clone(governor)
        } else {
            let governor = Arc::new(Governor::new(start, max));
            by_host.insert(host.to_owned(), Arc::clone(&governor));
            governor
        }
    }
}

impl Governors {
    /// The load of every host, by host.
    pub(crate) fn loads(&self) -> Vec<HostLoad> {
        let by_host = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        let load = |(host, governor): (&String, &Arc<Governor>)| HostLoad {
            host: host.clone(),
            in_flight: governor.in_flight(),
            limit: governor.limit(),
        };
        let mut loads: Vec<HostLoad> = by_host.iter().map(load).collect();
        loads.sort();
        loads
    }
}

impl Governor {
    fn new(start: u32, max: u32) -> Self {
        let ceiling = (max * SHARE_PERCENT / 100).max(1);
        let limit = start.clamp(1, ceiling);
        Self {
            permits: Semaphore::new(limit as usize),
            limit: AtomicU32::new(limit),
            owed: AtomicU32::new(0),
            in_flight: AtomicU32::new(0),
            ceiling,
        }
    }

    /// Waits for a permit, at most this long; those who wait are served in their order.
    pub async fn acquire(self: &Arc<Self>, at_most: Duration) -> Result<Permit, Crowded> {
        match self.permits.try_acquire() {
            Ok(permit) => permit.forget(),
            Err(TryAcquireError::Closed) => return Err(Crowded),
            Err(TryAcquireError::NoPermits) => {
                let waited = tokio::time::timeout(at_most, self.permits.acquire()).await;
                waited.map_err(|_| Crowded)?.map_err(|_| Crowded)?.forget();
            }
        }
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Ok(Permit(Arc::clone(self)))
    }

    /// Adapts to what the host said: how many requests run there in all, and how many may.
    pub fn observe(&self, running: u32, host_limit: Option<u32>) {
        let ours = self.in_flight.load(Ordering::Relaxed);
        let others = running.saturating_sub(ours);
        let usable = host_limit.map_or(self.ceiling, |limit| limit * SHARE_PERCENT / 100).min(self.ceiling);
        let wanted = usable.saturating_sub(others).max(1);
        let limit = self.limit.load(Ordering::Relaxed);
        // Down at once, because the host is about to refuse; up one by one, because others may come back.
        if wanted < limit {
            self.lower_to(wanted);
        } else if wanted > limit && ours >= limit {
            self.raise();
        }
    }

    /// The host refused because of too many requests: half as many from now on.
    pub fn refused(&self) {
        self.lower_to((self.limit.load(Ordering::Relaxed) / 2).max(1));
    }

    /// How many requests may be in flight.
    pub fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// How many requests are in flight.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    fn lower_to(&self, wanted: u32) {
        let before = self.limit.swap(wanted, Ordering::Relaxed);
        if let Some(surplus) = before.checked_sub(wanted) {
            let taken = self.permits.forget_permits(surplus as usize) as u32;
            self.owed.fetch_add(surplus - taken, Ordering::Relaxed);
        } else {
            // Somebody lowered the limit further in between; theirs stays.
            self.limit.store(before, Ordering::Relaxed);
        }
    }

    fn raise(&self) {
        self.limit.fetch_add(1, Ordering::Relaxed);
        let pay = |owed: u32| owed.checked_sub(1);
        if self.owed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_err() {
            self.permits.add_permits(1);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let governor = &self.0;
        governor.in_flight.fetch_sub(1, Ordering::Relaxed);
        let pay = |owed: u32| owed.checked_sub(1);
        if governor.owed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_err() {
            governor.permits.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_AT_ALL: Duration = Duration::ZERO;

    async fn take(governor: &Arc<Governor>) -> Vec<Permit> {
        let mut permits = Vec::new();
        while let Ok(permit) = governor.acquire(NOT_AT_ALL).await {
            permits.push(permit);
        }
        permits
    }

    #[tokio::test]
    async fn the_limit_holds_and_never_reaches_the_vendors_own() {
        let governor = Arc::new(Governor::new(20, 100));
        assert_eq!(take(&governor).await.len(), 20);
        assert_eq!(Governor::new(500, 100).limit(), 80);
        assert_eq!(Governor::new(0, 1).limit(), 1);
    }

    #[tokio::test]
    async fn it_makes_room_for_others_at_once_and_comes_back_step_by_step() {
        let governor = Arc::new(Governor::new(20, 100));
        let permits = take(&governor).await;
        governor.observe(90, Some(100)); // 70 of others, so 10 are left of our 80
        assert_eq!(governor.limit(), 10);
        drop(permits);
        let permits = take(&governor).await;
        assert_eq!(permits.len(), 10, "the surplus was given up on release");
        for _ in 0..5 {
            governor.observe(10, Some(100));
        }
        assert_eq!(governor.limit(), 11, "it only grows while all permits are in use");
        assert_eq!(take(&governor).await.len(), 1);
    }

    #[tokio::test]
    async fn a_refusal_halves_it_and_one_always_remains() {
        let governor = Arc::new(Governor::new(20, 100));
        for expected in [10, 5, 2, 1, 1] {
            governor.refused();
            assert_eq!(governor.limit(), expected);
        }
        let permits = take(&governor).await;
        assert_eq!(permits.len(), 1);
        assert_eq!(governor.in_flight(), 1);
    }

    #[tokio::test]
    async fn permits_are_neither_lost_nor_invented() {
        let governor = Arc::new(Governor::new(8, 100));
        for round in 0..1000_u32 {
            let permits = take(&governor).await;
            governor.observe(round % 100, Some(100));
            if round % 7 == 0 {
                governor.refused();
            }
            drop(permits);
            assert_eq!(governor.in_flight(), 0);
        }
        assert_eq!(take(&governor).await.len(), governor.limit() as usize);
    }
}
