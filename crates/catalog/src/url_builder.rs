//! Puts addresses together from literals and values, so that a value never leaves the part of the address it lands in.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 §2.3.
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address that is being put together. Literals are trusted, because the provider file was checked; values are not.
#[derive(Debug, Default)]
pub struct UrlBuilder {
    text: String,
}

/// The part of an address that comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Nothing stands there yet.
    Start,
    Authority,
    Path,
    Query,
}

impl UrlBuilder {
    /// Appends a text of the provider file.
    pub fn literal(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends a value, encoded for the part of the address that it lands in. `next` is the literal that follows.
    ///
    /// In the host only letters, digits, `-` and `.` pass. Where the value is all that is left of the host, it may bring a
    /// scheme, which must be `https`, a port, and a path of plain segments: people paste whole addresses.
    pub fn value(&mut self, value: &str, next: Option<&str>) -> Result<(), &'static str> {
        match self.part() {
            Part::Start => {
                self.text.push_str("https://");
                self.host_and_path(value, next)
            }
            Part::Authority if self.text.ends_with("://") => self.host_and_path(value, next),
            Part::Authority => {
                self.text.push_str(&labels(value)?);
                Ok(())
            }
            Part::Path if value == "." || value == ".." || value.is_empty() => {
                Err("is not a segment of a path")
            }
            Part::Path | Part::Query => {
                self.text.extend(utf8_percent_encode(value, RESERVED));
                Ok(())
            }
        }
    }

    /// The address.
    pub fn finish(self) -> String {
        self.text
    }

    fn host_and_path(&mut self, value: &str, next: Option<&str>) -> Result<(), &'static str> {
        let value = value.strip_prefix("https://").unwrap_or(value);
        let ends_the_host = next.is_none_or(|next| next.starts_with(['/', '?']));
        if !ends_the_host {
            self.text.push_str(&labels(value)?);
            return Ok(());
        }
        let value = value.trim_end_matches('/');
        let (authority, path) =
            value.split_once('/').map_or((value, None), |(host, path)| (host, Some(path)));
        let (host, port) =
            authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
        self.text.push_str(&labels(host)?);
        if let Some(port) = port {
            if port.is_empty() || port.len() > 5 || !port.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err("is not part of a host name");
            }
            self.text.push(':');
            self.text.push_str(port);
        }
        for segment in path.into_iter().flat_map(|path| path.split('/')) {
            if matches!(segment, "" | "." | "..") {
                return Err("is not a segment of a path");
            }
            self.text.push('/');
            self.text.extend(utf8_percent_encode(segment, RESERVED));
        }
        Ok(())
    }

    fn part(&self) -> Part {
        match self.text.split_once("://") {
            _ if self.text.is_empty() => Part::Start,
            // The path alone, as in the request of a stage.
            None if self.text.contains('?') => Part::Query,
            None => Part::Path,
            Some((_, rest)) if rest.contains(['?', '#']) => Part::Query,
            Some((_, rest)) if rest.contains('/') => Part::Path,
            Some(_) => Part::Authority,
        }
    }
}

/// One or more labels of a host name, in lower case.
pub(crate) fn labels(value: &str) -> Result<String, &'static str> {
    let plain = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if value.split('.').all(plain) {
        Ok(value.to_ascii_lowercase())
    } else {
        Err("is not part of a host name")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(before: &str, value: &str, after: &str) -> Result<String, &'static str> {
        let mut url = UrlBuilder::default();
        url.literal(before);
        url.value(value, (!after.is_empty()).then_some(after))?;
        url.literal(after);
        Ok(url.finish())
    }

    #[test]
    fn a_value_never_leaves_its_part_of_the_address() {
        const NO_HOST: Result<&str, &str> = Err("is not part of a host name");
        const NO_SEGMENT: Result<&str, &str> = Err("is not a segment of a path");
        for (before, value, after, expected) in [
            ("https://", "Acme", ".example.com/v1", Ok("https://acme.example.com/v1")),
            ("https://", "evil.test/", ".example.com", NO_HOST),
            ("https://", "evil.test#", ".example.com", NO_HOST),
            ("https://", "user@evil.test", "/v1", NO_HOST),
            ("https://", "evil.test:443", ".example.com", NO_HOST),
            ("https://", "api.acme.test", "/v1", Ok("https://api.acme.test/v1")),
            ("https://", "https://api.acme.test/", "/v1", Ok("https://api.acme.test/v1")),
            ("https://", "http://api.acme.test", "/v1", NO_HOST),
            ("", "https://api.acme.test:8443/base", "/v1", Ok("https://api.acme.test:8443/base/v1")),
            ("", "api.acme.test/../x", "", NO_SEGMENT),
            ("", "api.acme.test/a?b", "", Ok("https://api.acme.test/a%3Fb")),
            ("https://api.acme.test/", "a/b", "/c", Ok("https://api.acme.test/a%2Fb/c")),
            ("https://api.acme.test/", "..", "/c", NO_SEGMENT),
            ("https://api.acme.test/x?a=", "1&b=2", "", Ok("https://api.acme.test/x?a=1%26b%3D2")),
        ] {
            assert_eq!(
                built(before, value, after).as_deref().map_err(|error| *error),
                expected,
                "{before}{value}{after}"
            );
        }
    }
}
