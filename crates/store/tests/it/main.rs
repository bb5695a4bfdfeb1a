//! The store seen from outside, on both databases.

mod api_keys;
mod connections;
mod environments;
mod harness;
mod postgres;
mod start;
