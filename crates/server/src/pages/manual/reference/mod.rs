//! The reference of the REST API, written as Markdown from the OpenAPI document: a page for each tag, one for the bodies.

mod operation;
mod schema;

use serde_json::{Map, Value};

use super::markdown::compose::{code, text};
use super::say::Say;

/// The name of the page with the bodies.
pub(super) const SCHEMAS: &str = "schemas";

/// The reference, made of one document.
#[derive(Debug)]
pub(super) struct Reference {
    document: Value,
}

/// An operation with its place.
pub(super) struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    members: &'a Map<String, Value>,
}

impl Reference {
    /// `document` is the OpenAPI document of the routes.
    pub(super) fn new(document: &[u8]) -> Self {
        // The document is made by this program; an empty one shows no operations.
        Self { document: serde_json::from_slice(document).unwrap_or_default() }
    }

    /// The names of all pages beside the overview, in their order: those of the tags that have an operation, and the bodies.
    pub(super) fn pages(&self) -> Vec<String> {
        let tags = self.tags().filter(|(tag, _)| self.operations(tag).next().is_some());
        tags.map(|(tag, _)| page_name(tag)).chain([SCHEMAS.to_owned()]).collect()
    }

    /// The overview.
    pub(super) fn overview(&self, say: Say) -> String {
        let mut markdown = format!("# {}\n\n{}\n\n", say.text("reference-title"), say.text("reference-lead"));
        for part in [
            "reference-address",
            "reference-key",
            "reference-failures",
            "reference-lists",
            "reference-languages",
        ] {
            markdown.extend([format!("- {}\n", say.text(part))]);
        }
        markdown.extend([format!("\n## {}\n\n", say.text("reference-begin"))]);
        markdown.push_str("```sh\nexport TOMBOLO_URL=http://localhost:3003\nexport TOMBOLO_API_KEY=tmb_…\ncurl \"$TOMBOLO_URL/connections\" -H \"Authorization: Bearer $TOMBOLO_API_KEY\"\n```\n");
        for (tag, description) in self.tags() {
            let mut operations = self.operations(tag).peekable();
            if operations.peek().is_none() {
                continue;
            }
            let page = page_name(tag);
            markdown.extend([format!("\n## {}\n\n{}.\n\n", capital(tag), text(description))]);
            for operation in operations {
                let anchor = super::markdown::slug(&operation.title());
                let call = code(&format!("{} {}", operation.method, operation.path));
                let line = format!("- [{}](api/{page}.md#{anchor}) {call}\n", operation.title());
                markdown.push_str(&line);
            }
        }
        markdown.extend([format!(
            "\n## {}\n\n{}\n",
            say.text("reference-schemas"),
            say.text("reference-schemas-link")
        )]);
        markdown
    }

    /// The page of a tag, or of the bodies. `None` when there is no page of that name.
    pub(super) fn page(&self, name: &str, say: Say) -> Option<String> {
        if name == SCHEMAS {
            return Some(self.schemas(say));
        }
        let (tag, description) = self.tags().find(|(tag, _)| page_name(tag) == name)?;
        let mut markdown = format!("# {}\n\n{}.\n", capital(tag), text(description));
        let mut is_empty = true;
        for operation in self.operations(tag) {
            is_empty = false;
            markdown.push_str(&self.operation(&operation, say));
        }
        (!is_empty).then_some(markdown)
    }

    fn schemas(&self, say: Say) -> String {
        let mut markdown =
            format!("# {}\n\n{}\n", say.text("reference-schemas"), say.text("reference-schemas-lead"));
        for (name, schema) in self.document["components"]["schemas"].as_object().into_iter().flatten() {
            markdown.extend([format!("\n## {}\n\n", text(name))]);
            markdown.push_str(&self.schema(schema, "", say));
        }
        markdown
    }

    fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let tags = self.document["tags"].as_array().into_iter().flatten();
        tags.filter_map(|tag| Some((tag["name"].as_str()?, tag["description"].as_str().unwrap_or_default())))
    }

    /// The operations of a tag. What answers every method in the same way stands there once.
    fn operations<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = Operation<'a>> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        paths.flat_map(move |(path, item)| {
            let all = item.as_object().into_iter().flatten();
            let of_tag = all.filter_map(move |(method, members)| {
                let members = members.as_object()?;
                let tags = members.get("tags")?.as_array()?;
                tags.iter().any(|known| known == tag).then_some((method.as_str(), members))
            });
            let found: Vec<(&str, &Map<String, Value>)> = of_tag.collect();
            let is_front = path.contains("{path}") && found.len() > 1;
            found.into_iter().take(if is_front { 1 } else { usize::MAX }).map(move |(method, members)| {
                let method = if is_front { "ANY" } else { upper(method) };
                Operation { method, path, members }
            })
        })
    }
}

impl Operation<'_> {
    fn title(&self) -> String {
        let summary = self.members.get("summary").and_then(Value::as_str).unwrap_or(self.path);
        // Both fronts of the proxy are called the same.
        let is_front = self.method == "ANY";
        if is_front { format!("{summary}: {}", text(self.path)) } else { text(summary) }
    }
}

/// The name of a tag's page.
fn page_name(tag: &str) -> String {
    tag.replace(' ', "-")
}

/// A tag as a heading.
fn capital(tag: &str) -> String {
    let mut characters = tag.chars();
    let first = characters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let capital = first + characters.as_str();
    capital.replace("Api ", "API ").replace("Oauth", "OAuth")
}

fn upper(method: &str) -> &'static str {
    match method {
        "get" => "GET",
        "head" => "HEAD",
        "post" => "POST",
        "put" => "PUT",
        "patch" => "PATCH",
        _ => "DELETE",
    }
}
