//! Which foreign programs a test needs, whether this machine has them, and what is said when it does not.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) use swarmlab_testbed::python;

/// The binary under test.
pub(crate) const SWARMLAB: &str = env!("CARGO_BIN_EXE_swarmlab");

/// A foreign program of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    TransmissionDaemon,
    TransmissionCli,
    Aria2,
    Libtorrent,
    Opentracker,
    Mktorrent,
}

impl Program {
    /// The Debian package that brings it.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Program::TransmissionDaemon => "transmission-daemon",
            Program::TransmissionCli => "transmission-cli",
            Program::Aria2 => "aria2",
            Program::Libtorrent => "python3-libtorrent",
            Program::Opentracker => "opentracker",
            Program::Mktorrent => "mktorrent",
        }
    }

    /// Whether it can be run here.
    pub(crate) fn present(self) -> bool {
        match self {
            Program::TransmissionDaemon => on_path("transmission-daemon"),
            Program::TransmissionCli => on_path("transmission-create") && on_path("transmission-show"),
            Program::Aria2 => on_path("aria2c"),
            Program::Libtorrent => python().is_some(),
            Program::Opentracker => on_path("opentracker"),
            Program::Mktorrent => on_path("mktorrent"),
        }
    }
}

/// Runs a program to its end and gives its standard output; its name, status and complaint if it failed.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let name =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{name}: output is not UTF-8"))
}

fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder: PathBuf| folder.join(program)).any(|file| file.is_file())
}
