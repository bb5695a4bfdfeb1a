//! A connection test as it is told at the terminal: a line for each stage as it ends, then the conclusion.

use tombolo_api::client::Lines;
use tombolo_api::{
    CreateProgress, CreatedConnection, Details, Outcome, StageReport, TestProgress, TestReport, Verdict,
};
use tombolo_platform::catalog::Language;

use super::{broke_off, told};
use crate::command::activity::duration;
use crate::exit::Exit;
use crate::language::{InBoth as _, either};
use crate::output::{Colour, Output, line, one_line, say};

/// Tells a test.
#[derive(Clone, Copy)]
pub struct Stages {
    output: Output,
    /// What stands before each line.
    indent: &'static str,
}

impl Stages {
    pub fn new(output: Output) -> Self {
        Self { output, indent: "" }
    }

    /// Tells the lines further in, as a part of something longer.
    pub fn indented(self, indent: &'static str) -> Self {
        Self { indent, ..self }
    }

    /// Tells the stages of a test until its report.
    pub async fn watch_test(self, mut lines: Lines<TestProgress>) -> anyhow::Result<TestReport> {
        while let Some(line) = lines.next().await? {
            match line {
                TestProgress::Started { .. } => {}
                TestProgress::Ended(report) => self.ended(&report)?,
                TestProgress::Report(report) => return Ok(report),
                TestProgress::Problem { problem } => return Err(told(*problem)),
            }
        }
        Err(broke_off())
    }

    /// Tells the stages of a test on the way to a stored connection until that is stored, which `tell` then talks about,
    /// or until its test has failed: then `nothing` says what was left undone.
    pub async fn watch_to_the_end(
        self,
        lines: Lines<CreateProgress>,
        nothing: &str,
        tell: impl FnOnce(&CreatedConnection),
    ) -> anyhow::Result<Exit> {
        match self.watch_creation(lines).await? {
            Ok(created) => {
                tell(&created);
                match &created.report {
                    Some(report) => self.conclusion(report)?,
                    None => line(&created.connection.id)?,
                }
                Ok(Exit::Done)
            }
            Err(report) => {
                say(nothing);
                self.conclusion(&report)?;
                Ok(Exit::Refused)
            }
        }
    }

    /// Tells the stages of a test on the way to a stored connection, which comes back, or the report of its failed test.
    pub async fn watch_creation(
        self,
        mut lines: Lines<CreateProgress>,
    ) -> anyhow::Result<Result<CreatedConnection, TestReport>> {
        while let Some(line) = lines.next().await? {
            match line {
                CreateProgress::Started { .. } => {}
                CreateProgress::Ended(report) => self.ended(&report)?,
                CreateProgress::Created(created) => return Ok(Ok(*created)),
                CreateProgress::Problem { mut problem } => match problem.report.take() {
                    Some(report) => return Ok(Err(report)),
                    None => return Err(told(*problem)),
                },
            }
        }
        Err(broke_off())
    }

    /// Tells a stage that has ended.
    pub fn ended(self, stage: &StageReport) -> anyhow::Result<()> {
        self.tell(&self.line(stage))
    }

    fn tell(self, text: &str) -> anyhow::Result<()> {
        text.lines().try_for_each(|text| line(format_args!("{}{text}", self.indent)))
    }

    /// Tells the verdict, and as the very last line whether the connection can be used.
    pub fn conclusion(self, report: &TestReport) -> anyhow::Result<()> {
        let language = self.output.language;
        if let Some(stage) = report.stages.iter().find(|stage| stage.outcome == Outcome::Failed) {
            let verdict = stage.verdict.as_ref().or(report.verdict.as_ref());
            line("")?;
            if let Some(verdict) = verdict {
                self.tell(&verdict_in_words(verdict, language))?;
            }
            if let Some(details) = stage.details.as_ref().and_then(|details| in_words(details, language)) {
                line("")?;
                self.tell(&details)?;
            }
            line("")?;
        }
        self.tell(report.conclusion.in_language(language))
    }

    fn line(self, stage: &StageReport) -> String {
        let language = self.output.language;
        let (mark, colour) = match stage.outcome {
            Outcome::Passed => ("✓", Colour::Good),
            Outcome::Failed => ("✗", Colour::Bad),
            Outcome::NotPermitted => ("!", Colour::Notice),
            Outcome::Skipped => ("-", Colour::Faint),
        };
        let name = stage.name.in_language(language);
        let subject = stage
            .subject
            .as_ref()
            .map_or_else(String::new, |subject| format!(" ({})", one_line(subject.clone())));
        let after = match stage.outcome {
            Outcome::NotPermitted => either(language, "not permitted", "権限なし").to_owned(),
            Outcome::Skipped => either(language, "skipped", "対象外").to_owned(),
            Outcome::Passed | Outcome::Failed => duration(stage.micros.into()),
        };
        format!(
            "{} {name}{subject} {}",
            self.output.paint(colour, mark),
            self.output.paint(Colour::Faint, &after)
        )
    }
}

/// What happened, what to do, and where.
pub fn verdict_in_words(verdict: &Verdict, language: Language) -> String {
    let mut text = format!("{}\n{}", verdict.says.in_language(language), verdict.fix.in_language(language));
    if let Some(link) = &verdict.link {
        text.push('\n');
        text.push_str(&one_line(link.clone()));
    }
    text
}

/// What was seen, for whoever has to look closer.
fn in_words(details: &Details, language: Language) -> Option<String> {
    let Details { status, code, request_id, message, network, note } = details;
    let named = [
        ("HTTP", status.map(|status| status.to_string())),
        (either(language, "code", "コード"), code.clone()),
        (either(language, "request id", "リクエストID"), request_id.clone()),
        (either(language, "message", "メッセージ"), message.clone()),
        (either(language, "network", "通信"), network.clone()),
        (either(language, "note", "補足"), note.as_ref().map(|note| note.in_language(language).to_owned())),
    ];
    let lines: Vec<String> = named
        .into_iter()
        .filter_map(|(name, value)| Some(format!("  {name}: {}", one_line(value?))))
        .collect();
    let head = either(language, "Technical details", "技術的な詳細");
    (!lines.is_empty()).then(|| format!("{head}\n{}", lines.join("\n")))
}
