//! The emulator from outside: over its sockets, as a client sees it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod authentication;
mod certificates;
mod client;
mod conformance;
mod control;
mod directory;
mod faults;
mod gates;
mod guest_spaces;
mod limits;
mod npm;
mod oauth;
mod oauth_tokens;
mod openapi;
mod protocol;
mod records;
mod sessions;
mod settings;
mod simulator;
mod speed;
mod transport;
