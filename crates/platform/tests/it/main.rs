//! The platform against the Kintone emulator: linking, testing and calling.

mod canary;
mod client_credentials;
mod combinations;
mod connect;
mod disk;
mod drafts;
mod faults;
mod generic_keys;
mod health;
mod imported;
mod invalidation;
mod isolation;
mod jobs;
mod oauth;
mod receiver;
mod renewals;
mod restored;
mod simulated;
mod start;
mod streaming;
mod taken_over;
mod verdicts;
mod webhook_formats;
mod webhooks;
mod world;
