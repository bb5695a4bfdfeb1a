//! Cells whose content is chosen from the options of their field.

use serde_json::Value as Json;

use super::batch::Batch;
use crate::model::{Field, FieldType, Value};

impl Batch<'_> {
    /// One option, or none. A radio button without a choice gets its default, or its first option.
    pub(super) fn choice(&mut self, field: &Field, at: &str, given: Option<&Json>) -> Value {
        match given {
            None => first_choice(field),
            Some(Json::String(option)) if option.is_empty() => first_choice(field),
            Some(Json::String(option)) if field.options.contains(option) => Value::Text(option.clone()),
            Some(other) => {
                let problem = format!("The value {other} is not in the options.");
                self.problems.add(format!("{at}.{}.value", field.code), problem);
                Value::Null
            }
        }
    }

    /// Any number of options, in the order of the form.
    pub(super) fn choices(&mut self, field: &Field, at: &str, given: Option<&Json>) -> Value {
        let given = match given {
            None => &[][..],
            Some(Json::Array(options)) => options,
            Some(_) => {
                self.problems
                    .add(format!("{at}.{}.value", field.code), "The value must be an array of strings.");
                &[]
            }
        };
        for (index, option) in given.iter().enumerate() {
            if !option.as_str().is_some_and(|option| field.options.iter().any(|known| known == option)) {
                let path = format!("{at}.{}.values[{index}].value", field.code);
                self.problems.add(path, format!("The value {option} is not in the options."));
            }
        }
        let chosen = field.options.iter().filter(|option| given.iter().any(|given| given == option.as_str()));
        Value::Strings(chosen.cloned().collect())
    }
}

/// What a field of one choice holds before anybody chose.
pub(super) fn first_choice(field: &Field) -> Value {
    if field.field_type != FieldType::RadioButton {
        return Value::Null;
    }
    let default = field.default_value.as_str().filter(|option| !option.is_empty()).map(str::to_owned);
    default.or_else(|| field.options.first().cloned()).map_or(Value::Null, Value::Text)
}
