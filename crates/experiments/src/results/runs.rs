//! Several runs of one scenario in one directory: each a directory of a result by itself, `run-1`, `run-2` and so on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::directory::{MANIFEST, WriteError, check_directory};

/// The directory of a run, counted from 1.
pub fn run_directory(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("run-{number}"))
}

/// The number of a run by the name of its directory.
fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_prefix("run-")?;
    (!number.starts_with(['0', '+'])).then(|| number.parse().ok())?
}

/// Whether so many runs may be written there; see [`check_directory`], which judges each of them. More runs that an earlier
/// command has left are refused: they would be taken for runs of this one.
///
/// # Errors
/// When something is there that is no earlier run, or one too many.
pub fn check_run_directories(dir: &Path, runs: u64) -> Result<(), WriteError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(WriteError::NotADirectory(dir.to_owned()));
        }
        Err(error) => return Err(WriteError::Io { what: "read", path: dir.to_owned(), error }),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| WriteError::Io { what: "read", path: dir.to_owned(), error })?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    for name in names {
        match number_of(&name) {
            Some(number) if number <= runs => check_directory(&dir.join(name))?,
            Some(_) => return Err(WriteError::MoreRuns { dir: dir.to_owned(), entry: name }),
            None => return Err(WriteError::Foreign { dir: dir.to_owned(), entry: name }),
        }
    }
    Ok(())
}

/// The directories of the runs in a directory, in the order of their numbers.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn run_directories(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let number = entry.file_name().to_str().and_then(number_of);
        if let Some(number) = number.filter(|_| entry.path().join(MANIFEST).is_file()) {
            found.push((number, entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::small;

    #[test]
    fn runs_are_found_in_the_order_of_their_numbers() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check_run_directories(&dir.path().join("new"), 1).is_ok());
        for number in [10, 2, 1] {
            small().results().write(&run_directory(dir.path(), number)).unwrap();
        }
        fs::create_dir(dir.path().join("run-3")).unwrap();
        let found = run_directories(dir.path()).unwrap();
        assert_eq!(found, [1, 2, 10].map(|number| run_directory(dir.path(), number)));
        assert!(check_run_directories(dir.path(), 10).is_ok());
        let more = check_run_directories(dir.path(), 9).unwrap_err();
        assert!(matches!(&more, WriteError::MoreRuns { entry, .. } if entry == "run-10"), "{more}");
    }

    #[test]
    fn what_is_no_run_is_not_touched() {
        for name in ["run-01", "run-x", "notes.txt"] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(name), "").unwrap();
            let error = check_run_directories(dir.path(), 3).unwrap_err();
            assert!(matches!(&error, WriteError::Foreign { entry, .. } if entry == name), "{error}");
        }
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("run-1")).unwrap();
        fs::write(dir.path().join("run-1/mine"), "").unwrap();
        assert!(matches!(check_run_directories(dir.path(), 3), Err(WriteError::Foreign { .. })));
    }
}
