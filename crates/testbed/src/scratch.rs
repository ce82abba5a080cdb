//! The directory of a run: content, copies, logs. It says whose it is, so that a run that was killed leaves nothing for
//! longer than until the next one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// What the names of such directories begin with.
const PREFIX: &str = "swarmlab-testbed-";
/// The file that says whose it is: process id and when that process began, in the kernel's ticks.
const OWNER: &str = "owner";

/// A directory that is removed in the end.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    /// Makes one in the directory for temporary files, and removes those of runs that are no more.
    pub(crate) fn make() -> io::Result<Scratch> {
        remove_leftovers(&std::env::temp_dir());
        let dir = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        let own = std::process::id();
        fs::write(dir.path().join(OWNER), format!("{own} {}\n", began(own).unwrap_or(0)))?;
        Ok(Scratch(dir))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A new directory in it.
    pub(crate) fn folder(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path().join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }
}

/// Removes the directories of processes that are no more. What cannot be read as ours stays.
fn remove_leftovers(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_leftover(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_leftover(dir: &Path) -> bool {
    let owner = fs::read_to_string(dir.join(OWNER)).unwrap_or_default();
    let mut numbers = owner.split_whitespace().map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(process)), Some(Ok(then))) => {
            u32::try_from(process).is_ok_and(|process| began(process) != Some(then))
        }
        _ => false,
    }
}

/// When a process began, in ticks since the machine did; `None` if there is no such process.
fn began(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in parentheses, may hold anything; the time is the twentieth field behind it.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_dead_have_left_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let own = std::process::id();
        let living = began(own).expect("this process has begun");
        let make = |name: &str, owner: &str| {
            let dir = place.path().join(name);
            fs::create_dir(&dir).unwrap();
            fs::write(dir.join(OWNER), owner).unwrap();
            dir
        };
        let alive = make("swarmlab-testbed-a", &format!("{own} {living}"));
        let dead = make("swarmlab-testbed-b", "4194305 17");
        let reused = make("swarmlab-testbed-c", &format!("{own} {}", living + 1));
        let unknown = make("swarmlab-testbed-d", "");
        let foreign = make("other", "4194305 17");
        remove_leftovers(place.path());
        assert_eq!(
            [&alive, &dead, &reused, &unknown, &foreign].map(|dir| dir.exists()),
            [true, false, false, true, true]
        );
    }
}
