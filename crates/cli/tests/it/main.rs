//! The binary as people and scripts run it, against an emulated Kintone.

mod administration;
mod bad_input;
mod certificates;
mod connections;
mod demo;
mod doctor;
mod emulators;
mod migrations;
mod nodes;
mod oauth;
mod requests;
mod servers;
mod stand_in;
mod users;
mod world;
