//! Reads from the other product's public API. It writes nothing there, and asks for no new token.

use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderMap, LOCATION, RETRY_AFTER};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tombolo_api::client::{path, query};
use tombolo_platform::start::{Outside, OutsideAnswer, OutsideError};

use super::progress::Progress;
use super::wire::{Connections, Data, Full, Integration, Listed, Refused};
use crate::exit::Exit;
use crate::failure::Failure;

/// Connections that are listed at a time.
const PAGE: usize = 500;
/// How often a request is repeated that has no answer, or one of a server in trouble.
const REPEATS: u32 = 3;
/// The longest pause that the other product may ask for; it counts requests by the minute.
const PAUSE_MAX: Duration = Duration::from_mins(5);
/// How many pauses one request is worth.
const PAUSES: u32 = 10;

/// A server of the other product.
pub(super) struct Source {
    outside: Outside,
}

/// Why the other product gave no answer that can be used.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It said no to this one thing.
    Said { status: StatusCode, code: String, message: String },
    /// Nothing can be asked any more: it is gone, or the key is wrong.
    Over(Box<Failure>),
}

impl Refusal {
    fn over(failure: Failure) -> Self {
        Self::Over(Box::new(failure))
    }
}

impl Source {
    pub(super) fn new(outside: Outside) -> Self {
        Self { outside }
    }

    /// All integrations, without their credentials.
    pub(super) async fn integrations(&self, progress: &Progress) -> Result<Vec<Integration>, Refusal> {
        Ok(self.get::<Data<Vec<Integration>>>("/integrations", progress).await?.data)
    }

    /// One integration with its credentials, if the key may see them.
    pub(super) async fn integration(&self, key: &str, progress: &Progress) -> Result<Integration, Refusal> {
        let target = format!("{}?include=credentials", path(["integrations", key]));
        Ok(self.get::<Data<Integration>>(&target, progress).await?.data)
    }

    /// All connections of some integrations.
    pub(super) async fn connections(
        &self,
        of: &[String],
        progress: &Progress,
    ) -> Result<Vec<Listed>, Refusal> {
        let mut all: Vec<Listed> = Vec::new();
        for page in 0_usize.. {
            let mut wanted = json!({ "limit": PAGE, "page": page });
            if !of.is_empty() {
                wanted["integrationId"] = of.join(",").into();
            }
            let found: Connections = self.get(&with(&path(["connections"]), &wanted)?, progress).await?;
            let is_last = found.connections.len() < PAGE;
            all.extend(found.connections);
            if is_last {
                break;
            }
        }
        // What is made meanwhile moves others onto the next page.
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// One connection with everything. The other product renews a token that is about to end as it always does, and is not
    /// asked to renew any other.
    pub(super) async fn connection(&self, listed: &Listed, progress: &Progress) -> Result<Full, Refusal> {
        let wanted = json!({
            "provider_config_key": listed.provider_config_key, "refresh_token": "true", "force_refresh": "false",
            "refresh_github_app_jwt_token": "false",
        });
        let target = with(&path(["connections", &listed.connection_id]), &wanted)?;
        self.get(&target, progress).await
    }

    async fn get<Answer: DeserializeOwned>(
        &self,
        target: &str,
        progress: &Progress,
    ) -> Result<Answer, Refusal> {
        let answer = self.answer(target, progress).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer));
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            // The message names members and places, never values of secrets: those are texts of any form.
            let what = format!(
                "the other server's answer cannot be read (line {}, column {})",
                error.line(),
                error.column()
            );
            Refusal::over(Failure::new(Exit::Unavailable, "source_unreadable", what, NOT_THEIRS))
        })
    }

    /// The answer, after the pauses that the other product asks for.
    async fn answer(&self, target: &str, progress: &Progress) -> Result<OutsideAnswer, Refusal> {
        let (mut repeats, mut pauses) = (0, 0);
        loop {
            let pause = match self.outside.get(target).await {
                Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS && pauses < PAUSES => {
                    pauses += 1;
                    let pause = pause_of(&answer.headers);
                    progress.waits(pause);
                    pause
                }
                Ok(answer) if is_trouble(answer.status) && repeats < REPEATS => {
                    repeats += 1;
                    Duration::from_millis(250 << repeats)
                }
                Err(OutsideError::Silence { may_pass: true, .. }) if repeats < REPEATS => {
                    repeats += 1;
                    Duration::from_millis(250 << repeats)
                }
                Ok(answer) => return Ok(answer),
                Err(error) => return Err(Refusal::over(failure_of(&error))),
            };
            tokio::time::sleep(pause).await;
        }
    }
}

fn with(path: &str, wanted: &Value) -> Result<String, Refusal> {
    query(path, wanted).map_err(|error| {
        Refusal::over(Failure::new(Exit::Failure, "source_request", error.to_string(), "Report it."))
    })
}

const NOT_THEIRS: &str = "Check that the address given with --from is that of the other product's API.";

fn is_trouble(status: StatusCode) -> bool {
    matches!(status.as_u16(), 502..=504)
}

/// Seconds; ten without any.
fn pause_of(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(10)).clamp(Duration::from_millis(100), PAUSE_MAX)
}

fn refused(answer: &OutsideAnswer) -> Refusal {
    let over = |exit, code, what: String, fix: &str| Refusal::over(Failure::new(exit, code, what, fix));
    let status = answer.status;
    if status.is_redirection() {
        let to = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("elsewhere");
        let what = format!("the other server sends us to {to}");
        return over(Exit::Usage, "source_redirects", what, "Give the address of its API with --from.");
    }
    let Ok(refusal) = serde_json::from_slice::<Refused>(&answer.body) else {
        let what = format!("the other server answered HTTP {status}, and not as the other product does");
        return over(Exit::Unavailable, "source_unreadable", what, NOT_THEIRS);
    };
    let code = refusal.error.code.unwrap_or_else(|| status.as_u16().to_string());
    let message = refusal.error.message.unwrap_or_else(|| format!("HTTP {status}"));
    match status {
        StatusCode::UNAUTHORIZED => {
            let what = format!("the other server does not accept the key ({code}: {message})");
            over(
                Exit::NotPermitted,
                "source_key_refused",
                what,
                "Give the key of the environment that is to be copied.",
            )
        }
        StatusCode::TOO_MANY_REQUESTS => {
            let what = "the other server keeps asking to wait".to_owned();
            over(
                Exit::Unavailable,
                "source_busy",
                what,
                "Run the command again later: what is here is skipped.",
            )
        }
        status if is_trouble(status) => {
            let what = format!("the other server is in trouble (HTTP {status})");
            over(
                Exit::Unavailable,
                "source_unavailable",
                what,
                "Run the command again later: what is here is skipped.",
            )
        }
        _ => Refusal::Said { status, code, message },
    }
}

fn failure_of(error: &OutsideError) -> Failure {
    let text = error.to_string();
    let (what, fix) = text.split_once("; ").unwrap_or((&text, "check the address given with --from"));
    let (exit, code, what) = match error {
        OutsideError::Silence { .. } => {
            (Exit::Unavailable, "source_unavailable", format!("the other server does not answer: {what}"))
        }
        OutsideError::Address { .. } | OutsideError::Key | OutsideError::Setting(_) => {
            (Exit::Usage, "source_address", format!("the other server cannot be asked: {what}"))
        }
    };
    let mut fix = format!("{fix}.");
    if let Some(first) = fix.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Failure::new(exit, code, what, fix)
}

impl From<&OutsideError> for Failure {
    fn from(error: &OutsideError) -> Self {
        failure_of(error)
    }
}
