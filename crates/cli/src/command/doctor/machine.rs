//! Clock, data directory and master key: what can be seen with nothing started.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tombolo_platform::start::{KeyPlace, StartOptions, current_master_key};
use tombolo_platform::{Clock as _, SystemClock};

use super::Check;
use crate::command::arguments::moment;
use crate::connect_api::has_installation;

/// A clock before this moment was never set: this program is younger. 2026-01-01.
const EARLIEST_MILLISECONDS: i64 = 1_767_225_600_000;

/// Whether the clock was ever set. Whether it is right shows at the hosts that are reached.
pub fn clock() -> Check {
    let now = SystemClock.now().as_milliseconds();
    let shown = jiff::Timestamp::from_millisecond(now).map(moment).unwrap_or_default();
    if now < EARLIEST_MILLISECONDS {
        let fix = "Set the clock, best by a time service (NTP): certificates and tokens depend on it.";
        return Check::bad("clock", format!("it says {shown}, which is in the past"), fix);
    }
    Check::good("clock", shown)
}

/// Whether the data directory can be used, and by nobody else.
pub fn data_directory(options: &StartOptions) -> Option<Check> {
    if options.postgres.is_some() {
        return None;
    }
    let path = &options.data_directory;
    let subject = "data directory";
    let shown = path.display();
    let mode = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => metadata.permissions().mode() & 0o777,
        Ok(_) => {
            return Some(Check::bad(
                subject,
                format!("{shown} is no directory"),
                "Move that file away, or name another directory with --data-dir.",
            ));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let fix = "The first `tombolo serve` or `tombolo connection create` makes it. If there was one, say where with --data-dir.";
            return Some(Check::notice(subject, format!("{shown} is not there yet"), fix));
        }
        Err(error) => {
            let fix = "Let the user that runs Tombolo read and write it.";
            return Some(Check::bad(subject, format!("{shown} cannot be read: {error}"), fix));
        }
    };
    if let Err(error) = tempfile::Builder::new().prefix(".doctor").tempfile_in(path) {
        let fix = "Let the user that runs Tombolo write there, and check that the disk is neither full nor read-only.";
        return Some(Check::bad(subject, format!("nothing can be written to {shown}: {error}"), fix));
    }
    if !is_private(mode) {
        let fix = format!("Other users of this machine can look into it: chmod 700 {shown}");
        return Some(Check::notice(subject, format!("{shown} has the mode {mode:o}"), fix));
    }
    Some(Check::good(subject, shown.to_string()))
}

/// Whether there is a master key. Whether it is the right one shows when the database is opened.
pub fn master_key(options: &StartOptions) -> Check {
    let subject = "master key";
    match current_master_key(options) {
        Ok((key, KeyPlace::Text)) => Check::good(subject, format!("{} from TOMBOLO_MASTER_KEY", key.id())),
        Ok((key, KeyPlace::File(path))) => of_file(&key.id().to_string(), &path),
        Err(_) if options.postgres.is_none() && !has_installation(&options.data_directory) => {
            Check::good(subject, "none yet: the first start makes it")
        }
        Err(error) => Check::failed(subject, &error.into()),
    }
}

fn of_file(id: &str, path: &Path) -> Check {
    let mode = fs::metadata(path).map_or(0o600, |metadata| metadata.permissions().mode() & 0o777);
    let saw = format!("{id} in {}", path.display());
    if is_private(mode) {
        return Check::good("master key", saw);
    }
    let fix = format!("Other users of this machine can read it: chmod 600 {}", path.display());
    Check::bad("master key", format!("{saw} has the mode {mode:o}"), fix)
}

/// Whether nobody but the owner may do anything: the last six bits are the group's and the others'.
fn is_private(mode: u32) -> bool {
    mode.trailing_zeros() >= 6
}
