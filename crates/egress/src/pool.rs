use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::{Request, Response};

use crate::body::Body;
use crate::connect::{self, Driver};
use crate::deadline::Deadline;
use crate::egress::Egress;
use crate::error::EgressError;
use crate::exchange::{self, Failed, Watch};
use crate::pool_key::{CarriedHash, PoolKey};
use crate::response_body::ResponseBody;
use crate::route::Route;
use crate::shelf::{Line, SWEEPS_UNTIL_DROPPED, Shelf};
use crate::timings::{Timings, micros_since};

/// Sends requests over kept-alive connections.
///
/// Belongs to the runtime that it is used on: each proxy thread has its own, the control runtime another.
/// Clones share the connections.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Inner>);

/// Sizes and times of a [`Pool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Connections that are kept for one key; more are closed after their request.
    pub idle_max: usize,
    /// How long an unused connection is kept; it goes up to a quarter earlier.
    pub idle_time: Duration,
}

/// A pool that lives as long as its runtime keeps it.
#[derive(Debug)]
pub(crate) struct WeakPool(Weak<Inner>);

impl WeakPool {
    pub(crate) fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }

    pub(crate) fn upgrade(&self) -> Option<Pool> {
        self.0.upgrade().map(Pool)
    }
}

#[derive(Debug)]
struct Inner {
    egress: Arc<Egress>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    shelves: HashMap<PoolKey, Arc<Shelf>, BuildHasherDefault<CarriedHash>>,
    reaper_runs: bool,
}

impl Pool {
    pub(crate) fn new(egress: Arc<Egress>) -> Self {
        Self(Arc::new(Inner { egress, state: Mutex::default() }))
    }

    /// Sends one request and waits for the head of the answer.
    ///
    /// The URI is in origin form (`/path?query`). `Host`, `Content-Length` and `Transfer-Encoding` are set here,
    /// whatever the caller put there; hop-by-hop headers are for the caller to strip. Redirects are answers
    /// like any other. `timings` is filled in as far as it came, on failure too.
    ///
    /// A request goes out once. The only exception is a kept-alive connection that turns out to be closed before
    /// a byte was written: then a new connection is made, and `timings.retried_stale` is set.
    pub async fn send(
        &self,
        route: &Arc<Route>,
        mut request: Request<Body>,
        timings: &mut Timings,
    ) -> Result<Response<ResponseBody>, EgressError> {
        exchange::prepare(route, &mut request)?;
        let shelf = self.shelf(route.pool_key());
        if let Some(mut line) = shelf.take() {
            timings.reused = true;
            let watch = Watch::start(&mut request, &mut line, route);
            let answer = pin!(line.sender.try_send_request(request));
            match watch.head(answer, &mut line, route, timings).await {
                Ok(response) => {
                    let idle = route.time_outs.body_idle;
                    return Ok(response.map(|incoming| ResponseBody::new(incoming, line, shelf, idle)));
                }
                Err(Failed::Sent(error)) => return Err(error),
                Err(Failed::NotSent { request: unsent, .. }) => request = *unsent,
            }
            timings.reused = false;
            timings.retried_stale = true;
        }
        // Boxed, because connecting has a large state, and callers move the future of every request.
        Box::pin(self.send_on_new_line(route, request, &shelf, timings)).await
    }

    /// Closes the connections of every key that `matching` picks: idle ones now, those in use when their
    /// request is done. For changed credentials, certificates or settings.
    pub fn evict(&self, matching: impl Fn(&PoolKey) -> bool) {
        self.0.lock().shelves.retain(|key, shelf| {
            let stays = !matching(key);
            if !stays {
                shelf.retire();
            }
            stays
        });
    }

    /// Does not keep the connections.
    pub(crate) fn downgrade(&self) -> WeakPool {
        WeakPool(Arc::downgrade(&self.0))
    }

    /// How many connections are kept without a request, for tests.
    #[cfg(feature = "testing")]
    pub fn idle_count(&self) -> usize {
        self.0.lock().shelves.values().map(|shelf| shelf.idle_count()).sum()
    }

