//! The form of a receiver.

use std::collections::BTreeMap;

use tombolo_platform::Problem;
use tombolo_platform::store::Webhook;
use tombolo_platform::webhooks::EventType;

use crate::pages::dashboard::visitor::Visitor;
use crate::pages::form::{Posted, faults};

/// What the name of a checkbox begins with.
const EVENT: &str = "event.";

/// A form with what was typed and what is wrong with it.
pub(super) struct WebhookForm {
    pub(super) name: String,
    pub(super) url: String,
    /// The name of the input, the type, and whether it is asked for.
    pub(super) events: Vec<(String, String, bool)>,
    errors: BTreeMap<String, String>,
}

impl WebhookForm {
    pub(super) fn of(webhook: &Webhook) -> Self {
        Self {
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: events(&webhook.event_types),
            errors: BTreeMap::new(),
        }
    }

    pub(super) fn empty() -> Self {
        Self { name: String::new(), url: String::new(), events: events(&[]), errors: BTreeMap::new() }
    }

    /// What was sent, with what is wrong.
    pub(super) fn again(visitor: &Visitor, posted: &Posted, known: &[String], problem: &Problem) -> Self {
        Self {
            name: posted.text("name").to_owned(),
            url: posted.text("url").to_owned(),
            events: events(&chosen(posted, known)),
            errors: faults(&visitor.shell, &problem.fields),
        }
    }

    pub(super) fn error(&self, name: &str) -> &str {
        self.errors.get(name).map_or("", String::as_str)
    }
}

/// The types that were chosen; none for all. Patterns that the webhook has from elsewhere stay choosable.
pub(super) fn chosen(posted: &Posted, known: &[String]) -> Vec<String> {
    let all = events(known).into_iter();
    all.filter(|(input, ..)| posted.has(input)).map(|(_, name, _)| name).collect()
}

fn events(chosen: &[String]) -> Vec<(String, String, bool)> {
    // A test goes to the webhook that is tested, whatever it asks for.
    let offered = EventType::ALL.into_iter().filter(|known| *known != EventType::WebhookTest);
    let mut names: Vec<&str> = std::iter::once("connection.*").chain(offered.map(EventType::name)).collect();
    for other in chosen {
        if !names.contains(&other.as_str()) {
            names.push(other);
        }
    }
    let is_chosen = |name: &str| chosen.iter().any(|known| known == name);
    names.into_iter().map(|name| (format!("{EVENT}{name}"), name.to_owned(), is_chosen(name))).collect()
}
