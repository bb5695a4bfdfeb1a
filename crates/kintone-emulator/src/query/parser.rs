//! Tokens to a syntax tree: recursive descent, one token of look-ahead (two for a clause), linear in the text.
//!
//! Keywords are contextual, because nothing stops a field code from being `limit` or `and`: a word is a keyword
//! only where the grammar expects one.

use super::error::QueryError;
use super::lexer::{Token, TokenKind, tokenize};
use super::syntax::{
    Argument, Call, Comparison, Condition, Direction, FieldName, Literal, Operator, OrderKey, Query,
};

/// Parentheses may nest this deep: far beyond any person's query, far below what would exhaust a stack.
const DEEPEST_NESTING: usize = 64;

/// Parses a query. Everything that the grammar does not allow, a negative limit or offset included, is `CB_VA01`.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    let tokens = tokenize(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, depth: 0 };
    let mut query = Query::default();
    if !parser.at_end() && !parser.at_clause() {
        query.condition = Some(parser.any_of()?);
    }
    if parser.take_word("order") {
        parser.expect_word("by")?;
        query.order = parser.order_keys()?;
    }
    if parser.take_word("limit") {
        query.limit = Some(parser.count("limit")?);
    }
    if parser.take_word("offset") {
        query.offset = Some(parser.count("offset")?);
    }
    if parser.at_end() { Ok(query) } else { Err(parser.expected("the end of the query")) }
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any_of(&mut self) -> Result<Condition, QueryError> {
        self.chain("or", Condition::Or, Self::all_of)
    }

    fn all_of(&mut self) -> Result<Condition, QueryError> {
        self.chain("and", Condition::And, Self::single)
    }

    fn chain(
        &mut self,
        word: &str,
        join: impl FnOnce(Vec<Condition>) -> Condition,
        part: impl Fn(&mut Self) -> Result<Condition, QueryError>,
    ) -> Result<Condition, QueryError> {
        let first = part(self)?;
        let mut parts = vec![first];
        while self.take_word(word) {
            parts.push(part(self)?);
        }
        match parts.pop() {
            Some(only) if parts.is_empty() => Ok(only),
            last => {
                parts.extend(last);
                Ok(join(parts))
            }
        }
    }

    fn single(&mut self) -> Result<Condition, QueryError> {
        if !self.take(&TokenKind::OpenParenthesis) {
            return self.comparison().map(Condition::Compare);
        }
        self.depth += 1;
        if self.depth > DEEPEST_NESTING {
            return Err(QueryError::syntax(format_args!(
                "parentheses nest deeper than {DEEPEST_NESTING} levels"
            )));
        }
        let inner = self.any_of()?;
        self.expect(&TokenKind::CloseParenthesis, "a closing parenthesis")?;
        self.depth -= 1;
        Ok(inner)
    }

    fn comparison(&mut self) -> Result<Comparison, QueryError> {
        let field = self.field()?;
        let operator = self.operator()?;
        let values = match operator {
            Operator::IsEmpty | Operator::IsNotEmpty => Vec::new(),
            Operator::In | Operator::NotIn => {
                self.expect(&TokenKind::OpenParenthesis, "a list in parentheses")?;
                let mut values = vec![self.literal()?];
                while self.take(&TokenKind::Comma) {
                    values.push(self.literal()?);
                }
                self.expect(&TokenKind::CloseParenthesis, "a comma or a closing parenthesis")?;
                values
            }
            _ => vec![self.literal()?],
        };
        Ok(Comparison { field, operator, values })
    }

    fn field(&mut self) -> Result<FieldName, QueryError> {
        let first = self.word("a field code")?;
        if self.take(&TokenKind::Dot) {
            return Ok(FieldName { related: Some(first), code: self.word("a field code")? });
        }
        Ok(FieldName { related: None, code: first })
    }

    fn operator(&mut self) -> Result<Operator, QueryError> {
        let by_symbol = match self.peek() {
            Some(TokenKind::Equal) => Some(Operator::Equal),
            Some(TokenKind::NotEqual) => Some(Operator::NotEqual),
            Some(TokenKind::Less) => Some(Operator::Less),
            Some(TokenKind::LessOrEqual) => Some(Operator::LessOrEqual),
            Some(TokenKind::Greater) => Some(Operator::Greater),
            Some(TokenKind::GreaterOrEqual) => Some(Operator::GreaterOrEqual),
            _ => None,
        };
        if let Some(operator) = by_symbol {
            self.next += 1;
            return Ok(operator);
        }
        if self.take_word("in") {
            return Ok(Operator::In);
        }
        if self.take_word("like") {
            return Ok(Operator::Like);
        }
        if self.take_word("not") {
            if self.take_word("in") {
                return Ok(Operator::NotIn);
            }
            self.expect_word("like")?;
            return Ok(Operator::NotLike);
        }
        if self.take_word("is") {
            let negated = self.take_word("not");
            self.expect_word("empty")?;
            return Ok(if negated { Operator::IsNotEmpty } else { Operator::IsEmpty });
        }
        Err(self.expected("an operator"))
    }

    fn literal(&mut self) -> Result<Literal, QueryError> {
        const WANTED: &str = "a number, a quoted string or a function";
        let literal = match self.peek() {
            Some(TokenKind::Number(number)) => Literal::Number(number.clone()),
            Some(TokenKind::Text(text)) => Literal::Text(text.clone()),
            Some(TokenKind::Word(name)) if self.peek_after(1) == Some(&TokenKind::OpenParenthesis) => {
                let name = name.clone();
                self.next += 2;
                return Ok(Literal::Call(Call { name, arguments: self.arguments()? }));
            }
            _ => return Err(self.expected(WANTED)),
        };
        self.next += 1;
        Ok(literal)
    }

    /// Reads up to the closing parenthesis; the opening one is already taken.
    fn arguments(&mut self) -> Result<Vec<Argument>, QueryError> {
        let mut arguments = Vec::new();
        if self.take(&TokenKind::CloseParenthesis) {
            return Ok(arguments);
        }
        loop {
            arguments.push(match self.peek() {
                Some(TokenKind::Word(word)) => Argument::Word(word.clone()),
                Some(TokenKind::Number(number)) => Argument::Number(number.clone()),
                Some(TokenKind::Text(text)) => Argument::Text(text.clone()),
                _ => return Err(self.expected("an argument")),
            });
            self.next += 1;
            if self.take(&TokenKind::CloseParenthesis) {
                return Ok(arguments);
            }
            self.expect(&TokenKind::Comma, "a comma or a closing parenthesis")?;
        }
    }

    fn order_keys(&mut self) -> Result<Vec<OrderKey>, QueryError> {
        let mut keys = Vec::new();
        loop {
            let code = self.word("a field code to sort by")?;
            let direction = if self.take_word("desc") {
                Direction::Descending
            } else {
                self.take_word("asc");
                Direction::Ascending
            };
            keys.push(OrderKey { code, direction });
            if !self.take(&TokenKind::Comma) {
                return Ok(keys);
            }
        }
    }

    fn count(&mut self, clause: &str) -> Result<u64, QueryError> {
        if let Some(TokenKind::Number(number)) = self.peek()
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            // A number beyond u64 is far above every maximum; the largest value is refused just the same.
            let count = number.parse().unwrap_or(u64::MAX);
            self.next += 1;
            return Ok(count);
        }
        Err(self.expected(&format!("a whole number of zero or more after {clause}")))
    }

    /// Whether a clause starts here rather than a comparison of a field that is called `order` or `limit`.
    fn at_clause(&self) -> bool {
        let follows = |wanted: fn(&TokenKind) -> bool| self.peek_after(1).is_some_and(wanted);
        (self.at_word("order")
            && follows(|kind| matches!(kind, TokenKind::Word(word) if word.eq_ignore_ascii_case("by"))))
            || ((self.at_word("limit") || self.at_word("offset"))
                && follows(|kind| matches!(kind, TokenKind::Number(_))))
    }

    fn peek(&self) -> Option<&TokenKind> {
        self.peek_after(0)
    }

    fn peek_after(&self, skipped: usize) -> Option<&TokenKind> {
        self.tokens.get(self.next + skipped).map(|token| &token.kind)
    }

    fn at_end(&self) -> bool {
        self.next >= self.tokens.len()
    }

    fn at_word(&self, keyword: &str) -> bool {
        matches!(self.peek(), Some(TokenKind::Word(word)) if word.eq_ignore_ascii_case(keyword))
    }

    fn take_word(&mut self, keyword: &str) -> bool {
        let found = self.at_word(keyword);
        self.next += usize::from(found);
        found
    }

    fn take(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek() == Some(kind);
        self.next += usize::from(found);
        found
    }

    fn word(&mut self, wanted: &str) -> Result<String, QueryError> {
        let Some(TokenKind::Word(word)) = self.peek() else { return Err(self.expected(wanted)) };
        let word = word.clone();
        self.next += 1;
        Ok(word)
    }

    fn expect(&mut self, kind: &TokenKind, wanted: &str) -> Result<(), QueryError> {
        if self.take(kind) { Ok(()) } else { Err(self.expected(wanted)) }
    }

    fn expect_word(&mut self, keyword: &str) -> Result<(), QueryError> {
        if self.take_word(keyword) { Ok(()) } else { Err(self.expected(&format!("`{keyword}`"))) }
    }

    fn expected(&self, wanted: &str) -> QueryError {
        match self.tokens.get(self.next) {
            Some(token) => {
                QueryError::syntax(format_args!("expected {wanted} at character {}", token.position))
            }
            None => QueryError::syntax(format_args!("expected {wanted} at the end")),
        }
    }
}
