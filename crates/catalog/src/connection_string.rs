//! Connection strings as other products write them: `AuthScheme=APIToken;Url=https://…;APIToken=a,b;AppId=1,2`.

use std::collections::BTreeMap;

/// The properties of a connection string, by key in lower case, in the order of the text.
///
/// Values may stand in single or double quotes, in which the quote itself is doubled; outside of quotes a value
/// ends at the next `;`.
pub struct ConnectionString {
    properties: Vec<(String, String)>,
}

/// The text is not a connection string. The text itself is never repeated: it holds secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionStringError {
    /// A part has no `=`.
    #[error("part {0} of the connection string has no `=`: write Key=Value;Key=Value")]
    NoValue(usize),
    /// A quote is never closed.
    #[error("the quote in part {0} of the connection string is never closed")]
    OpenQuote(usize),
    /// A key stands twice.
    #[error("the connection string has `{0}` twice")]
    Twice(String),
}

impl ConnectionString {
    /// Parses a connection string.
    pub fn parse(text: &str) -> Result<Self, ConnectionStringError> {
        let mut properties: Vec<(String, String)> = Vec::new();
        let mut rest = text.trim();
        let mut part = 0;
        while !rest.is_empty() {
            part += 1;
            let Some((key, after)) = rest.split_once('=') else {
                if rest.trim_matches([';', ' ', '\n', '\r']).is_empty() {
                    break;
                }
                return Err(ConnectionStringError::NoValue(part));
            };
            let key = key.trim_matches([';', ' ', '\n', '\r', '\t']).to_lowercase();
            if key.contains(';') || key.is_empty() {
                return Err(ConnectionStringError::NoValue(part));
            }
            let (value, remaining) = value_of(after.trim_start(), part)?;
            if properties.iter().any(|(known, _)| *known == key) {
                return Err(ConnectionStringError::Twice(key));
            }
            properties.push((key, value));
            rest = remaining;
        }
        Ok(Self { properties })
    }

    /// Translates the keys: `names` says which field (or setting) a key in lower case means; others stay.
    pub fn into_fields(self, names: &BTreeMap<String, String>) -> Vec<(String, String)> {
        self.properties
            .into_iter()
            .map(|(key, value)| (names.get(&key).cloned().unwrap_or(key), value))
            .collect()
    }
}

fn value_of(text: &str, part: usize) -> Result<(String, &str), ConnectionStringError> {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return Ok((value.trim_end().to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = text[1..].char_indices().peekable();
    while let Some((position, character)) = characters.next() {
        if character != quote {
            value.push(character);
        } else if characters.peek().is_some_and(|(_, next)| *next == quote) {
            value.push(quote);
            characters.next();
        } else {
            let rest = &text[1 + position + 1..];
            return Ok((value, rest.trim_start().strip_prefix(';').unwrap_or(rest)));
        }
    }
    Err(ConnectionStringError::OpenQuote(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, ConnectionStringError> {
        let names = BTreeMap::from([("apitoken".to_owned(), "token".to_owned())]);
        let fields = ConnectionString::parse(text)?.into_fields(&names);
        Ok(fields.iter().map(|(key, value)| format!("{key}=[{value}]")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn properties_are_split_unquoted_and_renamed() {
        for (text, expected) in [
            ("AuthScheme=APIToken;APIToken=a,b;AppId=1,2", "authscheme=[APIToken] token=[a,b] appid=[1,2]"),
            ("Password=\"a;b\"\"c\";User=x;", "password=[a;b\"c] user=[x]"),
            ("Password='it''s; fine' ; User = y ", "password=[it's; fine] user=[y]"),
            ("Password=a=b;", "password=[a=b]"),
            ("", ""),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_broken_string_is_refused_without_repeating_it() {
        for text in ["Password", "User=x;MARKER", "Password=\"MARKER", "User=MARKER;user=y"] {
            let error = parse(text).expect_err(text).to_string();
            assert!(!error.contains("MARKER"), "{error}");
        }
    }
}
