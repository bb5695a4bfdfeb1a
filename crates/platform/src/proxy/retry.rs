//! When a call goes out once more, and after which pause.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use http::header::{DATE, HeaderMap, RETRY_AFTER};
use http::{Response, StatusCode};
use jiff::Timestamp as Moment;
use tombolo_catalog::Retry as Manners;
use tombolo_egress::ResponseBody;

/// Longest wait between two attempts, whatever the upstream asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Numbers below are seconds from now, not moments: this one is in the year 2001.
const FIRST_MOMENT: f64 = 1e9;
/// Numbers from here on are milliseconds since 1970, not seconds.
const FIRST_IN_MILLISECONDS: f64 = 1e11;

/// When a call is sent again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Repeated {
    /// After the pause that the answer asks for.
    After(Duration),
    /// After one that grows.
    WithBackoff,
}

/// What of a call and its answer decides.
pub(super) struct Case<'a> {
    pub(super) manners: &'a Manners,
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    /// The vendor's code says that nothing was done.
    pub(super) nothing_done: bool,
    /// Whether doing it twice does no harm.
    pub(super) may_repeat: bool,
    /// The time here, for vendors whose answers have no date.
    pub(super) now: Moment,
}

impl Case<'_> {
    /// Whether the answer makes the call go out again. One that asks for a longer pause than a caller would wait for goes to
    /// the caller.
    pub(super) fn repeated(&self) -> Option<Repeated> {
        let status = self.status.as_u16();
        let listed = self.manners.statuses.iter().any(|known| known.covers(status));
        let asked = self.asked();
        let used_up = self.is_used_up();
        let again = match status {
            _ if self.nothing_done => true,
            429 => true,
            500..=599 => self.may_repeat && (listed || matches!(status, 502..=504)),
            // Refused for the moment, and so not done. What says nothing of time may be refused for good.
            400..=499 => used_up || (listed && asked.is_some()),
            _ => false,
        };
        match asked {
            _ if !again => None,
            None => Some(Repeated::WithBackoff),
            Some(asked) => (asked <= LONGEST_PAUSE).then_some(Repeated::After(asked)),
        }
    }

    /// The pause that the answer asks for, by the vendor's own headers before the common one.
    fn asked(&self) -> Option<Duration> {
        let number = |name: &str| -> Option<f64> {
            let number: f64 = self.text(name)?.parse().ok()?;
            (number.is_finite() && number >= 0.0).then_some(number)
        };
        let own = self.manners.after.iter().filter_map(|name| number(name));
        let at = self.manners.at.iter().filter_map(|name| self.until(name, number(name)));
        let pause = own.chain(at).next();
        let pause = pause.map(|seconds| Duration::from_secs_f64(seconds.min(1e9)));
        pause.or_else(|| retry_after(self.headers))
    }

    /// Seconds until a moment, which is told as a number or as a date. The vendor's own clock decides as far as the answer
    /// has its time: it may not agree with ours.
    fn until(&self, name: &str, number: Option<f64>) -> Option<f64> {
        let moment = match number {
            Some(seconds) if seconds < FIRST_MOMENT => return Some(seconds),
            Some(milliseconds) if milliseconds >= FIRST_IN_MILLISECONDS => milliseconds / 1000.0,
            Some(seconds) => seconds,
            None => read_date(self.text(name)?)?.as_millisecond() as f64 / 1000.0,
        };
        let now = self.text(DATE.as_str()).and_then(read_date).unwrap_or(self.now);
        Some((moment - now.as_millisecond() as f64 / 1000.0).max(0.0))
    }

    /// Whether the vendor says that nothing is left of what may be sent.
    fn is_used_up(&self) -> bool {
        let left = self.manners.remaining.as_deref().and_then(|name| self.text(name));
        left.is_some_and(|left| left.parse::<f64>().is_ok_and(|left| left <= 0.0))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// Whether an answer is one to look at here at all.
pub(super) fn is_failure(response: &Response<ResponseBody>) -> bool {
    !response.status().is_success() && !response.status().is_redirection()
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3). A date is not honoured: its clock may not be ours.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// As HTTP writes it (RFC 9110 §5.6.7), or RFC 3339.
fn read_date(text: &str) -> Option<Moment> {
    let common = jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp());
    common.or_else(|| text.parse().ok())
}

