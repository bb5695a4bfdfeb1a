//! Query text to tokens, in one pass over the characters.

use super::error::QueryError;

/// A token and the number of the character (from 1) at which it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub position: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A field code, a keyword or the name of a function: which one is for the parser to say.
    Word(String),
    /// An unquoted decimal number, as written.
    Number(String),
    /// The content of a quoted string, without its escapes.
    Text(String),
    OpenParenthesis,
    CloseParenthesis,
    Comma,
    Dot,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Splits a query into tokens, or says at which character it stops being one.
pub(super) fn tokenize(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut lexer = Lexer { rest: text.chars().peekable(), position: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    position: usize,
}

impl Lexer<'_> {
    fn next_token(&mut self) -> Result<Option<Token>, QueryError> {
        while self.take_if(is_space).is_some() {}
        let Some(first) = self.take() else { return Ok(None) };
        let position = self.position;
        let kind = match first {
            '(' => TokenKind::OpenParenthesis,
            ')' => TokenKind::CloseParenthesis,
            ',' => TokenKind::Comma,
            '.' => TokenKind::Dot,
            '=' => TokenKind::Equal,
            '<' if self.take_equals() => TokenKind::LessOrEqual,
            '<' => TokenKind::Less,
            '>' if self.take_equals() => TokenKind::GreaterOrEqual,
            '>' => TokenKind::Greater,
            '!' if self.take_equals() => TokenKind::NotEqual,
            '"' => TokenKind::Text(self.quoted(position)?),
            '0'..='9' | '+' | '-' => TokenKind::Number(self.number(first, position)?),
            other if is_word(other) => TokenKind::Word(self.word(other)),
            other => return Err(unexpected(other, position)),
        };
        Ok(Some(Token { kind, position }))
    }

    /// Reads up to the closing quote. Kintone refuses raw control characters here; their escapes are accepted.
    fn quoted(&mut self, start: usize) -> Result<String, QueryError> {
        let mut content = String::new();
        loop {
            match self.take() {
                Some('"') => return Ok(content),
                Some('\\') => content.push(match self.take() {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some(quoted @ ('"' | '\\')) => quoted,
                    _ => {
                        return Err(QueryError::syntax(format_args!(
                            "the backslash at character {} must be followed by one of \" \\ n r t",
                            self.position.saturating_sub(1)
                        )));
                    }
                }),
                Some(control) if control.is_control() => return Err(unexpected(control, self.position)),
                Some(other) => content.push(other),
                None => {
                    return Err(QueryError::syntax(format_args!(
                        "the string that starts at character {start} has no closing quote"
                    )));
                }
            }
        }
    }

    /// Reads `[+-] digits [. digits] [e [+-] digits]`; `first` is already taken.
    fn number(&mut self, first: char, start: usize) -> Result<String, QueryError> {
        let mut number = String::from(first);
        let mut has_digits = first.is_ascii_digit();
        has_digits |= self.digits_into(&mut number);
        if let Some(point) = self.take_if(|c| c == '.') {
            number.push(point);
            has_digits |= self.digits_into(&mut number);
        }
        let mut complete = has_digits;
        if has_digits && let Some(exponent) = self.take_if(|c| matches!(c, 'e' | 'E')) {
            number.push(exponent);
            if let Some(sign) = self.take_if(|c| matches!(c, '+' | '-')) {
                number.push(sign);
            }
            complete = self.digits_into(&mut number);
        }
        if !complete || self.rest.peek().is_some_and(|&next| is_word(next)) {
            return Err(QueryError::syntax(format_args!(
                "what starts at character {start} is neither a number nor a quoted string"
            )));
        }
        Ok(number)
    }

    fn digits_into(&mut self, number: &mut String) -> bool {
        let before = number.len();
        while let Some(digit) = self.take_if(|c| c.is_ascii_digit()) {
            number.push(digit);
        }
        number.len() > before
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while let Some(next) = self.take_if(is_word) {
            word.push(next);
        }
        word
    }

    fn take(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        self.position += 1;
        Some(next)
    }

    fn take_if(&mut self, wanted: impl FnOnce(char) -> bool) -> Option<char> {
        let next = self.rest.next_if(|&c| wanted(c))?;
        self.position += 1;
        Some(next)
    }

    fn take_equals(&mut self) -> bool {
        self.take_if(|c| c == '=').is_some()
    }
}

/// Whitespace between tokens: ASCII blanks and line breaks, and the ideographic space that Japanese keyboards type.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{3000}')
}

/// Field codes hold letters and digits of any script, `_`, `・` and currency signs. Everything outside ASCII
/// belongs to a word, because no operator does.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || (!c.is_ascii() && !c.is_control() && !is_space(c))
}

fn unexpected(character: char, position: usize) -> QueryError {
    QueryError::syntax(format_args!("unexpected {character:?} at character {position}"))
}

#[cfg(test)]
mod tests {
    use super::TokenKind::{Equal, GreaterOrEqual, Number, Text, Word};
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        tokenize(text).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn splits_words_numbers_strings_and_operators() {
        let word = |text: &str| Word(text.to_owned());
        let cases = [
            ("会社名=\"a\"", vec![word("会社名"), Equal, Text("a".into())]),
            ("$id>=-1.50e+2", vec![word("$id"), GreaterOrEqual, Number("-1.50e+2".into())]),
            ("a\u{3000}and\tb\n", vec![word("a"), word("and"), word("b")]),
            ("関連.コード", vec![word("関連"), TokenKind::Dot, word("コード")]),
            (r#""q\"b\\n\n\t\r""#, vec![Text("q\"b\\n\n\t\r".into())]),
            ("\"\u{3000}x y\"", vec![Text("\u{3000}x y".into())]),
            ("", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(kinds(text), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_kintone_refuses() {
        for text in [
            "\"a\nb\"",
            "\"a\u{1}\"",
            "\"open",
            "\"\\x\"",
            "a ! b",
            "12abc",
            "-",
            "1e",
            "a\u{7}",
            "a; b",
            "'a'",
        ] {
            assert_eq!(tokenize(text).unwrap_err().code, "CB_VA01", "{text}");
        }
    }

    #[test]
    fn says_where_it_stopped() {
        let error = tokenize("名前 = \"x\u{1}\"").unwrap_err();
        assert_eq!(error.errors[0].1[0], "The query is not valid: unexpected '\\u{1}' at character 8.");
    }
}
