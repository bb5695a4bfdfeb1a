//! The requests of a provider's connection test, recognised when they arrive.

use serde_json::{Map, Value as Json, json};
use tombolo_catalog::{CredentialUse, Provider, Stage, Template};

use crate::faults::fits;
use crate::http::Request;

/// The stages that a request belongs to.
pub(super) struct Played<'a>(Vec<&'a Stage>);

impl<'a> Played<'a> {
    /// Finds the stages that send such a request: the same method, path and query parameters, whatever stands in the
    /// holes. Paths may have been moved by the file's rewriting.
    pub(super) fn find(provider: &'a Provider, request: &Request) -> Self {
        let base = base_path(provider);
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
        let is_sent_by = |stage: &&Stage| {
            let path = stage.request.path.source();
            let moved = provider.path_rewrite.as_ref().and_then(|rule| {
                Some(format!("{}{}", rule.to.source(), path.strip_prefix(rule.from.as_str())?))
            });
            stage.request.method == request.method.as_str()
                && [Some(path.to_owned()), moved]
                    .iter()
                    .flatten()
                    .any(|path| path_fits(&format!("{base}{path}"), &request.path))
                && stage.request.query.iter().all(|(name, value)| {
                    query.iter().any(|(known, given)| known == name && value_fits(value, given))
                })
        };
        Self(provider.test.iter().filter(is_sent_by).collect())
    }

    /// Whether no stage sends such a request.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the request is answered without the scheme's credential.
    pub(super) fn is_open(&self) -> bool {
        self.0.iter().any(|stage| stage.credentials != CredentialUse::All)
    }

    /// The first of the stages.
    pub(super) fn id(&self) -> &str {
        self.0.first().map(|stage| stage.id.as_str()).unwrap_or_default()
    }

    /// A body that all of the stages accept.
    pub(super) fn body(&self) -> Json {
        let names: Vec<&str> = self.0.iter().map(|stage| stage.id.as_str()).collect();
        let mut body = Map::from_iter([("simulated".to_owned(), json!(names))]);
        let members = self.0.iter().filter_map(|stage| stage.accept.member.clone());
        body.extend(members.map(|member| (member, json!([]))));
        Json::Object(body)
    }
}

/// The path of the base URL, with its holes.
pub(super) fn base_path(provider: &Provider) -> &str {
    let url = provider.base_url.source().trim_start_matches("https://");
    url.find('/').map_or("", |start| url[start..].trim_end_matches('/'))
}

fn path_fits(template: &str, path: &str) -> bool {
    let (wanted, given) = (template.split('/'), path.split('/'));
    template.split('/').count() == path.split('/').count()
        && wanted.zip(given).all(|(wanted, given)| fits(&with_stars(wanted), given))
}

fn value_fits(template: &Template, given: &str) -> bool {
    fits(&with_stars(template.source()), given)
}

/// The template with `*` in the place of its holes.
fn with_stars(template: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, hole)) = rest.split_once("${") {
        text.push_str(before);
        text.push('*');
        rest = hole.split_once('}').map_or("", |(_, after)| after);
    }
    text + rest
}
