use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::connection::CreatedConnection;
use crate::problem::Problem;
use crate::text::Text;

/// What a connection test found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TestReport {
    /// Whether the connection can be used.
    pub available: bool,
    /// The last line of every test: `connection available` or `connection unavailable`.
    pub conclusion: Text,
    /// The verdict of the first stage that failed.
    pub verdict: Option<Verdict>,
    /// The stages in the order in which they ran.
    pub stages: Vec<StageReport>,
    /// What the credential may do, by subject (an app, or empty) and capability.
    pub capabilities: BTreeMap<String, BTreeMap<String, bool>>,
}

/// One stage of a connection test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

/// Whose side a failure is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What the person typed.
    Input,
    /// The vendor, or something in the vendor's settings.
    Vendor,
    /// The way between this installation and the vendor.
    Network,
    /// This installation.
    Tombolo,
}

/// What was seen, without anything secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

/// One line of a streamed test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TestProgress {
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
    /// The last line: what the test found.
    Report(TestReport),
    /// The last line when the test itself could not be done.
    Problem {
        /// Why.
        problem: Box<Problem>,
    },
}

/// One line of a streamed creation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CreateProgress {
    /// A stage of the test begins.
    Started {
        /// The stage's stable name.
        stage: String,
        /// The stage's name for people.
        name: Text,
        /// What it is about.
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
    },
    /// A stage of the test has ended.
    Ended(Box<StageReport>),
    /// The last line: the connection was made.
    Created(Box<CreatedConnection>),
    /// The last line when nothing was stored.
    Problem {
        /// Why.
        problem: Box<Problem>,
    },
}
