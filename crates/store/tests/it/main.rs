//! The store seen from outside, on both databases.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as loudly as tests")]

mod activity;
mod api_keys;
mod audit;
mod canary;
mod concurrency;
mod connect;
mod connections;
mod environments;
mod faults;
mod harness;
mod jobs;
mod leases;
mod oauth;
mod renewals;
mod schedules;
mod start;
mod users;
mod webhook_events;
mod webhooks;
