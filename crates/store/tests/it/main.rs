//! The store seen from outside, on both databases.

mod api_keys;
mod audit;
mod connections;
mod environments;
mod harness;
mod jobs;
mod leases;
mod postgres;
mod schedules;
mod start;
mod webhook_events;
