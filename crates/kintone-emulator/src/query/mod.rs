//! Kintone's query language: text to syntax tree, checked against an app, evaluated over its records.

mod error;
mod lexer;
mod parser;
mod syntax;
#[cfg(test)]
mod syntax_tests;

pub use error::QueryError;
pub use parser::parse;
pub use syntax::{
    Argument, Call, Comparison, Condition, Direction, FieldName, Literal, Operator, OrderKey, Query,
};
