//! One started program: its log, its end. Owns the child; a value dropped for whatever reason (also a panic) takes the
//! program with it, by its own process id only.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How often a condition is looked at again.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long a program may take to leave after SIGTERM before it is killed.
const LEAVE: Duration = Duration::from_secs(10);

/// A running program whose standard output and error are kept.
pub(crate) struct Process {
    name: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Process {
    /// Starts `command`; its output goes to `folder/name.out` and `folder/name.err`.
    pub(crate) fn start(name: &str, mut command: Command, folder: &Path) -> Result<Self, String> {
        let stdout = folder.join(format!("{name}.out"));
        let stderr = folder.join(format!("{name}.err"));
        let create = |path: &Path| File::create(path).map_err(|error| format!("{}: {error}", path.display()));
        let child = command
            .stdin(Stdio::null())
            .stdout(create(&stdout)?)
            .stderr(create(&stderr)?)
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        Ok(Self { name: name.to_owned(), child, stdout, stderr })
    }

    /// The exit status if the program has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of this process can be waited for")
    }

    /// Asks the program to leave (SIGTERM), kills it when it does not within ten seconds.
    pub(crate) fn stop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        self.signal(Signal::TERM);
        let end = Instant::now() + LEAVE;
        while self.ended().is_none() && Instant::now() < end {
            thread::sleep(LOOK_AGAIN);
        }
        self.kill();
    }

    /// What the program wrote to its standard output so far.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stdout).unwrap_or_default()).into_owned()
    }

    /// Name and last lines of both outputs, for a failure's message.
    pub(crate) fn last_words(&self) -> String {
        let mut words = format!("--- {}:\n", self.name);
        for path in [&self.stdout, &self.stderr] {
            let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
            let lines: Vec<&str> = text.lines().collect();
            for line in &lines[lines.len().saturating_sub(15)..] {
                words.push_str(line);
                words.push('\n');
            }
        }
        words
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        // The child is not waited for yet, so its id cannot have gone to another process. An error here means that it
        // has just ended, which is what was asked.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
