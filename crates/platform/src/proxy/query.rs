//! Query parameters that carry a credential: none comes from a caller, and none goes back to one.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The query without the parameters of these names, in any spelling that a server may take for them: percent-encoded, in
/// capitals, as a list (`key[]`), after `;`. Everything else stays as it is, byte by byte.
pub fn without<'a>(query: &'a str, names: &[String]) -> Cow<'a, str> {
    let is_removed = |piece: &&str| names.iter().any(|name| name_of(piece).eq_ignore_ascii_case(name));
    if names.is_empty() || !pieces(query).any(|piece| is_removed(&piece)) {
        return Cow::Borrowed(query);
    }
    let mut kept: String = pieces(query).filter(|piece| !is_removed(piece)).collect();
    if !query.ends_with(SEPARATORS) && kept.ends_with(SEPARATORS) {
        kept.pop();
    }
    Cow::Owned(kept)
}

/// A text with links, such as `Location` and `Link` are, without the parameters of these names.
pub fn without_in_links<'a>(text: &'a str, names: &[String]) -> Cow<'a, str> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('?') {
        let end = after.find(['#', '>', '"', ' ']).unwrap_or(after.len());
        let query = without(&after[..end], names);
        result.push_str(before);
        if !query.is_empty() || end == 0 {
            result.push('?');
        }
        result.push_str(&query);
        rest = &after[end..];
    }
    result.push_str(rest);
    if result == text { Cow::Borrowed(text) } else { Cow::Owned(result) }
}

/// Some servers still take `;` for `&`.
const SEPARATORS: [char; 2] = ['&', ';'];

fn pieces(query: &str) -> impl Iterator<Item = &str> {
    query.split_inclusive(SEPARATORS)
}

/// The parameter that a server may take `name=value&` for.
fn name_of(piece: &str) -> String {
    let name = piece.trim_end_matches(SEPARATORS).split('=').next().unwrap_or_default();
    let name = percent_decode_str(&name.replace('+', " ")).decode_utf8_lossy().into_owned();
    name.split('[').next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_of_the_callers_own_is_removed_in_every_spelling() {
        let names = ["api_key".to_owned()];
        for (query, expected) in [
            ("page=2&q=%E9%A1%A7+x", "page=2&q=%E9%A1%A7+x"),
            ("", ""),
            ("&&", "&&"),
            ("api_key=stolen", ""),
            ("api_key", ""),
            ("api_key=a&api_key=b", ""),
            ("page=2&api_key=stolen", "page=2"),
            ("api_key=stolen&page=2", "page=2"),
            ("a=1&api%5Fkey=stolen&b=2&", "a=1&b=2&"),
            ("a=1&API_KEY=stolen", "a=1"),
            ("a=1&%61pi_key[]=stolen", "a=1"),
            ("a=1;api_key=stolen;b=2", "a=1;b=2"),
            ("+api_key=stolen&a=1", "a=1"),
            ("my_api_key=1&api_keys=2&q=api_key=3", "my_api_key=1&api_keys=2&q=api_key=3"),
        ] {
            assert_eq!(without(query, &names), expected, "{query}");
        }
    }

    #[test]
    fn a_link_keeps_all_but_the_credential() {
        let names = ["key".to_owned()];
        for (text, expected) in [
            ("/a?key=secret", "/a"),
            ("https://acme.example/a/?x=1&key=secret#top", "https://acme.example/a/?x=1#top"),
            (
                "<https://acme.example/a?key=s&page=2>; rel=\"next\", </a?key=s>; rel=\"first\"",
                "<https://acme.example/a?page=2>; rel=\"next\", </a>; rel=\"first\"",
            ),
            ("0;url=/a?key=secret", "0;url=/a"),
            ("/a?", "/a?"),
            ("/a", "/a"),
        ] {
            assert_eq!(without_in_links(text, &names), expected, "{text}");
        }
    }
}
