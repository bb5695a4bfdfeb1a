//! A typed client for the REST API, over HTTP, over the operator's socket file, or inside of the process.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use tombolo_api::client::{ApiClient, Transport};
//!
//! let client = ApiClient::new(Transport::url("http://127.0.0.1:3003")?).with_key("tmb_…".into());
//! let page = client.list_connections(&Default::default()).await?;
//! # Ok(()) }
//! ```

mod error;
mod lines;
mod notifications;
mod resources;
mod transport;
mod users;
mod webhooks;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT,
};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::{ApiError, ClientError};
pub use lines::Lines;
pub use transport::{Transport, TransportError};

/// Largest answer that is read into memory; those of proxied calls are streamed.
const ANSWER_MAX: usize = 256 * 1024 * 1024;
const ENVIRONMENT: HeaderName = HeaderName::from_static("tombolo-environment");
const LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// The body of a request.
pub type RequestBody = UnsyncBoxBody<Bytes, std::io::Error>;

/// A client of one server. Clones share its transport.
#[derive(Clone)]
pub struct ApiClient {
    transport: Transport,
    key: Option<SecretString>,
    environment: Option<String>,
    language: Option<String>,
}

impl ApiClient {
    /// A client without a key: the operator's, or one for public routes.
    pub fn new(transport: Transport) -> Self {
        Self { transport, key: None, environment: None, language: None }
    }

    /// Sends an API key along.
    #[must_use]
    pub fn with_key(mut self, key: SecretString) -> Self {
        self.key = Some(key);
        self
    }

    /// Names the environment that the operator acts in; a key has its own.
    #[must_use]
    pub fn with_environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Names the preferred language, such as `ja`.
    #[must_use]
    pub fn with_language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Reads something. `path` begins with `/` and may have a query; see [`path`] and [`query`].
    pub async fn get<Answer: DeserializeOwned>(&self, path: &str) -> Result<Answer, ClientError> {
        self.json(Method::GET, path, None::<&()>).await
    }

    /// Sends something.
    pub async fn post<Answer: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer, ClientError> {
        self.json(Method::POST, path, Some(body)).await
    }

    /// Changes something.
    pub async fn patch<Answer: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer, ClientError> {
        self.json(Method::PATCH, path, Some(body)).await
    }

    /// Deletes something.
    pub async fn delete<Answer: DeserializeOwned>(&self, path: &str) -> Result<Answer, ClientError> {
        self.json(Method::DELETE, path, None::<&()>).await
    }

    /// Starts something that tells what it does, one JSON object per line.
    pub async fn lines<Line: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Lines<Line>, ClientError> {
        let mut request = json_request(Method::POST, path, body)?;
        request.headers_mut().insert(ACCEPT, LINES);
        let response = self.accepted(request).await?;
        Ok(Lines::new(response.into_body()))
    }

    /// Sends any request, such as a proxied call, and gives back the answer as it is: status, headers and a body to
    /// stream. Only `path`, headers and body of the request count; the server and the key are the client's.
    pub async fn send(&self, mut request: Request<RequestBody>) -> Result<Response<Incoming>, ClientError> {
        let headers = request.headers_mut();
        if let Some(key) = &self.key {
            let mut value =
                HeaderValue::try_from(format!("Bearer {}", key.expose_secret())).map_err(|_| {
                    ClientError::Request("the API key holds characters that keys do not have".to_owned())
                })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        for (name, value) in [(ENVIRONMENT, &self.environment), (ACCEPT_LANGUAGE, &self.language)] {
            if let Some(value) = value {
                let value = HeaderValue::try_from(value)
                    .map_err(|_| ClientError::Request(format!("`{value}` cannot be sent as {name}")))?;
                headers.insert(name, value);
            }
        }
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!("tombolo/", env!("CARGO_PKG_VERSION"))));
        Ok(self.transport.send(request).await?)
    }

    async fn json<Answer: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Answer, ClientError> {
        let mut request = json_request(method, path, body)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let response = self.accepted(request).await?;
        let bytes = whole(response.into_body()).await?;
        serde_json::from_slice(&bytes).map_err(ClientError::unreadable)
    }

    /// The answer, unless it is a problem.
    async fn accepted(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, ClientError> {
        let response = self.send(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(ApiError::of_answer(response).await?.into())
    }
}

/// A body in memory.
pub fn full(bytes: impl Into<Bytes>) -> RequestBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// What is encoded in a segment of a path.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'/')
    .add(b'%')
    .add(b'\\')
    .add(b'^')
    .add(b'[')
    .add(b']')
    .add(b'|');

/// A path of segments, each encoded: names of connections may hold any character.
pub fn path<'a>(segments: impl IntoIterator<Item = &'a str>) -> String {
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.extend(utf8_percent_encode(segment, SEGMENT));
    }
    path
}

/// A path with the parameters of a query type, such as [`crate::ConnectionQuery`].
pub fn query(path: &str, parameters: &impl Serialize) -> Result<String, ClientError> {
    let serde_json::Value::Object(parameters) =
        serde_json::to_value(parameters).map_err(ClientError::unreadable)?
    else {
        return Ok(path.to_owned());
    };
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &parameters {
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::String(text) => drop(pairs.append_pair(name, text)),
            serde_json::Value::Object(nested) => {
                for (key, value) in nested {
                    pairs.append_pair(&format!("{name}[{key}]"), value.as_str().unwrap_or_default());
                }
            }
            other => drop(pairs.append_pair(name, &other.to_string())),
        }
    }
    let query = pairs.finish();
    Ok(if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") })
}

fn json_request(
    method: Method,
    path: &str,
    body: Option<&impl Serialize>,
) -> Result<Request<RequestBody>, ClientError> {
    let builder = Request::builder().method(method).uri(path);
    let request = match body {
        None => builder.body(full(Bytes::new())),
        Some(body) => {
            let bytes = serde_json::to_vec(body).map_err(ClientError::unreadable)?;
            builder.header(CONTENT_TYPE, "application/json").body(full(bytes))
        }
    };
    request.map_err(|error| ClientError::Request(format!("`{path}` cannot be asked for: {error}")))
}

async fn whole(body: Incoming) -> Result<Bytes, TransportError> {
    let limited = http_body_util::Limited::new(body, ANSWER_MAX);
    let collected =
        limited.collect().await.map_err(|error| TransportError::Interrupted(error.to_string()))?;
    Ok(collected.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectionQuery, Health};

    #[test]
    fn names_and_parameters_are_encoded() {
        assert_eq!(
            path(["connections", "営業/西 %", "test"]),
            "/connections/%E5%96%B6%E6%A5%AD%2F%E8%A5%BF%20%25/test"
        );
        let parameters = ConnectionQuery {
            search: Some("a b&c".to_owned()),
            health: Some(Health::NeedsReconnecting),
            tags: [("team".to_owned(), "east".to_owned())].into(),
            limit: Some(5),
            ..ConnectionQuery::default()
        };
        assert_eq!(
            query("/connections", &parameters).expect("serializes"),
            "/connections?search=a+b%26c&health=needs_reconnecting&tags%5Bteam%5D=east&limit=5"
        );
        assert_eq!(query("/jobs", &crate::JobsQuery::default()).expect("serializes"), "/jobs");
    }
}
