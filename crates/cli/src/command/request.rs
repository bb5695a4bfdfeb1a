//! `tombolo request`

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request as HttpRequest, Response, Uri};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, StreamBody};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tombolo_api::client::{ApiError, RequestBody, full};

use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, document, line, say};

/// How much of a file is read at a time.
const CHUNK: usize = 64 * 1024;
/// What cannot stand in a path or query and was certainly not meant: spaces, quotes, other scripts, and the `#` that
/// would begin a fragment, which is never sent. What is encoded already stays as it is.
const UNSENDABLE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// The header that marks an answer of ours in place of the vendor's.
const TOMBOLO_ERROR: &str = "tombolo-error";
/// The header that every answer of our server has. An answer without it is that of something on the way.
const REQUEST_ID: &str = "tombolo-request-id";

/// Make one call through a connection. The answer's body goes to stdout as it comes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tombolo request -c Sales GET '/k/v1/records.json?app=12&query=limit 5'
  tombolo request -c Sales POST /k/v1/record.json -d '{\"app\": 12, \"record\": {\"name\": {\"value\": \"x\"}}}'
  tombolo request -c Sales POST /k/v1/file.json -d @form.bin -H 'Content-Type: multipart/form-data; boundary=x'

Exits with 4 when the vendor answers with a status of 400 or more; its answer is printed all the same. Exits with 7 when
something on the way to the server answers in its place.")]
pub struct Request {
    /// The connection's name, connection id or id.
    #[arg(long, short, value_name = "CONNECTION")]
    connection: String,
    /// The integration that it is looked for in, when its name alone says too little.
    #[arg(long, value_name = "KEY")]
    integration: Option<String>,
    /// GET, POST, PUT, PATCH, DELETE or another method.
    method: Method,
    /// The path at the vendor's API, with its query.
    path: String,
    /// The body: a text, @FILE, or - for stdin. JSON unless a header says otherwise.
    #[arg(long, short, value_name = "BODY", allow_hyphen_values = true)]
    data: Option<String>,
    /// A header to send; can be repeated.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Print the status and the headers of the answer before its body.
    #[arg(long, short)]
    include: bool,
    /// Write the body to a file.
    #[arg(long, short, value_name = "FILE", conflicts_with = "json")]
    output: Option<PathBuf>,
}

