//! Where a browser that has finished an authorization may be sent to, and who may be told what it was given: pages of the
//! embedder, named beforehand and compared character by character. Nothing in them comes from a browser.

use tombolo_catalog::FieldError;
use url::{Host, Url};

use crate::environments::EnvironmentSettings;
use crate::problem::{Problem, ProblemKind, field};

/// Most origins, and most addresses, of an environment.
const MOST: usize = 20;
/// Longest of them, in bytes.
const LONGEST: usize = 2_000;
/// The parameters with which a browser comes back; an address must not have them of its own.
const PARAMETERS: [&str; 3] = ["authorization", "proof", "error"];

/// What is wrong with a list of origins.
pub(crate) fn faults_of_origins(origins: &[String]) -> Vec<FieldError> {
    let en = "It is an origin such as https://app.example.com, in lower case and without a path; http only on this machine.";
    let ja = "https://app.example.com の形式（小文字、パスなし）で入力してください。httpはこのマシンでのみ使えます。";
    faults(origins, "allowed_origins", is_origin, (en, ja))
}

/// What is wrong with a list of addresses.
pub(crate) fn faults_of_urls(urls: &[String]) -> Vec<FieldError> {
    let en = "It is an https URL as browsers write it, without user, fragment, `*` and the parameters `authorization`, `proof` and `error`; http only on this machine.";
    let ja = "httpsのURLを正規の表記で入力してください。ユーザー名、フラグメント、「*」、パラメーターauthorization・proof・errorは使えません。httpはこのマシンでのみ使えます。";
    faults(urls, "return_urls", is_return_url, (en, ja))
}

fn faults(
    given: &[String],
    name: &str,
    is_good: fn(&str) -> bool,
    (en, ja): (&str, &str),
) -> Vec<FieldError> {
    if given.len() > MOST {
        let en = format!("There is room for {MOST}.");
        return vec![field(name, "too_big", &en, &format!("{MOST}件までです。"))];
    }
    let bad = given.iter().enumerate().filter(|(_, text)| !is_good(text));
    bad.map(|(position, _)| field(&format!("{name}.{position}"), "format", en, ja)).collect()
}

/// Whether a text is an origin as browsers write it.
fn is_origin(text: &str) -> bool {
    is_safe(text).is_some_and(|url| url.origin().ascii_serialization() == text)
}

/// Whether a text is an address as browsers write it, that parameters can be added to.
fn is_return_url(text: &str) -> bool {
    is_safe(text).is_some_and(|url| {
        let own = url.query_pairs().any(|(name, _)| PARAMETERS.contains(&&*name));
        url.as_str() == text && url.fragment().is_none() && !own
    })
}

/// An address over TLS, or on the machine of the browser itself, without anything that readers take differently.
fn is_safe(text: &str) -> Option<Url> {
    let plain = text.len() <= LONGEST
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'\\' | b'@'));
    let url = Url::parse(text).ok().filter(|_| plain)?;
    let is_good = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(&url),
        _ => false,
    };
    (is_good && url.username().is_empty() && url.password().is_none()).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether an address is one that a program on the browser's own machine listens at for a moment (RFC 8252 §7.3): by its
/// number, since a name could be sent elsewhere, and with any port.
fn is_of_program(text: &str) -> bool {
    let is_number = |url: &Url| matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_))) && is_loopback(url);
    is_return_url(text)
        && Url::parse(text).is_ok_and(|url| url.scheme() == "http" && is_number(&url) && url.port().is_some())
}

/// An address with more parameters.
pub(super) fn with_parameters(url: &str, parameters: &[(&str, &str)]) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    url.query_pairs_mut().extend_pairs(parameters);
    Some(url.into())
}

impl EnvironmentSettings {
    /// Refuses an address that browsers may not be sent to. A program that waits on the browser's machine is named by whoever
    /// has an API key, never by a browser.
    pub(crate) fn require_return_url(&self, url: &str, programs: bool) -> Result<(), Problem> {
        if self.names(url) || (programs && is_of_program(url)) {
            return Ok(());
        }
        let what = "The return URL is not among those of the environment";
        let fix = "Add it, letter for letter, to `return_urls` with `PATCH /environment`.";
        Err(Problem::invalid("return_url_refused", what, fix))
    }

    /// Whether a permitted address is that of a program that waits on the machine where the link was made, which need not be
    /// the browser's.
    pub(super) fn is_for_program(&self, url: &str) -> bool {
        !self.names(url) && is_of_program(url)
    }

    /// Refuses an authorization that nobody could confirm: what proves the browser that finished has to have a way to the
    /// embedder, and the embedder has to have said for whom it is. Without that, a page of the embedder would take whoever is
    /// signed in there for the person whom the link was made for; a program and a code need no such page.
    pub(super) fn require_confirmable(
        &self,
        return_url: Option<&str>,
        of_session: bool,
        is_known: bool,
    ) -> Result<(), Problem> {
        if of_session && return_url.is_none() && self.allowed_origins.is_empty() {
            let what =
                "Nobody said where the application's pages are, so it could not confirm whose account it is";
            let fix = "Name their origins with `PATCH /environment` and `allowed_origins`, or a `return_url` in the session.";
            return Err(Problem::new(ProblemKind::Conflict, "no_way_back", what, fix));
        }
        let goes_to_page = of_session || return_url.is_some_and(|url| !self.is_for_program(url));
        if goes_to_page && !is_known {
            let what = "Nobody said for whom the account is linked, so nobody could confirm whose it is";
            let fix =
                "Make the session with `end_user`, or the session or the link with the tag `end_user_id`.";
            return Err(Problem::new(ProblemKind::Conflict, "end_user_needed", what, fix));
        }
        Ok(())
    }

    fn names(&self, url: &str) -> bool {
        self.return_urls.iter().any(|known| known == url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_and_addresses_are_written_in_one_way() {
        for good in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "http://localhost:3000",
            "http://[::1]:1",
        ] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "*",
            "null",
            "https://*.example.com",
            "https://app.example.com/",
            "https://app.example.com:443",
            "https://APP.example.com",
            "http://app.example.com",
            "http://localhost.example.com",
            "https://me@app.example.com",
            "file:///etc",
            "https://例え.jp",
            "",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
        for good in
            ["https://app.example.com/", "https://app.example.com/done?tab=1", "http://127.0.0.1:8080/x"]
        {
            assert!(is_return_url(good), "{good}");
        }
        for bad in [
            "https://app.example.com",
            "https://app.example.com/a/../b",
            "https://app.example.com/#x",
            "https://app.example.com/?proof=mine",
            "https://app.example.com/?%70roof=mine",
            "https://app.example.com\\@evil.example/",
            "https://app.example.com@evil.example/",
            "https://app.example.com/\n",
            "https:app.example.com/",
            "//app.example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://app.example.com/",
        ] {
            assert!(!is_return_url(bad), "{bad}");
        }
        for (text, expected) in [
            ("http://127.0.0.1:49152/", true),
            ("http://[::1]:49152/done", true),
            ("http://127.0.0.1/", false),
            ("http://localhost:49152/", false),
            ("https://127.0.0.1:49152/", false),
            ("http://127.0.0.1.example.com:1/", false),
            ("http://2130706433:49152/", false),
        ] {
            assert_eq!(is_of_program(text), expected, "{text}");
        }
    }

    #[test]
    fn parameters_are_added_to_those_that_are_there() {
        assert_eq!(
            with_parameters("https://a.example/?tab=1", &[("proof", "x&y")]).as_deref(),
            Some("https://a.example/?tab=1&proof=x%26y")
        );
    }
}
