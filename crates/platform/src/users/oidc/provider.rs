//! The identity provider: what it says about itself, its keys, and what it is asked.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, HeaderValue};
use http::{Method, Request, StatusCode, Uri};
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value as Json;
use tombolo_egress::{Body, Egress, RouteOptions, TimeOuts};
use tombolo_store::Timestamp;

use super::settings::OidcSettings;
use crate::problem::{Problem, ProblemKind};

/// How long is believed what the provider said about itself and its keys.
const BELIEVED: Duration = Duration::from_hours(1);
/// Largest answer that is read.
const ANSWER_BYTES: usize = 256 * 1024;
/// Most keys that are kept.
const KEYS_MAX: usize = 64;
/// How long the provider has for each step: somebody waits in front of a browser.
const PATIENCE: Duration = Duration::from_secs(10);

/// The identity provider, and what is known of it.
pub struct IdentityProvider {
    pub(super) settings: OidcSettings,
    /// Whoever asks holds it, so that the others wait for the answer.
    known: tokio::sync::Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    document: Arc<Document>,
    /// None until they are first needed.
    keys: Option<Arc<Vec<Jwk>>>,
    read_at: Timestamp,
}

/// What a provider says about itself (OIDC Discovery 1.0 §3, RFC 8414 §2, RFC 9207 §3).
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    jwks_uri: String,
    pub(super) userinfo_endpoint: Option<String>,
    #[serde(default)]
    pub(super) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether it says with every answer who it is.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Json>,
}

/// A complete answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: bytes::Bytes,
}

impl Answer {
    /// The body, if it is JSON of this shape.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl IdentityProvider {
    /// Nothing is asked yet; the sentence says what is wrong with the settings.
    pub fn new(settings: OidcSettings) -> Result<Self, String> {
        match settings.fault() {
            Some(fault) => Err(fault),
            None => Ok(Self { settings, known: tokio::sync::Mutex::default() }),
        }
    }
}

impl IdentityProvider {
    /// What the provider says about itself.
    pub(super) async fn document(&self, way: &Way<'_>) -> Result<Arc<Document>, Problem> {
        let mut known = self.known.lock().await;
        Ok(Arc::clone(&self.fresh(way, &mut known).await?.document))
    }

    /// Looks something up among the keys that the provider signs with. Where it fails because those that are kept are stale,
    /// they are read once more, since providers change them.
    pub(super) async fn among_keys<T, E>(
        &self,
        way: &Way<'_>,
        mut look: impl FnMut(&[Jwk]) -> Result<T, E>,
        is_stale: impl Fn(&E) -> bool,
    ) -> Result<Result<T, E>, Problem> {
        let mut known = self.known.lock().await;
        let fresh = self.fresh(way, &mut known).await?;
        if let Some(keys) = &fresh.keys {
            let outcome = look(keys);
            if !outcome.as_ref().is_err_and(&is_stale) {
                return Ok(outcome);
            }
        }
        let keys = Arc::new(read_key_set(way, &fresh.document).await?);
        fresh.keys = Some(Arc::clone(&keys));
        drop(known);
        Ok(look(&keys))
    }

    /// What is kept, read anew when it is too old.
    async fn fresh<'a>(&self, way: &Way<'_>, known: &'a mut Option<Known>) -> Result<&'a mut Known, Problem> {
        let is_believed = |known: &Known| known.read_at <= way.now && way.now < known.read_at.plus(BELIEVED);
        if let Some(believed) = known.take().filter(is_believed) {
            return Ok(known.insert(believed));
        }
        let document = Arc::new(read_document(way, &self.settings.issuer).await?);
        Ok(known.insert(Known { document, keys: None, read_at: way.now }))
    }

    /// Whether people could sign in: how many keys the provider signs with.
    pub(crate) async fn look(&self, way: &Way<'_>) -> Result<usize, Problem> {
        let document = self.document(way).await?;
        let keys = read_key_set(way, &document).await?;
        if keys.is_empty() {
            return Err(misconfigured(
                "The identity provider publishes no key that is known here".to_owned(),
            ));
        }
        Ok(keys.len())
    }
}

async fn read_document(way: &Way<'_>, issuer: &str) -> Result<Document, Problem> {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let document: Document = way.read(&url, "its description").await?;
    if document.issuer != issuer {
        let theirs: String = document.issuer.chars().take(200).collect();
        return Err(misconfigured(format!("The identity provider calls itself {theirs:?}, not {issuer:?}")));
    }
    Ok(document)
}

async fn read_key_set(way: &Way<'_>, document: &Document) -> Result<Vec<Jwk>, Problem> {
    let set: KeySet = way.read(&document.jwks_uri, "its keys").await?;
    // One of a kind that is not known does not keep the others from being used.
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
    Ok(keys.take(KEYS_MAX).collect())
}

/// The way to the provider, and the time.
pub(crate) struct Way<'a> {
    pub(crate) egress: &'a Arc<Egress>,
    pub(crate) now: Timestamp,
}

impl Way<'_> {
    async fn read<T: serde::de::DeserializeOwned>(&self, url: &str, what: &str) -> Result<T, Problem> {
        let answer = self.ask(url, Request::new(Body::empty())).await?;
        let read = if answer.status == StatusCode::OK { answer.json() } else { None };
        read.ok_or_else(|| {
            let status = answer.status.as_u16();
            misconfigured(format!(
                "The identity provider answers with {status} where {what} should be, or not as it should"
            ))
        })
    }

    /// Asks once; a redirect is an answer like any other. What the provider named as an address is under the operator's
    /// rules like every other.
    pub(super) async fn ask(&self, url: &str, mut request: Request<Body>) -> Result<Answer, Problem> {
        let refused =
            |why: String| misconfigured(format!("An address of the identity provider cannot be used: {why}"));
        let (origin, target) = self.egress.parse_url(url).map_err(|refusal| refused(refusal.to_string()))?;
        let time_outs = TimeOuts { connect: PATIENCE, tls: PATIENCE, head: PATIENCE, body_idle: PATIENCE };
        let options = RouteOptions { time_outs, ..RouteOptions::default() };
        let route = self.egress.route(origin, options).map_err(|error| refused(error.to_string()))?;
        *request.uri_mut() = Uri::from(target);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        debug_assert!(matches!(*request.method(), Method::GET | Method::POST), "nothing else is asked");
        let answer =
            self.egress.probe().run(&route, request, ANSWER_BYTES, |_| {}).await.map_err(|error| {
                tracing::warn!(
                    host = route.origin().host(),
                    why = error.what(),
                    "the identity provider does not answer"
                );
                let what = format!("The identity provider does not answer: {}", error.what());
                Problem::new(ProblemKind::Upstream, "oidc_unreachable", what, error.fix())
            })?;
        if answer.status.is_server_error() {
            let what =
                format!("The identity provider is out of order: it answers with {}", answer.status.as_u16());
            let fix = "Try again in a moment; if it lasts, tell whoever runs the identity provider.";
            return Err(Problem::new(ProblemKind::Upstream, "oidc_unreachable", what, fix));
        }
        Ok(Answer { status: answer.status, body: answer.body })
    }
}

/// Something that the operator puts right, here or at the provider.
pub(super) fn misconfigured(what: String) -> Problem {
    tracing::warn!(%what, "nobody can sign in with the identity provider");
    let fix = "Ask whoever runs this server to look at the section [oidc] of its configuration, and to run `tombolo doctor`.";
    Problem::new(ProblemKind::Upstream, "oidc_misconfigured", what, fix)
}
