//! The platform against the Kintone emulator: linking, testing and calling.

mod connect;
mod disk;
mod drafts;
mod faults;
mod invalidation;
mod isolation;
mod jobs;
mod simulated;
mod start;
mod verdicts;
mod world;
