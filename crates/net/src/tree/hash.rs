//! Hashing a tree for a new torrent: every byte must be there, and stay as it was found.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use swarmlab_metainfo::Layout;

use super::read::{ReadError, Source, Trouble, hash_pieces};
use super::{Stopped, Tree, TreeFile, Work};

/// Why a tree could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file was changed between finding it and the end of hashing, so the hashes may fit no state of it.
    #[error("{} changed while it was being read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Stopped on request.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The SHA-1 hashes of all pieces of a tree, end to end. `layout` cuts [`Tree::len`] bytes.
///
/// # Errors
/// When a file cannot be read or does not stay as it was found, or the work was stopped.
pub fn hash(tree: &Tree, layout: &Layout, work: Work<'_>) -> Result<Vec<u8>, HashError> {
    let sources: Vec<Source> =
        tree.files.iter().map(|file| Source { path: Some(file.path.clone()), len: file.len }).collect();
    let outcomes = hash_pieces(&sources, layout, true, work)?;
    let mut hashes = Vec::with_capacity(outcomes.len() * 20);
    for outcome in outcomes {
        match outcome {
            Ok(hash) => hashes.extend_from_slice(&hash),
            Err(Trouble { source, error }) => return Err(refuse(&tree.files[source].path, error)),
        }
    }
    tree.files.iter().try_for_each(check_unchanged)?;
    Ok(hashes)
}

fn refuse(path: &Path, error: ReadError) -> HashError {
    let path = path.to_owned();
    match error {
        ReadError::Io(source) => HashError::Read { path, source },
        ReadError::Short(_) | ReadError::NotAFile => HashError::Changed { path },
    }
}

fn check_unchanged(file: &TreeFile) -> Result<(), HashError> {
    let metadata =
        fs::metadata(&file.path).map_err(|source| HashError::Read { path: file.path.clone(), source })?;
    if metadata.len() == file.len && metadata.modified().ok() == file.modified {
        Ok(())
    } else {
        Err(HashError::Changed { path: file.path.clone() })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use sha1::{Digest as _, Sha1};

    use super::*;
    use crate::tree::walk;

    fn content(files: &[(&str, usize)]) -> (tempfile::TempDir, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        for (number, (name, len)) in files.iter().enumerate() {
            let bytes: Vec<u8> = (0..*len).map(|i| (i * 31 + i / 251 + number * 7) as u8).collect();
            fs::write(dir.path().join(name), &bytes).unwrap();
            all.extend(bytes);
        }
        (dir, all)
    }

    fn plainly(content: &[u8], piece_length: usize) -> Vec<u8> {
        content.chunks(piece_length).flat_map(|piece| <[u8; 20]>::from(Sha1::digest(piece))).collect()
    }

    fn work<'a>(threads: usize, progress: &'a (dyn Fn(u64) + Sync), stop: &'a AtomicBool) -> Work<'a> {
        Work { threads: NonZeroUsize::new(threads).unwrap(), progress, stop }
    }

    #[test]
    fn hashes_are_those_of_the_files_end_to_end_for_any_number_of_threads() {
        let files = [("a", 100_000), ("b", 0), ("c", 1), ("d", 700_001), ("e", 0), ("f", 40_000), ("g", 0)];
        let (dir, all) = content(&files);
        let tree = walk(dir.path(), None).unwrap();
        for piece_length in [1 << 10, 16 << 10, 1 << 19, 1 << 24] {
            let layout = Layout::new(tree.len(), piece_length, Layout::BLOCK_LEN).unwrap();
            for threads in [1, 2, 5] {
                let done = AtomicU64::new(0);
                let progress = |bytes| {
                    done.fetch_add(bytes, Ordering::Relaxed);
                };
                let stop = AtomicBool::new(false);
                let hashes = hash(&tree, &layout, work(threads, &progress, &stop)).unwrap();
                assert_eq!(hashes, plainly(&all, piece_length as usize), "{piece_length} {threads}");
                assert_eq!(done.into_inner(), all.len() as u64);
            }
        }
    }

    #[test]
    fn a_file_that_changes_is_named() {
        let stop = AtomicBool::new(false);
        let changed = |change: &dyn Fn(&Path)| {
            let (dir, _) = content(&[("a", 50_000), ("b", 50_000)]);
            let tree = walk(dir.path(), None).unwrap();
            change(&dir.path().join("b"));
            let layout = Layout::new(tree.len(), 16 << 10, Layout::BLOCK_LEN).unwrap();
            hash(&tree, &layout, work(2, &|_| (), &stop)).unwrap_err()
        };
        for change in [
            (&|path: &Path| fs::write(path, [0; 49_999]).unwrap()) as &dyn Fn(&Path),
            &|path| fs::write(path, [0; 50_001]).unwrap(),
            &|path| {
                // The same length at another time.
                let file = fs::File::options().write(true).open(path).unwrap();
                file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
            },
        ] {
            let error = changed(change);
            assert!(matches!(&error, HashError::Changed { path } if path.ends_with("b")), "{error:?}");
        }
        let error = changed(&|path| fs::remove_file(path).unwrap());
        assert!(matches!(&error, HashError::Read { path, .. } if path.ends_with("b")), "{error:?}");
    }

    #[test]
    fn stops_on_request() {
        let (dir, _) = content(&[("a", 1_000_000)]);
        let tree = walk(dir.path(), None).unwrap();
        let layout = Layout::new(tree.len(), 1 << 10, Layout::BLOCK_LEN).unwrap();
        let stop = AtomicBool::new(false);
        let progress = |_| stop.store(true, Ordering::Relaxed);
        assert!(matches!(hash(&tree, &layout, work(2, &progress, &stop)), Err(HashError::Stopped(_))));
    }
}
