//! Bodies: their members with types, and examples of them.

use serde_json::{Map, Value, json};

use super::super::markdown::compose::{code, row, text};
use super::super::markdown::slug;
use super::super::say::Say;
use super::Reference;

/// How deep an example goes.
const EXAMPLE_DEPTH: usize = 4;

impl Reference {
    /// What a schema is, with a table of its members. `page` is the page with the schemas, empty on that page.
    pub(super) fn schema(&self, schema: &Value, page: &str, say: Say) -> String {
        let schema = self.resolved(schema);
        let mut markdown = String::new();
        if let Some(description) = schema["description"].as_str() {
            markdown.extend([format!("{}\n\n", description.replace('\n', " "))]);
        }
        let members = self.members(schema);
        if members.is_empty() {
            let kinds = self.alternatives(schema, page);
            if !kinds.is_empty() {
                markdown.extend([format!("{}: {kinds}\n", say.text("reference-one-of"))]);
            } else if schema["properties"].is_null() {
                markdown.extend([format!(
                    "{}: {}\n",
                    say.text("reference-type"),
                    self.type_of(schema, page)
                )]);
            }
            return markdown;
        }
        let head = ["reference-member", "reference-type", "reference-meaning"].map(|key| say.text(key));
        markdown.push_str(&row(&head.each_ref().map(String::as_str)));
        markdown.push_str("|---|---|---|\n");
        for (name, member, is_required) in members {
            let name = code(name);
            let name = if is_required { format!("{name} {}", say.text("reference-required")) } else { name };
            markdown.push_str(&row(&[&name, &self.type_of(member, page), &self.meaning(member)]));
        }
        markdown
    }

    /// The members of a schema, those of its parts included: name, schema, and whether it has to be there.
    fn members<'a>(&'a self, schema: &'a Value) -> Vec<(&'a str, &'a Value, bool)> {
        let schema = self.resolved(schema);
        let mut members = Vec::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            members.extend(self.members(part));
        }
        let required =
            |name: &str| schema["required"].as_array().into_iter().flatten().any(|required| required == name);
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            members.push((name.as_str(), member, required(name)));
        }
        members
    }

    fn meaning(&self, member: &Value) -> String {
        let of_choice = || {
            let mut choices = member["oneOf"].as_array().into_iter().flatten();
            choices.find_map(|choice| choice["description"].as_str())
        };
        let told = member["description"].as_str().or_else(of_choice);
        let told = told.or_else(|| self.resolved(member)["description"].as_str());
        let mut meaning = told.unwrap_or_default().replace('\n', " ");
        if let Some(default) = member.get("default").filter(|default| !default.is_null()) {
            meaning.extend([format!(" ({})", code(&default.to_string()))]);
        }
        meaning
    }

    /// A type in words; a schema is a link to it.
    pub(super) fn type_of(&self, schema: &Value, page: &str) -> String {
        if let Some(name) = name_of(schema) {
            return format!("[{}]({page}#{})", text(name), slug(name));
        }
        let alternatives = self.alternatives(schema, page);
        if !alternatives.is_empty() {
            return alternatives;
        }
        if let Some(values) = schema["enum"].as_array() {
            let values: Vec<String> = values.iter().filter_map(Value::as_str).map(code).collect();
            return values.join(", ");
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => vec!["any"],
        };
        let kinds: Vec<String> = kinds
            .into_iter()
            .map(|kind| match kind {
                "array" => format!("array of {}", self.type_of(&schema["items"], page)),
                "object" if schema["additionalProperties"].is_object() => {
                    format!("object of {}", self.type_of(&schema["additionalProperties"], page))
                }
                "string" => match schema["format"].as_str() {
                    Some(format) => format!("string ({format})"),
                    None => "string".to_owned(),
                },
                other => other.to_owned(),
            })
            .collect();
        kinds.join(" or ")
    }

    fn alternatives(&self, schema: &Value, page: &str) -> String {
        let of = |key: &str| schema[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let all = of("oneOf").iter().chain(of("anyOf"));
        let kinds: Vec<String> = all
            .map(|one| match one["allOf"].as_array().and_then(|parts| parts.first()) {
                Some(first) => self.type_of(first, page),
                None => self.type_of(one, page),
            })
            .collect();
        kinds.join(" or ")
    }

    /// A body that has what has to be there.
    pub(super) fn example_of(&self, schema: &Value, depth: usize) -> Value {
        if let Some(example) = schema.get("example").or_else(|| schema.get("default")) {
            return example.clone();
        }
        let schema = self.resolved(schema);
        let first =
            schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()).and_then(|all| all.first());
        if let Some(first) = first {
            return self.example_of(first, depth);
        }
        if let Some(value) = schema["enum"].as_array().and_then(|values| values.first()) {
            return value.clone();
        }
        let members = self.members(schema);
        if !members.is_empty() {
            let mut example = Map::new();
            let needed = members.into_iter().filter(|(_, _, is_required)| *is_required);
            for (name, member, _) in needed.filter(|_| depth < EXAMPLE_DEPTH) {
                example.insert(name.to_owned(), self.example_of(member, depth + 1));
            }
            return Value::Object(example);
        }
        let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
        match kind {
            Some("string") if schema["format"] == "date-time" => json!("2027-01-01T00:00:00Z"),
            Some("string") => json!("…"),
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
            Some("boolean") => json!(true),
            Some("array") if depth < EXAMPLE_DEPTH => json!([self.example_of(&schema["items"], depth + 1)]),
            Some("array") => json!([]),
            _ => json!({}),
        }
    }

    /// The schema that a reference is to.
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match name_of(schema) {
            Some(name) => &self.document["components"]["schemas"][name],
            None => schema,
        }
    }
}

fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}
