//! Everything that the emulator holds while it runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::control::RequestLog;
use crate::faults::Faults;
use crate::http::{ClientAuthority, Request, host_of_twin};
use crate::identifiers::Identifiers;
use crate::limits::{Cursors, DailyRequests, RunningCounter};
use crate::model::Tenant;
use crate::seed::{Seed, SeedError};

/// The tenants, the clock, and what tests have asked for.
pub(crate) struct World {
    tenants: RwLock<BTreeMap<String, Arc<TenantSlot>>>,
    pub(crate) identifiers: Identifiers,
    pub(crate) seed: Seed,
    /// Signs client certificates; `None` for a simulator.
    pub(crate) client_authority: Option<Arc<ClientAuthority>>,
    clock: Arc<dyn Clock>,
    /// How far the control API has moved the hands of the clock.
    moved: Mutex<SignedDuration>,
    faults: Mutex<Faults>,
    log: Mutex<RequestLog>,
}

/// A tenant with what is counted for it. Handlers run to their end under its lock.
pub(crate) struct TenantSlot {
    pub(crate) name: String,
    hosts: Vec<String>,
    tenant: RwLock<Tenant>,
    pub(crate) running: RunningCounter,
    cursors: Mutex<Cursors>,
    daily_requests: Mutex<DailyRequests>,
}

/// A panic while a lock is held is reported where it happened; the data behind the lock stays usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// A world with the tenants of a seed.
    pub(crate) fn new(seed: Seed, clock: Arc<dyn Clock>) -> Result<Self, SeedError> {
        let world = Self {
            tenants: RwLock::default(),
            identifiers: Identifiers::default(),
            seed,
            client_authority: None,
            clock,
            moved: Mutex::new(SignedDuration::ZERO),
            faults: Mutex::default(),
            log: Mutex::default(),
        };
        world.reset()?;
        Ok(world)
    }

    /// Puts the tenants back to the seed, and the clock, the faults and the log to nothing.
    pub(crate) fn reset(&self) -> Result<(), SeedError> {
        let tenants = self.seed.tenants(&self.identifiers)?;
        let slots =
            tenants.into_iter().map(|tenant| (tenant.name.clone(), Arc::new(TenantSlot::new(tenant))));
        *self.tenants.write().unwrap_or_else(PoisonError::into_inner) = slots.collect();
        *lock(&self.moved) = SignedDuration::ZERO;
        self.faults().clear();
        self.log().clear();
        Ok(())
    }

    pub(crate) fn tenant(&self, name: &str) -> Option<Arc<TenantSlot>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(crate) fn tenant_of_host(&self, host: &str) -> Option<Arc<TenantSlot>> {
        let twin_of = host_of_twin(host);
        let is_host = |known: &String| known == host || Some(known) == twin_of.as_ref();
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.values().find(|slot| slot.hosts.iter().any(is_host)).cloned()
    }

    /// The user of the tenant to whom the request's client certificate was given.
    pub(crate) fn certified_user(&self, slot: &TenantSlot, request: &Request) -> Option<String> {
        let user = self.client_authority.as_ref()?.owner(request.certificate.as_ref()?, &slot.name)?;
        slot.read().user(&user).map(|user| user.code.clone())
    }

    pub(crate) fn tenant_names(&self) -> Vec<String> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now() + *lock(&self.moved)
    }

    /// Moves the hands of the clock so that they show this instant; time goes on from there.
    pub(crate) fn set_clock(&self, now: Timestamp) {
        *lock(&self.moved) = now.duration_since(self.clock.now());
    }

    pub(crate) fn advance_clock(&self, by: SignedDuration) {
        let mut moved = lock(&self.moved);
        *moved += by;
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, RequestLog> {
        lock(&self.log)
    }
}

impl TenantSlot {
    fn new(tenant: Tenant) -> Self {
        Self {
            name: tenant.name.clone(),
            hosts: tenant.hosts.clone(),
            tenant: RwLock::new(tenant),
            running: RunningCounter::default(),
            cursors: Mutex::default(),
            daily_requests: Mutex::default(),
        }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Tenant> {
        self.tenant.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Tenant> {
        self.tenant.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        lock(&self.cursors)
    }

    pub(crate) fn daily_requests(&self) -> MutexGuard<'_, DailyRequests> {
        lock(&self.daily_requests)
    }
}
