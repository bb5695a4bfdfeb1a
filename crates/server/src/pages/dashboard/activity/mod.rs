//! The log of calls: looked through, watched, and one call in all that is known of it.

mod call;
mod list;
mod waterfall;

use axum::Router;
use axum::routing::get;
use tombolo_platform::store::CallRecord;

use crate::routes::Routes;

pub(super) fn routes() -> Router<Routes> {
    Router::new()
        .route("/dashboard/{environment}/activity", get(list::show))
        .route("/dashboard/{environment}/activity/{call}", get(call::show))
}

/// A path with something in the place of the values of its query, which are never kept.
pub(super) fn covered(path: &str) -> String {
    let Some((path, keys)) = path.split_once('?') else { return path.to_owned() };
    let keys: Vec<String> =
        keys.split('&').filter(|key| !key.is_empty()).map(|key| format!("{key}=▒")).collect();
    if keys.is_empty() { path.to_owned() } else { format!("{path}?{}", keys.join("&")) }
}

/// What the caller got, and the colour of it.
pub(super) fn status(call: &CallRecord) -> (String, &'static str) {
    let colour = match call.status {
        100..300 => "good",
        300..400 => "",
        400..500 => "warn",
        _ => "bad",
    };
    (if call.status == 0 { "–".to_owned() } else { call.status.to_string() }, colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_covered() {
        for (path, expected) in [
            ("/k/v1/app.json", "/k/v1/app.json"),
            ("/k/v1/app.json?", "/k/v1/app.json"),
            ("/k/v1/records.json?app&query", "/k/v1/records.json?app=▒&query=▒"),
        ] {
            assert_eq!(covered(path), expected);
        }
    }
}
