//! The swarmlab command line: parses arguments, runs one command, turns its outcome into text and an exit status.
//!
//! This crate owns what the user sees: flags, units, colours, progress, errors and JSON. It refuses to know how
//! anything is done: commands call the other crates. Each command is one file in [`commands`], a struct of its
//! flags with a `run(self, env)`; whatever it needs from the world comes through [`env::Env`], so that a test can
//! run it in process.

pub mod args;
mod browser;
mod closed;
pub mod commands;
mod course;
pub mod decode;
pub mod env;
pub mod error;
pub mod exit;
pub mod join;
mod live;
pub mod logging;
pub mod memory;
pub mod picture;
pub mod progress;
mod replay;
pub mod scenario;
mod simulate;
mod sound;
mod stats;
pub mod stop;
pub mod style;
#[cfg(test)]
mod testing;
pub mod text;
pub mod torrent;
mod trace;
mod twin;
mod watching;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::args::Cli;
use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::stop::Stop;

/// Runs the program with these arguments (the first is the program's name) and returns its exit status.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match parse(&args) {
        Ok(cli) => cli,
        Err(error) => {
            // A reader that has gone away does not turn help into a failure.
            let _ = error.print();
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            return exit.into();
        }
    };
    let stop = Stop::default();
    if let Err(error) = stop.on_signals() {
        eprint_error(&error);
        return Exit::Failed.into();
    }
    let env = Env::system(&cli.global, stop);
    logging::install(&env);
    conclude(&env, cli.command.run(&env)).into()
}

/// Parses arguments. Colours of help and of usage errors follow `--color` wherever it stands.
fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    let command = Cli::command().color(args::color_in(args));
    let mut matches = command.try_get_matches_from(args)?;
    Cli::from_arg_matches_mut(&mut matches)
}

/// Prints an error if there is one and decides the exit status.
fn conclude(env: &Env, outcome: Result<Exit, Error>) -> Exit {
    match outcome.and_then(|exit| env.flush().map(|()| exit)) {
        Ok(exit) => exit,
        Err(error) => {
            env.report(&error);
            error.exit()
        }
    }
}

#[allow(clippy::print_stderr)] // before there is an `Env` to print through
fn eprint_error(error: &dyn std::error::Error) {
    eprintln!("error: {error}");
}
