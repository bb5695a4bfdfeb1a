#![doc = include_str!("../README.md")]

mod front;
mod listen;
mod pages;
mod problem;
mod public_url;
mod request_id;
mod routes;

pub use front::ServerBody;
pub use listen::{InProcess, Server, ServerError, ServerOptions, Tls};
pub use request_id::RequestIds;
pub use routes::{Peer, openapi};
