//! Finds a caller's API key where a vendor's client puts its own credential, for the drop-in URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderMap};
use tombolo_catalog::{AuthScheme, Provider, SchemeKind};
use zeroize::Zeroizing;

/// All texts in the credential headers of a request that `is_key` takes for one of our keys.
///
/// Every scheme of the provider is looked at, because a caller may use another one than the connection does: a
/// key in place of a token, of one of several tokens, of a password, or as a bearer token.
pub fn extract_keys(
    provider: &Provider,
    headers: &HeaderMap,
    is_key: impl Fn(&str) -> bool,
) -> Vec<Zeroizing<String>> {
    let mut found: Vec<Zeroizing<String>> = Vec::new();
    let mut take = |text: &str| {
        if is_key(text) && !found.iter().any(|known| known.as_str() == text) {
            found.push(Zeroizing::new(text.to_owned()));
        }
    };
    for scheme in &provider.auth {
        for text in texts(headers, scheme) {
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
            }
        }
    }
    for text in headers.get_all(AUTHORIZATION).iter().filter_map(|value| value.to_str().ok()) {
        if let Some(key) = strip_word(text, "Bearer ") {
            take(key.trim());
        } else if let Some(encoded) = strip_word(text, "Basic ") {
            decode_password(encoded, &mut take);
        }
    }
    found
}

fn texts<'a>(headers: &'a HeaderMap, scheme: &'a AuthScheme) -> impl Iterator<Item = &'a str> {
    scheme
        .header()
        .into_iter()
        .flat_map(move |name| headers.get_all(name.to_ascii_lowercase().as_str()).iter())
        .filter_map(|value| value.to_str().ok())
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
            ("kintone", "authorization", format!("Basic {}", basic("tmb_a:")), "tmb_a"),
            ("oomnitza", "authorization2", "tmb_a".to_owned(), "tmb_a"),
            ("kintone", "authorization2", "tmb_a".to_owned(), ""),
            ("kintone", "x-cybozu-api-token", "vendor".to_owned(), ""),
        ] {
            let mut headers = HeaderMap::new();
            let name = HeaderName::from_static(name);
            headers.insert(&name, HeaderValue::from_str(&value).expect("a header"));
            let provider = catalog.get(provider).expect("the provider");
            let keys = extract_keys(provider, &headers, |text| text.starts_with("tmb_"));
            let keys: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
            assert_eq!(keys.join(" "), expected, "{name}: {value}");
        }
    }
}