impl Request {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        on_api(global, WhereNothingIs::Refuse, output, async |api| self.on(api, output).await).await
    }

    async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        let response = api.send(self.request().await?).await?;
        let headers = response.headers();
        if !headers.contains_key(REQUEST_ID) || headers.contains_key(TOMBOLO_ERROR) {
            return Err(Failure::from(ApiError::of_answer(response).await?).into());
        }
        let status = response.status();
        let id = text_of(headers, REQUEST_ID);
        if output.json {
            document(&described(response).await?)?;
        } else {
            if self.include {
                line(head(&response))?;
            }
            copy(response.into_body(), self.output.as_deref()).await?;
        }
        if status.is_client_error() || status.is_server_error() {
            say(format_args!("error: the vendor answered {status}\n  request id: {id}"));
            return Ok(Exit::Refused);
        }
        Ok(Exit::Done)
    }

    async fn request(&self) -> anyhow::Result<HttpRequest<RequestBody>> {
        let mut request = HttpRequest::new(full(Bytes::new()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = target(&self.path)?;
        if let Some(data) = &self.data {
            let (body, length) = body(data).await?;
            *request.body_mut() = body;
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if let Some(length) = length {
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
        }
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        let names =
            [("connection-id", Some(&self.connection)), ("provider-config-key", self.integration.as_ref())];
        for (header, name) in names {
            if let Some(name) = name {
                let value = HeaderValue::try_from(utf8_percent_encode(name, NON_ALPHANUMERIC).to_string())?;
                request.headers_mut().insert(header, value);
            }
        }
        Ok(request)
    }
}

/// Where a path at the vendor's API stands at the server.
fn target(path: &str) -> anyhow::Result<Uri> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    let target = format!("/proxy{slash}{}", utf8_percent_encode(path, UNSENDABLE));
    Ok(Uri::try_from(&target).map_err(|error| {
        Failure::usage(format!("`{path}` is no path: {error}"), "Give one like /k/v1/app.json?id=1.")
    })?)
}

/// The body that an argument means, and its length when it comes from a file.
async fn body(data: &str) -> anyhow::Result<(RequestBody, Option<u64>)> {
    if data == "-" {
        return Ok((streamed(tokio::io::stdin()), None));
    }
    let Some(path) = data.strip_prefix('@') else { return Ok((full(data.to_owned()), None)) };
    let file = tokio::fs::File::open(path).await.with_context(|| format!("cannot read {path}"))?;
    let length = file.metadata().await.with_context(|| format!("cannot read {path}"))?;
    Ok((streamed(file), length.is_file().then_some(length.len())))
}

/// A body that is read as it is sent.
fn streamed(source: impl AsyncRead + Unpin + Send + 'static) -> RequestBody {
    let chunks = stream::try_unfold(source, |mut source| async move {
        let mut chunk = vec![0; CHUNK];
        let read = source.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok((read > 0).then(|| (Frame::data(Bytes::from(chunk)), source)))
    });
    StreamBody::new(chunks).boxed_unsync()
}

/// Writes an answer's body as it comes.
async fn copy(
    mut body: impl Body<Data = Bytes, Error: Into<anyhow::Error>> + Unpin,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    let mut target: Box<dyn AsyncWrite + Unpin> = match file {
        None => Box::new(tokio::io::stdout()),
        Some(path) => {
            let file = tokio::fs::File::create(path).await;
            Box::new(file.with_context(|| format!("cannot write {}", path.display()))?)
        }
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(Into::into).context("the answer broke off")?;
        if let Some(data) = frame.data_ref() {
            target.write_all(data).await?;
        }
    }
    Ok(target.flush().await?)
}

/// Status and headers as they would stand before the body.
fn head(response: &Response<impl Body>) -> String {
    let first = format!("HTTP {}\n", response.status());
    let headers = response.headers().iter().map(|(name, value)| {
        let value = value.to_str().unwrap_or_default();
        format!("{name}: {value}\n")
    });
    std::iter::once(first).chain(headers).collect()
}

/// The whole answer as one document; a body that is no JSON is a text.
async fn described(
    response: Response<impl Body<Data = Bytes, Error: Into<anyhow::Error>>>,
) -> anyhow::Result<Value> {
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(Into::into).context("the answer broke off")?.to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&body)));
    let headers: serde_json::Map<String, Value> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), Value::from(value.to_str().unwrap_or_default())))
        .collect();
    Ok(json!({ "status": head.status.as_u16(), "headers": headers, "body": body }))
}

fn text_of(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// `Name: Value`
fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write Name: Value")?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| "this is no name of a header")?;
    let value = HeaderValue::from_str(value.trim()).map_err(|_| "this is no value of a header")?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_sent_is_encoded() {
        for (path, sent) in [
            ("/k/v1/records.json?query=limit 5", "/k/v1/records.json?query=limit%205"),
            ("/k/v1/records.json?query=limit%205", "/k/v1/records.json?query=limit%205"),
            ("/a?q=名前 = \"x\"", "/a?q=%E5%90%8D%E5%89%8D%20=%20%22x%22"),
            ("/a?q=x = \"#1\" limit 5", "/a?q=x%20=%20%22%231%22%20limit%205"),
            ("a#b/c", "/a%23b/c"),
        ] {
            assert_eq!(target(path).expect("a path").to_string(), format!("/proxy{sent}"));
        }
    }

    #[test]
    fn headers_are_split_at_the_first_colon() {
        let (name, value) = header("X-Link: https://example.com").expect("a header");
        assert_eq!((name.as_str(), value.to_str().expect("text")), ("x-link", "https://example.com"));
        assert!(header("nothing").is_err() && header("a b: c").is_err() && header("a: b\nc: d").is_err());
    }
}
