#![doc = include_str!("../README.md")]

mod additions;
mod authenticator;
mod aws;
mod certificate;
mod claims;
mod credentials;
mod exchange;
mod extract;
mod fill;
mod form;
mod jwt;
mod key;
mod local;
mod login;
mod moment;
mod oauth1;
mod oauth1_exchange;
mod oauth2;
mod text;

pub use authenticator::{Added, ApplyError, Authenticator, BodyNeed, Needs, Selection, Signing};
pub use certificate::{
    CertificateFacts, CertificateFault, CertificateFile, CertificateKind, ClientCertificate,
    MalformedCertificate,
};
pub use credentials::{Credentials, CredentialsBuilder, MalformedCredentials};
pub use exchange::{ExchangeAnswer, ExchangeFailure, ExchangeRequest, Step, Tokens};
pub use extract::extract_keys;
pub use fill::Subject;
pub use form::{Accepted, Form, FormEntries, Typed};
pub use local::{RoleExchange, sign_token};
pub use login::LoginExchange;
pub use moment::Moment;
pub use oauth1_exchange::{OAuth1Asked, OAuth1Exchange};
pub use oauth2::{AuthorizationRequest, Grant, OAuth2Exchange, OAuthClient, pkce_challenge};
