//! How many requests may be in flight at one upstream host, adapted to what the host says about itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, TryAcquireError};

/// The share of the vendor's limit that we use at most: people's browsers and other integrations need the rest.
const SHARE_PERCENT: u32 = 80;

/// The governors that somebody uses: one per upstream host, whatever connection or environment calls, and one per
/// connection that has a limit of its own.
#[derive(Debug, Default)]
pub struct Governors {
    known: Mutex<HashMap<Governed, Weak<Governor>>>,
}

/// What a governor is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Governed {
    Host(String),
    /// A connection's id and its limit: a changed limit is another governor.
    Connection(String, u32),
}

/// The requests in flight at one host, or of one connection.
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
    /// The governor of a host, which starts with `start` requests and stays below the vendor's limit of `max`. While
    /// one is in use, everybody gets that one.
    pub fn of_host(&self, host: &str, start: u32, max: u32) -> Arc<Governor> {
        self.find(Governed::Host(host.to_owned()), || Governor::below(start, max))
    }

    /// The governor of a connection that may have this many requests in flight.
    pub fn of_connection(&self, id: &str, limit: u32) -> Arc<Governor> {
        self.find(Governed::Connection(id.to_owned(), limit), || Governor::new(limit, limit))
    }

    /// The load of every host that a compiled connection goes to, by host.
    pub(crate) fn loads(&self) -> Vec<HostLoad> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut loads: Vec<HostLoad> = known
            .iter()
            .filter_map(|(governed, governor)| match (governed, governor.upgrade()?) {
                (Governed::Host(host), governor) => Some(HostLoad {
                    host: host.clone(),
                    in_flight: governor.in_flight(),
                    limit: governor.limit(),
                }),
                (Governed::Connection(..), _) => None,
            })
            .collect();
        loads.sort();
        loads
    }

    fn find(&self, governed: Governed, make: impl FnOnce() -> Governor) -> Arc<Governor> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(governor) = known.get(&governed).and_then(Weak::upgrade) {
            return governor;
        }
        known.retain(|_, governor| governor.strong_count() > 0);
        let governor = Arc::new(make());
        known.insert(governed, Arc::downgrade(&governor));
        governor
    }
}

impl Governor {
    fn below(start: u32, vendor_limit: u32) -> Self {
        Self::new(start, share(vendor_limit))
    }

    fn new(start: u32, ceiling: u32) -> Self {
        let ceiling = ceiling.max(1);
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
        let usable = host_limit.map_or(self.ceiling, share).min(self.ceiling);
        let wanted = usable.saturating_sub(others).max(1);
        // Down at once, because the host is about to refuse; up one by one, because others may come back.
        if !self.lower_to(wanted) && ours >= self.limit() {
            self.raise_towards(wanted);
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

    /// Whether the limit was higher. Every permit that is taken away is one that this call took off the limit, so
    /// that threads that adapt at once neither lose nor invent any.
    fn lower_to(&self, wanted: u32) -> bool {
        let lower = |limit: u32| (wanted < limit).then_some(wanted);
        let Ok(before) = self.limit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lower) else {
            return false;
        };
        let surplus = before - wanted;
        let taken = self.permits.forget_permits(surplus as usize) as u32;
        self.owed.fetch_add(surplus - taken, Ordering::Relaxed);
        true
    }

    fn raise_towards(&self, wanted: u32) {
        let raise = |limit: u32| (limit < wanted).then_some(limit + 1);
        if self.limit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raise).is_ok() {
            self.release();
        }
    }

    /// One permit more: it pays for one that is owed, or becomes free.
    fn release(&self) {
        let pay = |owed: u32| owed.checked_sub(1);
        if self.owed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_err() {
            self.permits.add_permits(1);
        }
    }
}

/// Our part of what a vendor lets happen at once.
fn share(vendor_limit: u32) -> u32 {
    vendor_limit.saturating_mul(SHARE_PERCENT) / 100
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.0.release();
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
        let governor = Arc::new(Governor::below(20, 100));
        assert_eq!(take(&governor).await.len(), 20);
        assert_eq!(Governor::below(500, 100).limit(), 80);
        assert_eq!(Governor::below(0, 1).limit(), 1);
    }

    #[tokio::test]
    async fn it_makes_room_for_others_at_once_and_comes_back_step_by_step() {
        let governor = Arc::new(Governor::below(20, 100));
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
        let governor = Arc::new(Governor::below(20, 100));
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
        let governor = Arc::new(Governor::below(8, 100));
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

    #[test]
    fn threads_that_adapt_at_once_neither_lose_nor_invent_permits() {
        let governor = Arc::new(Governor::below(40, 100));
        std::thread::scope(|scope| {
            for thread in 0..4_u32 {
                let governor = &governor;
                scope.spawn(move || {
                    for round in 0..5_000_u32 {
                        governor.in_flight.store(80, Ordering::Relaxed);
                        governor.observe(80 + (round * (thread + 3)) % 90, Some(100));
                    }
                });
            }
        });
        let owed = governor.owed.load(Ordering::Relaxed) as usize;
        assert_eq!(governor.permits.available_permits() - owed, governor.limit() as usize);
        assert!(governor.limit() <= 80);
        governor.observe(0, Some(u32::MAX));
    }

    #[test]
    fn governors_that_nobody_uses_are_forgotten() {
        let governors = Governors::default();
        let acme = governors.of_host("acme.example", 20, 100);
        assert!(Arc::ptr_eq(&acme, &governors.of_host("acme.example", 1, 1)), "the host has one");
        assert!(!Arc::ptr_eq(&governors.of_connection("con_1", 2), &governors.of_connection("con_1", 3)));
        drop(governors.of_host("other.example", 20, 100));
        let hosts: Vec<String> = governors.loads().into_iter().map(|load| load.host).collect();
        assert_eq!(hosts, ["acme.example"]);
        governors.of_host("third.example", 20, 100);
        assert_eq!(governors.known.lock().unwrap().len(), 2);
    }
}
