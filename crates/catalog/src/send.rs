//! What a scheme puts onto every request beside its credential, or instead of one.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::document::Document;
use crate::expression::{Expression, ExpressionValue};

/// Headers, query parameters and members of the body, each an expression. One whose configuration is not filled in is
/// left out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Send {
    /// Headers by name.
    pub headers: BTreeMap<String, Expression>,
    /// Query parameters by name.
    pub query: BTreeMap<String, Expression>,
    /// Members of a JSON or form body by name.
    pub body: Document,
}

impl Send {
    /// Whether nothing is put onto a request.
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.query.is_empty() && self.body.members().is_empty()
    }

    /// Every value of every expression.
    pub fn values(&self) -> Vec<&ExpressionValue> {
        let texts = self.headers.values().chain(self.query.values()).flat_map(Expression::values);
        texts.chain(self.body.values()).collect()
    }

    /// Whether a secret is put somewhere.
    pub fn has_secret(&self) -> bool {
        self.values().into_iter().any(|value| matches!(value, ExpressionValue::Secret(_)))
    }
}
