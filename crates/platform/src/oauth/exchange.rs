//! Drives the exchanges of the crate `auth`: it says what to send, this sends it.

use std::collections::BTreeMap;

use http::header::{DATE, HeaderValue};
use http::{HeaderMap, Request, Uri};
use jiff::fmt::rfc2822::DateTimeParser;
use tombolo_auth::{
    Credentials, ExchangeAnswer, ExchangeFailure, ExchangeRequest, Grant, Moment, OAuth2Exchange,
    OAuthClient, Step, Tokens,
};
use tombolo_catalog::{AuthScheme, GateKind, OAuth2, Provider, Template};
use tombolo_egress::{Body, Retry, RouteOptions};
use tombolo_store::{OAuthClient as StoredClient, Timestamp, TokenLife};
use tombolo_vault::{HostRole, HostSet};

use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// Largest token answer that is read.
const ANSWER_BYTES: usize = 256 * 1024;
/// Most seconds that our clock and the vendor's may be apart before what is signed by ours is refused: vendors that allow
/// for a difference allow for a minute or more.
const APART_MAX: i64 = 60;

/// One exchange at a vendor's token endpoint.
pub(super) struct Exchange<'a> {
    pub(super) provider: &'a Provider,
    pub(super) oauth2: &'a OAuth2,
    pub(super) config: &'a BTreeMap<String, String>,
    /// The gates that are used; a certificate is part of `options`.
    pub(super) gates: &'a [GateKind],
    /// The hosts that the secrets of the exchange may go to.
    pub(super) hosts: &'a HostSet,
    pub(super) options: RouteOptions,
    pub(super) client: Client<'a>,
    pub(super) grant: Grant<'a>,
    pub(super) previous: Option<&'a Credentials>,
    /// Whether id and secret of the client are kept with the token.
    pub(super) keeps_client: bool,
}

/// Who asks.
#[derive(Clone, Copy)]
pub(super) enum Client<'a> {
    /// A client of ours.
    Ours(&'a StoredClient),
    /// The account itself: its id and secret are the credential.
    Account(&'a Credentials),
}

/// Why an exchange yields nothing.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The vendor's answer, or the lack of one.
    Failure(ExchangeFailure),
    /// No answer came; `sent` tells whether the vendor may have got the request.
    Silence { what: String, sent: bool },
    /// The vendor refuses what was signed by a clock that differs from its own by so many seconds; ours is ahead when they
    /// are positive.
    ClocksApart { seconds: i64, what: String },
    /// It was not even tried.
    Problem(Problem),
}

/// Whether a request of an exchange carries the time of day, signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dated {
    No,
    Yes,
}

impl Platform {
    /// Exchanges once. Nothing is sent again: a code is good for one use, and so may be a refresh token.
    pub(super) async fn exchange(&self, exchange: Exchange<'_>) -> Result<Tokens, Unanswered> {
        let template = match exchange.grant {
            Grant::RefreshToken => exchange.oauth2.refresh_url.as_ref().unwrap_or(&exchange.oauth2.token_url),
            Grant::AuthorizationCode { .. } | Grant::ClientCredentials { .. } => &exchange.oauth2.token_url,
            Grant::Revocation { .. } => {
                exchange.oauth2.revocation_url.as_ref().unwrap_or(&exchange.oauth2.token_url)
            }
        };
        let url = url_of(exchange.provider, template, exchange.config, exchange.gates)?;
        let opened = match exchange.client {
            Client::Ours(client) => self.client_secret_for(exchange.provider, client, &url).await?,
            Client::Account(_) => None,
        };
        let client = match exchange.client {
            Client::Ours(client) => OAuthClient {
                id: &client.client_id,
                secret: opened.as_ref().and_then(|opened| opened.value(OAuth2::CLIENT_SECRET)),
            },
            Client::Account(credentials) => OAuthClient {
                id: credentials.value(OAuth2::CLIENT_ID).unwrap_or_default(),
                secret: credentials.value(OAuth2::CLIENT_SECRET),
            },
        };
        let described = OAuth2Exchange {
            oauth2: exchange.oauth2,
            url: &url,
            client,
            grant: exchange.grant,
            previous: exchange.previous,
            config: exchange.config,
            moment: Some(self.moment()?),
            keeps_client: exchange.keeps_client,
        };
        let hosts = exchange.hosts;
        let dated = if exchange.oauth2.client_assertion.is_some() { Dated::Yes } else { Dated::No };
        self.drive(described.begin(), hosts, &exchange.options, dated, |answer| described.answered(answer))
            .await
    }

