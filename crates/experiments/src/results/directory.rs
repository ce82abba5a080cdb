//! The directory of a result. It takes a new or empty directory, or one that an earlier result is in, and replaces
//! nothing but what that result says is its own. A file is written under another name and moved, so it is whole or
//! not there.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Results, manifest};

/// The file that marks a directory as a result.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The trace of a run, if there is one: whoever records the run writes it, before there is a result.
const TRACE: &str = "trace.swt";
/// The page that shows the run as it went, where there is one.
pub(crate) const PAGE: &str = "watch.html";
/// In the order in which they are written.
const FILES: [&str; 6] = [MANIFEST, "results.json", "peers.csv", "timeline.csv", "report.html", PAGE];

/// Why a result was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The path is a file or something else.
    #[error("{} is not a directory; name another one", .0.display())]
    NotADirectory(PathBuf),
    /// It holds files that are no result.
    #[error("{} is not empty and holds no earlier result (there is {entry}); name another directory", dir.display())]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// One of the things in it.
        entry: String,
    },
    /// It holds an earlier result, and beside it something with the name of a file to be written.
    #[error("{} does not belong to the earlier result; move it away or name another directory", .0.display())]
    InTheWay(PathBuf),
    /// It holds more runs of an earlier command than are to be written.
    #[error("{} holds more runs of an earlier command ({entry}); name another directory", dir.display())]
    MoreRuns {
        /// The directory.
        dir: PathBuf,
        /// One that is too many.
        entry: String,
    },
    /// It cannot be read or written.
    #[error("cannot {what} {}: {error}", path.display())]
    Io {
        /// Read, make or write.
        what: &'static str,
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
}

/// Whether a result may be written there: so that a long run need not fail at its end. Writes nothing.
///
/// # Errors
/// When the path exists and is neither an empty directory nor one of an earlier result.
pub fn check_directory(dir: &Path) -> Result<(), WriteError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |error| WriteError::Io { what: "read", path, error }
    };
    match fs::metadata(dir) {
        Ok(found) if !found.is_dir() => return Err(WriteError::NotADirectory(dir.to_owned())),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(dir)(error)),
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed(dir))? {
        entries.push(entry.map_err(failed(dir))?.file_name().to_string_lossy().into_owned());
    }
    entries.retain(|name| name != TRACE);
    entries.sort_unstable();
    let Some(first) = entries.first() else { return Ok(()) };
    // Anything that cannot be read as a manifest is none.
    let Some(ours) = fs::read(dir.join(MANIFEST)).ok().and_then(|text| manifest::files_of(&text)) else {
        return Err(WriteError::Foreign { dir: dir.to_owned(), entry: first.clone() });
    };
    let foreign =
        |name: &&&str| entries.iter().any(|entry| entry == **name) && !ours.iter().any(|own| own == **name);
    let in_the_way = FILES.iter().find(foreign).map(|name| dir.join(name));
    let directory = || FILES.iter().map(|name| dir.join(name)).find(|path| path.is_dir());
    match in_the_way.or_else(directory) {
        Some(path) => Err(WriteError::InTheWay(path)),
        None => Ok(()),
    }
}

pub(super) fn write(results: &Results<'_>, dir: &Path) -> Result<(), WriteError> {
    check_directory(dir)?;
    let failed = |error| WriteError::Io { what: "make", path: dir.to_owned(), error };
    fs::create_dir_all(dir).map_err(failed)?;
    let page = results.info().page.as_deref();
    let earlier = fs::read(dir.join(MANIFEST)).ok().and_then(|text| manifest::files_of(&text));
    if page.is_none() && earlier.is_some_and(|files| files.iter().any(|name| name == PAGE)) {
        // It would show another run than the report beside it. That it is gone already is no failure.
        let _ = fs::remove_file(dir.join(PAGE));
    }
    let files = if page.is_some() { &FILES[..] } else { &FILES[..FILES.len() - 1] };
    // First, so that whatever happens next the directory is known as ours, and as unfinished.
    write_file(dir, MANIFEST, |file| file.write_all(manifest::of(results, files, false).as_bytes()))?;
    write_file(dir, "results.json", |file| file.write_all(results.json().as_bytes()))?;
    write_file(dir, "peers.csv", |file| results.write_peers(file))?;
    write_file(dir, "timeline.csv", |file| results.write_timeline(file))?;
    write_file(dir, "report.html", |file| file.write_all(results.report().as_bytes()))?;
    if let Some(page) = page {
        write_file(dir, PAGE, |file| file.write_all(page.as_bytes()))?;
    }
    write_file(dir, MANIFEST, |file| file.write_all(manifest::of(results, files, true).as_bytes()))
}

/// Puts a file in its place when it is whole.
fn write_file(
    dir: &Path,
    name: &str,
    content: impl FnOnce(&mut fs::File) -> io::Result<()>,
) -> Result<(), WriteError> {
    let path = dir.join(name);
    let write = || {
        // Readable for whom the umask lets, as other files are.
        let mut file = tempfile::Builder::new()
            .prefix(".swarmlab-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(dir)?;
        content(file.as_file_mut())?;
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(|error| WriteError::Io { what: "write", path: path.clone(), error })
}
