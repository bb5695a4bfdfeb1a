#![doc = include_str!("../README.md")]

mod authenticator;
mod certificate;
mod claims;
mod credentials;
mod exchange;
mod extract;
mod form;
mod oauth2;

pub use authenticator::{ApplyError, Authenticator, Selection};
pub use certificate::{
    CertificateFacts, CertificateFault, CertificateFile, CertificateKind, ClientCertificate,
    MalformedCertificate,
};
pub use credentials::{Credentials, CredentialsBuilder, MalformedCredentials};
pub use exchange::{ExchangeAnswer, ExchangeFailure, ExchangeRequest, Step, Tokens};
pub use extract::extract_keys;
pub use form::{Accepted, Form, FormEntries, Typed};
pub use oauth2::{AuthorizationRequest, Grant, OAuth2Exchange, OAuthClient, pkce_challenge};
