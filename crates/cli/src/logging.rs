//! The server's own log, on stderr.

use tracing_subscriber::EnvFilter;

use crate::configuration::{LogFormat, LogSection};

/// Starts logging for the life of the process.
pub fn start(section: &LogSection) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&section.filter)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match section.format {
        LogFormat::Text => log.with_ansi(std::env::var_os("NO_COLOR").is_none()).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
