//! How a vendor refuses, as far as its provider file tells.

use http::{HeaderName, StatusCode};
use serde_json::{Map, Value as Json};
use tombolo_catalog::{AuthScheme, Explanation, Observation, Provider, SchemeKind};

use crate::http::Answer;

/// A refused credential. The provider file says what that looks like in the first explanation whose name tells of
/// it, such as `credential_refused`, `wrong_password` or `token_expired_or_refused`, and that an answer made after
/// it leads back to; the common explanations end in one for status 401.
pub(super) fn credential(provider: &Provider, scheme: &AuthScheme, stage: &str, id: &str) -> Answer {
    let told = provider.explanations.iter().filter(|row| tells_of_refusal(row, scheme)).find_map(|row| {
        let status = *row
            .statuses
            .iter()
            .find(|status| matches!(status, 401 | 403))
            .or(row.statuses.first())
            .unwrap_or(&401);
        let code = row.codes.first().map(String::as_str);
        let header: Vec<(String, String)> = row.header.iter().cloned().collect();
        let seen = Observation {
            stage,
            scheme: &scheme.id,
            status: Some(status),
            code,
            json: row.json != Some(false),
            headers: &header,
            gates: &[],
            network: None,
        };
        let leads_back = provider.explain(&seen).is_some_and(|found| found.is == row.is);
        leads_back.then_some((row, status, code))
    });
    let Some((row, status, code)) = told else {
        return error(provider, StatusCode::UNAUTHORIZED, None, "The credential was refused.", id);
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
    let answer = if row.json == Some(false) {
        Answer::html(status, "Refused", "The credential was refused.")
    } else {
        error(provider, status, code, "The credential was refused.", id)
    };
    match row.header.as_ref().and_then(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value))) {
        Some((name, value)) => answer.with_header(name, value),
        None => answer,
    }
}

/// Whether a row's name says that a credential of this kind of scheme was refused.
fn tells_of_refusal(row: &Explanation, scheme: &AuthScheme) -> bool {
    let words: Vec<&str> = row.is.split('_').collect();
    let has_one_of = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    let of_kind: &[&str] = match scheme.kind {
        SchemeKind::SessionCookie { .. } => &["credential", "session"],
        SchemeKind::Basic { .. } | SchemeKind::EncodedPassword { .. } => &["credential", "password", "login"],
        SchemeKind::ApiKey { .. }
        | SchemeKind::OAuth2(_)
        | SchemeKind::Unauthenticated
        | SchemeKind::Template
        | SchemeKind::Jwt { .. }
        | SchemeKind::Login { .. }
        | SchemeKind::OAuth1(_)
        | SchemeKind::AwsSigV4(_) => &["credential", "token", "key"],
    };
    row.gate.is_none()
        && row.network.is_empty()
        && has_one_of(of_kind)
        && has_one_of(&["refused", "wrong", "invalid", "unknown", "ended"])
}

/// An error in the provider's own shape: JSON with code, id and message where the file says they stand, or with
/// `error` alone.
pub(super) fn error(
    provider: &Provider,
    status: StatusCode,
    code: Option<&str>,
    message: &str,
    id: &str,
) -> Answer {
    let shape = &provider.error_body;
    let parts = [(&shape.code, code), (&shape.id, Some(id)), (&shape.message, Some(message))];
    let mut body: Map<String, Json> =
        parts.into_iter().filter_map(|(name, value)| Some((name.clone()?, Json::from(value?)))).collect();
    if shape.message.is_none() {
        body.insert("error".to_owned(), Json::from(message));
    }
    let answer = Answer::json(&Json::Object(body)).with_status(status);
    let header = shape.code_header.as_ref().and_then(|name| name.parse::<HeaderName>().ok());
    match header.zip(code) {
        Some((header, code)) => answer.with_header(header, code),
        None => answer,
    }
}

#[cfg(test)]
mod tests {
    use tombolo_catalog::Catalog;

    use super::*;

    #[test]
    fn each_scheme_is_refused_as_its_file_tells() {
        let catalog = Catalog::built_in().unwrap();
        for (provider, scheme, stage, expected) in [
            (
                "kintone",
                "api_token",
                "app",
                r#"401 {"code":"GAIA_IA02","id":"7","message":"The credential was refused."}"#,
            ),
            (
                "kintone",
                "password",
                "credential",
                r#"401 {"code":"CB_WA01","id":"7","message":"The credential was refused."}"#,
            ),
            (
                "kintone-user-api",
                "token",
                "credential",
                r#"401 {"code":"CB_AU01","id":"7","message":"The credential was refused."}"#,
            ),
            ("oomnitza", "api_token", "credential", r#"401 {"error":"The credential was refused."}"#),
            ("oomnitza", "password", "users", r#"401 {"error":"The credential was refused."}"#),
        ] {
            let provider = catalog.get(provider).unwrap();
            let scheme = provider.scheme(scheme).unwrap();
            let answer = credential(provider, scheme, stage, "7");
            let body = String::from_utf8(answer.content.to_vec()).unwrap();
            assert_eq!(
                format!("{} {body}", answer.status.as_u16()),
                expected,
                "{} {}",
                provider.id,
                scheme.id
            );
        }
    }
}
