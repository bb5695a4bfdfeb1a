//! The hosts that the addresses of an entry can lead to.

use serde_json::Value;

use super::entry::Entry;
use crate::expression::hole_length;
use crate::host::HostPattern;

/// More hosts than this mean that choices were multiplied out of hand.
const HOSTS_MAX: usize = 200;

/// Patterns for the hosts of all addresses, each once.
pub(super) fn of(entry: &mut Entry) -> Result<Vec<String>, String> {
    let mut patterns: Vec<String> = Vec::new();
    for url in entry.urls.clone() {
        for choice in url.split(" || ") {
            for pattern in of_address(choice, entry) {
                if !patterns.contains(&pattern) {
                    patterns.push(pattern);
                }
            }
        }
    }
    if patterns.len() > HOSTS_MAX {
        return Err("its choices of hosts are too many".to_owned());
    }
    Ok(patterns)
}

fn of_address(url: &str, entry: &mut Entry) -> Vec<String> {
    let mut hosts = vec![String::new()];
    for part in parts(authority(url)) {
        let values: Vec<String> = match part {
            Part::Literal(literal) => vec![literal.to_ascii_lowercase()],
            Part::Hole(name) => values(name, entry),
        };
        hosts =
            hosts.iter().flat_map(|host| values.iter().map(move |value| format!("{host}{value}"))).collect();
    }
    let mut patterns = Vec::new();
    for host in hosts {
        let host = one_hole_a_label(&host);
        match HostPattern::parse(&host) {
            Ok(_) => patterns.push(host),
            // The holes leave the domain open: what is typed is what the secret is bound to.
            Err(_) => patterns.push("*".to_owned()),
        }
    }
    patterns
}

enum Part<'a> {
    Literal(&'a str),
    Hole(&'a str),
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        parts.push(Part::Literal(&rest[..start]));
        let length = hole_length(&rest[start..]).unwrap_or(rest.len() - start);
        parts.push(Part::Hole(
            rest[start + 2..start + length].trim_end_matches('}').trim_start_matches("config."),
        ));
        rest = &rest[start + length..];
    }
    parts.push(Part::Literal(rest));
    parts
}

/// Host of an address with holes, without a port.
fn authority(url: &str) -> &str {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    let mut end = 0;
    while let Some(byte) = rest.as_bytes().get(end) {
        match byte {
            b'/' | b'?' | b':' => break,
            b'$' => end += hole_length(&rest[end..]).unwrap_or(1),
            _ => end += 1,
        }
    }
    rest.get(..end).unwrap_or(rest)
}

/// What can stand in the place of a field: its choices, or a hole.
fn values(name: &str, entry: &mut Entry) -> Vec<String> {
    let definition = entry
        .definitions("connection_config")
        .into_iter()
        .find(|(known, _)| entry.names.config_name(known) == name);
    let definition = definition.map_or(Value::Null, |(_, definition)| definition);
    let choices = definition.get("enum").and_then(Value::as_array).into_iter().flatten();
    let choices: Vec<String> = choices
        .filter_map(Value::as_str)
        .map(|choice| authority(choice.trim()).to_ascii_lowercase())
        .collect();
    if !choices.is_empty() {
        return choices;
    }
    let hole = format!("{{{name}}}");
    // An account may have a name of several labels, where the field admits a dot or its example has one.
    let admits_dot = definition
        .get("pattern")
        .and_then(Value::as_str)
        .and_then(|pattern| regex::Regex::new(&format!(r"\A(?:{pattern})\z")).ok())
        .is_some_and(|regex| regex.is_match("acme.eu"));
    let example = definition.get("example").and_then(Value::as_str).unwrap_or_default();
    let labels = example.split('.').count().clamp(1, 4).max(if admits_dot { 2 } else { 1 });
    let of =
        |count: usize| (1..=count).map(|number| format!("{{{name}{number}}}")).collect::<Vec<_>>().join(".");
    std::iter::once(hole).chain((2..=labels).map(of)).collect()
}

/// Several holes in one label are one: `{a}-{b}` can be whatever `{a}` can be.
fn one_hole_a_label(host: &str) -> String {
    let labels = host.split('.').map(|label| match (label.find('{'), label.rfind('}')) {
        (Some(start), Some(end)) => {
            let name: String =
                label[start + 1..end].chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            format!("{}{{{name}}}{}", &label[..start], &label[end + 1..])
        }
        _ => label.to_owned(),
    });
    labels.collect::<Vec<_>>().join(".")
}
