//! Why a write was refused, with the code, status and `errors` map that Kintone answers.

/// A refused write. The fields are those of the vendor's answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct WriteError {
    /// The vendor's error code, such as `CB_VA01`.
    pub code: &'static str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// One English sentence: what is wrong.
    pub message: String,
    /// For `CB_VA01`, the path of each wrong cell and what is wrong with it, such as `record.num.value`.
    pub errors: Vec<(String, Vec<String>)>,
}

impl WriteError {
    /// A refusal that concerns the request as a whole.
    pub(super) fn refused(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into(), errors: Vec::new() }
    }

    /// Wrong cells.
    pub(super) fn invalid(errors: Vec<(String, Vec<String>)>) -> Self {
        Self { code: "CB_VA01", status: 400, message: "Missing or invalid input.".to_owned(), errors }
    }
}

/// The wrong cells found so far, by path.
#[derive(Debug, Default)]
pub(super) struct Problems {
    by_path: Vec<(String, Vec<String>)>,
    count: usize,
}

impl Problems {
    /// Adds a message. Messages for one cell come one after the other.
    pub(super) fn add(&mut self, path: String, message: impl Into<String>) {
        self.count += 1;
        match self.by_path.last_mut() {
            Some((last, messages)) if *last == path => messages.push(message.into()),
            _ => self.by_path.push((path, vec![message.into()])),
        }
    }

    /// How many messages there are; it tells whether something that was just read has added one.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// `Ok` if there are none.
    pub(super) fn into_result(self) -> Result<(), WriteError> {
        if self.by_path.is_empty() { Ok(()) } else { Err(WriteError::invalid(self.by_path)) }
    }
}
