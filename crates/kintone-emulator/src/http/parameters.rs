//! The parameters of a call, wherever they came from: query string, JSON body or form.

use http::Method;
use serde_json::{Map, Value as Json};

use super::Request;
use crate::api::ApiError;

/// Parameters by name. Numbers and flags from a query string are text; the accessors accept both.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Map<String, Json>);

/// The greatest index of an array in a query string.
const MAXIMUM_QUERY_INDEX: usize = 99;

impl Parameters {
    /// Reads the parameters of a request whose method is `method` once an override is applied.
    ///
    /// A body counts when its type is JSON. A GET that announces JSON and has no body is refused, as is a
    /// body of another type where one is needed.
    pub(crate) fn read(request: &Request, method: &Method) -> Result<Self, ApiError> {
        let mut members = query_members(&request.query)?;
        let is_json = request.media_type().as_deref() == Some("application/json");
        let carries_body = *method == Method::POST || *method == Method::PUT;
        if is_json && request.body.is_empty() {
            return if carries_body {
                Err(ApiError::invalid_json())
            } else {
                Err(ApiError::illegal_request())
            };
        }
        if is_json {
            let body: Json = serde_json::from_slice(&request.body).map_err(|_| ApiError::invalid_json())?;
            let Json::Object(body) = body else { return Err(ApiError::invalid_json()) };
            members.extend(body);
        } else if request.media_type().as_deref() == Some("application/x-www-form-urlencoded") {
            let form = String::from_utf8_lossy(&request.body);
            members.extend(query_members(&form)?);
        } else if carries_body {
            return Err(ApiError::illegal_request());
        }
        Ok(Self(members))
    }

    /// Parameters from a JSON value; anything but an object has none.
    pub(crate) fn from_json(value: Json) -> Self {
        match value {
            Json::Object(members) => Self(members),
            _ => Self::default(),
        }
    }

    /// The parameter as it came; `null` counts as missing.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A positive whole number, as number or text.
    pub(crate) fn optional_id(&self, name: &str) -> Result<Option<u64>, ApiError> {
        self.get(name)
            .map(|value| id(value).ok_or_else(|| ApiError::invalid(name, "Specify an integer value.")))
            .transpose()
    }

    /// A positive whole number that has to be there.
    pub(crate) fn id(&self, name: &str) -> Result<u64, ApiError> {
        self.optional_id(name)?.ok_or_else(|| ApiError::required(name))
    }

