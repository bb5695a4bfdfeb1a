//! What an answer or a failure means: the provider file's table applied to what was seen.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::Value;
use tombolo_auth::Credentials;
use tombolo_catalog::{Acceptance, Encoding, Explanation, Observation, Scope};
use tombolo_egress::{EgressError, ProbeAnswer};

use super::report::{Details, Verdict};
use crate::proxy::{Plan, header_lines, is_json};

/// What a stage saw, judged.
pub(super) struct Judged<'a> {
    /// The row that explains it; the common table ends in a row that fits every answer.
    pub(super) row: Option<&'a Explanation>,
    pub(super) verdict: Option<Verdict>,
    pub(super) details: Details,
}

/// Whether an answer is a good one, and its JSON.
pub(super) fn accepted(acceptance: &Acceptance, answer: &ProbeAnswer) -> (bool, Option<Value>) {
    let body: Option<Value> =
        is_json(&answer.headers).then(|| serde_json::from_slice(&answer.body).ok()).flatten();
    let shape_fits = match (&acceptance.member, acceptance.json) {
        (Some(member), _) => body.as_ref().is_some_and(|body| body.get(member).is_some()),
        (None, true) => body.is_some(),
        (None, false) => true,
    };
    let status = answer.status;
    let any = acceptance.any_answer
        && status != StatusCode::UNAUTHORIZED
        && status != StatusCode::TOO_MANY_REQUESTS
        && !status.is_server_error();
    (any || (status.is_success() && shape_fits), body)
}

/// Judges an answer that was not the expected one.
pub(super) fn answer<'a>(
    plan: &'a Plan,
    credentials: &Credentials,
    stage: &str,
    entry: Option<&BTreeMap<String, String>>,
    answer: &ProbeAnswer,
    body: Option<&Value>,
) -> Judged<'a> {
    let member = |name: &Option<String>| {
        let text = body?.get(name.as_deref()?)?.as_str()?;
        Some(redacted(credentials, text))
    };
    let error_body = &plan.provider.error_body;
    let header_code =
        error_body.code_header.as_deref().and_then(|name| answer.headers.get(name)?.to_str().ok());
    let code = header_code.map(str::to_owned).or_else(|| member(&error_body.code));
    let details = Details {
        status: Some(answer.status.as_u16()),
        request_id: member(&error_body.id),
        message: member(&error_body.message),
        code: code.clone(),
        ..Details::default()
    };
    let headers = header_lines(&answer.headers);
    let row = plan.provider.explain(&Observation {
        stage,
        scheme: &plan.auth_scheme,
        gates: &plan.gates,
        status: Some(answer.status.as_u16()),
        code: code.as_deref(),
        json: body.is_some(),
        headers: &headers,
        network: None,
    });
    let verdict = row.map(|row| verdict(plan, row, entry, &details));
    Judged { row, verdict, details }
}

/// Judges a failure of the way.
pub(super) fn failure<'a>(
    plan: &'a Plan,
    stage: &str,
    entry: Option<&BTreeMap<String, String>>,
    error: &EgressError,
) -> Judged<'a> {
    let details = Details { network: Some(error.what().to_owned()), ..Details::default() };
    let row = plan.provider.explain(&Observation {
        stage,
        scheme: &plan.auth_scheme,
        gates: &plan.gates,
        network: Some(error.kind().code()),
        ..Observation::default()
    });
    let verdict = row.map(|row| verdict(plan, row, entry, &details));
    Judged { row, verdict, details }
}

/// What a row of the provider file says about this connection and what was seen.
pub(crate) fn verdict(
    plan: &Plan,
    row: &Explanation,
    entry: Option<&BTreeMap<String, String>>,
    details: &Details,
) -> Verdict {
    let mut seen = BTreeMap::new();
    for (name, value) in [
        ("status", details.status.map(|status| status.to_string())),
        ("code", details.code.clone()),
        ("id", details.request_id.clone()),
        ("message", details.message.clone()),
    ] {
        if let Some(value) = value {
            seen.insert(name.to_owned(), value);
        }
    }
    let scope = Scope { config: Some(&plan.config), entry, answer: Some(&seen) };
    Verdict {
        is: row.is.clone(),
        side: row.side,
        says: row.says.render(&scope),
        fix: row.fix.render(&scope),
        link: row
            .link
            .as_ref()
            .and_then(|link| link.render(&scope, Encoding::PathSegment).ok())
            .map(|link| for_browsers(plan, link)),
    }
}

/// A link that a browser can follow, also where the operator sends the host elsewhere.
fn for_browsers(plan: &Plan, link: String) -> String {
    match link.strip_prefix(&format!("https://{}", plan.host())) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{}{rest}", plan.browser_origin),
        _ => link,
    }
}

/// A text of the vendor's without anything that is a secret of this connection.
fn redacted(credentials: &Credentials, text: &str) -> String {
    let short: String = text.chars().take(500).collect();
    credentials
        .secrets()
        .filter(|secret| secret.len() >= 4)
        .fold(short, |text, secret| text.replace(secret, "▒▒▒▒"))
}
