//! The error a command ends with: what failed, why, and what to do next.
//!
//! A message names the thing (file, place in it, value); the chain of causes says why; the help line says the
//! next step. Printing is in [`crate::env::Env::report`].

use std::error::Error as StdError;
use std::fmt;

use crate::exit::Exit;

/// An error for the user.
#[derive(Debug)]
pub struct Error {
    message: String,
    exit: Exit,
    /// Lines that show it, below the message.
    lines: Vec<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    help: Option<String>,
}

impl Error {
    /// Something failed while working (exit status 1): a file that cannot be read, an address in use.
    pub fn failed(message: impl Into<String>) -> Error {
        Error { message: message.into(), exit: Exit::Failed, lines: Vec::new(), source: None, help: None }
    }

    /// What the user gave is wrong: flags, or a torrent or another input that is not valid (exit status 2).
    pub fn invalid(message: impl Into<String>) -> Error {
        Error { exit: Exit::Usage, ..Error::failed(message) }
    }

    /// Data did not verify (exit status 3).
    pub fn unverified(message: impl Into<String>) -> Error {
        Error { exit: Exit::Unverified, ..Error::failed(message) }
    }

    /// The work ended before it was finished (exit status 4).
    pub fn unfinished(message: impl Into<String>) -> Error {
        Error { exit: Exit::Unfinished, ..Error::failed(message) }
    }

    /// An expectation written in the scenario was not met (exit status 5).
    pub fn unmet(message: impl Into<String>) -> Error {
        Error { exit: Exit::Unmet, ..Error::failed(message) }
    }

    /// The same error with lines that show it: the places in a file, one thing a line.
    pub fn shown_by(mut self, text: &str) -> Error {
        self.lines = text.lines().map(str::to_owned).collect();
        self
    }

    /// The lines that show it.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The same error with its cause. The message should not repeat it: it is printed below.
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        self.source = Some(source.into());
        self
    }

    /// The same error with the next step, printed as `help: ...`.
    pub fn help(mut self, help: impl Into<String>) -> Error {
        self.help = Some(help.into());
        self
    }

    /// The exit status this error leads to.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What to do next, if anything is known.
    pub fn next_step(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Only writing the output converts by itself; every other I/O error needs the name of its file.
impl From<crate::env::OutputError> for Error {
    fn from(error: crate::env::OutputError) -> Error {
        Error::failed("cannot write the output").because(error.0)
    }
}
