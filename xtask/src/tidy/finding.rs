//! What a rule found.

use std::fmt;

/// One place that a rule has something to say about.
pub(super) struct Finding {
    path: String,
    line: Option<usize>,
    message: String,
    weight: Weight,
}

#[derive(PartialEq, Eq)]
enum Weight {
    /// The rule is broken: the command fails.
    Breach,
    /// Something to think about.
    Note,
}

impl Finding {
    /// A broken rule. The message says what is wrong and what to do.
    pub(super) fn breach(path: impl Into<String>, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into(), weight: Weight::Breach }
    }

    /// Something that is worth a look and breaks no rule.
    pub(super) fn note(path: impl Into<String>, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into(), weight: Weight::Note }
    }

    /// Whether the command must fail.
    pub(super) fn breaks_a_rule(&self) -> bool {
        self.weight == Weight::Breach
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = if self.breaks_a_rule() { "error" } else { "note" };
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        write!(formatter, "{weight}: {}{line}: {}", self.path, self.message)
    }
}

/// The findings as lines, for the tests of the rules.
#[cfg(test)]
pub(super) fn lines(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
