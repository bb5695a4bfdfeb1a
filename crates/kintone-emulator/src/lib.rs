#![doc = include_str!("../README.md")]

mod api;
mod auth;
mod browser;
mod clock;
mod control;
mod emulator;
mod faults;
mod http;
mod identifiers;
mod limits;
pub mod model;
mod oauth;
pub mod query;
mod respond;
mod seed;
mod servers;
mod service;
mod simulator;
mod world;
pub mod write;

pub use clock::{Clock, SettableClock, SystemClock};
pub use control::{BrowserSession, Control, ControlError, LoggedRequest};
pub use emulator::{Emulator, EmulatorError, EmulatorOptions};
pub use faults::{Effect, Fault};
pub use http::{ClientCertificate, PfxError};
pub use seed::{AppSeed, GeneratedSeed, Seed, SeedError, TenantSeed};
pub use simulator::{AcceptedCredential, Simulator, SimulatorError, SimulatorOptions};
