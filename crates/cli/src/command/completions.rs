//! `tombolo completions`

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::CommandLine;
use crate::exit::Exit;
use crate::output::line;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tombolo completions bash > /etc/bash_completion.d/tombolo
  tombolo completions zsh > \"${fpath[1]}/_tombolo\"
  tombolo completions fish > ~/.config/fish/completions/tombolo.fish")]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), "tombolo", &mut script);
        line(String::from_utf8_lossy(&script).trim_end())?;
        Ok(Exit::Done)
    }
}
