//! The listeners, and what passes between bytes and the API: requests, parameters, answers.

mod answer;
mod body;
mod client_authority;
mod form;
mod listener;
mod multipart;
mod parameters;
mod request;
mod tls;

pub(crate) use answer::Answer;
pub(crate) use body::{AnswerBody, BodyFault};
pub(crate) use client_authority::ClientAuthority;
pub use client_authority::{ClientCertificate, PfxError};
pub(crate) use form::Form;
pub(crate) use listener::{Listeners, Respond};
pub(crate) use multipart::{first_file, form_field};
pub(crate) use parameters::Parameters;
pub(crate) use request::Request;
pub(crate) use tls::{TlsError, TlsIdentity, host_of_twin, is_certified_host};
