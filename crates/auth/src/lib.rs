#![doc = include_str!("../README.md")]

mod authenticator;
mod credentials;
mod extract;
mod form;

pub use authenticator::{ApplyError, Authenticator, Selection};
pub use credentials::{Credentials, CredentialsBuilder, MalformedCredentials};
pub use extract::extract_keys;
pub use form::{Accepted, Form, FormEntries, Typed};
