//! `tombolo demo`: the whole story on this machine, with an emulated Kintone and nothing to sign up for.

mod check;
mod next;
mod sample;
mod story;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::connection::stages::Stages;
use super::serve::stop_signal;
use crate::output::Output;
use world::World;

/// Start a server, an emulated Kintone with sample apps and linked connections, and say what to try.
#[derive(Debug, Args)]
#[command(after_help = "Everything runs on free ports of this machine; nothing leaves it. Ctrl-C ends it.")]
pub struct Demo {
    /// Tell the story once, check every step of it, and exit with 0 or 1.
    #[arg(long)]
    check: bool,
    /// Keep the data here; a temporary directory that is removed at the end when absent.
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
}

impl Demo {
    /// Runs the demo until SIGINT or SIGTERM, or once with `--check`.
    pub async fn run(self, output: Output) -> anyhow::Result<ExitCode> {
        let world = World::start(self.data_dir).await?;
        world.introduce();
        let outcome = story::tell(&world, Stages::new(output).indented("   ")).await;
        if self.check {
            let outcome = match outcome {
                Ok(()) => check::check(&world).await,
                failed => failed,
            };
            world.stop().await;
            outcome?;
            println!("\ndemo: every step went as it should");
            return Ok(ExitCode::SUCCESS);
        }
        if let Err(error) = outcome {
            world.stop().await;
            return Err(error);
        }
        next::suggest(&world);
        println!();
        world.invite().await?;
        stop_signal().await?;
        eprintln!("stopping");
        world.stop().await;
        Ok(ExitCode::SUCCESS)
    }
}
