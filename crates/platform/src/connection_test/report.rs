//! What a connection test found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tombolo_catalog::{Side, Text};

use crate::problem::{Problem, ProblemKind};
use crate::proxy::Learned;

/// The outcome of a connection test.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TestReport {
    /// Whether the connection can be used: every stage that has to pass did.
    pub available: bool,
    /// The stages in the order in which they ran.
    pub stages: Vec<StageReport>,
    /// What the credential may do, by subject (an app, or empty) and capability.
    pub capabilities: BTreeMap<String, BTreeMap<String, bool>>,
    /// What to remember for calls.
    #[serde(default)]
    pub learned: Learned,
    /// The credential must not be tried again before somebody has changed or tested it.
    #[serde(default)]
    pub stopped: bool,
}

/// One stage.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StageReport {
    /// The stage's stable name.
    pub stage: String,
    /// The stage's name for people.
    pub name: Text,
    /// What it was about, such as an app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in microseconds.
    pub micros: u32,
    /// What a failure or refusal means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What was seen, for whoever has to look closer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should.
    Passed,
    /// The connection cannot be used.
    Failed,
    /// The credential may not do this; the connection can be used all the same.
    NotPermitted,
    /// There was nothing to do, or it could not be told without writing.
    Skipped,
}

/// What a failure means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The verdict's stable name.
    pub is: String,
    /// Whose side it is on.
    pub side: Side,
    /// What happened.
    pub says: Text,
    /// What to do.
    pub fix: Text,
    /// The page of the person's own tenant where it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// What was seen, without anything secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// The HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The vendor's error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The vendor's request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The vendor's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What happened on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// A remark, such as the addresses that a name stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

/// What is told while a test runs.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TestEvent {
    /// A stage begins.
    Started {
        /// The stage's stable name.
        stage: String,
        /// The stage's name for people.
        name: Text,
        /// What it is about.
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
    },
    /// A stage has ended.
    Ended(Box<StageReport>),
}

impl TestReport {
    /// The verdict of the first stage that failed.
    pub fn verdict(&self) -> Option<&Verdict> {
        let failed = self.stages.iter().find(|stage| stage.outcome == Outcome::Failed)?;
        failed.verdict.as_ref()
    }

    /// A failed test as a problem of a kind: the verdict of the first stage that failed.
    pub fn as_problem(&self, kind: ProblemKind) -> Problem {
        let code = "connection_test_failed";
        let Some(verdict) = self.verdict() else {
            let fix = "See the stages of the report.";
            return Problem::new(kind, code, "The connection cannot be used", fix);
        };
        let what = verdict.says.en.trim_end_matches('.');
        Problem::new(kind, code, what, verdict.fix.en.clone()).on_side(verdict.side)
    }

    /// The last line of every test.
    pub fn conclusion(&self) -> Text {
        let (en, ja) = if self.available {
            ("connection available", "接続できます")
        } else {
            ("connection unavailable", "接続できません")
        };
        Text { en: en.to_owned(), ja: ja.to_owned() }
    }
}
