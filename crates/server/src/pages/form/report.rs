//! A connection test as pages show it.

use serde::Serialize;
use tombolo_platform::{Outcome, StageReport, TestReport};

use crate::pages::shell::Shell;

/// One stage.
#[derive(Debug, Serialize)]
pub(crate) struct StageView {
    /// What is tried.
    pub(crate) name: String,
    /// `passed`, `failed`, `not_permitted` or `skipped`.
    pub(crate) outcome: &'static str,
    /// The outcome in words.
    pub(crate) said: String,
    /// How long it took.
    pub(crate) time: String,
    /// What a failure means.
    pub(crate) says: String,
    /// What to do.
    pub(crate) fix: String,
    /// The page of the person's own tenant where it is done.
    pub(crate) link: String,
    /// What was seen, for whoever looks closer.
    pub(crate) details: String,
}

/// A whole test.
pub(crate) struct ReportView {
    /// Whether the connection can be used.
    pub(crate) available: bool,
    /// Its last line.
    pub(crate) conclusion: String,
    /// Its stages.
    pub(crate) stages: Vec<StageView>,
    /// What the credential may do.
    pub(crate) rights: Vec<RightsView>,
}

/// What a credential may do with one thing, such as an app.
#[derive(Debug, Serialize)]
pub(crate) struct RightsView {
    /// The thing; empty when it is the account.
    pub(crate) subject: String,
    /// What it may, in the words of the test's stages.
    pub(crate) may: Vec<String>,
    /// What it may not.
    pub(crate) may_not: Vec<String>,
}

impl StageView {
    /// A stage that has ended.
    pub(crate) fn new(shell: &Shell, stage: &StageReport) -> Self {
        let verdict = stage.verdict.as_ref();
        let (outcome, said) = match stage.outcome {
            Outcome::Passed => ("passed", shell.say("stage-passed")),
            Outcome::Failed => ("failed", shell.say("stage-failed")),
            Outcome::NotPermitted => ("not_permitted", shell.say("stage-not-permitted")),
            Outcome::Skipped => ("skipped", shell.say("stage-skipped")),
        };
        Self {
            name: name_of(shell, stage),
            outcome,
            said,
            time: format!("{} ms", stage.micros.div_ceil(1000)),
            says: verdict.map(|verdict| shell.of(&verdict.says).to_owned()).unwrap_or_default(),
            fix: verdict.map(|verdict| shell.of(&verdict.fix).to_owned()).unwrap_or_default(),
            link: verdict
                .and_then(|verdict| verdict.link.clone())
                .filter(|link| link.starts_with("https://"))
                .unwrap_or_default(),
            details: details_of(shell, stage),
        }
    }
}

impl ReportView {
    /// A test that has ended.
    pub(crate) fn new(shell: &Shell, report: &TestReport) -> Self {
        Self {
            available: report.available,
            conclusion: conclusion(shell, report),
            stages: report.stages.iter().map(|stage| StageView::new(shell, stage)).collect(),
            rights: rights(shell, report),
        }
    }
}

/// The last line of a test.
pub(crate) fn conclusion(shell: &Shell, report: &TestReport) -> String {
    shell.say(if report.available { "connection-available" } else { "connection-unavailable" })
}

/// What the credential may do, told in the words of the stages that found it out.
pub(crate) fn rights(shell: &Shell, report: &TestReport) -> Vec<RightsView> {
    let in_words = |subject: &str, stage: &str| {
        let fits = |known: &&StageReport| {
            known.stage == stage && known.subject.as_deref().unwrap_or_default() == subject
        };
        let found = report.stages.iter().find(fits);
        found.map_or_else(|| stage.to_owned(), |stage| shell.of(&stage.name).to_owned())
    };
    let of = |(subject, all): (&String, &std::collections::BTreeMap<String, bool>)| {
        let those = |wanted: bool| {
            all.iter().filter(|(_, may)| **may == wanted).map(|(name, _)| in_words(subject, name)).collect()
        };
        RightsView { subject: subject.clone(), may: those(true), may_not: those(false) }
    };
    report.capabilities.iter().map(of).collect()
}

/// The stage's name with what it is about.
pub(crate) fn name_of(shell: &Shell, stage: &StageReport) -> String {
    match &stage.subject {
        Some(subject) => format!("{} ({subject})", shell.of(&stage.name)),
        None => shell.of(&stage.name).to_owned(),
    }
}

fn details_of(shell: &Shell, stage: &StageReport) -> String {
    let Some(details) = &stage.details else { return String::new() };
    let status = details.status.map(|status| format!("HTTP {status}"));
    let note = details.note.as_ref().map(|note| shell.of(note).to_owned());
    let texts = [
        status,
        details.code.clone(),
        details.request_id.clone(),
        details.message.clone(),
        details.network.clone(),
        note,
    ];
    texts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
