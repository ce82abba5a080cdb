//! The resume state: which pieces of a download are here, kept in a hidden file beside the data.
//!
//! The file `.INFOHASH.swarmlab-resume` lies in the download's directory while the download is unfinished. It is
//! written only after the data it speaks of is safe on disk, and put in place by renaming, so it is always whole and
//! never says too much. It is believed only if every file still has the size and the time of last change it had then;
//! otherwise (also after a crash, since data was written later) everything is hashed again. That a state of this
//! torrent is there at all tells that the data beside it is ours to overwrite.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use swarmlab_metainfo::File as ContentFile;
use swarmlab_metainfo::bencode::{self, Document};
use swarmlab_protocol::Bitfield;

use super::content::Content;
use super::files::DiskError;

/// Version of the format, the value of its `version` key.
const VERSION: i64 = 1;

/// Why a resume state cannot be believed. A full check is the answer to each.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// There is none.
    #[error("there is no resume state")]
    Missing,
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(DiskError),
    /// It is not a resume state of this torrent.
    #[error("the resume state does not belong to this torrent or is damaged")]
    Foreign,
    /// A file has another size or was changed since.
    #[error("{} was changed since the last run", .0.display())]
    Changed(PathBuf),
}

/// The resume state of one download.
#[derive(Debug)]
pub struct Resume {
    content: Arc<Content>,
    saved: Bitfield,
}

/// What is remembered of a file: its length and its time of last change in nanoseconds.
type Stamp = (i64, i64);

impl Resume {
    /// The state of a download of which nothing has been saved yet.
    pub fn new(content: Arc<Content>) -> Self {
        let saved = Bitfield::empty(content.layout().piece_count());
        Resume { content, saved }
    }

    /// Where the state of this content lies.
    pub fn path(content: &Content) -> PathBuf {
        content.root().join(format!(".{}.swarmlab-resume", content.info_hash()))
    }

    /// Whether a state of this torrent is there, believable or not.
    pub fn exists(content: &Content) -> bool {
        !matches!(
            Self::load(content),
            Err(ResumeError::Missing | ResumeError::Foreign | ResumeError::Unreadable(_))
        )
    }

    /// The pieces that were here when the state was saved, if all files are as they were then.
    ///
    /// # Errors
    /// When there is no state or it cannot be believed.
    pub fn load(content: &Content) -> Result<Bitfield, ResumeError> {
        let path = Self::path(content);
        let bytes = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ResumeError::Missing,
            _ => ResumeError::Unreadable(DiskError::new("read", &path)(error)),
        })?;
        let (have, stamps) = parse(&bytes, content).ok_or(ResumeError::Foreign)?;
        for (number, file) in content.real_files() {
            let path = content.path_of(number);
            let now = stamp(&path).map_err(|_| ResumeError::Changed(path.clone()))?;
            if stamps[number] != now || now.0 as u64 != file.length {
                return Err(ResumeError::Changed(path));
            }
        }
        Ok(have)
    }

    /// Notes that what lies here is ours, before the first file is made: a state of this torrent that nothing can match.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn claim(content: &Content) -> Result<(), DiskError> {
        let none = Bitfield::empty(content.layout().piece_count());
        write(content, &encode(content, &none, &vec![(-1, -1); content.torrent().files().len()]))
    }

    /// Makes the data of the pieces in `have` safe and then writes the state.
    ///
    /// # Errors
    /// The file that could not be made safe or written; the state before stays.
    pub fn save(&mut self, have: &Bitfield) -> Result<(), DiskError> {
        for number in self.files_changed(have) {
            let path = self.content.path_of(number);
            let synced = File::open(&path).and_then(|file| file.sync_data());
            synced.map_err(DiskError::new("save", &path))?;
        }
        let stamps = self.stamps()?;
        write(&self.content, &encode(&self.content, have, &stamps))?;
        self.saved = have.clone();
        Ok(())
    }

    /// Takes the state away: the download is complete.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(&self) -> Result<(), DiskError> {
        let path = Self::path(&self.content);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DiskError::new("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// The files that pieces lie in which were not here at the last save.
    fn files_changed(&self, have: &Bitfield) -> BTreeSet<usize> {
        let layout = self.content.layout();
        let fresh = have.iter().filter(|&piece| !self.saved.contains(piece));
        fresh
            .flat_map(|piece| {
                self.content.spans(layout.piece_offset(piece), layout.piece_len(piece) as usize)
            })
            .map(|span| span.file)
            .filter(|&number| !self.content.torrent().files()[number].pad)
            .collect()
    }

    fn stamps(&self) -> Result<Vec<Stamp>, DiskError> {
        let of = |(number, file): (usize, &ContentFile)| {
            let path = self.content.path_of(number);
            if file.pad { Ok((0, 0)) } else { stamp(&path).map_err(DiskError::new("read", &path)) }
        };
        self.content.torrent().files().iter().enumerate().map(of).collect()
    }
}

fn encode(content: &Content, have: &Bitfield, stamps: &[Stamp]) -> Vec<u8> {
    bencode::dict(|state| {
        state.list("files", |files| {
            for &(length, changed) in stamps {
                files.list(|file| {
                    file.int(length);
                    file.int(changed);
                });
            }
        });
        state.bytes("have", have.to_wire());
        state.bytes("info hash", content.info_hash().0);
        state.int("version", VERSION);
    })
}

/// Reads a state: the pieces, and of each file what is remembered. `None` if it is not one of this content.
fn parse(bytes: &[u8], content: &Content) -> Option<(Bitfield, Vec<Stamp>)> {
    let document = Document::strict(bytes).ok()?;
    let root = document.root();
    if root.get(b"version")?.as_int()? != VERSION
        || root.get(b"info hash")?.as_bytes()? != content.info_hash().0
    {
        return None;
    }
    let have = Bitfield::from_wire(root.get(b"have")?.as_bytes()?, content.layout().piece_count())?;
    let stamps: Option<Vec<Stamp>> = root
        .get(b"files")?
        .items()?
        .map(|file| {
            let mut fields = file.items()?;
            Some((fields.next()?.as_int()?, fields.next()?.as_int()?))
        })
        .collect();
    stamps.filter(|stamps| stamps.len() == content.torrent().files().len()).map(|stamps| (have, stamps))
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let meta = fs::metadata(path)?;
    let nanos = meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec());
    Ok((meta.len() as i64, nanos))
}

/// Writes the state file of `content`.
fn write(content: &Content, bytes: &[u8]) -> Result<(), DiskError> {
    let path = Resume::path(content);
    let draft = path.with_extension("swarmlab-resume-new");
    // Whoever prepared the directory may have put a link in the draft's place.
    _ = fs::remove_file(&draft);
    replace(&path, &draft, bytes).map_err(DiskError::new("write", &path))
}

/// Writes `bytes` to `path` by way of `draft`, so that `path` is always whole.
fn replace(path: &Path, draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}
