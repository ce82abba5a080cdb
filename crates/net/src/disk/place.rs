//! Before a download: what of it is on disk already, whether it may be written there, and making the files.
//!
//! Data that does not belong to the torrent is never overwritten. A file longer than the torrent's, something that is
//! not a file, or a link out of the directory is an error that names it. Where files are there but not one piece of
//! the torrent verifies and no resume state tells that they are ours, they are taken for somebody else's. Otherwise
//! only pieces that do not verify are written.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use swarmlab_protocol::Bitfield;

use super::content::{CheckError, Content};
use super::files::{DiskError, stay_below};
use super::resume::Resume;
use crate::tree::{Stopped, Work};

/// Why a download cannot be placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The file system refuses.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file is longer than the torrent's.
    #[error("{} has {found} bytes where the torrent has {wanted}: it is another file", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// The length in the torrent.
        wanted: u64,
    },
    /// Something else than a file is where a file belongs.
    #[error("{} is not a file", .0.display())]
    NotAFile(PathBuf),
    /// No piece of the torrent is in the files that are there.
    #[error("{} is there, but no piece of the torrent is: it is another file", .0.display())]
    NotOurs(PathBuf),
    /// The check was told to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<CheckError> for PlaceError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Disk(error) => PlaceError::Disk(error),
            CheckError::Stopped(stopped) => PlaceError::Stopped(stopped),
        }
    }
}

/// What is on disk before a download.
#[derive(Clone, Debug)]
pub struct Found {
    /// The pieces that are here.
    pub have: Bitfield,
    /// Whether everything was hashed to know that; false where nothing was there or the resume state was believed.
    pub hashed: bool,
}

/// Finds what is on disk of `content`, hashing as `work` says where that is needed; writes nothing. With `recheck` no resume state is believed.
///
/// # Errors
/// When a file that is there stands in the way, or the work was stopped.
pub fn find(content: &Arc<Content>, recheck: bool, work: Work<'_>) -> Result<Found, PlaceError> {
    let occupied = survey(content)?;
    let empty = Bitfield::empty(content.layout().piece_count());
    let Some(occupied) = occupied else { return Ok(Found { have: empty, hashed: false }) };
    if !recheck && let Ok(have) = Resume::load(content) {
        return Ok(Found { have, hashed: false });
    }
    let have = content.check(work)?;
    if have.is_empty() && !Resume::exists(content) {
        return Err(PlaceError::NotOurs(occupied));
    }
    Ok(Found { have, hashed: true })
}

/// Looks at every place a file will take; tells the first file that holds data.
fn survey(content: &Content) -> Result<Option<PathBuf>, PlaceError> {
    let mut occupied = None;
    for (number, file) in content.real_files() {
        let path = content.path_of(number);
        if content.root().exists() {
            stay_below(content.root(), content.relative(number))?;
        }
        let meta = match fs::metadata(&path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(DiskError::new("open", &path)(error).into()),
        };
        if !meta.is_file() {
            return Err(PlaceError::NotAFile(path));
        }
        if meta.len() > file.length {
            return Err(PlaceError::TooLong { path, found: meta.len(), wanted: file.length });
        }
        if meta.len() > 0 && occupied.is_none() {
            occupied = Some(path);
        }
    }
    Ok(occupied)
}

/// Makes the directories and files of `content` in their full length, without taking space for what is not written
/// (sparse), after noting in the resume state that they are ours. Files that are complete are not touched.
///
/// # Errors
/// The first file or directory that cannot be made.
pub fn place(content: &Arc<Content>, have: &Bitfield) -> Result<Resume, DiskError> {
    fs::create_dir_all(content.root()).map_err(DiskError::new("make the directory", content.root()))?;
    let mut resume = Resume::new(Arc::clone(content));
    if !have.is_full() && !Resume::exists(content) {
        Resume::claim(content)?;
    }
    for (number, file) in content.real_files() {
        make_directories(content.root(), content.relative(number).parent().unwrap_or(Path::new("")))?;
        stay_below(content.root(), content.relative(number))?;
        let path = content.path_of(number);
        let complete = fs::metadata(&path).is_ok_and(|meta| meta.len() == file.length);
        if !complete {
            lengthen(&path, file.length).map_err(DiskError::new("make", &path))?;
        }
    }
    if !have.is_full() {
        resume.save(have)?;
    }
    Ok(resume)
}

fn make_directories(root: &Path, below: &Path) -> Result<(), DiskError> {
    let mut at = PathBuf::new();
    for name in below.components() {
        at.push(name);
        stay_below(root, &at)?;
        let path = root.join(&at);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(DiskError::new("make the directory", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn lengthen(path: &Path, length: u64) -> io::Result<()> {
    let file: File = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    file.set_len(length)
}
