//! Finds a caller's API key where a vendor's client puts its own credential, for the drop-in URL.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderMap};
use percent_encoding::percent_decode_str;
use tombolo_catalog::{AuthScheme, Placement, Provider, SchemeKind};
use zeroize::Zeroizing;

/// All texts in the credential headers and query parameters of a request that `is_key` takes for one of our keys.
///
/// Every scheme of the provider is looked at, because a caller may use another one than the connection does: a
/// key in place of a token, of one of several tokens, of a password, or as a bearer token.
pub fn extract_keys(
    provider: &Provider,
    headers: &HeaderMap,
    query: Option<&str>,
    is_key: impl Fn(&str) -> bool,
) -> Vec<Zeroizing<String>> {
    let mut found: Vec<Zeroizing<String>> = Vec::new();
    let mut take = |text: &str| {
        if is_key(text) && !found.iter().any(|known| known.as_str() == text) {
            found.push(Zeroizing::new(text.to_owned()));
        }
    };
    for scheme in &provider.auth {
        for text in texts(headers, query, scheme) {
            let text = text.as_str();
            match &scheme.kind {
                SchemeKind::ApiKey { prefix, entries, .. } => {
                    let keys = text.strip_prefix(prefix.as_str()).unwrap_or(text);
                    match entries {
                        Some(entries) => keys.split(entries.join.as_str()).map(str::trim).for_each(&mut take),
                        None => take(keys.trim()),
                    }
                }
                SchemeKind::Basic { .. } => {
                    decode_password(text.strip_prefix("Basic ").unwrap_or(text), &mut take);
                }
                SchemeKind::EncodedPassword { .. } => decode_password(text, &mut take),
                SchemeKind::SessionCookie { cookie, .. } => text
                    .split(';')
                    .filter_map(|pair| pair.trim().split_once('='))
                    .filter(|(name, _)| name == cookie)
                    .for_each(|(_, value)| take(value)),
                // A bearer token, which is looked for below whatever the schemes are; the others have no place for one
                // text that a client could put a key into.
                SchemeKind::OAuth2(_)
                | SchemeKind::Unauthenticated
                | SchemeKind::Template
                | SchemeKind::Jwt { .. }
                | SchemeKind::Login { .. }
                | SchemeKind::OAuth1(_)
                | SchemeKind::AwsSigV4(_) => {}
            }
        }
    }
    for text in headers.get_all(AUTHORIZATION).iter().filter_map(|value| value.to_str().ok()) {
        if let Some(key) = strip_word(text, "Bearer ") {
            take(key.trim());
        } else if let Some(encoded) = strip_word(text, "Basic ") {
            decode_password(encoded, &mut take);
        } else {
            // Callers of the compatible API may leave the word out.
            take(text.trim());
        }
    }
    found
}

/// What stands where the scheme puts its credential.
fn texts(headers: &HeaderMap, query: Option<&str>, scheme: &AuthScheme) -> Vec<Zeroizing<String>> {
    let owned = |text: Cow<'_, str>| Zeroizing::new(text.into_owned());
    if let SchemeKind::ApiKey { placement: Placement::Query(parameter), .. } = &scheme.kind {
        let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        return pairs
            .filter(|(name, _)| decode(name) == *parameter)
            .map(|(_, value)| owned(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy()))
            .collect();
    }
    let values = scheme.header().map(|name| headers.get_all(name.to_ascii_lowercase().as_str()));
    let values = values.into_iter().flatten().filter_map(|value| value.to_str().ok());
    values.map(|value| owned(value.into())).collect()
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

/// Takes both halves of `user:password`: clients differ in where a person puts a key.
fn decode_password(encoded: &str, take: &mut impl FnMut(&str)) {
    let Ok(plain) = STANDARD.decode(encoded.trim()).map(Zeroizing::new) else { return };
    let Ok(plain) = std::str::from_utf8(&plain) else { return };
    match plain.split_once(':') {
        Some((username, password)) => {
            take(username);
            take(password);
        }
        None => take(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::HeaderName;
    use tombolo_catalog::Catalog;

    #[test]
    fn a_key_is_found_wherever_a_client_puts_its_credential() {
        let catalog = Catalog::built_in().expect("the built-in files load");
        let basic = |text: &str| STANDARD.encode(text);
        for (provider, name, value, expected) in [
            ("kintone", "x-cybozu-api-token", "tmb_a".to_owned(), "tmb_a"),
            ("kintone", "x-cybozu-api-token", "vendor, tmb_a".to_owned(), "tmb_a"),
            ("kintone", "x-cybozu-api-token", "tmb_a,tmb_b,tmb_a".to_owned(), "tmb_a tmb_b"),
            ("kintone", "x-cybozu-authorization", basic("any:tmb_a"), "tmb_a"),
            ("kintone", "authorization", "Bearer tmb_a".to_owned(), "tmb_a"),
            ("kintone", "authorization", "bearer tmb_a".to_owned(), "tmb_a"),
            ("kintone", "authorization", "tmb_a".to_owned(), "tmb_a"),
            ("kintone", "authorization", format!("Basic {}", basic("tmb_a:")), "tmb_a"),
            ("kintone", "cookie", "theme=tmb_b; JSESSIONID=tmb_a".to_owned(), "tmb_a"),
            ("oomnitza", "authorization2", "tmb_a".to_owned(), "tmb_a"),
            ("kintone", "authorization2", "tmb_a".to_owned(), ""),
            ("kintone", "x-cybozu-api-token", "vendor".to_owned(), ""),
        ] {
            let mut headers = HeaderMap::new();
            let name = HeaderName::from_static(name);
            headers.insert(&name, HeaderValue::from_str(&value).expect("a header"));
            let provider = catalog.get(provider).expect("the provider");
            let keys = extract_keys(provider, &headers, None, |text| text.starts_with("tmb_"));
            let keys: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
            assert_eq!(keys.join(" "), expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_key_is_found_in_the_query_of_a_vendor_that_wants_it_there() {
        let catalog =
            Catalog::with_files([("acme.yaml", QUERY_KEY)]).unwrap_or_else(|faults| panic!("{faults:?}"));
        let provider = catalog.get("acme").expect("the provider");
        for (query, expected) in [
            ("page=2&auth=key+tmb_a", "tmb_a"),
            ("%61uth=key%20tmb_a&auth=tmb_b", "tmb_a tmb_b"),
            ("auth=vendor", ""),
            ("auth", ""),
            ("other=tmb_a", ""),
        ] {
            let is_key = |text: &str| text.starts_with("tmb_");
            let keys = extract_keys(provider, &HeaderMap::new(), Some(query), is_key);
            let keys: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
            assert_eq!(keys.join(" "), expected, "{query}");
        }
    }

    const QUERY_KEY: &str = "
id: acme
name: { en: Acme, ja: Acme }
description: { en: Orders of Acme., ja: Acmeの注文を扱います。 }
documentation: https://developers.acme.example/
hosts: [api.acme.example]
base_url: https://api.acme.example
auth:
  - id: key
    name: { en: Key, ja: キー }
    type: api_key
    query: auth
    prefix: 'key '
    fields:
      key:
        label: { en: Key, ja: キー }
        secret: true
test:
  - id: credential
    name: { en: The key is accepted, ja: キーが受け付けられる }
    request: { path: /me }
    accept: { json: true }
errors:
  - is: key_refused
    side: input
    statuses: [401]
    says: { en: Acme refused the key., ja: キーが受け付けられませんでした。 }
    fix: { en: Check that it was copied whole., ja: キー全体をコピーしたか確認してください。 }
";
}