/// Doubles from 250 ms. The spread keeps callers that failed together from coming back together; it comes from the id
/// of the request, which is random.
pub(super) fn backoff(request_id: &str, attempts: u32) -> Duration {
    let base = Duration::from_millis(250) * 2_u32.pow(attempts.saturating_sub(1).min(6));
    let mut hasher = DefaultHasher::new();
    (request_id, attempts).hash(&mut hasher);
    let spread = (hasher.finish() % 1000) as f64 / 1000.0;
    base.mul_f64(0.75 + spread / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATED: (&str, &str) = ("date", "Sun, 22 Nov 2026 09:00:00 GMT");

    fn case(status: u16, headers: &[(&str, &str)], may_repeat: bool) -> String {
        let manners: Manners = serde_json::from_value(serde_json::json!({
            "after": ["x-wait"], "at": ["x-reset"], "remaining": "x-left", "statuses": [403, "5xx"],
        }))
        .expect("manners");
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.insert(name, value.parse().expect("a value"));
        }
        let case = Case {
            manners: &manners,
            status: StatusCode::from_u16(status).expect("a status"),
            headers: &map,
            nothing_done: false,
            may_repeat,
            now: "2026-11-22T09:00:10Z".parse().expect("a time"),
        };
        match case.repeated() {
            None => "-".to_owned(),
            Some(Repeated::WithBackoff) => "backoff".to_owned(),
            Some(Repeated::After(pause)) => format!("{} s", pause.as_secs_f64()),
        }
    }

    /// 1795338000 is the moment of the date above.
    #[test]
    fn the_vendors_own_headers_say_when() {
        for (status, headers, may_repeat, expected) in [
            (429, &[][..], false, "backoff"),
            (429, &[("retry-after", "3")], false, "3 s"),
            (429, &[("retry-after", "3"), ("x-wait", "0.5")], false, "0.5 s"),
            (429, &[("x-wait", "31")], false, "-"),
            (429, &[("x-wait", "soon")], false, "backoff"),
            (429, &[DATED, ("x-reset", "1795338005")], false, "5 s"),
            (429, &[DATED, ("x-reset", "1795338005500")], false, "5.5 s"),
            (429, &[DATED, ("x-reset", "Sun, 22 Nov 2026 09:00:07 GMT")], false, "7 s"),
            (429, &[DATED, ("x-reset", "2026-11-22T09:00:08Z")], false, "8 s"),
            (429, &[("x-reset", "1795338015")], false, "5 s"),
            (429, &[("x-reset", "4")], false, "4 s"),
            (429, &[DATED, ("x-reset", "1795337000")], false, "0 s"),
            (429, &[DATED, ("x-reset", "1795339000")], false, "-"),
            (403, &[], true, "-"),
            (403, &[("x-wait", "2")], false, "2 s"),
            (403, &[("x-left", "0")], false, "backoff"),
            (403, &[("x-left", "7")], false, "-"),
            (404, &[("x-wait", "2")], true, "-"),
            (400, &[("x-left", "0"), ("x-wait", "1")], false, "1 s"),
            (500, &[], true, "backoff"),
            (500, &[], false, "-"),
            (503, &[("x-wait", "1")], true, "1 s"),
            (503, &[], false, "-"),
        ] {
            assert_eq!(case(status, headers, may_repeat), expected, "{status} {headers:?} {may_repeat}");
        }
    }

    #[test]
    fn pauses_grow_and_are_spread() {
        let (first, fourth) = (backoff("req_1", 1), backoff("req_1", 4));
        assert!(first >= Duration::from_millis(187) && first <= Duration::from_millis(313), "{first:?}");
        assert!(fourth > first * 4 && backoff("req_2", 1) != first);
    }
}
