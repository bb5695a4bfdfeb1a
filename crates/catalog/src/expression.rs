//! Expressions: what a scheme puts onto a request, written out with holes for secrets, the time and the request itself.
//!
//! `Basic ${base64(${secret.user}:${secret.password})}` is one. There are no loops, no conditions beyond `A || B`, and no
//! names that the file does not declare: an expression is compiled when its file is read, and always ends.

use serde::{Deserialize, Deserializer, de};

use crate::time_format::TimeFormat;

/// A text with holes. `A || B` is `B` where a hole of `A` has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    source: String,
    choices: Vec<Vec<ExpressionPart>>,
}

/// A part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionPart {
    /// As it is.
    Literal(String),
    /// A hole.
    Value(ExpressionValue),
}

/// What fills a hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionValue {
    /// `config.NAME`: a field of the configuration.
    Config(String),
    /// `secret.NAME`: a field of the scheme, or a token that it got.
    Secret(String),
    /// `step1.PATH`: a member of the answer to a step of a login, counted from 1.
    Answer {
        /// Which step, from 0.
        step: usize,
        /// The path of the member, such as `data.id`.
        path: String,
    },
    /// `assertion`: the signed token of a login.
    Assertion,
    /// `random`: the same unguessable text wherever it stands in one request.
    Random,
    /// `now`, `now:FORMAT`, `now+7:days:FORMAT`.
    Now {
        /// Seconds from now.
        ahead: i64,
        /// How it is written.
        format: TimeFormat,
    },
    /// A part of the request at hand.
    Request(RequestPart),
    /// `NAME(argument, argument)`.
    Call(Function, Vec<Expression>),
}

/// A part of the request at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestPart {
    /// `method`, in capitals.
    Method,
    /// `host`.
    Host,
    /// `path`, without the query.
    Path,
    /// `parameters`: the query, sorted and encoded anew (RFC 3986).
    Parameters,
    /// `endpoint`: path and query.
    Endpoint,
    /// `body`.
    Body,
}

/// A function of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `base64(text)`.
    Base64,
    /// `sha1_hex(text)`.
    Sha1Hex,
    /// `sha256_hex(text)`.
    Sha256Hex,
    /// `sha256_base64(text)`.
    Sha256Base64,
    /// `hmac_sha1_hex(message, key)`.
    HmacSha1Hex,
    /// `hmac_sha256_hex(message, key)`.
    HmacSha256Hex,
    /// `hmac_sha256_base64(message, key)`.
    HmacSha256Base64,
    /// `ed25519_sign(message, key)`: base64 of the signature; the key is PEM, or base64 of 32 bytes.
    Ed25519Sign,
    /// `fingerprint(key)`: `SHA256:` and base64 of the digest of the public key that belongs to a private one.
    Fingerprint,
    /// `before(text, separator)`: what stands before the first separator.
    Before,
    /// `after(text, separator)`: what stands after it.
    After,
}

impl Function {
    const ALL: [(&'static str, Self, usize); 11] = [
        ("base64", Self::Base64, 1),
        ("sha1_hex", Self::Sha1Hex, 1),
        ("sha256_hex", Self::Sha256Hex, 1),
        ("sha256_base64", Self::Sha256Base64, 1),
        ("hmac_sha1_hex", Self::HmacSha1Hex, 2),
        ("hmac_sha256_hex", Self::HmacSha256Hex, 2),
        ("hmac_sha256_base64", Self::HmacSha256Base64, 2),
        ("ed25519_sign", Self::Ed25519Sign, 2),
        ("fingerprint", Self::Fingerprint, 1),
        ("before", Self::Before, 2),
        ("after", Self::After, 2),
    ];
}

impl Expression {
    /// Parses an expression; the error says what is wrong in one sentence.
    pub fn parse(source: &str) -> Result<Self, String> {
        let choices = split_outside(source, " || ").into_iter().map(parts).collect::<Result<_, _>>()?;
        Ok(Self { source: source.to_owned(), choices })
    }

    /// The expression that is one secret.
    pub(crate) fn secret(name: &str) -> Self {
        let hole = ExpressionPart::Value(ExpressionValue::Secret(name.to_owned()));
        Self { source: format!("${{secret.{name}}}"), choices: vec![vec![hole]] }
    }

