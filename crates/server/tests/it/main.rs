//! The server as a caller sees it: in this process, on a free port, with an emulated vendor behind it.

mod activity;
mod app;
mod bad_input;
mod board;
mod browser;
mod calls;
mod canary;
mod compatible;
mod connect_ui;
mod connections;
mod document;
mod imported_keys;
mod in_process;
mod isolation;
mod manual;
mod node;
mod oauth;
mod operation;
mod rate;
mod resources;
mod session_clients;
mod sessions;
mod sign_in;
mod tls;
mod vendor_clients;
mod webhooks;
