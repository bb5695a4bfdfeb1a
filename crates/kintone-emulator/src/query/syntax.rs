//! The syntax tree of a query. Its `Display` writes a query that parses to the same tree.

use std::fmt::{self, Display, Formatter, Write as _};

/// A whole query: `[condition] [order by …] [limit n] [offset n]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// What a record must satisfy; `None` selects all.
    pub condition: Option<Condition>,
    /// Sort keys, most significant first; empty means Kintone's default, `$id desc`.
    pub order: Vec<OrderKey>,
    /// The largest number of records to answer.
    pub limit: Option<u64>,
    /// How many matching records to leave out first.
    pub offset: Option<u64>,
}

/// A condition tree. `And` and `Or` hold at least two parts; long chains are flat, so depth grows with
/// parentheses only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All parts hold.
    And(Vec<Condition>),
    /// At least one part holds.
    Or(Vec<Condition>),
    /// One field against one operand.
    Compare(Comparison),
}

/// `field operator operand`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The left side.
    pub field: FieldName,
    /// The operator between the sides.
    pub operator: Operator,
    /// The right side. `In` and `NotIn` have any number of values, `IsEmpty` and `IsNotEmpty` none, others one.
    pub values: Vec<Literal>,
}

/// A field code, or `related.code` for a field of a related-records field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldName {
    /// The code of the related-records field, where one was written.
    pub related: Option<String>,
    /// The code of the field itself.
    pub code: String,
}

/// The twelve operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the operators")]
pub enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    In,
    NotIn,
    Like,
    NotLike,
    IsEmpty,
    IsNotEmpty,
}

impl Operator {
    /// Every operator, for tables and tests.
    pub const ALL: [Self; 12] = [
        Self::Equal,
        Self::NotEqual,
        Self::Greater,
        Self::Less,
        Self::GreaterOrEqual,
        Self::LessOrEqual,
        Self::In,
        Self::NotIn,
        Self::Like,
        Self::NotLike,
        Self::IsEmpty,
        Self::IsNotEmpty,
    ];

    /// The operator as it is written in a query.
    pub fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::Less => "<",
            Self::GreaterOrEqual => ">=",
            Self::LessOrEqual => "<=",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Like => "like",
            Self::NotLike => "not like",
            Self::IsEmpty => "is empty",
            Self::IsNotEmpty => "is not empty",
        }
    }
}

/// A value on the right side of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// An unquoted decimal number, as written.
    Number(String),
    /// A quoted string, without its escapes.
    Text(String),
    /// A call such as `FROM_TODAY(-1, WEEKS)`.
    Call(Call),
}

/// A function call; which names and arguments exist is checked later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name as written; names are compared without regard to case.
    pub name: String,
    /// The arguments in order.
    pub arguments: Vec<Argument>,
}

/// An argument of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A bare word such as `DAYS`.
    Word(String),
    /// A number, as written.
    Number(String),
    /// A quoted string: the vendor's newer documents quote units.
    Text(String),
}

/// One key of `order by`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// The field code.
    pub code: String,
    /// Which way.
    pub direction: Direction,
}

/// The direction of a sort key; ascending when the query names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the keywords")]
pub enum Direction {
    Ascending,
    Descending,
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if let Some(condition) = &self.condition {
            write!(f, "{condition}")?;
            separator = " ";
        }
        for (index, key) in self.order.iter().enumerate() {
            let start = if index == 0 { format_args!("{separator}order by ") } else { format_args!(", ") };
            let direction = match key.direction {
                Direction::Ascending => "asc",
                Direction::Descending => "desc",
            };
            write!(f, "{start}{} {direction}", key.code)?;
            separator = " ";
        }
        for (keyword, number) in [("limit", self.limit), ("offset", self.offset)] {
            if let Some(number) = number {
                write!(f, "{separator}{keyword} {number}")?;
                separator = " ";
            }
        }
        Ok(())
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::Compare(comparison) => return comparison.fmt(f),
            Self::And(parts) => (parts, " and "),
            Self::Or(parts) => (parts, " or "),
        };
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                f.write_str(word)?;
            }
            // `and` binds tighter than `or`: only an `and` below an `or` needs no parentheses.
            let bare = matches!((self, part), (_, Self::Compare(_)) | (Self::Or(_), Self::And(_)));
            if bare { write!(f, "{part}")? } else { write!(f, "({part})")? }
        }
        Ok(())
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.operator.text())?;
        match self.operator {
            Operator::IsEmpty | Operator::IsNotEmpty => Ok(()),
            Operator::In | Operator::NotIn => {
                f.write_str(" (")?;
                list(f, &self.values)?;
                f.write_char(')')
            }
            _ => {
                f.write_char(' ')?;
                list(f, &self.values)
            }
        }
    }
}

impl Display for FieldName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(related) = &self.related {
            write!(f, "{related}.")?;
        }
        f.write_str(&self.code)
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(number),
            Self::Text(text) => quoted(f, text),
            Self::Call(call) => {
                write!(f, "{}(", call.name)?;
                list(f, &call.arguments)?;
                f.write_char(')')
            }
        }
    }
}

impl Display for Argument {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) | Self::Number(word) => f.write_str(word),
            Self::Text(text) => quoted(f, text),
        }
    }
}

fn list(f: &mut Formatter<'_>, items: &[impl Display]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}
