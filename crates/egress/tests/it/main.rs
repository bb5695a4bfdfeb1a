//! The client against real sockets on loopback.
#![expect(clippy::unwrap_used, reason = "a helper that fails has to fail the test")]

mod bodies;
mod connect_to;
mod faults;
mod hostile;
mod keep_alive;
mod probe;
mod proxy_server;
mod rebinding;
mod support;
mod tls;
