//! A folder for one test, whose temporary files lie in it too, so that what is left of a run can be told from what others do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{LOOK_AGAIN, Process};

/// Generous: it only bounds a test that would fail anyway. Transmission alone takes some 20 s for a small swarm.
const PATIENCE: Duration = Duration::from_secs(120);

/// The place of one test.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// An empty one.
    pub(crate) fn new() -> Result<Place, String> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).map_err(|error| error.to_string())?;
        fs::create_dir(folder.path().join("tmp")).map_err(|error| error.to_string())?;
        Ok(Place { folder })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a testbed for a scenario.
    pub(crate) fn start(&self, name: &str, scenario: &str, arguments: &[&str]) -> Result<Process, String> {
        fs::write(self.path().join("scenario.toml"), scenario).map_err(|error| error.to_string())?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_swarmlab"));
        command.args(["testbed", "scenario.toml"]).args(arguments).current_dir(self.path());
        command.env("TMPDIR", self.path().join("tmp")).env("HOME", self.path());
        Process::start(name, command, self.path())
    }

    /// Waits for the end of a run.
    pub(crate) fn end(&self, run: &mut Process) -> Result<ExitStatus, String> {
        self.wait(run, "its end", Process::ended)
    }

    /// Waits until the first leech has been started.
    pub(crate) fn wait_for_peers(&self, run: &mut Process) -> Result<(), String> {
        self.wait(run, "a leech", |_| {
            self.scratch().filter(|dir| dir.join("peer 1 of leeches.log").exists()).map(drop)
        })
    }

    /// The directory of a run.
    pub(crate) fn scratch(&self) -> Option<PathBuf> {
        fs::read_dir(self.path().join("tmp")).ok()?.flatten().map(|entry| entry.path()).next()
    }

    fn wait<T>(
        &self,
        run: &mut Process,
        what: &str,
        mut look: impl FnMut(&mut Process) -> Option<T>,
    ) -> Result<T, String> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(run) {
                return Ok(found);
            }
            if Instant::now() > end {
                return Err(format!("not in time: {what}\n{}", run.last_words()));
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// The JSON file of a result.
    pub(crate) fn json(&self, path: &str) -> Result<Value, String> {
        let text = fs::read_to_string(self.path().join(path)).map_err(|error| format!("{path}: {error}"))?;
        serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))
    }

    /// Fails if a process, a mount or (unless they may be) files of a run are left; those that are just ending get a while.
    pub(crate) fn nothing_is_left(&self, files_too: bool) -> Result<(), String> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let mut left = self.processes();
            left.extend(mounts());
            if files_too {
                left.extend(self.scratch().map(|dir| dir.display().to_string()));
            }
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(format!("left behind: {left:?}"));
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Processes that were started for a run in this place: their environment or their arguments name it.
    fn processes(&self) -> Vec<String> {
        let place = self.path().display().to_string();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let text = |name: &str| {
                String::from_utf8_lossy(&fs::read(entry.path().join(name)).unwrap_or_default()).into_owned()
            };
            let arguments = text("cmdline");
            if arguments.contains(&place) || text("environ").contains(&place) {
                found.push(format!("{}: {arguments}", entry.file_name().display()));
            }
        }
        found
    }
}

/// Names of namespaces of a testbed that the whole machine sees; there must be none at any time.
fn mounts() -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let names = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    table.lines().map(str::to_owned).chain(names).filter(|text| text.contains("swl-")).collect()
}
