//! Who reads, in which language, and as what.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_LANGUAGE};
use http::request::Parts;
use tombolo_platform::catalog::Language;

use super::address::Addresses;
use super::say::Say;
use crate::pages::shell::{Shell, Theme};
use crate::routes::Routes;
use crate::routes::query::decoded;

/// Somebody who reads the manual. Public.
pub(super) struct Reader {
    /// The words of the language that is read.
    pub say: Say,
    /// The language, the theme and addresses for templates.
    pub shell: Shell,
    /// The request's headers.
    pub headers: HeaderMap,
    chosen: Option<Language>,
    base: String,
    query: Vec<(String, String)>,
}

impl Reader {
    /// A parameter of the query; empty when it is not there.
    pub(super) fn parameter(&self, name: &str) -> &str {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Where pages are for this reader.
    pub(super) fn addresses(&self) -> Addresses<'_> {
        Addresses { base: &self.base, language: self.chosen }
    }

    /// The language that the address asks for.
    pub(super) fn chosen(&self) -> Option<Language> {
        self.chosen
    }

    /// Whether it is a program that would rather read the source.
    pub(super) fn wants_source(&self) -> bool {
        let accept = self.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        accept.contains("text/markdown") && !accept.contains("text/html")
    }
}

impl FromRequestParts<Routes> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, routes: &Routes) -> Result<Self, Infallible> {
        let pairs = parts.uri.query().unwrap_or_default().split('&');
        let query: Vec<(String, String)> = pairs
            .filter_map(|pair| pair.split_once('='))
            .filter_map(|(name, value)| Some((decoded(name).ok()?, decoded(value).ok()?)))
            .collect();
        let parameter =
            |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let chosen = match parameter("lang") {
            Some("en") => Some(Language::En),
            Some("ja") => Some(Language::Ja),
            _ => None,
        };
        let preferred = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = chosen.unwrap_or_else(|| Language::negotiate(preferred.unwrap_or_default()));
        let theme = parameter("theme").and_then(Theme::named);
        Ok(Self {
            say: Say(language),
            shell: Shell::new(language, theme, &routes.public_url),
            headers: parts.headers.clone(),
            chosen,
            base: routes.public_url.path().to_owned(),
            query,
        })
    }
}
