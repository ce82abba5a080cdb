//! Running commands in process, for tests: arguments in; exit status, stdout and stderr out.

use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use clap::Parser as _;

use crate::args::Cli;
use crate::env::{Env, Streams};
use crate::stop::Stop;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Standard output as the JSON document it should be.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs a command that reads no file.
pub(crate) fn run(args: &[&str]) -> Outcome {
    run_in(Path::new(""), args)
}

/// Runs a command with relative paths taken from `dir`.
pub(crate) fn run_in(dir: &Path, args: &[&str]) -> Outcome {
    run_with(dir, args, b"")
}

/// Runs a command that finds `input` on its standard input.
pub(crate) fn run_with(dir: &Path, args: &[&str], input: &[u8]) -> Outcome {
    let words: Vec<OsString> =
        std::iter::once("swarmlab").chain(args.iter().copied()).map(OsString::from).collect();
    let cli = match crate::parse(&words) {
        Ok(cli) => cli,
        Err(error) => {
            let status = if error.use_stderr() { 2 } else { 0 };
            return Outcome { status, stdout: String::new(), stderr: error.render().to_string() };
        }
    };
    let recorder = Recorder::default();
    let streams = recorder.streams(Cursor::new(input.to_vec()), false);
    let env = Env::new(&cli.global, Stop::default(), streams, dir.to_owned());
    let exit = crate::conclude(&env, cli.command.run(&env));
    Outcome { status: exit.code(), stdout: recorder.stdout(), stderr: recorder.stderr() }
}

/// Keeps what is written to both streams.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    stdout: Shared,
    stderr: Shared,
}

impl Recorder {
    /// An environment with these global options that writes here.
    pub(crate) fn env(&self, options: &[&str], err_terminal: bool) -> Env {
        self.env_in(options, err_terminal, Path::new(""))
    }

    /// The same with relative paths taken from `dir`.
    pub(crate) fn env_in(&self, options: &[&str], err_terminal: bool, dir: &Path) -> Env {
        let cli = Cli::parse_from(["swarmlab"].iter().chain(options).chain(&["man"]));
        Env::new(&cli.global, Stop::default(), self.streams(io::empty(), err_terminal), dir.to_owned())
    }

    fn streams(&self, stdin: impl io::Read + Send + 'static, err_terminal: bool) -> Streams {
        Streams {
            stdin: (Box::new(stdin), false),
            stdout: (Box::new(self.stdout.clone()), false),
            stderr: (Box::new(self.stderr.clone()), err_terminal),
        }
    }

    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
