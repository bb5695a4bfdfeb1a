//! A vendor that is as strict as any: every refresh token is good for one use, a second use is held for theft and ends the
//! whole family of tokens, and an access token ends as soon as the next one is given out.

use std::collections::HashMap;
use std::io::BufReader;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::http::{self, Message};

/// Id and secret of the client that may ask.
pub(super) const CLIENT: (&str, &str) = ("bench-client", "bench-client-secret-0123456789");

/// How long an access token lives that nobody wants to see the end of.
const LONG: Duration = Duration::from_hours(1);
/// A thread holds one connection and almost nothing else.
const STACK: usize = 128 * 1024;

/// The running vendor. Its threads end with the process.
pub(super) struct Vendor {
    pub(super) port: u16,
    state: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    families: HashMap<u32, Family>,
    invalid_grants: u32,
    /// Refresh requests and the moments of the first and the last of them, since they were counted last.
    refreshes: HashMap<u32, u32>,
    span: Option<(Instant, Instant)>,
    /// When access tokens end that are given out from now on; `None` for late.
    end: Option<Instant>,
    hold: Option<Hold>,
}

/// The tokens of one account.
#[derive(Clone, Copy)]
struct Family {
    generation: u32,
    ends_at: Instant,
    is_dead: bool,
    is_lenient: bool,
}

/// The next refresh of a family is held up.
#[derive(Clone, Copy)]
struct Hold {
    family: u32,
    at: HoldAt,
    has_arrived: bool,
}

/// Where a refresh is held up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HoldAt {
    /// The request is there, and nothing is done about it, ever.
    Unprocessed,
    /// The tokens are replaced, and nobody is told.
    Unanswered,
}

/// What the vendor saw since it was asked last.
pub(super) struct Seen {
    /// Refresh requests of each family.
    pub(super) refreshes: HashMap<u32, u32>,
    /// From the first to the last of them.
    pub(super) took: Duration,
}

