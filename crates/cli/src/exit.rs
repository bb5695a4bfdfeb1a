//! Exit codes: what a script can tell from how a command ended. docs/cli.md and `--help` show the same table.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It was done.
    Done = 0,
    /// It failed in a way that has no code of its own.
    Failure = 1,
    /// What was typed is not right. The parser of the command line exits with the same code.
    Usage = 2,
    /// There is no such thing.
    NotFound = 3,
    /// The vendor refused, or the connection test failed.
    Refused = 4,
    /// The API key is missing, not valid, or may not do this.
    NotPermitted = 5,
    /// It clashes with what is there.
    Conflict = 6,
    /// The server, or the network on the way to the vendor, is not available.
    Unavailable = 7,
}

/// The table of exit codes, for `--help`.
pub const TABLE: &str = "\
Exit codes:
  0  done
  1  failed
  2  what was typed is not right
  3  there is no such thing
  4  the vendor refused, or the connection test failed
  5  the API key is missing, not valid, or may not do this
  6  it clashes with what is there
  7  the server or the network is not available";

impl Exit {
    /// The code for a problem that the API answered with.
    pub fn of_status(status: u16) -> Self {
        match status {
            400 | 405 | 413 | 415 => Self::Usage,
            401 | 403 => Self::NotPermitted,
            404 => Self::NotFound,
            409 => Self::Conflict,
            422 | 424 => Self::Refused,
            502..=504 => Self::Unavailable,
            _ => Self::Failure,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_every_code() {
        let all = [
            Exit::Done,
            Exit::Failure,
            Exit::Usage,
            Exit::NotFound,
            Exit::Refused,
            Exit::NotPermitted,
            Exit::Conflict,
            Exit::Unavailable,
        ];
        for (number, exit) in all.into_iter().enumerate() {
            assert_eq!(exit as usize, number);
            assert!(TABLE.contains(&format!("\n  {number}  ")), "{exit:?}");
        }
    }
}
