//! How browsers reach the server: what links and redirect URIs begin with.

use std::sync::Arc;

use http::Uri;
use tombolo_platform::{Problem, ProblemKind};

use crate::listen::ServerError;

/// How browsers reach the server, as far as it is known, and whether it is there at the moment.
#[derive(Debug, Clone)]
pub(crate) struct PublicUrl {
    url: Option<Arc<str>>,
    is_served: bool,
}

impl PublicUrl {
    /// The URL of a server that listens.
    pub(crate) fn served(url: &str) -> Result<Self, ServerError> {
        Ok(Self { url: Some(checked(url)?), is_served: true })
    }

    /// The URL under which a server is usually reached that does not listen now.
    pub(crate) fn not_served(url: Option<&str>) -> Result<Self, ServerError> {
        Ok(Self { url: url.map(checked).transpose()?, is_served: false })
    }

    /// The URL without a slash at its end, if anybody knows it.
    pub(crate) fn known(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The URL, for those who send a browser to it now.
    pub(crate) fn needed(&self) -> Result<&str, Problem> {
        self.known().filter(|_| self.is_served).ok_or_else(|| {
            let what = "No server runs that a browser could come to";
            let fix = "Start the server first: `tombolo serve`.";
            Problem::new(ProblemKind::Unavailable, "no_public_url", what, fix)
        })
    }

    /// The path that everything of ours stands below; empty when that is the host itself.
    pub(crate) fn path(&self) -> &str {
        let rest = self.known().and_then(|url| url.split_once("://")).map_or("", |(_, rest)| rest);
        rest.find('/').map_or("", |start| &rest[start..])
    }

    /// Whether browsers come over TLS, so that cookies can be kept from everything else.
    pub(crate) fn is_https(&self) -> bool {
        self.known().is_some_and(|url| url.starts_with("https://"))
    }
}

/// Vendors compare redirect URIs character by character, so what could be written in several ways is refused.
fn checked(url: &str) -> Result<Arc<str>, ServerError> {
    let refused = || ServerError::PublicUrl { url: url.to_owned() };
    let parsed: Uri = url.parse().map_err(|_| refused())?;
    let is_web = matches!(parsed.scheme_str(), Some("https" | "http"));
    let host_alone = parsed.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if !is_web || !host_alone || url.contains(['?', '#']) {
        return Err(refused());
    }
    Ok(url.trim_end_matches('/').into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_of_web_servers() {
        for (url, expected) in [
            ("https://tombolo.example.com", Some("https://tombolo.example.com")),
            ("https://example.com/tombolo/", Some("https://example.com/tombolo")),
            ("http://localhost:3003", Some("http://localhost:3003")),
            ("tombolo.example.com", None),
            ("ftp://example.com", None),
            ("https://anna@example.com", None),
            ("https://example.com/?a=b", None),
            ("https://example.com/#a", None),
            ("https://", None),
        ] {
            let found = PublicUrl::served(url).ok();
            assert_eq!(found.as_ref().and_then(PublicUrl::known), expected, "{url}");
        }
    }

    #[test]
    fn a_url_may_have_a_path() {
        for (url, path) in [
            ("https://tombolo.example.com", ""),
            ("https://example.com/tombolo/", "/tombolo"),
            ("http://localhost:3003", ""),
        ] {
            assert_eq!(PublicUrl::served(url).expect("a URL").path(), path);
        }
    }

    #[test]
    fn without_a_server_nobody_is_sent_to_it() {
        let known = PublicUrl::not_served(Some("https://example.com")).expect("a URL");
        assert_eq!((known.known(), known.is_https()), (Some("https://example.com"), true));
        assert_eq!(known.needed().expect_err("no server").code, "no_public_url");
        let unknown = PublicUrl::not_served(None).expect("no URL");
        assert_eq!((unknown.known(), unknown.is_https()), (None, false));
    }
}
