//! Where the content of a torrent lies on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use swarmlab_metainfo::{File, FileSpan, InfoHash, Layout, Metainfo};
use swarmlab_protocol::Bitfield;

use super::files::DiskError;
use crate::tree::{self, Found, Source, Stopped, Work};

/// A torrent's content and its place on disk.
#[derive(Clone, Debug)]
pub struct Content {
    torrent: Arc<Metainfo>,
    /// What the user calls the content: its file, or the directory that holds its files.
    path: PathBuf,
    root: PathBuf,
    /// Of each file, below the root; made of plain names only.
    paths: Vec<PathBuf>,
}

/// Why a check has no result.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A file cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It was told to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Content {
    /// Content to be written below the directory `dir`: as `dir/NAME`, a file or a directory.
    pub fn below(torrent: Arc<Metainfo>, dir: &Path) -> Self {
        let name = Path::new(torrent.name());
        let place = |file: &File| {
            let path = file.path.iter().collect::<PathBuf>();
            if torrent.is_multi_file() { name.join(path) } else { path }
        };
        let paths = torrent.files().iter().map(place).collect();
        Content { path: dir.join(name), root: dir.to_owned(), paths, torrent }
    }

    /// Content that is there to be read: `whole` is the file, or the directory that holds the torrent's files, under
    /// whatever name. Where a file is not there under its safe name but under the torrent's own spelling, that is taken.
    pub fn at(torrent: Arc<Metainfo>, whole: &Path) -> Self {
        let root = match torrent.is_multi_file() {
            true => whole.to_owned(),
            false => whole.parent().unwrap_or(Path::new("")).to_owned(),
        };
        let below = |source: Source| {
            let path = source.path.unwrap_or_default();
            path.strip_prefix(&root).map(Path::to_owned).unwrap_or(path)
        };
        let paths = tree::sources(&torrent, whole).into_iter().map(below).collect();
        Content { path: whole.to_owned(), root, paths, torrent }
    }

    /// The pieces whose bytes on disk have the torrent's hash. Files that are missing or too short lack their pieces.
    ///
    /// # Errors
    /// When a file that is there cannot be read, or the work was stopped.
    pub fn check(&self, work: Work<'_>) -> Result<Bitfield, CheckError> {
        let sources: Vec<_> = self.sources().collect();
        let layout = self.layout();
        let verified = tree::verify(&sources, &layout, |piece| self.torrent.piece_hash(piece), work)?;
        for (number, file) in verified.files.into_iter().enumerate() {
            if let Found::Unreadable(error) = file.found {
                return Err(DiskError::new("read", &self.path_of(number))(error).into());
            }
        }
        let mut have = Bitfield::empty(layout.piece_count());
        let here = layout.pieces().zip(verified.pieces).filter(|(_, ok)| *ok);
        here.for_each(|(piece, _)| _ = have.insert(piece));
        Ok(have)
    }

    fn sources(&self) -> impl Iterator<Item = Source> {
        let files = self.torrent.files().iter().enumerate();
        files.map(|(number, file)| Source {
            path: (!file.pad).then(|| self.path_of(number)),
            len: file.length,
        })
    }

    /// The torrent.
    pub fn torrent(&self) -> &Arc<Metainfo> {
        &self.torrent
    }

    /// Which torrent this is.
    pub fn info_hash(&self) -> InfoHash {
        self.torrent.info_hash()
    }

    /// How the content is cut.
    pub fn layout(&self) -> Layout {
        self.torrent.layout()
    }

    /// The directory all files lie below.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the user calls the content: its file, or the directory that holds its files.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file lies below the root.
    pub(crate) fn relative(&self, file: usize) -> &Path {
        &self.paths[file]
    }

    /// Where a file lies.
    pub fn path_of(&self, file: usize) -> PathBuf {
        self.root.join(&self.paths[file])
    }

    /// The files that are on disk, with their numbers: all but the pad files (BEP 47).
    pub(crate) fn real_files(&self) -> impl Iterator<Item = (usize, &File)> {
        self.torrent.files().iter().enumerate().filter(|(_, file)| !file.pad)
    }

    /// The files that `len` bytes at `offset` of the content lie in, in order.
    pub(crate) fn spans(&self, offset: u64, len: usize) -> impl Iterator<Item = FileSpan> + '_ {
        self.torrent.spans(offset..offset.saturating_add(len as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::testing::torrent;

    #[test]
    fn downloads_lie_below_the_name() {
        let single = Content::below(torrent(&[("x", 5)]), Path::new("out"));
        assert_eq!((single.path_of(0).as_path(), single.path()), (Path::new("out/x"), Path::new("out/x")));
        let multi = Content::below(torrent(&[("a/b", 5), ("c", 1)]), Path::new("out"));
        assert_eq!((multi.path_of(0), multi.path()), ("out/many/a/b".into(), Path::new("out/many")));
    }

    #[test]
    fn content_that_is_there_is_its_own_root() {
        let dir = Path::new("here");
        let single = Content::at(torrent(&[("x", 5)]), &dir.join("renamed"));
        assert_eq!((single.path_of(0), single.root()), (dir.join("renamed"), dir));
        let multi = Content::at(torrent(&[("a/b", 5), (".pad", 3), ("c", 1)]), &dir.join("renamed"));
        assert_eq!((multi.path_of(0), multi.path()), (dir.join("renamed/a/b"), &*dir.join("renamed")));
    }
}
