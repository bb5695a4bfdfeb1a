//! What became of each integration and connection.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use tombolo_api::client::{ApiError, ClientError};
use tombolo_platform::catalog::Language;

use crate::language::either;
use crate::output::{Colour, Output, one_line, table};

/// The whole report, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Where from.
    pub(super) from: String,
    /// Whether nothing was to be written.
    pub(super) dry_run: bool,
    /// Whether everything was looked at.
    pub(super) is_complete: bool,
    pub(super) integrations: Vec<IntegrationRow>,
    pub(super) connections: Vec<ConnectionRow>,
    /// What to do next, in the order in which to do it.
    pub(super) next_steps: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct IntegrationRow {
    pub(super) key: String,
    pub(super) provider: String,
    #[serde(flatten)]
    pub(super) fate: Fate,
    /// What has to be registered with the vendor.
    pub(super) redirect_uri: Option<String>,
    /// Whether it keeps the redirect URI that all clients of the other product share, which is weaker.
    pub(super) shared_callback: bool,
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ConnectionRow {
    pub(super) integration: String,
    pub(super) connection_id: String,
    #[serde(flatten)]
    pub(super) fate: Fate,
    pub(super) notes: Vec<String>,
}

/// What became of one thing.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Fate {
    /// It is here now.
    Moved,
    /// It would be, but nothing was to be written.
    CanMove,
    /// It was here before.
    AlreadyThere,
    /// It is not here, and why.
    CannotMove(Obstacle),
}

/// Why something cannot move, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Obstacle {
    /// A stable name for programs.
    pub(super) code: String,
    pub(super) reason: String,
    pub(super) fix: String,
}

impl Obstacle {
    pub(super) fn new(code: &str, reason: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code: code.to_owned(), reason: reason.into(), fix: fix.into() }
    }

    /// What our server said no to; another failure ends the run.
    pub(super) fn of(error: ClientError) -> Result<Self, ClientError> {
        match error {
            ClientError::Api(error) if error.status < 500 && !matches!(error.status, 401 | 403 | 429) => {
                Ok(Self::of_api(&error))
            }
            // The vendor's answer, or the lack of one.
            ClientError::Api(error) if error.status == 502 && !error.is_of_another_server() => {
                Ok(Self::of_api(&error))
            }
            other => Err(other),
        }
    }

    fn of_api(error: &ApiError) -> Self {
        let mut reason = error.message.clone();
        for field in &error.fields {
            reason.push_str("; ");
            reason.push_str(&field.path.join("."));
            reason.push_str(": ");
            reason.push_str(&field.message);
        }
        Self::new(&error.code, reason, error.fix.clone())
    }
}

impl Fate {
    fn word(&self, language: Language) -> (&'static str, Colour) {
        let (en, ja, colour) = match self {
            Self::Moved => ("moved", "移行済み", Colour::Good),
            Self::CanMove => ("can move", "移行可能", Colour::Good),
            Self::AlreadyThere => ("already there", "登録済み", Colour::Faint),
            Self::CannotMove(_) => ("cannot move", "移行不可", Colour::Bad),
        };
        (if language == Language::Ja { ja } else { en }, colour)
    }

    pub(super) fn obstacle(&self) -> Option<&Obstacle> {
        match self {
            Self::CannotMove(obstacle) => Some(obstacle),
            Self::Moved | Self::CanMove | Self::AlreadyThere => None,
        }
    }
}

impl Report {
    /// Whether something stayed behind.
    pub(super) fn leaves_something(&self) -> bool {
        !self.is_complete || self.fates().any(|fate| fate.obstacle().is_some())
    }

    fn fates(&self) -> impl Iterator<Item = &Fate> {
        let integrations = self.integrations.iter().map(|row| &row.fate);
        integrations.chain(self.connections.iter().map(|row| &row.fate))
    }

