//! Cookies of this host alone: what proves that a browser which comes back is the one that began, or who is signed in.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};
use tombolo_platform::{Problem, ProblemKind};

/// Over TLS browsers take a cookie of such a name from this host alone, for every path, and over TLS only
/// (RFC 6265bis §4.1.3.2): no other host of the same domain can put one of its own in its place.
const PREFIX: &str = "__Host-";

/// Has the browser keep a cookie for so long. It comes along when somebody follows a link from elsewhere, but not with what
/// other sites send.
pub(crate) fn set(name: &str, value: &str, lasts: Duration, is_https: bool) -> Result<HeaderValue, Problem> {
    header(name, value, lasts.as_secs(), is_https)
}

/// Has the browser forget a cookie.
pub(crate) fn remove(name: &str, is_https: bool) -> Result<HeaderValue, Problem> {
    header(name, "", 0, is_https)
}

fn header(name: &str, value: &str, seconds: u64, is_https: bool) -> Result<HeaderValue, Problem> {
    let (prefix, secure) = if is_https { (PREFIX, "; Secure") } else { ("", "") };
    let text = format!("{prefix}{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    let mut header = HeaderValue::try_from(text).map_err(|_| {
        let fix = "Report it with the request id; the log of the server says more.";
        Problem::new(ProblemKind::Internal, "internal_error", "This server made a mistake", fix)
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// The cookies of a request by name, without the prefix. Where there is one, cookies without it do not count.
pub(crate) fn read(headers: &HeaderMap, is_https: bool) -> BTreeMap<String, String> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let ours = pairs.filter_map(|(name, value)| {
        let name = if is_https { name.strip_prefix(PREFIX)? } else { name };
        Some((name.to_owned(), value.to_owned()))
    });
    ours.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_of_this_host_alone() {
        let text =
            |value: Result<HeaderValue, Problem>| value.expect("a cookie").to_str().expect("text").to_owned();
        assert_eq!(
            text(set("tombolo-aut_1", "x", Duration::from_mins(10), true)),
            "__Host-tombolo-aut_1=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure"
        );
        assert_eq!(
            text(remove("tombolo-aut_1", false)),
            "tombolo-aut_1=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn over_tls_only_cookies_with_the_prefix_count() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; __Host-b=2; c"));
        headers.append(COOKIE, HeaderValue::from_static("d=3=4"));
        let names = |is_https| read(&headers, is_https).into_iter().collect::<Vec<_>>();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(names(true), [pair("b", "2")]);
        assert_eq!(names(false), [pair("__Host-b", "2"), pair("a", "1"), pair("d", "3=4")]);
    }
}
