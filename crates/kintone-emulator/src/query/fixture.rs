//! Small apps, records and people for tests.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::model::{
    App, Entity, Field, Fields, Locale, Process, Record, Records, User, UserCondition, Value, Values,
};

/// An app without records that belongs to Ann.
pub(crate) fn app(id: u64, fields: Vec<Field>) -> App {
    let at: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    let fields = Arc::new(Fields::new(fields));
    App {
        id,
        code: String::new(),
        name: "app".to_owned(),
        description: String::new(),
        space: None,
        thread: None,
        revision: 1,
        creator: Entity::new("ann", "Ann"),
        created_at: at,
        modifier: Entity::new("ann", "Ann"),
        updated_at: at,
        draft: None,
        is_live: true,
        layout: Json::Null,
        views: Json::Null,
        settings: Json::Null,
        process: Process::default(),
        rights: Vec::new(),
        record_rights: Vec::new(),
        tokens: Vec::new(),
        records: Records::new(&fields),
        fields,
        last_row_id: 0,
    }
}

pub(crate) fn values(cells: Vec<(&str, Value)>) -> Values {
    cells.into_iter().map(|(code, value)| (Arc::from(code), value)).collect()
}

/// Record 1 is Ann's and open, every other one Bob's and closed.
pub(crate) fn record(id: u64, cells: Vec<(&str, Value)>) -> Record {
    let at: Timestamp = "2024-02-28T20:00:00Z".parse().unwrap();
    let creator = if id == 1 { Entity::new("ann", "Ann") } else { Entity::new("bob", "Bob") };
    Record {
        id,
        revision: 1,
        creator: creator.clone(),
        created_at: at,
        modifier: creator,
        updated_at: at,
        status: Some(if id == 1 { "Open" } else { "Closed" }.to_owned()),
        assignees: Vec::new(),
        values: values(cells),
        comments: Vec::new(),
    }
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn number(number: &str) -> Value {
    Value::Number(number.to_owned())
}

/// A user of these organizations, in UTC, whose name is the code in capitals.
pub(crate) fn user(id: u64, code: &str, organizations: &[&str]) -> User {
    User {
        id,
        code: code.to_owned(),
        name: code.to_uppercase(),
        password: None,
        email: String::new(),
        condition: UserCondition::Normal,
        administrator: false,
        locale: Locale::En,
        timezone: "UTC".to_owned(),
        organizations: organizations.iter().map(|&code| code.to_owned()).collect(),
        groups: Vec::new(),
        wrong_passwords: 0,
    }
}
