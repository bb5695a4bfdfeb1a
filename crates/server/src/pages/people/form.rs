//! What a form posts, and what a page shows of it again.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::Response;
use secrecy::SecretString;
use tombolo_platform::catalog::FieldError;
use tombolo_platform::{Problem, ProblemKind};

use super::view::{Looker, refused};
use crate::pages::shell::Shell;
use crate::routes::Routes;

/// Longer than any form of these pages.
const BYTES_MAX: usize = 32 * 1024;

/// The fields of a form, and who posted it. Nothing but a form of a browser is taken.
pub(super) struct Posted {
    pub(super) looker: Looker,
    fields: BTreeMap<String, String>,
}

impl FromRequest<Routes> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, routes: &Routes) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let looker = match Looker::from_request_parts(&mut parts, routes).await {
            Ok(looker) => looker,
            Err(never) => match never {},
        };
        let request =
            Request::from_parts(parts, axum::body::Body::new(http_body_util::Limited::new(body, BYTES_MAX)));
        match axum::Form::<BTreeMap<String, String>>::from_request(request, routes).await {
            Ok(axum::Form(fields)) => Ok(Self { looker, fields }),
            Err(rejection) => {
                let kind = match rejection.status().as_u16() {
                    413 => ProblemKind::TooLarge,
                    415 => ProblemKind::UnsupportedMediaType,
                    _ => ProblemKind::Invalid,
                };
                let fix = "Open the page again, and fill it in once more.";
                let problem = Problem::new(kind, "unreadable_form", "The form could not be read", fix);
                Err(refused(&looker, &problem))
            }
        }
    }
}

impl Posted {
    /// What was typed, or nothing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }

    /// What was typed where nobody shows it again.
    pub(super) fn secret(&self, name: &str) -> SecretString {
        self.text(name).into()
    }
}

/// One line of a form.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) help: String,
    /// What stands in it. Empty for passwords.
    pub(super) value: String,
    /// What is wrong with it.
    pub(super) fault: String,
    /// `text` or `password`.
    pub(super) kind: &'static str,
    /// What browsers and password managers know it as.
    pub(super) autocomplete: &'static str,
    /// Whether a script fills it from the fragment of the address, and hides it then.
    pub(super) is_from_address: bool,
    pub(super) optional: bool,
}

impl Line {
    /// A line of text.
    pub(super) fn text(name: &'static str, label: String, autocomplete: &'static str) -> Self {
        let (help, value, fault) = (String::new(), String::new(), String::new());
        Self {
            name,
            label,
            help,
            value,
            fault,
            kind: "text",
            autocomplete,
            is_from_address: false,
            optional: false,
        }
    }

    /// A password.
    pub(super) fn password(name: &'static str, label: String, autocomplete: &'static str) -> Self {
        Self { kind: "password", ..Self::text(name, label, autocomplete) }
    }

    pub(super) fn with_help(self, help: String) -> Self {
        Self { help, ..self }
    }

    pub(super) fn with_value(self, value: &str) -> Self {
        Self { value: value.to_owned(), ..self }
    }

    /// With what is wrong with it, of all that is wrong.
    pub(super) fn judged(self, shell: &Shell, faults: &[FieldError]) -> Self {
        let fault = faults.iter().find(|fault| fault.field == self.name);
        Self { fault: fault.map(|fault| shell.of(&fault.message).to_owned()).unwrap_or_default(), ..self }
    }

    /// The ids of what describes it: what is wrong stands in the place of the help.
    pub(super) fn described_by(&self) -> String {
        let is_helped = !self.help.is_empty() && self.fault.is_empty();
        let help = if is_helped { format!("{}-help ", self.name) } else { String::new() };
        format!("{help}{}-error", self.name)
    }
}