    /// As a person reads it.
    pub(super) fn words(&self, output: Output) -> String {
        let language = output.language;
        let word = |fate: &Fate| {
            let (word, colour) = fate.word(language);
            output.paint(colour, word)
        };
        let rows = self.integrations.iter().map(|row| {
            [
                row.key.clone(),
                row.provider.clone(),
                word(&row.fate),
                row.redirect_uri.clone().unwrap_or_default(),
            ]
        });
        let mut parts = vec![table(["integration", "provider", "outcome", "redirect URI"], rows)];
        let rows = self
            .connections
            .iter()
            .map(|row| [row.connection_id.clone(), row.integration.clone(), word(&row.fate)]);
        if !self.connections.is_empty() {
            parts.push(table(["connection", "integration", "outcome"], rows));
        }
        parts.extend(self.obstacles(language));
        parts.extend(self.notes(language));
        parts.push(self.counts(language));
        if !self.next_steps.is_empty() {
            let steps = self.next_steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1));
            let steps: Vec<String> = steps.collect();
            parts.push(format!("{}\n{}", either(language, "Next", "次の手順"), steps.join("\n")));
        }
        parts.join("\n\n")
    }

    /// Each reason once, with everything that it holds for.
    fn obstacles(&self, language: Language) -> Option<String> {
        let mut found: BTreeMap<&Obstacle, Vec<String>> = BTreeMap::new();
        for row in &self.integrations {
            if let Some(obstacle) = row.fate.obstacle() {
                found.entry(obstacle).or_default().push(one_line(row.key.clone()));
            }
        }
        for row in &self.connections {
            if let Some(obstacle) = row.fate.obstacle() {
                let name = format!("{}/{}", row.integration, row.connection_id);
                found.entry(obstacle).or_default().push(one_line(name));
            }
        }
        let told: Vec<String> = found
            .into_iter()
            .map(|(obstacle, names)| {
                format!(
                    "{} ({})\n  {}\n  {}",
                    one_line(obstacle.reason.clone()),
                    one_line(obstacle.code.clone()),
                    one_line(obstacle.fix.clone()),
                    names.join("\n  ")
                )
            })
            .collect();
        let title = either(language, "What cannot move, and what to do", "移行できないものと対処方法");
        (!told.is_empty()).then(|| format!("{title}\n{}", told.join("\n")))
    }

    fn notes(&self, language: Language) -> Option<String> {
        let integrations = self
            .integrations
            .iter()
            .flat_map(|row| row.notes.iter().map(move |note| (row.key.clone(), note)));
        let connections = self.connections.iter().flat_map(|row| {
            row.notes.iter().map(move |note| (format!("{}/{}", row.integration, row.connection_id), note))
        });
        let told: Vec<String> =
            integrations.chain(connections).map(|(name, note)| one_line(format!("{name}: {note}"))).collect();
        let title = either(language, "To know", "留意事項");
        (!told.is_empty()).then(|| format!("{title}\n{}", told.join("\n")))
    }

    fn counts(&self, language: Language) -> String {
        let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
        for (place, fates) in [
            self.integrations.iter().map(|row| &row.fate).collect::<Vec<_>>(),
            self.connections.iter().map(|row| &row.fate).collect(),
        ]
        .into_iter()
        .enumerate()
        {
            for fate in fates {
                counts.entry(fate.word(language).0).or_default()[place] += 1;
            }
        }
        let rows = counts.into_iter().map(|(word, [integrations, connections])| {
            [word.to_owned(), integrations.to_string(), connections.to_string()]
        });
        table(["outcome", "integrations", "connections"], rows)
    }
}

/// A JSON value as a text for a note.
pub(super) fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_other_server_says_moves_no_cursor() {
        let evil = |what: &str| format!("{what}\u{1b}[2J\u{1b}]0;x\u{7}\r\nmoved");
        let obstacle = Obstacle::new(&evil("code"), evil("reason"), evil("fix"));
        let connection = |fate| ConnectionRow {
            integration: evil("integration"),
            connection_id: evil("connection"),
            fate,
            notes: vec![evil("note")],
        };
        let report = Report {
            from: String::new(),
            dry_run: false,
            is_complete: true,
            integrations: vec![IntegrationRow {
                key: evil("key"),
                provider: evil("provider"),
                fate: Fate::CannotMove(obstacle.clone()),
                redirect_uri: None,
                shared_callback: false,
                notes: vec![evil("note")],
            }],
            connections: vec![connection(Fate::CannotMove(obstacle)), connection(Fate::Moved)],
            next_steps: Vec::new(),
        };
        let parts = [report.obstacles(Language::En), report.notes(Language::En)];
        for part in parts {
            let part = part.expect("something is told");
            assert!(part.chars().all(|c| c == '\n' || !c.is_control()), "{part:?}");
            assert!(part.lines().all(|line| line.trim() != "moved"), "{part:?}");
        }
    }
}