impl Vendor {
    /// Starts it on a free port.
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(Shared::default());
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let serving = Arc::clone(&serving);
                // A connection that breaks off ends its thread; the other side notices.
                let _ = thread::Builder::new().stack_size(STACK).spawn(move || serving.serve(socket));
            }
        });
        Ok(Self { port, state })
    }

    /// The first tokens of a new account: access and refresh token. A lenient family takes the last refresh token once
    /// more, as vendors with a grace period do.
    pub(super) fn open(&self, family: u32, is_lenient: bool) -> (String, String) {
        let ends_at = Instant::now() + LONG;
        let new = Family { generation: 0, ends_at, is_dead: false, is_lenient };
        self.state.lock().families.insert(family, new);
        (access_token(family, 0), refresh_token(family, 0))
    }

    /// Ends the access tokens of these families before their time.
    pub(super) fn end(&self, families: impl IntoIterator<Item = u32>) {
        let mut state = self.state.lock();
        let now = Instant::now();
        for family in families {
            if let Some(known) = state.families.get_mut(&family) {
                known.ends_at = now;
            }
        }
    }

    /// From now on access tokens are given out that all end at this moment, or late.
    pub(super) fn give_tokens_until(&self, end: Option<Instant>) {
        self.state.lock().end = end;
    }

    /// Holds up the next refresh of a family.
    pub(super) fn hold(&self, family: u32, at: HoldAt) {
        self.state.lock().hold = Some(Hold { family, at, has_arrived: false });
    }

    /// Waits until the refresh that is held up has arrived; says whether it has.
    pub(super) fn wait_for_held(&self, at_most: Duration) -> bool {
        let waiting = |state: &mut State| state.hold.is_some_and(|hold| !hold.has_arrived);
        let state = self.state.lock();
        let waited = self.state.changed.wait_timeout_while(state, at_most, waiting);
        waited.is_ok_and(|(_, waited)| !waited.timed_out())
    }

    /// Drops what was held up.
    pub(super) fn let_go(&self) {
        self.state.lock().hold = None;
        self.state.changed.notify_all();
    }

    /// How many of these families have seen a refresh since they were counted last.
    pub(super) fn refreshed(&self) -> usize {
        self.state.lock().refreshes.len()
    }

    /// What was seen, which begins anew.
    pub(super) fn take_seen(&self) -> Seen {
        let mut state = self.state.lock();
        let took = state.span.take().map_or(Duration::ZERO, |(first, last)| last - first);
        Seen { refreshes: std::mem::take(&mut state.refreshes), took }
    }

    /// Refreshes that were refused as the second use of a token.
    pub(super) fn invalid_grants(&self) -> u32 {
        self.state.lock().invalid_grants
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut socket: TcpStream) -> std::io::Result<()> {
        socket.set_nodelay(true)?;
        let mut reader = BufReader::new(socket.try_clone()?);
        while let Some(request) = Message::read(&mut reader)? {
            let (status, body) = if request.second_word() == "/token" {
                let Some(answer) = self.refresh(&request.body) else { return Ok(()) };
                answer
            } else {
                self.answer(request.header("authorization").unwrap_or_default())
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json");
            http::write(&mut socket, &head, &body)?;
        }
        Ok(())
    }

    /// A call with an access token.
    fn answer(&self, authorization: &str) -> (&'static str, String) {
        let state = self.lock();
        let token = authorization.strip_prefix("Bearer ").and_then(|token| parsed(token, "access"));
        let is_good = token.is_some_and(|(family, generation)| {
            state.families.get(&family).is_some_and(|known| {
                !known.is_dead && known.generation == generation && known.ends_at > Instant::now()
            })
        });
        if is_good {
            ("200 OK", "{}".to_owned())
        } else {
            ("401 Unauthorized", r#"{"error":"invalid_token"}"#.to_owned())
        }
    }

    /// A refresh; `None` when the connection breaks off without an answer.
    fn refresh(&self, form: &str) -> Option<(&'static str, String)> {
        let field = |name: &str| {
            form.split('&').filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name)
        };
        let value = |name: &str| field(name).map(|(_, value)| value).unwrap_or_default();
        if (value("client_id"), value("client_secret")) != CLIENT {
            return Some(("401 Unauthorized", r#"{"error":"invalid_client"}"#.to_owned()));
        }
        let Some((family, generation)) = parsed(value("refresh_token"), "refresh") else {
            return Some(refused());
        };
        let mut state = self.lock();
        let now = Instant::now();
        *state.refreshes.entry(family).or_default() += 1;
        state.span = Some((state.span.map_or(now, |(first, _)| first), now));
        let held = state.hold.as_mut().filter(|hold| hold.family == family && !hold.has_arrived);
        let held = held.map(|hold| {
            hold.has_arrived = true;
            hold.at
        });
        let answer = (held != Some(HoldAt::Unprocessed)).then(|| state.rotate(family, generation));
        if held.is_some() {
            self.changed.notify_all();
            let waited = self.changed.wait_while(state, |state| state.hold.is_some());
            drop(waited);
            return None;
        }
        answer
    }
}

impl State {
    fn rotate(&mut self, family: u32, generation: u32) -> (&'static str, String) {
        let (now, end) = (Instant::now(), self.end);
        let Some(known) = self.families.get_mut(&family) else { return refused() };
        let is_repeated = known.is_lenient && generation + 1 == known.generation;
        if known.is_dead || (known.generation != generation && !is_repeated) {
            known.is_dead = true;
            self.invalid_grants += 1;
            return refused();
        }
        known.generation = generation + 1;
        let life = end.map_or(LONG, |end| end.saturating_duration_since(now));
        known.ends_at = now + life;
        let (access, refresh) =
            (access_token(family, known.generation), refresh_token(family, known.generation));
        let body = format!(
            r#"{{"access_token":"{access}","refresh_token":"{refresh}","token_type":"bearer","expires_in":{}}}"#,
            life.as_secs()
        );
        ("200 OK", body)
    }
}

fn refused() -> (&'static str, String) {
    ("400 Bad Request", r#"{"error":"invalid_grant"}"#.to_owned())
}

fn access_token(family: u32, generation: u32) -> String {
    format!("access.{family}.{generation}")
}

fn refresh_token(family: u32, generation: u32) -> String {
    format!("refresh.{family}.{generation}")
}

fn parsed(token: &str, kind: &str) -> Option<(u32, u32)> {
    let (family, generation) = token.strip_prefix(kind)?.strip_prefix('.')?.split_once('.')?;
    Some((family.parse().ok()?, generation.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(vendor: &Vendor, refresh: &str) -> &'static str {
        let (id, secret) = CLIENT;
        let form = format!("refresh_token={refresh}&client_id={id}&client_secret={secret}");
        vendor.state.refresh(&form).expect("nothing is held").0
    }

    fn call(vendor: &Vendor, access: &str) -> &'static str {
        vendor.state.answer(&format!("Bearer {access}")).0
    }

    #[test]
    fn a_second_use_ends_the_family() {
        let vendor = Vendor::start().expect("a free port");
        let (access, refresh) = vendor.open(1, false);
        assert_eq!((call(&vendor, &access), call(&vendor, "access.1.1")), ("200 OK", "401 Unauthorized"));
        assert_eq!(ask(&vendor, &refresh), "200 OK");
        assert_eq!((call(&vendor, &access), call(&vendor, "access.1.1")), ("401 Unauthorized", "200 OK"));
        assert_eq!(ask(&vendor, &refresh), "400 Bad Request");
        assert_eq!(ask(&vendor, "refresh.1.1"), "400 Bad Request", "the good one died with it");
        assert_eq!(call(&vendor, "access.1.1"), "401 Unauthorized");
        assert_eq!((vendor.invalid_grants(), vendor.take_seen().refreshes[&1]), (2, 3));
    }

    #[test]
    fn a_lenient_vendor_takes_the_last_one_once_more() {
        let vendor = Vendor::start().expect("a free port");
        let (_, refresh) = vendor.open(1, true);
        assert_eq!([ask(&vendor, &refresh), ask(&vendor, &refresh)], ["200 OK", "200 OK"]);
        assert_eq!(ask(&vendor, "refresh.1.1"), "200 OK");
        assert_eq!(ask(&vendor, &refresh), "400 Bad Request", "that was two uses ago");
    }
}
