//! Holes of templates: each has a value wherever its template is used.

use super::Faults;
use crate::diagnostic::nearest;
use crate::provider::ProviderText;
use crate::template::{Hole, Template};

/// What is known where a template is used; each arm has what the one before has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Allowed {
    /// The fields of the configuration.
    Config,
    /// A member of the entry at hand.
    Entry,
    /// What the upstream answered.
    Answer,
}

/// What an explanation can say about an answer.
const ANSWER: &[&str] = &["status", "code", "id", "message"];

/// Every `${config.x}` is a declared field; `${entry.x}` and `${answer.x}` only stand where there is one.
pub(super) fn check(template: &Template, written: &ProviderText, allowed: Allowed, faults: &mut Faults<'_>) {
    for hole in template.holes() {
        let (wrong, fix) = match hole {
            Hole::Config(name) if written.config.get(name).is_none() => (
                format!("`${{config.{name}}}` is no field of `config`"),
                match nearest(name, written.config.names()) {
                    Some(near) => format!("write `${{config.{near}}}`, or declare `{name}` under `config`"),
                    None => format!("declare `{name}` under `config`"),
                },
            ),
            Hole::Entry(name) if allowed < Allowed::Entry => (
                format!("`${{entry.{name}}}` stands where there is no entry"),
                "use it in a stage with `for_each`, or in an explanation".to_owned(),
            ),
            Hole::Answer(name) if allowed < Allowed::Answer => (
                format!("`${{answer.{name}}}` stands where there is no answer yet"),
                "use it in an explanation under `errors`".to_owned(),
            ),
            Hole::Answer(name) if !ANSWER.contains(&name.as_str()) => (
                format!("`${{answer.{name}}}` is nothing that an answer has"),
                format!("use one of {}", ANSWER.join(", ")),
            ),
            Hole::Config(_) | Hole::Entry(_) | Hole::Answer(_) => continue,
        };
        faults.add(template.place(), wrong, fix);
    }
}