    /// Sends what an exchange asks for until it ends. Nothing is sent again.
    pub(super) async fn drive(
        &self,
        mut step: Step,
        hosts: &HostSet,
        options: &RouteOptions,
        dated: Dated,
        mut answered: impl FnMut(&ExchangeAnswer<'_>) -> Step,
    ) -> Result<Tokens, Unanswered> {
        let mut date = None;
        loop {
            match step {
                Step::Done(tokens) => return Ok(tokens),
                Step::Failed(failure) => return Err(self.unanswered(failure, dated, date.as_ref())),
                Step::Send(request) => {
                    let (status, headers, body) = self.send_secret(request, hosts, options).await?;
                    step = answered(&ExchangeAnswer { status, headers: &headers, body: &body });
                    date = headers.get(DATE).cloned();
                }
            }
        }
    }

    /// A failure, unless the clocks explain it: what is signed too early or too late is refused however good the key is, and
    /// with the same words as a dead authorization.
    pub(super) fn unanswered(
        &self,
        failure: ExchangeFailure,
        dated: Dated,
        date: Option<&HeaderValue>,
    ) -> Unanswered {
        let is_refusal = matches!(failure, ExchangeFailure::Dead { .. } | ExchangeFailure::Refused { .. });
        let theirs = date.and_then(|date| DateTimeParser::new().parse_timestamp(date.to_str().ok()?).ok());
        match theirs {
            Some(theirs) if is_refusal && dated == Dated::Yes => {
                let seconds = self.now().as_milliseconds() / 1000 - theirs.as_second();
                if seconds.abs() > APART_MAX {
                    return Unanswered::ClocksApart { seconds, what: failure.to_string() };
                }
                Unanswered::Failure(failure)
            }
            _ => Unanswered::Failure(failure),
        }
    }

    /// Time and chance for one exchange.
    pub(super) fn moment(&self) -> Result<Moment, Problem> {
        self.moments().next()
    }

    pub(super) async fn send_secret(
        &self,
        secret: ExchangeRequest,
        hosts: &HostSet,
        options: &RouteOptions,
    ) -> Result<(http::StatusCode, HeaderMap, bytes::Bytes), Unanswered> {
        let mut request = Request::new(Body::full(secret.body));
        *request.method_mut() = secret.method;
        *request.headers_mut() = secret.headers;
        let (origin, target) = self.egress.parse_url(&secret.url).map_err(|refusal| {
            Problem::invalid(
                "address_refused",
                refusal.to_string(),
                "Check the address of the token endpoint.",
            )
        })?;
        if !hosts.allows(HostRole::TokenEndpoint, origin.host(), origin.port()) {
            let what = format!("The secret is not bound to the token endpoint {}", origin.host());
            let fix = "Link the account again, so that it is bound to this host.";
            return Err(Problem::new(ProblemKind::Unusable, "host_not_bound", what, fix).into());
        }
        let route = self.egress.route(origin, options.clone()).map_err(|error| {
            Problem::invalid("tls_settings", error.to_string(), "Check the certificates.")
        })?;
        *request.uri_mut() = Uri::from(target);
        let answer = self.probe().run(&route, request, ANSWER_BYTES, |_| {}).await.map_err(|error| {
            let what = format!("{} {}", error.what(), error.kind().code());
            Unanswered::Silence { what, sent: error.may_retry() != Retry::Safe }
        })?;
        Ok((answer.status, answer.headers, answer.body))
    }
}

/// An address of the provider's file for a configuration.
pub(super) fn url_of(
    provider: &Provider,
    url: &Template,
    config: &BTreeMap<String, String>,
    gates: &[GateKind],
) -> Result<String, Problem> {
    provider.url(url, config, gates).map_err(|error| {
        let fix = "Check the fields that make up the address.";
        Problem::invalid("address_refused", format!("There is no valid address: {error}"), fix)
    })
}

/// When tokens end and are renewed. The spread keeps connections that were linked together from being renewed together.
pub(super) fn life_of(scheme: &AuthScheme, tokens: &Tokens, now: Timestamp, spread: u64) -> TokenLife {
    let ends_at = tokens.refresh_expires_in.map(|life| now.plus(life));
    let Some(life) = tokens.expires_in else { return TokenLife { ends_at, ..TokenLife::default() } };
    let margin = scheme.margin(life);
    let earlier = margin.mul_f64((spread % 1000) as f64 / 4000.0);
    let renewable = !scheme.needs_browser() || tokens.credentials.value(OAuth2::REFRESH_TOKEN).is_some();
    TokenLife {
        expires_at: Some(now.plus(life)),
        renew_at: renewable.then(|| now.plus(life.saturating_sub(margin + earlier))),
        ends_at: if renewable { ends_at } else { Some(now.plus(life)) },
    }
}

impl From<Problem> for Unanswered {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Unanswered {
    /// For whoever waits for the outcome.
    pub(super) fn into_problem(self) -> Problem {
        let failure = match self {
            Self::Problem(problem) => return problem,
            Self::Silence { what, .. } => ExchangeFailure::Passing { what, retry_after: None },
            Self::ClocksApart { seconds, what } => {
                let way = if seconds > 0 { "ahead of" } else { "behind" };
                let what = format!(
                    "This server's clock is {} seconds {way} the vendor's, which refuses what is signed by it: {what}",
                    seconds.abs()
                );
                let fix = "Set the clock of this server, best by a time service (NTP).";
                return Problem::new(ProblemKind::Upstream, "clocks_apart", what, fix);
            }
            Self::Failure(failure) => failure,
        };
        let words = |description: &Option<String>| {
            description.as_ref().map_or_else(String::new, |words| format!(": {words}"))
        };
        match &failure {
            ExchangeFailure::Dead { description, .. } => Problem::new(
                ProblemKind::Unusable,
                "authorization_dead",
                format!("{failure}{}", words(description)),
                "Link the account again.",
            ),
            ExchangeFailure::Refused { description, .. } => Problem::new(
                ProblemKind::Upstream,
                "token_refused",
                format!("{failure}{}", words(description)),
                "Check id, secret and redirect URI of the OAuth client against what is registered with the vendor.",
            ),
            ExchangeFailure::Passing { retry_after, .. } => {
                let problem = Problem::new(
                    ProblemKind::Upstream,
                    "token_unavailable",
                    failure.to_string(),
                    "Try again in a moment.",
                );
                match retry_after {
                    Some(pause) => problem.retry_after(u32::try_from(pause.as_secs()).unwrap_or(u32::MAX)),
                    None => problem,
                }
            }
            ExchangeFailure::Malformed(_) => Problem::new(
                ProblemKind::Upstream,
                "token_malformed",
                failure.to_string(),
                "Check the token endpoint of the provider file.",
            ),
            ExchangeFailure::Nothing => Problem::new(
                ProblemKind::Unusable,
                "authorization_dead",
                failure.to_string(),
                "Link the account again.",
            ),
        }
    }
}