    /// The name of the secret that the whole expression is, if it is one.
    pub fn only_secret(&self) -> Option<&str> {
        match self.choices.as_slice() {
            [only] => match only.as_slice() {
                [ExpressionPart::Value(ExpressionValue::Secret(name))] => Some(name),
                _ => None,
            },
            _ => None,
        }
    }

    /// The expression as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it may be, in the order in which it is tried.
    pub fn choices(&self) -> &[Vec<ExpressionPart>] {
        &self.choices
    }

    /// The text, if it has no hole.
    pub fn constant(&self) -> Option<&str> {
        match self.choices.as_slice() {
            [only] => match only.as_slice() {
                [] => Some(""),
                [ExpressionPart::Literal(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// Every value, those inside of functions as well.
    pub fn values(&self) -> Vec<&ExpressionValue> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a ExpressionValue>) {
        for part in self.choices.iter().flatten() {
            let ExpressionPart::Value(value) = part else { continue };
            found.push(value);
            if let ExpressionValue::Call(_, arguments) = value {
                for argument in arguments {
                    argument.collect(found);
                }
            }
        }
    }

    /// Whether a request is needed to fill it.
    pub fn needs_request(&self) -> bool {
        self.values().into_iter().any(|value| matches!(value, ExpressionValue::Request(_)))
    }

    /// Whether the body of the request is needed to fill it.
    pub fn needs_body(&self) -> bool {
        self.values().into_iter().any(|value| matches!(value, ExpressionValue::Request(RequestPart::Body)))
    }

    /// Whether it differs from one moment to the next.
    pub fn is_momentary(&self) -> bool {
        self.values()
            .into_iter()
            .any(|value| matches!(value, ExpressionValue::Random | ExpressionValue::Now { .. }))
    }
}

/// Literals and holes of one choice.
fn parts(source: &str) -> Result<Vec<ExpressionPart>, String> {
    let mut parts = Vec::new();
    let mut rest = source;
    while let Some(start) = rest.find("${") {
        if start > 0 {
            parts.push(ExpressionPart::Literal(rest[..start].to_owned()));
        }
        let length = hole_length(&rest[start..]).ok_or_else(|| {
            format!("the hole that starts with `{}` is never closed: add `}}`", &rest[start..])
        })?;
        parts.push(ExpressionPart::Value(value(&rest[start + 2..start + length - 1])?));
        rest = &rest[start + length..];
    }
    if !rest.is_empty() {
        parts.push(ExpressionPart::Literal(rest.to_owned()));
    }
    Ok(parts)
}

/// The length of the hole at the beginning of a text, with its brackets.
pub(crate) fn hole_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(position + 1),
            b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// The pieces of a text between separators that stand outside of holes and of round brackets.
fn split_outside<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let (mut depth, mut start, mut position) = (0_i32, 0, 0);
    while position < text.len() {
        match text.as_bytes()[position] {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ if depth == 0 && text[position..].starts_with(separator) => {
                pieces.push(&text[start..position]);
                position += separator.len();
                start = position;
                continue;
            }
            _ => {}
        }
        position += text[position..].chars().next().map_or(1, char::len_utf8);
    }
    pieces.push(&text[start..]);
    pieces
}

fn value(text: &str) -> Result<ExpressionValue, String> {
    if let Some((name, arguments)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        return call(name, arguments);
    }
    if let Some(time) = text.strip_prefix("now") {
        return now(time).ok_or_else(|| {
            format!("`${{{text}}}` is no time: write `${{now:YYYY-MM-DD}}`, or `${{now+7:days:X}}` for later")
        });
    }
    let part = match text {
        "random" => return Ok(ExpressionValue::Random),
        "assertion" => return Ok(ExpressionValue::Assertion),
        "method" => RequestPart::Method,
        "host" => RequestPart::Host,
        "path" => RequestPart::Path,
        "parameters" => RequestPart::Parameters,
        "endpoint" => RequestPart::Endpoint,
        "body" => RequestPart::Body,
        _ => return named(text),
    };
    Ok(ExpressionValue::Request(part))
}

fn named(text: &str) -> Result<ExpressionValue, String> {
    let (root, name) = text.split_once('.').ok_or_else(|| {
        format!("`${{{text}}}` names no root: write `${{config.{text}}}` or `${{secret.{text}}}`")
    })?;
    let is_plain = |extra: &[u8]| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
    };
    let step = root.strip_prefix("step").and_then(|number| number.parse::<usize>().ok());
    match (root, step) {
        ("config" | "secret", _) if !is_plain(b"_") => {
            Err(format!("`${{{text}}}` names nothing: use letters, digits and `_`"))
        }
        ("config", _) => Ok(ExpressionValue::Config(name.to_owned())),
        ("secret", _) => Ok(ExpressionValue::Secret(name.to_owned())),
        (_, Some(step @ 1..)) if is_plain(b"_-.") => {
            Ok(ExpressionValue::Answer { step: step - 1, path: name.to_owned() })
        }
        _ => Err(format!(
            "`${{{text}}}` has a root that nothing fills, `{root}`: use `config`, `secret` or `step1`"
        )),
    }
}

/// `+7:days:FORMAT`, `:FORMAT` or nothing.
fn now(text: &str) -> Option<ExpressionValue> {
    let (ahead, format) = match text.strip_prefix('+') {
        None if text.is_empty() => (0, "YYYY-MM-DDTHH:mm:ss.SSS[Z]"),
        None => (0, text.strip_prefix(':')?),
        Some(later) => {
            let (count, rest) = later.split_once(':')?;
            let (unit, format) = rest.split_once(':')?;
            let seconds = match unit.trim_end_matches('s') {
                "second" => 1,
                "minute" => 60,
                "hour" => 3_600,
                "day" => 86_400,
                _ => return None,
            };
            (count.parse::<u32>().ok().map(i64::from)? * seconds, format)
        }
    };
    Some(ExpressionValue::Now { ahead, format: TimeFormat::parse(format)? })
}

fn call(name: &str, arguments: &str) -> Result<ExpressionValue, String> {
    let Some((_, function, count)) = Function::ALL.iter().find(|(known, ..)| *known == name) else {
        let known: Vec<&str> = Function::ALL.iter().map(|(known, ..)| *known).collect();
        return Err(format!("there is no function `{name}`: use one of {}", known.join(", ")));
    };
    let pieces = split_outside(arguments, ",");
    if pieces.len() < *count {
        return Err(format!("`{name}` takes {count} arguments: add the missing ones"));
    }
    // A message may have commas of its own; the arguments after the first have none.
    let own = pieces.len() - count;
    let message = pieces[..=own].join(",");
    let others = pieces[own + 1..].iter().map(|piece| piece.trim());
    let all = std::iter::once(message.as_str()).chain(others);
    let arguments = all.map(Expression::parse).collect::<Result<_, _>>()?;
    Ok(ExpressionValue::Call(*function, arguments))
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_taken_apart_when_it_is_read() {
        for (source, choices, values) in [
            ("Bearer ${secret.key}", 1, 1),
            ("${config.version} || 2022-11-28", 2, 1),
            ("Basic ${base64(${secret.user}:${secret.password})}", 1, 3),
            ("${hmac_sha1_hex(${now:ddd, DD MMM}\n${method}, ${secret.key})}", 1, 4),
            ("${ed25519_sign(a, b (c);created=${now:X}, ${secret.key})}", 1, 3),
            ("", 1, 0),
        ] {
            let expression = Expression::parse(source).expect(source);
            assert_eq!(
                (expression.choices().len(), expression.values().len()),
                (choices, values),
                "{source}"
            );
        }
    }

    #[test]
    fn a_broken_expression_is_refused_when_it_is_read() {
        for (source, complaint) in [
            ("${secret.key", "never closed"),
            ("${key}", "names no root"),
            ("${answer.x}", "a root that nothing fills"),
            ("${secret.}", "letters, digits"),
            ("${evaluate(x)}", "no function"),
            ("${hmac_sha1_hex(x)}", "takes 2 arguments"),
            ("${now:QQ}", "is no time"),
            ("${now+1:moons:X}", "is no time"),
        ] {
            let error = Expression::parse(source).expect_err(source);
            assert!(error.contains(complaint), "{source}: {error}");
        }
    }
}