    fn shelf(&self, key: &PoolKey) -> Arc<Shelf> {
        let mut state = self.0.lock();
        if let Some(shelf) = state.shelves.get(key) {
            return Arc::clone(shelf);
        }
        let shelf = Arc::new(Shelf::new(key.clone(), self.0.egress.settings.pool.idle_max));
        state.shelves.insert(key.clone(), Arc::clone(&shelf));
        shelf
    }

    async fn send_on_new_line(
        &self,
        route: &Arc<Route>,
        mut request: Request<Body>,
        shelf: &Arc<Shelf>,
        timings: &mut Timings,
    ) -> Result<Response<ResponseBody>, EgressError> {
        if !timings.retried_stale
            && let Some(line) = take_late(shelf).await
        {
            timings.reused = true;
            match exchange::send(line, None, request, route, shelf, timings).await {
                Ok(response) => return Ok(response),
                Err(Failed::Sent(error)) => return Err(error),
                Err(Failed::NotSent { request: unsent, .. }) => request = *unsent,
            }
            timings.reused = false;
            timings.retried_stale = true;
        }
        let (line, driver) = self.connect(route, timings).await?;
        exchange::send(line, Some(driver), request, route, shelf, timings).await.map_err(Failed::into_error)
    }

    async fn connect(&self, route: &Route, timings: &mut Timings) -> Result<(Line, Driver), EgressError> {
        self.0.ensure_reaper();
        let resolving = std::time::Instant::now();
        let addresses = self.0.egress.resolve(route).await;
        timings.dns = micros_since(resolving);
        let reaching = std::time::Instant::now();
        let reached = connect::reach(route, &addresses?).await;
        timings.tcp = micros_since(reaching);
        let securing = std::time::Instant::now();
        let stream =
            connect::secure(reached?.stream, route.tls.as_ref(), &route.origin, &route.time_outs).await;
        timings.tls = route.tls.as_ref().map_or(0, |_| micros_since(securing));
        let (sender, driver) = connect::start(stream?, &route.origin).await?;
        let deadline = Deadline::new(tokio::time::Instant::now() + route.time_outs.head);
        Ok((Line { sender, deadline }, driver))
    }
}

impl Inner {
    /// Starts the task that closes idle connections, unless it runs. It ends when nothing is left to watch.
    fn ensure_reaper(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.reaper_runs {
            return;
        }
        state.reaper_runs = true;
        let period = self.egress.settings.pool.idle_time / u32::from(SWEEPS_UNTIL_DROPPED);
        tokio::spawn(reap(Arc::downgrade(self), period.max(Duration::from_millis(1))));
    }

    /// True if nothing is left to watch.
    fn sweep(&self) -> bool {
        let mut state = self.lock();
        // A shelf that a request in flight still holds stays, so that its connection finds its way back.
        state.shelves.retain(|_, shelf| !shelf.sweep() || Arc::strong_count(shelf) > 1);
        if state.shelves.is_empty() {
            state.shelves.shrink_to(0);
            state.reaper_runs = false;
        }
        !state.reaper_runs
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { idle_max: 256, idle_time: Duration::from_mins(1) }
    }
}

async fn reap(pool: Weak<Inner>, period: Duration) {
    loop {
        tokio::time::sleep(period).await;
        match pool.upgrade() {
            Some(pool) if !pool.sweep() => {}
            _ => return,
        }
    }
}

/// On a runtime with several threads the driver of a connection may be a moment behind the body that it fed.
async fn take_late(shelf: &Shelf) -> Option<Line> {
    if shelf.idle_count() == 0 {
        return None;
    }
    tokio::task::yield_now().await;
    shelf.take()
}

#[cfg(test)]
mod tests {
    use super::Pool;
    use crate::body::Body;
    use crate::response_body::ResponseBody;

    #[test]
    fn what_a_request_holds_may_move_between_threads() {
        fn sendable<T: Send>() {}
        fn shareable<T: Send + Sync>() {}
        shareable::<Pool>();
        sendable::<Body>();
        sendable::<ResponseBody>();
        // Small enough to be moved around unboxed.
        assert!(size_of::<Body>() <= 88 && size_of::<ResponseBody>() <= 136);
    }
}