    /// A whole number, possibly negative.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.get(name)
            .map(|value| {
                value
                    .as_i64()
                    .or_else(|| value.as_str()?.trim().parse().ok())
                    .ok_or_else(|| ApiError::invalid(name, "Specify an integer value."))
            })
            .transpose()
    }

    /// Text; a number counts as its digits.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<String>, ApiError> {
        self.get(name)
            .map(|value| match value {
                Json::String(text) => Ok(text.clone()),
                Json::Number(number) => Ok(number.to_string()),
                _ => Err(ApiError::invalid(name, "Specify a text.")),
            })
            .transpose()
    }

    /// Text that has to be there and is not empty.
    pub(crate) fn text(&self, name: &str) -> Result<String, ApiError> {
        self.optional_text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| ApiError::required(name))
    }

    /// `true` or `false`, as such or as text.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.get(name)
            .map(|value| match value {
                Json::Bool(flag) => Ok(*flag),
                Json::String(text) if text == "true" => Ok(true),
                Json::String(text) if text == "false" => Ok(false),
                _ => Err(ApiError::invalid(name, "Specify true or false.")),
            })
            .transpose()
    }

    /// A list of whatever; `None` when missing.
    pub(crate) fn optional_list(&self, name: &str) -> Result<Option<&Vec<Json>>, ApiError> {
        self.get(name)
            .map(|value| value.as_array().ok_or_else(|| ApiError::invalid(name, "Specify an array.")))
            .transpose()
    }

    /// A list with between one and `maximum` entries.
    pub(crate) fn list(&self, name: &str, maximum: usize) -> Result<&Vec<Json>, ApiError> {
        let list = self.optional_list(name)?.ok_or_else(|| ApiError::required(name))?;
        if list.is_empty() || list.len() > maximum {
            return Err(ApiError::invalid(name, &format!("Specify between 1 and {maximum} entries.")));
        }
        Ok(list)
    }

    /// A list of texts; `None` when missing.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        let Some(list) = self.optional_list(name)? else { return Ok(None) };
        list.iter()
            .map(|entry| match entry {
                Json::String(text) => Ok(text.clone()),
                Json::Number(number) => Ok(number.to_string()),
                _ => Err(ApiError::invalid(name, "Specify texts.")),
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// A list of positive whole numbers; `None` when missing.
    pub(crate) fn ids(&self, name: &str) -> Result<Option<Vec<u64>>, ApiError> {
        let Some(list) = self.optional_list(name)? else { return Ok(None) };
        list.iter()
            .map(|entry| id(entry).ok_or_else(|| ApiError::invalid(name, "Specify integer values.")))
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

/// Reads an id that came as a number or as text.
pub(crate) fn id(value: &Json) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|id| *id > 0)
}

/// Reads `a=1&fields[0]=x&fields[1]=y`; a plus sign is a space.
fn query_members(query: &str) -> Result<Map<String, Json>, ApiError> {
    let mut members = Map::new();
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let Some((name, index)) = key.strip_suffix(']').and_then(|rest| rest.split_once('[')) else {
            members.insert(key.into_owned(), Json::String(value.into_owned()));
            continue;
        };
        let index: usize = if index.is_empty() { 0 } else { index.parse().unwrap_or(usize::MAX) };
        if index > MAXIMUM_QUERY_INDEX {
            return Err(ApiError::invalid(name, "An array in a query string has at most 100 entries."));
        }
        let list = members.entry(name.to_owned()).or_insert_with(|| Json::Array(Vec::new()));
        if let Json::Array(list) = list {
            list.push(Json::String(value.into_owned()));
        }
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::HeaderMap;

    fn request(
        method: Method,
        query: &str,
        content_type: Option<&'static str>,
        body: &'static str,
    ) -> Request {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert("content-type", http::HeaderValue::from_static(content_type));
        }
        let peer = "127.0.0.1:1".parse().unwrap();
        Request {
            method,
            path: "/".into(),
            query: query.into(),
            headers,
            body: Bytes::from(body),
            peer,
            certificate: None,
        }
    }

    fn read(request: &Request) -> Result<Parameters, ApiError> {
        Parameters::read(request, &request.effective_method())
    }

    #[test]
    fn arrays_ids_and_flags_come_from_the_query_string() {
        let query = "app=5&fields%5B0%5D=a&fields[1]=%E5%90%8D+x&totalCount=true";
        let parameters = read(&request(Method::GET, query, None, "")).unwrap();
        assert_eq!(parameters.id("app").unwrap(), 5);
        assert_eq!(parameters.texts("fields").unwrap().unwrap(), ["a", "名 x"]);
        assert_eq!(parameters.flag("totalCount").unwrap(), Some(true));
    }

    #[test]
    fn a_get_may_carry_json_but_not_announce_it_in_vain() {
        let with_body = request(Method::GET, "", Some("application/json"), r#"{"app": 7}"#);
        assert_eq!(read(&with_body).unwrap().id("app").unwrap(), 7);
        let without = request(Method::GET, "app=1", Some("application/json; charset=utf-8"), "");
        assert_eq!(read(&without).unwrap_err().code, "CB_IL02");
    }

    #[test]
    fn bodies_that_are_not_json_are_refused() {
        for (content_type, body, code) in [
            (Some("application/json"), "{", "CB_IJ01"),
            (Some("application/json"), "[]", "CB_IJ01"),
            (Some("application/json"), "", "CB_IJ01"),
            (Some("text/plain"), "{}", "CB_IL02"),
            (None, "{}", "CB_IL02"),
        ] {
            let error = read(&request(Method::POST, "", content_type, body)).unwrap_err();
            assert_eq!(error.code, code, "{content_type:?} {body:?}");
        }
    }

    #[test]
    fn the_index_of_a_query_array_ends_at_99() {
        assert!(read(&request(Method::GET, "fields[99]=a", None, "")).is_ok());
        assert_eq!(read(&request(Method::GET, "fields[100]=a", None, "")).unwrap_err().code, "CB_VA01");
    }
}
