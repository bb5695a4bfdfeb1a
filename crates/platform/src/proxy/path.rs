//! Paths of proxied calls: checked before anything else looks at them.

/// A path that may be sent: no way out of a prefix, whatever the upstream decodes.
///
/// Refused are dot segments, empty segments, backslashes, semicolons, control characters, and percent-encodings
/// that stand for any of these or for a slash, even when they are encoded twice. Nothing is rewritten: a path that
/// passes is sent as it came.
pub fn check(path: &str) -> Result<(), PathFault> {
    let Some(rest) = path.strip_prefix('/') else { return Err(PathFault::Relative) };
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if segment.is_empty() && !is_last {
            return Err(PathFault::EmptySegment);
        }
        if segment == "." || segment == ".." {
            return Err(PathFault::DotSegment);
        }
        check_bytes(segment.as_bytes())?;
    }
    Ok(())
}

/// Why a path was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// No slash at the start.
    #[error("the path does not start with a slash")]
    Relative,
    /// Two slashes in a row.
    #[error("the path has an empty segment (`//`)")]
    EmptySegment,
    /// `.` or `..`.
    #[error("the path has a segment `.` or `..`")]
    DotSegment,
    /// A character that servers read differently.
    #[error("the path has a backslash, a semicolon or a control character")]
    Character,
    /// A percent-encoding of such a character, of a slash or of a dot, or a broken one.
    #[error("the path has a percent-encoded dot, slash, backslash, percent sign or control character")]
    Encoding,
}

fn check_bytes(segment: &[u8]) -> Result<(), PathFault> {
    let mut index = 0;
    while index < segment.len() {
        match segment[index] {
            b'%' => {
                let decoded =
                    segment.get(index + 1..index + 3).and_then(decode).ok_or(PathFault::Encoding)?;
                if matches!(decoded, b'.' | b'/' | b'\\' | b'%' | b';' | 0..=0x1f | 0x7f) {
                    return Err(PathFault::Encoding);
                }
                index += 3;
            }
            b'\\' | b';' | 0..=0x20 | 0x7f.. => return Err(PathFault::Character),
            _ => index += 1,
        }
    }
    Ok(())
}

fn decode(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(digits[0])? * 16 + digit(digits[1])?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_pass() {
        for path in [
            "/k/v1/records.json",
            "/",
            "/api/v3/assets/",
            "/k/v1/file.json",
            "/a/%E9%A1%A7%E5%AE%A2",
            "/users/a@b.example",
            "/a/...",
            "/a/.well-known",
            "/a/b:c",
            "/a/%20b",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn no_spelling_of_a_way_out_passes() {
        for path in [
            "",
            "k/v1",
            "//evil.test/",
            "/k//v1",
            "/k/../v1",
            "/k/./v1",
            "/k/..",
            "/k/%2e%2e/v1",
            "/k/%2E./v1",
            "/k/..%2fv1",
            "/k/%252e%252e/v1",
            "/k/%25252e/v1",
            "/k/..%5cv1",
            "/k/..\\v1",
            "/k/..;/v1",
            "/k/%3b/v1",
            "/k/v1%00.json",
            "/k/v1\r\nHost: x",
            "/k/v1%0d%0a",
            "/k/v1%",
            "/k/v1%2",
            "/k/v1%zz",
            "/k/v1\u{ff0f}x",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }
}
