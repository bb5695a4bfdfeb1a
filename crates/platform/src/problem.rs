//! What went wrong, for whoever asked: the one error type of the use cases.

use tombolo_catalog::{FieldError, Side, Text};
use tombolo_store::StoreError;

/// A refusal or failure, with everything that an answer needs: what happened, whose side, what to do.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}. {fix}")]
pub struct Problem {
    /// What kind of problem it is; decides the HTTP status and the exit code.
    pub kind: ProblemKind,
    /// A stable name for programs.
    pub code: &'static str,
    /// What happened, one sentence without a full stop. Never holds a secret.
    pub what: String,
    /// What to do about it, one sentence.
    pub fix: String,
    /// Whose side it is on.
    pub side: Side,
    /// The fields that are wrong, for forms.
    pub fields: Vec<FieldError>,
    /// After how many seconds it makes sense to try again.
    pub retry_after: Option<u32>,
}

/// The kinds of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The request is wrong in itself.
    Invalid,
    /// Nobody said who they are, or the API key is not valid.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// There is no such thing in the caller's environment.
    NotFound,
    /// The route does not take this method.
    MethodNotAllowed,
    /// It clashes with what is there.
    Conflict,
    /// A body is larger than the route takes.
    TooLarge,
    /// The body is of another type than the route takes.
    UnsupportedMediaType,
    /// The caller has sent more than it may within a time.
    TooMany,
    /// The connection test failed, so nothing was stored.
    TestFailed,
    /// The connection cannot be used until somebody repairs it.
    Unusable,
    /// The upstream could not be reached or did not answer properly.
    Upstream,
    /// The upstream did not answer in time.
    UpstreamTimeout,
    /// There is no such part of the product.
    NotAvailable,
    /// This server cannot do it at the moment.
    Unavailable,
    /// A fault of this program.
    Internal,
}

impl ProblemKind {
    /// The HTTP status of the kind.
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TestFailed => 422,
            Self::Unusable => 424,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::NotAvailable => 501,
            Self::Upstream => 502,
            Self::Unavailable => 503,
            Self::UpstreamTimeout => 504,
        }
    }

    fn side(self) -> Side {
        match self {
            Self::Upstream | Self::UpstreamTimeout => Side::Vendor,
            Self::Unavailable | Self::NotAvailable | Self::Internal => Side::Tombolo,
            _ => Side::Input,
        }
    }
}

impl Problem {
    /// A problem on the side that its kind suggests.
    pub fn new(
        kind: ProblemKind,
        code: &'static str,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let (what, fix) = (what.into(), fix.into());
        Self { kind, code, what, fix, side: kind.side(), fields: Vec::new(), retry_after: None }
    }

    /// A request that is wrong in itself.
    pub fn invalid(code: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(ProblemKind::Invalid, code, what, fix)
    }

    /// Nobody said who they are, or not validly; unknown, mistyped, revoked and expired keys are told alike.
    pub fn unauthenticated(what: &str) -> Self {
        let fix =
            "Send a valid API key as `Authorization: Bearer tmb_…`; `tombolo api-key create` makes one.";
        Self::new(ProblemKind::Unauthenticated, "unknown_account", what, fix)
    }

    /// Something that is not there, or not in the caller's environment: the two are never told apart.
    pub fn not_found(code: &'static str, what: impl Into<String>) -> Self {
        let fix = "Check the name or id, and that the API key belongs to the same environment.";
        Self::new(ProblemKind::NotFound, code, what, fix)
    }

    /// Fields of a form that are wrong.
    pub fn fields(fields: Vec<FieldError>) -> Self {
        let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
        let what = format!("{} attention: {}", count(fields.len()), names.join(", "));
        let problem = Self::invalid("invalid_body", what, "See `errors` for each field.");
        Self { fields, ..problem }
    }

    /// The same problem on another side.
    #[must_use]
    pub fn on_side(mut self, side: Side) -> Self {
        self.side = side;
        self
    }

    /// The same problem with a hint when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

fn count(fields: usize) -> String {
    if fields == 1 {
        "1 field of the form needs".to_owned()
    } else {
        format!("{fields} fields of the form need")
    }
}

/// One faulty field that no provider file knows, such as the name of a connection.
pub(crate) fn field(name: &str, code: &'static str, en: &str, ja: &str) -> FieldError {
    FieldError { field: name.to_owned(), code, message: Text { en: en.to_owned(), ja: ja.to_owned() } }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let (what, fix) = sentences(&error.to_string());
        let (kind, code) = match &error {
            StoreError::NameTaken { .. } => (ProblemKind::Conflict, "name_taken"),
            StoreError::UniqueKeyTaken { .. } => (ProblemKind::Conflict, "unique_key_taken"),
            StoreError::ApiKeyKnown => (ProblemKind::Conflict, "api_key_known"),
            StoreError::VersionConflict { .. } => (ProblemKind::Conflict, "version_conflict"),
            StoreError::SetUpAlready => (ProblemKind::Conflict, "set_up_already"),
            StoreError::LastAdministrator => (ProblemKind::Conflict, "last_administrator"),
            StoreError::OAuthClientInUse { .. } => (ProblemKind::Conflict, "oauth_client_in_use"),
            StoreError::IntegrationInUse { .. } => (ProblemKind::Conflict, "integration_in_use"),
            StoreError::NotFound { .. } => (ProblemKind::NotFound, "not_found"),
            StoreError::Invalid(_) => (ProblemKind::Invalid, "invalid_body"),
            StoreError::ReadOnly => (ProblemKind::Unavailable, "database_read_only"),
            StoreError::DiskFull => (ProblemKind::Unavailable, "disk_full"),
            StoreError::Busy => (ProblemKind::Unavailable, "database_busy"),
            StoreError::Unavailable { .. } => (ProblemKind::Unavailable, "database_unavailable"),
            _ => (ProblemKind::Internal, "database_error"),
        };
        let problem = Self::new(kind, code, what, fix);
        if error.may_retry() { problem.retry_after(1) } else { problem }
    }
}

/// The store's errors read "what happened; what to do".
fn sentences(text: &str) -> (String, String) {
    let (what, fix) = text.split_once("; ").unwrap_or((text, "see the log of the server for details"));
    let capital = |text: &str| {
        let mut characters = text.chars();
        characters.next().map(|first| first.to_uppercase().chain(characters).collect::<String>())
    };
    (
        capital(what).unwrap_or_default(),
        format!("{}.", capital(fix).unwrap_or_default().trim_end_matches('.')),
    )
}
