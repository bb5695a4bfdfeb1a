//! Query parameters and path segments.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path};
use http::Uri;
use http::header::ACCEPT_LANGUAGE;
use http::request::Parts;
use serde::de::DeserializeOwned;
use tombolo_api::{ConnectionQuery, IntegrationQuery};
use tombolo_platform::Problem;
use tombolo_platform::catalog::Language;

use super::Routes;
use super::refusal::Refusal;
use super::shape::unfit;

/// The query parameters of a route.
pub(crate) struct Query<T>(pub(crate) T);

/// A route's own way from parameters to their type; the usual one needs no word.
pub(crate) trait FromQuery: Sized {
    fn from_query(query: &str) -> Result<Self, Problem>;
}

/// No route ignores a parameter that it does not know.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParameters {}

macro_rules! plain_queries {
    ($($name:path),+ $(,)?) => {$(
        impl FromQuery for $name {
            fn from_query(query: &str) -> Result<Self, Problem> {
                plain(query)
            }
        }
    )+};
}

plain_queries!(
    NoParameters,
    tombolo_api::ActivityQuery,
    tombolo_api::IntegrationOfConnection,
    tombolo_api::JobsQuery,
    tombolo_api::PageQuery,
    tombolo_api::ProviderQuery,
    tombolo_api::ReadConnectionQuery,
    tombolo_api::WebhookDeliveriesQuery,
);

impl FromQuery for ConnectionQuery {
    /// Takes `tags[key]=value` out first: the usual form has no nested parameters.
    fn from_query(query: &str) -> Result<Self, Problem> {
        let mut tags = BTreeMap::new();
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name)?;
            match name.strip_prefix("tags[").and_then(|tag| tag.strip_suffix(']')) {
                Some(tag) => drop(tags.insert(tag.to_owned(), decoded(value)?)),
                None => rest.push(pair),
            }
        }
        let query: Self = plain(&rest.join("&"))?;
        Ok(Self { tags, ..query })
    }
}

impl FromQuery for IntegrationQuery {
    /// `include` may stand several times.
    fn from_query(query: &str) -> Result<Self, Problem> {
        let mut include = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let Some(("include", wanted @ ("credentials" | "webhook"))) = pair.split_once('=') else {
                let fix = "Only `include=credentials` and `include=webhook` are known.";
                return Err(Problem::invalid("invalid_query_params", "The query does not fit", fix));
            };
            include.push(wanted.to_owned());
        }
        Ok(Self { include })
    }
}

fn plain<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let unreadable =
        || Problem::invalid("invalid_query_params", "The query cannot be read", "Percent-encode its values.");
    let uri = Uri::builder().path_and_query(format!("/?{query}")).build().map_err(|_| unreadable())?;
    match axum::extract::Query::try_from_uri(&uri) {
        Ok(axum::extract::Query(value)) => Ok(value),
        Err(QueryRejection::FailedToDeserializeQueryString(error)) => {
            Err(unfit("invalid_query_params", "query", &error))
        }
        Err(_) => Err(unreadable()),
    }
}

/// A part of a query without its percent-encoding.
pub(crate) fn decoded(text: &str) -> Result<String, Problem> {
    let text = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&text).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| {
        Problem::invalid("invalid_query_params", "The query is not UTF-8", "Percent-encode its values.")
    })
}

impl<T: FromQuery> FromRequestParts<Routes> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Routes) -> Result<Self, Refusal> {
        Ok(Self(T::from_query(parts.uri.query().unwrap_or_default())?))
    }
}

/// How many items a page has.
pub(crate) fn page_size(wanted: Option<u32>, usual: u32, most: u32) -> Result<u32, Problem> {
    match wanted {
        None => Ok(usual),
        Some(wanted) if (1..=most).contains(&wanted) => Ok(wanted),
        Some(_) => {
            let fix = format!("Ask for 1 to {most}, and for the rest with `cursor`.");
            Err(Problem::invalid("invalid_query_params", "`limit` is out of range", fix))
        }
    }
}

/// A cursor that one of our answers gave.
pub(crate) fn cursor<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, Problem> {
    let read = |text: &str| {
        text.parse().map_err(|_| {
            let fix = "Begin again without `cursor`, and give back `next_cursor` as it is.";
            Problem::invalid("invalid_query_params", "`cursor` is not one of this list", fix)
        })
    };
    text.map(read).transpose()
}

/// The name or id in the path.
pub(crate) struct Named(pub(crate) String);

/// The name in the path of a route that has it spelled out, because another route has the same path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spelled(pub(crate) &'static str);

impl FromRequestParts<Routes> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, routes: &Routes) -> Result<Self, Refusal> {
        if let Some(Spelled(name)) = parts.extensions.get() {
            return Ok(Self((*name).to_owned()));
        }
        let path = Path::<String>::from_request_parts(parts, routes).await;
        let Path(name) = path.map_err(|_| {
            Problem::invalid(
                "invalid_uri_params",
                "A name in the URL is not UTF-8",
                "Percent-encode it as UTF-8.",
            )
        })?;
        Ok(Self(name))
    }
}

/// The language that the caller prefers.
pub(crate) struct Preferred(pub(crate) Language);

impl FromRequestParts<Routes> for Preferred {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Routes) -> Result<Self, Self::Rejection> {
        let header = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Ok(Self(Language::negotiate(header.unwrap_or_default())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_beside_the_other_parameters() {
        let query =
            ConnectionQuery::from_query("limit=5&tags%5Bteam%5D=sales+west&search=%E5%96%B6%E6%A5%AD")
                .expect("fits");
        assert_eq!(query.tags, [("team".to_owned(), "sales west".to_owned())].into());
        assert_eq!((query.limit, query.search.as_deref()), (Some(5), Some("営業")));
    }

    #[test]
    fn unknown_and_malformed_parameters_are_refused() {
        for (query, expected) in [
            ("colour=red", "The query does not fit at `colour`"),
            ("limit=many", "The query does not fit at `limit`"),
            ("health=fine", "The query does not fit at `health`"),
            ("tags[a]=%ff", "The query is not UTF-8"),
        ] {
            let problem = ConnectionQuery::from_query(query).expect_err("refused");
            assert_eq!((problem.code, problem.what.as_str()), ("invalid_query_params", expected), "{query}");
        }
    }
}
