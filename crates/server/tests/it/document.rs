use std::collections::BTreeSet;

use serde_json::Value;

use crate::app::App;

#[test]
fn the_checked_in_document_is_that_of_the_routes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let made = tombolo_server::openapi();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(path, &made).expect("written");
    }
    let checked_in = std::fs::read_to_string(path).expect("docs/openapi.json");
    assert!(
        checked_in == made,
        "docs/openapi.json is out of date: run this test with UPDATE_GENERATED=1 and look at the difference"
    );
}

#[test]
fn operations_are_named_once_and_references_lead_somewhere() {
    let document: Value = serde_json::from_str(&tombolo_server::openapi()).expect("JSON");
    assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            assert!(!id.is_empty() && ids.insert(id.clone()), "{method} {path}: `{id}`");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
            assert!(
                operation["summary"].is_string() && operation["description"].is_string(),
                "{method} {path}"
            );
        }
    }
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// Whoever adds a route whose path could be a name has to serve the object of that name there, as
/// `/connections/test` does.
#[test]
fn no_other_path_could_be_a_name() {
    let document: Value = serde_json::from_str(&tombolo_server::openapi()).expect("JSON");
    let paths: Vec<&String> = document["paths"].as_object().expect("paths").keys().collect();
    let is_parameter = |segment: &str| segment.starts_with('{');
    let hides = |one: &str, other: &str| {
        let same = |(one, other): (&str, &str)| one == other || is_parameter(other) && !is_parameter(one);
        one != other
            && one.split('/').count() == other.split('/').count()
            && one.split('/').zip(other.split('/')).all(same)
    };
    let mut hidden = Vec::new();
    for one in &paths {
        hidden.extend(
            paths.iter().filter(|other| hides(one, other)).map(|other| (one.as_str(), other.as_str())),
        );
    }
    assert_eq!(
        hidden,
        [("/connections/metadata", "/connections/{id}"), ("/connections/test", "/connections/{id}")]
    );
}

fn collect_references(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect_references(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, references)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_served() {
    let app = App::start().await;
    let served = app.caller_with_key(None).get("/openapi.json").await;
    assert_eq!((served.status.as_u16(), served.text()), (200, tombolo_server::openapi()));
}
