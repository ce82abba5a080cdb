//! Open files of a torrent: reads and writes ranges of content, keeps few descriptors, never leaves the root.
//!
//! Every thread that touches the disk has its own [`Files`], so nothing is shared. A torrent's paths are checked names
//! already; here it is made sure that no symbolic link below the root leads a write out of it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use swarmlab_metainfo::FileSpan;

use super::content::Content;

/// Descriptors one [`Files`] keeps open. A process has 1,024 by default and several endpoints.
const OPEN_AT_MOST: usize = 48;

/// What could not be done with which file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct DiskError {
    /// The file or directory.
    pub path: PathBuf,
    /// What was tried: a verb.
    pub action: &'static str,
    /// Why it failed.
    pub source: io::Error,
}

impl DiskError {
    pub(crate) fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
        move |source| DiskError { path: path.to_owned(), action, source }
    }
}

/// What files are opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading only: the file system may be read-only.
    Read,
    /// Reading and writing.
    Write,
}

/// The files of a torrent, opened as needed.
#[derive(Debug)]
pub(crate) struct Files {
    content: Arc<Content>,
    access: Access,
    /// Most recently used last.
    open: Vec<(usize, File)>,
}

impl Files {
    pub(crate) fn new(content: Arc<Content>, access: Access) -> Self {
        Files { content, access, open: Vec::new() }
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    /// Fills `buffer` with the content at `offset`.
    pub(crate) fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), DiskError> {
        let content = Arc::clone(&self.content);
        let mut rest = buffer;
        for span in content.spans(offset, rest.len()) {
            let (part, after) = rest.split_at_mut(span.len as usize);
            rest = after;
            if content.torrent().files()[span.file].pad {
                part.fill(0);
                continue;
            }
            let read = self.file(span)?.read_exact_at(part, span.offset);
            read.map_err(|source| DiskError { path: content.path_of(span.file), action: "read", source })?;
        }
        Ok(())
    }

    /// Writes `bytes` at `offset` of the content. Bytes of pad files are passed over.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let content = Arc::clone(&self.content);
        let mut rest = bytes;
        for span in content.spans(offset, bytes.len()) {
            let (part, after) = rest.split_at(span.len as usize);
            rest = after;
            if content.torrent().files()[span.file].pad {
                continue;
            }
            let written = self.file(span)?.write_all_at(part, span.offset);
            written.map_err(|source| DiskError {
                path: content.path_of(span.file),
                action: "write",
                source,
            })?;
        }
        Ok(())
    }

    /// The open file a span lies in.
    fn file(&mut self, span: FileSpan) -> Result<&File, DiskError> {
        if let Some(at) = self.open.iter().rposition(|&(number, _)| number == span.file) {
            if at + 1 < self.open.len() {
                let entry = self.open.remove(at);
                self.open.push(entry);
            }
        } else {
            if self.open.len() == OPEN_AT_MOST {
                self.open.remove(0);
            }
            let file = self.open_file(span.file)?;
            self.open.push((span.file, file));
        }
        Ok(&self.open[self.open.len() - 1].1)
    }

    fn open_file(&self, number: usize) -> Result<File, DiskError> {
        let path = self.content.path_of(number);
        let writing = self.access == Access::Write;
        if writing {
            stay_below(self.content.root(), self.content.relative(number))?;
        }
        OpenOptions::new().read(true).write(writing).open(&path).map_err(DiskError::new("open", &path))
    }
}

/// Checks that no symbolic link on the way from `root` down `path` leads out of `root`.
pub(crate) fn stay_below(root: &Path, path: &Path) -> Result<(), DiskError> {
    let real_root = fs::canonicalize(root).map_err(DiskError::new("open", root))?;
    let mut at = root.to_owned();
    for part in path.components() {
        let Component::Normal(name) = part else {
            return Err(leaves(&at.join(part), "is not below the directory chosen"));
        };
        at.push(name);
        match fs::symlink_metadata(&at) {
            Ok(meta) if meta.is_symlink() => {
                let target = fs::canonicalize(&at).map_err(DiskError::new("follow", &at))?;
                if !target.starts_with(&real_root) {
                    return Err(leaves(&at, "is a symbolic link that leaves the directory chosen"));
                }
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(DiskError::new("open", &at)(error)),
        }
    }
    Ok(())
}

fn leaves(path: &Path, why: &'static str) -> DiskError {
    DiskError::new("write", path)(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::disk::testing::content;

    #[test]
    fn ranges_over_files_come_back_and_pads_are_zeros() {
        let dir = tempfile::tempdir().unwrap();
        let content = content(dir.path(), &[("a", 10), (".pad", 6), ("b", 10)]);
        fs::create_dir(dir.path().join("many")).unwrap();
        for name in ["many/a", "many/b"] {
            fs::write(dir.path().join(name), [0; 10]).unwrap();
        }
        let mut files = Files::new(content, Access::Write);
        let bytes: Vec<u8> = (1..=26).collect();
        files.write(0, &bytes).unwrap();
        let mut back = [9; 26];
        files.read(0, &mut back).unwrap();
        assert_eq!((&back[..10], &back[10..16], &back[16..]), (&bytes[..10], &[0; 6][..], &bytes[16..]));
        assert!(!dir.path().join("many/.pad").exists());
    }

    #[test]
    fn few_descriptors_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..OPEN_AT_MOST + 20).map(|n| n.to_string()).collect();
        fs::create_dir(dir.path().join("many")).unwrap();
        for name in &names {
            fs::write(dir.path().join("many").join(name), name.len().to_string()).unwrap();
        }
        let list: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let mut files = Files::new(content(dir.path(), &list), Access::Read);
        for round in 0..2 {
            for (number, name) in names.iter().enumerate() {
                let mut byte = [0];
                files.read(number as u64, &mut byte).unwrap();
                assert_eq!(byte[0], b'0' + name.len() as u8, "round {round}");
                assert!(files.open.len() <= OPEN_AT_MOST);
            }
        }
    }

    #[test]
    fn links_out_of_the_root_are_not_written_through() {
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let many = dir.path().join("many");
        fs::create_dir_all(many.join("inside")).unwrap();
        fs::write(outside.path().join("f"), "theirs").unwrap();
        fs::write(many.join("inside/f"), "ours..").unwrap();
        symlink(outside.path(), many.join("out")).unwrap();
        symlink(outside.path().join("f"), many.join("f")).unwrap();
        symlink("inside", many.join("in")).unwrap();
        for (path, allowed) in [("out/f", false), ("f", false), ("in/f", true), ("inside/f", true)] {
            let files = [(path, 6), ("other", 1)];
            let written = Files::new(content(dir.path(), &files), Access::Write).write(0, b"bytes.");
            assert_eq!(written.is_ok(), allowed, "{path}: {written:?}");
        }
        assert_eq!(fs::read(outside.path().join("f")).unwrap(), b"theirs");
    }

    #[test]
    fn errors_name_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::new(content(dir.path(), &[("gone", 6)]), Access::Read);
        let error = files.read(0, &mut [0; 6]).unwrap_err().to_string();
        assert!(error.starts_with("cannot open ") && error.contains("/gone: "), "{error}");
    }
}
