//! OAuth 2.0 of a tenant (RFC 6749): authorization codes for confidential clients, with PKCE (RFC 7636) if the
//! client sends it.

mod authorization;
mod client;
mod consent;
mod error;
mod token;

pub(crate) use consent::{ask, decide};
pub(crate) use token::token;
