//! Why a simulator cannot start.

use tombolo_catalog::BaseUrlError;

use crate::emulator::EmulatorError;

/// A simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The listeners cannot start.
    #[error(transparent)]
    Start(#[from] EmulatorError),
    /// No value was found that a field accepts.
    #[error(
        "no value was found that the field `{field}` of {of} accepts; give one, or an `example` in the provider file"
    )]
    NoSample {
        /// The auth scheme, or the configuration.
        of: String,
        /// The field.
        field: String,
    },
    /// A given credential does not fit the provider file.
    #[error(
        "the credential for `{scheme}` cannot be accepted: {reason}; give what the provider's form takes"
    )]
    Credential {
        /// The auth scheme.
        scheme: String,
        /// What is wrong.
        reason: String,
    },
    /// A given configuration field does not fit the provider file.
    #[error("the field `{field}` cannot be taken: {reason}; give what the provider's form takes")]
    Config {
        /// The field.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// The provider file knows no such gate.
    #[error(
        "the provider file has no gate of the type http_basic; leave the gate out, or declare it in the file"
    )]
    NoGate,
    /// The sample account has no address.
    #[error("the configuration gives no address of the provider's: {reason}; give other values")]
    BaseUrl {
        /// Why not.
        reason: BaseUrlError,
    },
}

impl SimulatorError {
    pub(super) fn no_sample(scheme: &str, field: &str) -> Self {
        Self::NoSample { of: format!("the auth scheme `{scheme}`"), field: field.to_owned() }
    }

    pub(super) fn no_config_sample(field: &str) -> Self {
        Self::NoSample { of: "the configuration".to_owned(), field: field.to_owned() }
    }
}
