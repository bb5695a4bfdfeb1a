//! Compares answers with the schemas of the vendor's OpenAPI document.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

/// The vendor's document.
pub struct Document(Json);

impl Document {
    /// Reads the document, which is compressed with gzip.
    pub fn read(path: &Path) -> Self {
        let output = Command::new("gzip").arg("-dc").arg(path).output().expect("gzip runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(serde_json::from_slice(&output.stdout).expect("the document is JSON"))
    }

    /// What is wrong with the answer to a call, as paths into the answer. Empty when the answer fits.
    pub fn problems(&self, method: &str, path: &str, answer: &Json) -> Vec<String> {
        let operation = &self.0["paths"][path][method];
        assert!(operation.is_object(), "the document has no {method} {path}");
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let mut problems = Vec::new();
        if schema.is_null() {
            return problems;
        }
        // The document marks few members as required; an answer has all that are documented at its top.
        for (name, _) in self.resolved(schema)["properties"].as_object().into_iter().flatten() {
            if answer.get(name).is_none() {
                problems.push(format!("{name} is missing"));
            }
        }
        self.check(schema, answer, "answer", &mut problems);
        problems
    }

    fn resolved<'a>(&'a self, schema: &'a Json) -> &'a Json {
        match schema["$ref"].as_str() {
            Some(reference) => self.resolved(self.0.pointer(&reference[1..]).expect("references resolve")),
            None => schema,
        }
    }

    fn check(&self, schema: &Json, value: &Json, at: &str, problems: &mut Vec<String>) {
        let schema = self.resolved(schema);
        if value.is_null() {
            return;
        }
        for alternatives in ["anyOf", "oneOf"] {
            let Some(list) = schema[alternatives].as_array() else { continue };
            let outcomes: Vec<Vec<String>> = list
                .iter()
                .map(|alternative| {
                    let mut found = Vec::new();
                    self.check(alternative, value, at, &mut found);
                    found
                })
                .collect();
            if !outcomes.iter().any(Vec::is_empty) {
                problems.push(format!("{at} fits none of {}: {value}", outcomes.len()));
            }
            return;
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            problems.push(format!("{at} is {value}, which is not one of {}", schema["enum"]));
        }
        // Ids and counts are integers in the document and texts of digits on the wire.
        let fits = match schema["type"].as_str() {
            Some("string") => value.is_string(),
            Some("integer") => {
                value.is_i64()
                    || value.as_str().is_some_and(|text| text.parse::<i64>().is_ok() || text.is_empty())
            }
            Some("number") => {
                value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok())
            }
            Some("boolean") => value.is_boolean(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            _ => true,
        };
        if !fits {
            problems.push(format!("{at} is {value}, not of the type {}", schema["type"]));
            return;
        }
        for (place, entry) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&schema["items"], entry, &format!("{at}[{place}]"), problems);
        }
        let Some(members) = value.as_object() else { return };
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            if !members.contains_key(name) {
                problems.push(format!("{at}.{name} is missing"));
            }
        }
        for (name, member) in members {
            let known = &schema["properties"][name];
            let schema = if known.is_null() { &schema["additionalProperties"] } else { known };
            self.check(schema, member, &format!("{at}.{name}"), problems);
        }
    }
}

#[test]
fn the_comparison_finds_what_is_wrong() {
    let document = Document(serde_json::json!({
        "paths": {"/x": {"get": {"responses": {"200": {"content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/X"}}}}}}}},
        "components": {"schemas": {"X": {"type": "object", "properties": {
            "id": {"type": "integer"},
            "kind": {"type": "string", "enum": ["A", "B"]},
            "rows": {"type": "array", "items": {"anyOf": [{"type": "boolean"}, {"type": "object", "required": ["n"]}]}},
        }}}},
    }));
    let right = serde_json::json!({"id": "12", "kind": "A", "rows": [true, {"n": 1}]});
    assert_eq!(document.problems("get", "/x", &right), Vec::<String>::new());
    let wrong = serde_json::json!({"id": "x", "rows": [{}], "kind": "C"});
    assert_eq!(document.problems("get", "/x", &wrong).len(), 3);
    assert_eq!(
        document.problems("get", "/x", &serde_json::json!({"id": 1, "kind": "A"})),
        ["rows is missing"]
    );
}
