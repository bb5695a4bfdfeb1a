//! The platform against the Kintone emulator: linking, testing and calling.

mod connect;
mod faults;
mod simulated;
mod start;
mod verdicts;
mod world;
