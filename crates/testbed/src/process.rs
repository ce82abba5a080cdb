//! One started program: its log and its end. Owns the child; a value dropped for whatever reason (also a panic) takes the
//! program with it, by its own process id only.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::TestbedError;

/// How long a program may take to leave after it was asked to, before it is killed.
const LEAVE: Duration = Duration::from_secs(5);
/// Lines of a log that are shown of a program that is lost.
const WORDS: usize = 12;

/// A running program. Its standard input is a pipe, what it complains of goes to a file.
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// Asked to leave then.
    asked: Option<Instant>,
}

impl Process {
    /// Starts a program. It gets a group of its own, so that a Ctrl-C is for us alone. What it says is read from
    /// [`Process::output`] or, if nobody is to read it, goes to the log.
    pub(crate) fn start(
        name: &str,
        mut command: Command,
        folder: &Path,
        is_read: bool,
    ) -> Result<Process, TestbedError> {
        let log = folder.join(format!("{name}.log"));
        let failed = |error| TestbedError::File(log.clone(), error);
        let errors = File::create(&log).map_err(failed)?;
        let output = if is_read { Stdio::piped() } else { errors.try_clone().map_err(failed)?.into() };
        let child = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| TestbedError::Start(name.to_owned(), error))?;
        Ok(Process { name: name.to_owned(), child, log, asked: None })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard output, once.
    pub(crate) fn output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Its standard input, once.
    pub(crate) fn input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// The exit status if it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        // The child is not waited for yet, so its id cannot have gone to another process. An error here means that it
        // has just ended.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Asks it to leave.
    pub(crate) fn ask_to_leave(&mut self) {
        self.asked.get_or_insert_with(Instant::now);
        self.signal(Signal::TERM);
    }

    /// Whether it is gone; kills it if it was asked to leave long ago.
    pub(crate) fn is_gone(&mut self) -> bool {
        if self.ended().is_some() {
            return true;
        }
        if self.asked.is_some_and(|asked| asked.elapsed() > LEAVE) {
            self.kill();
            return true;
        }
        false
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The error of a program that is not there as it should be.
    pub(crate) fn lost(&mut self, what: impl Into<String>) -> TestbedError {
        let text = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let words = lines[lines.len().saturating_sub(WORDS)..].join("\n");
        TestbedError::Lost { who: self.name.clone(), what: what.into(), words }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
