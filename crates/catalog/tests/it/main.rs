//! The catalog as its users see it: what a person who writes a provider file is told, and what the shipped files keep.

mod broken_files;
mod errors_from;
mod gates;
mod guide;
mod import;
mod oauth2;
mod shipped_files;
