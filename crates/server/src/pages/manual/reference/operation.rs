//! One operation: who may call it, what it takes, what it answers, and a line to copy.

use serde_json::Value;

use super::super::markdown::compose::{block, code, row};
use super::super::say::Say;
use super::{Operation, Reference};

impl Reference {
    /// The section of one operation.
    pub(super) fn operation(&self, operation: &Operation<'_>, say: Say) -> String {
        let mut markdown = format!("\n## {}\n\n", operation.title());
        markdown.push_str(&block("http", &format!("{} {}", operation.method, operation.path)));
        let member = |name: &str| operation.members.get(name);
        let description = member("description").and_then(Value::as_str).unwrap_or_default();
        markdown.extend([format!("\n{description}\n")]);
        markdown.extend([format!("\n**{}** {}\n", say.text("reference-who"), who(member("security"), say))]);
        let parameters: Vec<&Value> =
            member("parameters").and_then(Value::as_array).into_iter().flatten().collect();
        if !parameters.is_empty() {
            markdown.push_str(&self.parameters(&parameters, say));
        }
        let body = member("requestBody").and_then(|body| content(&body["content"]));
        if let Some((kind, schema)) = body {
            markdown.extend([format!("\n**{}** {}\n\n", say.text("reference-body"), code(kind))]);
            markdown.push_str(&self.schema(schema, "schemas.md", say));
        }
        markdown.push_str(&self.answers(member("responses"), say));
        markdown.extend([format!("\n**{}**\n\n", say.text("reference-example"))]);
        markdown
            .push_str(&block("sh", &self.example(operation, &parameters, body.map(|(_, schema)| schema))));
        markdown
    }

    fn parameters(&self, parameters: &[&Value], say: Say) -> String {
        let head = ["reference-parameter", "reference-place", "reference-type", "reference-meaning"]
            .map(|key| say.text(key));
        let mut table = format!("\n**{}**\n\n", say.text("reference-parameters"));
        table.push_str(&row(&head.each_ref().map(String::as_str)));
        table.push_str("|---|---|---|---|\n");
        for parameter in parameters {
            let name = code(parameter["name"].as_str().unwrap_or_default());
            let needed = parameter["required"] == true;
            let name = if needed { format!("{name} {}", say.text("reference-required")) } else { name };
            let place = say.text(match parameter["in"].as_str() {
                Some("path") => "reference-in-path",
                Some("header") => "reference-in-header",
                _ => "reference-in-query",
            });
            let kind = self.type_of(&parameter["schema"], "schemas.md");
            let meaning = parameter["description"].as_str().unwrap_or_default().replace('\n', " ");
            table.push_str(&row(&[&name, &place, &kind, &meaning]));
        }
        table
    }

    fn answers(&self, responses: Option<&Value>, say: Say) -> String {
        let head = ["reference-status", "reference-answer", "reference-meaning"].map(|key| say.text(key));
        let mut table = format!("\n**{}**\n\n", say.text("reference-answers"));
        table.push_str(&row(&head.each_ref().map(String::as_str)));
        table.push_str("|---|---|---|\n");
        for (status, response) in responses.and_then(Value::as_object).into_iter().flatten() {
            let status = if status == "default" { say.text("reference-otherwise") } else { code(status) };
            let body = content(&response["content"]).map(|(_, schema)| self.type_of(schema, "schemas.md"));
            let meaning = response["description"].as_str().unwrap_or_default().replace('\n', " ");
            table.push_str(&row(&[&status, &body.unwrap_or_default(), &meaning]));
        }
        table
    }

    fn example(&self, operation: &Operation<'_>, parameters: &[&Value], body: Option<&Value>) -> String {
        let needed = |place: &str| {
            let of_place = parameters.iter().filter(|one| one["in"] == place && one["required"] == true);
            of_place.filter_map(|one| one["name"].as_str()).collect::<Vec<_>>()
        };
        let mut path = operation.path.to_owned();
        for name in needed("path") {
            path = path.replace(&format!("{{{name}}}"), &shell_name(name));
        }
        let query: Vec<String> =
            needed("query").iter().map(|name| format!("{name}={}", shell_name(name))).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let mut parts = vec!["curl".to_owned()];
        if !matches!(operation.method, "GET" | "ANY") {
            parts.push(format!("-X {}", operation.method));
        }
        parts.push(format!("\"$TOMBOLO_URL{path}{query}\""));
        let mut lines = vec![parts.join(" ")];
        match caller(operation.members.get("security")) {
            Who::Everybody => {}
            Who::Key => lines.push("-H \"Authorization: Bearer $TOMBOLO_API_KEY\"".to_owned()),
            Who::Session => lines.push("-H \"Authorization: Bearer $SESSION_TOKEN\"".to_owned()),
        }
        for name in needed("header") {
            lines.push(format!("-H \"{name}: {}\"", shell_name(name)));
        }
        if let Some(schema) = body {
            lines.push("-H 'Content-Type: application/json'".to_owned());
            let example = self.example_of(schema, 0).to_string().replace('\'', r"'\''");
            lines.push(format!("-d '{example}'"));
        }
        lines.join(" \\\n  ")
    }
}

/// Who may call an operation.
enum Who {
    Everybody,
    Key,
    Session,
}

fn caller(security: Option<&Value>) -> Who {
    let named = |name: &str| {
        let all = security.and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_object).any(|one| one.contains_key(name))
    };
    match (named("apiKey"), named("connectSession")) {
        (true, _) => Who::Key,
        (false, true) => Who::Session,
        (false, false) => Who::Everybody,
    }
}

fn who(security: Option<&Value>, say: Say) -> String {
    say.text(match caller(security) {
        Who::Everybody => "reference-who-everybody",
        Who::Key => "reference-who-key",
        Who::Session => "reference-who-session",
    })
}

/// Media type and schema of a body; JSON where there are several.
fn content(content: &Value) -> Option<(&str, &Value)> {
    let all = content.as_object()?;
    let (kind, body) = all.get_key_value("application/json").or_else(|| all.iter().next())?;
    Some((kind, &body["schema"]))
}

/// A parameter as a variable of a shell.
fn shell_name(name: &str) -> String {
    format!("${}", name.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_"))
}
