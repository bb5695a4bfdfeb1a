//! JSON documents with expressions in them, such as the body of a login.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::expression::{Expression, ExpressionValue};

/// A JSON value whose texts are expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    /// A text with holes.
    Text(Expression),
    /// A number, a truth value or nothing.
    Plain(Value),
    /// Members in the order of the file.
    Object(Vec<(String, Self)>),
    /// Items.
    List(Vec<Self>),
}

impl Document {
    /// Compiles the texts of a JSON value; the error says what is wrong in one sentence.
    pub fn parse(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(Expression::parse(&text)?),
            Value::Object(members) => Self::Object(
                members
                    .into_iter()
                    .map(|(name, value)| Ok((name, Self::parse(value)?)))
                    .collect::<Result<_, String>>()?,
            ),
            Value::Array(items) => Self::List(items.into_iter().map(Self::parse).collect::<Result<_, _>>()?),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Self::Plain(plain),
        })
    }

    /// Every value of every expression.
    pub fn values(&self) -> Vec<&ExpressionValue> {
        match self {
            Self::Text(expression) => expression.values(),
            Self::Plain(_) => Vec::new(),
            Self::Object(members) => members.iter().flat_map(|(_, member)| member.values()).collect(),
            Self::List(items) => items.iter().flat_map(Self::values).collect(),
        }
    }

    /// The members of an object; none of anything else.
    pub fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Object(members) => members,
            Self::Text(_) | Self::Plain(_) | Self::List(_) => &[],
        }
    }
}

impl Default for Document {
    fn default() -> Self {
        Self::Object(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
