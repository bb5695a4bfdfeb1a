//! A GET whose URL is too long becomes a POST that says that it means GET.

use bytes::Bytes;
use http::Method;
use http::header::HeaderName;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use tombolo_catalog::LongUrl;

/// The request in its other shape.
pub struct Rewritten {
    /// The path without its query.
    pub path: String,
    /// The header that names the method that is meant.
    pub header: HeaderName,
    /// The parameters as JSON.
    pub body: Bytes,
}

/// Rewrites a GET without a body whose path and query are longer than the vendor takes.
pub fn rewrite(limit: &LongUrl, method: &Method, path_and_query: &str, has_body: bool) -> Option<Rewritten> {
    if *method != Method::GET || has_body || path_and_query.len() <= limit.max {
        return None;
    }
    let (path, query) = path_and_query.split_once('?')?;
    let header = HeaderName::from_bytes(limit.override_header.as_bytes()).ok()?;
    let body = Bytes::from(Value::Object(parameters(query)).to_string());
    Some(Rewritten { path: path.to_owned(), header, body })
}

/// The parameters of a query; `name[0]=a&name[1]=b` becomes a list.
fn parameters(query: &str) -> Map<String, Value> {
    let mut members = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), Value::String(decode(value)));
        match name.split_once('[') {
            Some((list, rest)) if rest.ends_with(']') => {
                let entry = members.entry(list).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(items) = entry {
                    items.push(value);
                }
            }
            _ => drop(members.insert(name, value)),
        }
    }
    members
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_get_changes_its_shape() {
        let limit = LongUrl { max: 40, override_header: "X-HTTP-Method-Override".to_owned() };
        let long = "/k/v1/records.json?app=1&fields%5B0%5D=a&fields[1]=%E9%A1%A7&query=x+%3D+1";
        let rewritten = rewrite(&limit, &Method::GET, long, false).expect("too long");
        assert_eq!(rewritten.path, "/k/v1/records.json");
        assert_eq!(rewritten.body, r#"{"app":"1","fields":["a","顧"],"query":"x = 1"}"#);
        assert!(rewrite(&limit, &Method::GET, "/k/v1/app.json?id=1", false).is_none());
        assert!(rewrite(&limit, &Method::DELETE, long, false).is_none());
        assert!(rewrite(&limit, &Method::GET, long, true).is_none());
    }
}
