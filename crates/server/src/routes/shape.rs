//! Texts that do not have the shape that a route takes, explained without repeating what was sent: it may be a secret.

use std::error::Error;

use tombolo_platform::Problem;
use tombolo_platform::catalog::{FieldError, Text};

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    path: String,
    code: &'static str,
    message: Text,
}

/// The problem for a body or query that does not fit. `error` is what the deserializer said, wrapped once.
pub(super) fn unfit(code: &'static str, thing: &str, error: &dyn Error) -> Problem {
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    let fault = explain(&said);
    let place = if fault.path.is_empty() { String::new() } else { format!(" at `{}`", fault.path) };
    let what = format!("The {thing} does not fit{place}");
    let problem = Problem::invalid(code, what, fault.message.en.clone());
    let field = FieldError { field: fault.path, code: fault.code, message: fault.message };
    Problem { fields: vec![field], ..problem }
}

/// Reads what a deserializer said: `a.b: unknown field …, expected … at line 1 column 2`.
fn explain(said: &str) -> Fault {
    let said = said.rsplit_once(" at line ").map_or(said, |(said, _)| said);
    let (path, said) = match said.split_once(": ") {
        Some((path, rest)) if !path.contains([' ', '`', '"']) => (path, rest),
        _ => ("", said),
    };
    let path = if path == "." { "" } else { path };
    let quoted = || said.split('`').nth(1).unwrap_or_default().chars().take(80).collect::<String>();
    let expected = said.rsplit_once(", expected ").map(|(_, expected)| expected);
    if said.starts_with("unknown field ") {
        let name = quoted();
        let known = expected.unwrap_or("none").trim_start_matches("one of ");
        let message = Text {
            en: format!("There is no member `{name}`; the members are: {known}."),
            ja: format!("項目「{name}」はありません。使える項目: {known}"),
        };
        return Fault { path: below(path, &name), code: "unrecognized_keys", message };
    }
    if said.starts_with("missing field ") {
        let name = quoted();
        let message = Text {
            en: format!("The member `{name}` is missing; add it."),
            ja: format!("項目「{name}」がありません。追加してください。"),
        };
        return Fault { path: below(path, &name), code: "required", message };
    }
    let wanted = match expected {
        // What the deserializer calls a map or a Rust struct is an object to whoever wrote the JSON.
        Some(expected) if expected == "a map" || expected.starts_with("struct ") => "an object",
        Some(expected) => expected,
        None if said == LIST_OR_TEXT => LIST_OR_TEXT,
        None if said.starts_with("duplicate field") => "each member once",
        None => "a value of another type or form; see the documentation of the route",
    };
    let message = Text {
        en: format!("Expected {wanted}."),
        ja: format!("値の形式が正しくありません（期待する形式: {wanted}）。"),
    };
    Fault { path: shortened(path), code: "invalid_type", message }
}

/// What the wire type of a field's value says that it expects.
const LIST_OR_TEXT: &str = "a text or an array of texts";

/// The deserializer names the parent, or for a member that it was reading the member itself.
fn below(path: &str, name: &str) -> String {
    let path = shortened(path);
    if path.is_empty() {
        name.to_owned()
    } else if path == name || path.ends_with(&format!(".{name}")) {
        path
    } else {
        format!("{path}.{name}")
    }
}

fn shortened(path: &str) -> String {
    path.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::extract::rejection::JsonRejection;
    use tombolo_api::CreateConnection;

    use super::*;

    fn fault(body: &str) -> String {
        let JsonRejection::JsonDataError(error) =
            Json::<CreateConnection>::from_bytes(body.as_bytes()).expect_err("does not fit")
        else {
            panic!("no error of the data")
        };
        let fault = explain(&error.source().expect("a source").to_string());
        assert!(!format!("{fault:?}").contains("MARKER"), "{fault:?}");
        format!("{} {} {}", fault.path, fault.code, fault.message.en)
    }

    #[test]
    fn faults_name_the_place_and_never_the_value() {
        let lines: Vec<String> = [
            r#"{"provider_config_key":"kintone","name":"a","colour":"MARKER"}"#,
            r#"{"name":"a"}"#,
            r#"{"provider_config_key":5,"name":"a"}"#,
            r#"{"provider_config_key":"k","name":"a","fields":"MARKER"}"#,
            r#"{"provider_config_key":"k","name":"a","fields":{"token":{"x":"MARKER"}}}"#,
            r#"{"provider_config_key":"k","name":"a","settings":{"timeout":["MARKER"]}}"#,
            r#"{"provider_config_key":"k","name":"a","name":"MARKER"}"#,
            r#"{"provider_config_key":"k","name":"a","test":"MARKER"}"#,
            r#"["MARKER"]"#,
            r#""MARKER""#,
        ]
        .map(fault)
        .into();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
