//! What went wrong, told so that a person knows what to do and a script can tell it apart.

use std::borrow::Cow;
use std::io::ErrorKind;

use serde_json::{Value, json};
use tombolo_api::TestReport;
use tombolo_api::client::{ApiError, ClientError, TransportError};
use tombolo_platform::catalog::Language;
use tombolo_platform::start::StartError;

use crate::exit::Exit;

/// A failure of a command.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// How the command ends.
    pub exit: Exit,
    /// A stable name for programs.
    pub code: Cow<'static, str>,
    /// What happened, without a full stop.
    pub what: String,
    /// What to do; empty when `what` says it.
    pub fix: String,
    /// What is wrong with which field.
    pub fields: Vec<Fault>,
    /// Names the request in the log of the server; empty when there was none.
    pub request_id: String,
    /// The connection test that failed.
    pub report: Option<Box<TestReport>>,
}

/// What is wrong with one field.
#[derive(Debug, Clone)]
pub struct Fault {
    field: String,
    en: String,
    ja: String,
}

impl Failure {
    /// A failure of this program's own finding.
    pub fn new(exit: Exit, code: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.into(),
            what: what.into(),
            fix: fix.into(),
            fields: Vec::new(),
            request_id: String::new(),
            report: None,
        }
    }

    /// A failure of a part whose errors read "what happened; what to do".
    fn of_sentence(exit: Exit, code: &'static str, error: &dyn std::fmt::Display) -> Self {
        let text = error.to_string();
        let (what, fix) = text.split_once("; ").unwrap_or((&text, ""));
        let mut fix = fix.to_owned();
        if let Some(first) = fix.get_mut(..1) {
            first.make_ascii_uppercase();
            fix.push('.');
        }
        Self::new(exit, code, what, fix)
    }

    /// What was typed is not right.
    pub fn usage(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", what, fix)
    }

    /// Finds out what kind of failure an error is. `None` when whoever read our output has gone away, which is how
    /// `tombolo … | head` ends.
    pub fn of(error: &anyhow::Error) -> Option<Self> {
        if let Some(failure) = error.downcast_ref::<Self>() {
            return Some(failure.clone());
        }
        if let Some(error) = error.downcast_ref::<ClientError>() {
            return Some(Self::of_client(error));
        }
        if let Some(error) = error.downcast_ref::<TransportError>() {
            return Some(Self::of_transport(error));
        }
        if let Some(error) = error.downcast_ref::<StartError>() {
            let exit = match error {
                StartError::Directory(_) | StartError::Store(_) => Exit::Unavailable,
                _ => Exit::Failure,
            };
            return Some(Self::of_sentence(exit, "cannot_start", error));
        }
        let is_gone = |error: &std::io::Error| error.kind() == ErrorKind::BrokenPipe;
        if error.chain().any(|cause| cause.downcast_ref().is_some_and(is_gone)) {
            return None;
        }
        Some(Self::of_sentence(Exit::Failure, "failed", &format!("{error:#}")))
    }

    fn of_client(error: &ClientError) -> Self {
        match error {
            ClientError::Api(error) => Self::from(error.as_ref().clone()),
            ClientError::Transport(error) => Self::of_transport(error),
            ClientError::Unreadable(_) => Self::of_sentence(Exit::Failure, "unreadable_answer", error),
            ClientError::Request(text) => Self::usage(text, ""),
        }
    }

    fn of_transport(error: &TransportError) -> Self {
        let exit = match error {
            TransportError::Url { .. } | TransportError::Authority(_) => Exit::Usage,
            TransportError::Unreachable { .. } | TransportError::Interrupted(_) => Exit::Unavailable,
        };
        Self::of_sentence(exit, "server_unreachable", error)
    }

    /// Tells the failure on stderr: in words, or as one JSON document.
    pub fn tell(&self, json: bool, language: Language) {
        if json {
            eprintln!("{:#}", self.document());
        } else {
            eprintln!("{}", self.words(language));
        }
    }

    fn words(&self, language: Language) -> String {
        let mut lines = vec![format!("error: {}", self.what)];
        if !self.fix.is_empty() && self.fields.is_empty() {
            lines.push(self.fix.clone());
        }
        lines.extend(self.fields.iter().map(|Fault { field, en, ja }| {
            let message = if language == Language::Ja { ja } else { en };
            format!("{field}: {message}")
        }));
        if !self.request_id.is_empty() {
            lines.push(format!("request id: {}", self.request_id));
        }
        lines.join("\n  ")
    }

    fn document(&self) -> Value {
        let fields: Vec<Value> = self
            .fields
            .iter()
            .map(|fault| json!({ "field": fault.field, "message": fault.en, "message_ja": fault.ja }))
            .collect();
        json!({
            "error": {
                "code": self.code,
                "message": self.what,
                "fix": self.fix,
                "fields": fields,
                "request_id": self.request_id,
                "exit_code": self.exit as u8,
                "report": self.report,
            }
        })
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let exit =
            if error.is_of_another_server() { Exit::Unavailable } else { Exit::of_status(error.status) };
        let fields = error.fields.into_iter().map(|field| Fault {
            field: field.path.join("."),
            en: field.message,
            ja: field.message_ja,
        });
        Self {
            exit,
            code: error.code.into(),
            what: error.message,
            fix: error.fix,
            fields: fields.collect(),
            request_id: error.request_id,
            report: error.report.map(Box::new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_api::{ProblemField, Side};

    fn problem(status: u16, fields: Vec<ProblemField>) -> ApiError {
        ApiError {
            status,
            code: "some_code".to_owned(),
            message: "It cannot be done".to_owned(),
            fix: "Do it otherwise.".to_owned(),
            side: Side::Input,
            fields,
            request_id: "req_1".to_owned(),
            report: None,
        }
    }

    #[test]
    fn a_problem_is_told_with_what_to_do_and_its_request() {
        let failure = Failure::of(&ClientError::from(problem(404, Vec::new())).into()).expect("a failure");
        assert_eq!(failure.exit, Exit::NotFound);
        insta::assert_snapshot!(failure.words(Language::En), @r"
        error: It cannot be done
          Do it otherwise.
          request id: req_1
        ");
    }

    #[test]
    fn faults_of_fields_are_told_in_the_language_of_the_person() {
        let field = ProblemField {
            code: "required".to_owned(),
            message: "A connection needs a name.".to_owned(),
            message_ja: "接続名を入力してください。".to_owned(),
            path: vec!["name".to_owned()],
        };
        let failure = Failure::from(problem(400, vec![field]));
        assert_eq!(failure.exit, Exit::Usage);
        insta::assert_snapshot!(failure.words(Language::Ja), @r"
        error: It cannot be done
          name: 接続名を入力してください。
          request id: req_1
        ");
        assert_eq!(failure.document()["error"]["fields"][0]["message"], "A connection needs a name.");
    }

    #[test]
    fn every_kind_of_failure_has_its_exit_code() {
        for (status, exit) in [
            (400, Exit::Usage),
            (401, Exit::NotPermitted),
            (403, Exit::NotPermitted),
            (409, Exit::Conflict),
            (422, Exit::Refused),
            (424, Exit::Refused),
            (500, Exit::Failure),
            (502, Exit::Unavailable),
            (503, Exit::Unavailable),
        ] {
            assert_eq!(Failure::from(problem(status, Vec::new())).exit, exit, "{status}");
        }
        let broken = std::io::Error::from(ErrorKind::BrokenPipe);
        assert!(Failure::of(&anyhow::Error::from(broken)).is_none());
    }
}
