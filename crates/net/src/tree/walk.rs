//! Finding the files of a tree: in an order that is the same everywhere, with nothing passed over silently.
//!
//! Directories are read in bytewise order of their names, so files come in bytewise order of their path components.
//! Symbolic links are followed; one that leads back into the directories above it is an error. What has no content
//! (sockets, pipes, devices, dangling links, empty directories) is left out and told. What has content that a torrent
//! cannot name (a name that is not UTF-8) or that cannot be read is an error.

use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The files below a path, in the order in which they become content.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The files. If the path itself is a file it is the only one, with an empty list of components.
    pub files: Vec<TreeFile>,
    /// What was met and is not among the files.
    pub left_out: Vec<LeftOut>,
}

/// A file of a [`Tree`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its path below the root of the tree.
    pub components: Vec<String>,
    /// Length in bytes when it was found.
    pub len: u64,
    /// When it was last changed before it was found, where the file system tells.
    pub modified: Option<SystemTime>,
}

/// Something that is not part of the tree's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it lies.
    pub path: PathBuf,
    /// Why it is left out.
    pub reason: LeftOutReason,
}

/// Why something is not part of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeftOutReason {
    /// A symbolic link to nothing.
    #[error("the link leads to nothing")]
    DanglingLink,
    /// A socket, a pipe or a device.
    #[error("not a file but a socket, pipe or device")]
    Special,
    /// A torrent names files only, so a directory without any cannot be told.
    #[error("a torrent cannot hold an empty directory")]
    EmptyDirectory,
    /// The caller asked for it: the torrent that is being written.
    #[error("it is the file being written")]
    Output,
}

/// Why a tree cannot be walked.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// Something cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// What cannot be read.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A name that is not UTF-8.
    #[error("{} cannot be named in a torrent: the name is not UTF-8", path.display())]
    Name {
        /// The file or directory with that name.
        path: PathBuf,
    },
    /// A link to a directory it lies in.
    #[error("{} is a link back to {}: following it would never end", path.display(), target.display())]
    Loop {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// Neither a file nor a directory.
    #[error("{} is neither a file nor a directory", path.display())]
    Special {
        /// The root of the walk.
        path: PathBuf,
    },
    /// There is no file below the path.
    #[error("there is no file in {}", path.display())]
    Empty {
        /// The root of the walk.
        path: PathBuf,
    },
}

/// Finds all files below `root`, or `root` itself if it is a file. A file at `output` is left out and told: a torrent
/// that is written into the tree it describes would change what it describes.
///
/// # Errors
/// When something cannot be read, has a name that a torrent cannot hold, is a loop, or there is no file at all.
pub fn walk(root: &Path, output: Option<&Path>) -> Result<Tree, WalkError> {
    let metadata = fs::metadata(root).map_err(|source| read_error(root, source))?;
    let mut walk = Walk {
        output: output.and_then(|path| fs::canonicalize(path).ok()),
        above: Vec::new(),
        names: Vec::new(),
        tree: Tree { files: Vec::new(), left_out: Vec::new() },
    };
    if metadata.is_file() {
        walk.file(root, &metadata);
    } else if metadata.is_dir() {
        walk.directory(root)?;
    } else {
        return Err(WalkError::Special { path: root.to_owned() });
    }
    if walk.tree.files.is_empty() {
        return Err(WalkError::Empty { path: root.to_owned() });
    }
    Ok(walk.tree)
}

impl Tree {
    /// Length of the whole content in bytes.
    pub fn len(&self) -> u64 {
        self.files.iter().map(|file| file.len).sum()
    }

    /// Whether there is no content, which is so if all files are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

struct Walk {
    output: Option<PathBuf>,
    /// The directories above, without links: where a link may not lead back to.
    above: Vec<PathBuf>,
    /// The names of the directories above, below the root.
    names: Vec<String>,
    tree: Tree,
}

impl Walk {
    fn directory(&mut self, path: &Path) -> Result<(), WalkError> {
        let real = fs::canonicalize(path).map_err(|source| read_error(path, source))?;
        if self.above.contains(&real) {
            return Err(WalkError::Loop { path: path.to_owned(), target: real });
        }
        self.above.push(real);
        let entries = self.entries(path)?;
        if entries.is_empty() && !self.names.is_empty() {
            self.leave_out(path, LeftOutReason::EmptyDirectory);
        }
        for (name, path) in entries {
            self.names.push(name);
            self.entry(&path)?;
            self.names.pop();
        }
        self.above.pop();
        Ok(())
    }

    /// What a directory holds, in bytewise order of the names.
    fn entries(&self, path: &Path) -> Result<Vec<(String, PathBuf)>, WalkError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(|source| read_error(path, source))? {
            let entry = entry.map_err(|source| read_error(path, source))?;
            let name = entry.file_name().into_string().map_err(|_| WalkError::Name { path: entry.path() })?;
            entries.push((name, entry.path()));
        }
        // `str` compares bytewise.
        entries.sort();
        Ok(entries)
    }

    fn entry(&mut self, path: &Path) -> Result<(), WalkError> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            // The entry is there but leads nowhere. A link to itself is no better than a dangling one.
            Err(error) if is_link(path) && leads_nowhere(&error) => {
                self.leave_out(path, LeftOutReason::DanglingLink);
                return Ok(());
            }
            Err(source) => return Err(read_error(path, source)),
        };
        match metadata.file_type() {
            kind if kind.is_dir() => return self.directory(path),
            kind if !kind.is_file() => self.leave_out(path, LeftOutReason::Special),
            _ if self.is_output(path) => self.leave_out(path, LeftOutReason::Output),
            _ => self.file(path, &metadata),
        }
        Ok(())
    }

    fn is_output(&self, path: &Path) -> bool {
        self.output.is_some() && fs::canonicalize(path).ok() == self.output
    }

    fn file(&mut self, path: &Path, metadata: &Metadata) {
        self.tree.files.push(TreeFile {
            path: path.to_owned(),
            components: self.names.clone(),
            len: metadata.len(),
            modified: metadata.modified().ok(),
        });
    }

    fn leave_out(&mut self, path: &Path, reason: LeftOutReason) {
        self.tree.left_out.push(LeftOut { path: path.to_owned(), reason });
    }
}

fn read_error(path: &Path, source: io::Error) -> WalkError {
    WalkError::Read { path: path.to_owned(), source }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).map(|metadata| metadata.file_type()).as_ref().is_ok_and(FileType::is_symlink)
}

fn leads_nowhere(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    // ELOOP has no stable `ErrorKind`; a link whose target cannot be resolved for any other reason is an error.
    matches!(error.kind(), NotFound | NotADirectory) || error.raw_os_error() == Some(ELOOP)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const ELOOP: i32 = 40;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const ELOOP: i32 = 62;

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree_of(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        dir
    }

    fn listed(tree: &Tree) -> Vec<String> {
        tree.files.iter().map(|file| file.components.join("/")).collect()
    }

    fn left_out(tree: &Tree, root: &Path) -> Vec<(String, LeftOutReason)> {
        let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        tree.left_out.iter().map(|left| (name(&left.path), left.reason)).collect()
    }

    #[test]
    fn files_come_in_bytewise_order_of_components() {
        let dir = tree_of(&["b", "a-b", "a/z", "a/B", "a.txt", "Z", ".hidden", "ä", "a/b/c"]);
        let tree = walk(dir.path(), None).unwrap();
        // As whole strings "a-b" and "a.txt" would stand before "a/...".
        assert_eq!(listed(&tree), [".hidden", "Z", "a/B", "a/b/c", "a/z", "a-b", "a.txt", "b", "ä"]);
        assert_eq!(tree.len(), 7 + 1 + 3 + 5 + 3 + 3 + 5 + 1 + 2);
        assert!(tree.left_out.is_empty());
    }

    #[test]
    fn a_single_file_has_no_components() {
        let dir = tree_of(&["only"]);
        let tree = walk(&dir.path().join("only"), None).unwrap();
        assert_eq!(tree.files[0].components, Vec::<String>::new());
        assert_eq!(tree.len(), 4);
    }

    #[test]
    fn links_are_followed_and_loops_refused() {
        let dir = tree_of(&["real/file", "other/x"]);
        symlink("real/file", dir.path().join("link")).unwrap();
        symlink("../real", dir.path().join("other/dir")).unwrap();
        let tree = walk(dir.path(), None).unwrap();
        assert_eq!(listed(&tree), ["link", "other/dir/file", "other/x", "real/file"]);
        symlink("../..", dir.path().join("real/up")).unwrap();
        assert!(walk(&dir.path().join("real"), None).is_err());
        fs::remove_file(dir.path().join("real/up")).unwrap();
        symlink("..", dir.path().join("real/up")).unwrap();
        let error = walk(dir.path(), None).unwrap_err();
        assert!(matches!(&error, WalkError::Loop { path, .. } if path.ends_with("up")), "{error}");
    }

    #[test]
    fn what_has_no_content_is_left_out_and_told() {
        let dir = tree_of(&["file"]);
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        symlink("nowhere", dir.path().join("dangling")).unwrap();
        symlink("itself", dir.path().join("itself")).unwrap();
        fs::create_dir(dir.path().join("empty")).unwrap();
        fs::write(dir.path().join("out.torrent"), "old").unwrap();
        let tree = walk(dir.path(), Some(&dir.path().join("out.torrent"))).unwrap();
        assert_eq!(listed(&tree), ["file"]);
        use LeftOutReason::*;
        let expected = [
            ("dangling", DanglingLink),
            ("empty", EmptyDirectory),
            ("itself", DanglingLink),
            ("out.torrent", Output),
            ("socket", Special),
        ];
        assert_eq!(left_out(&tree, dir.path()), expected.map(|(name, reason)| (name.to_owned(), reason)));
    }

    #[test]
    fn names_that_are_not_utf8_are_refused() {
        let dir = tree_of(&["fine"]);
        fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "x").unwrap();
        assert!(matches!(walk(dir.path(), None), Err(WalkError::Name { .. })));
    }

    #[test]
    fn nothing_to_share_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(walk(dir.path(), None), Err(WalkError::Empty { .. })));
        let missing = walk(&dir.path().join("missing"), None).unwrap_err();
        assert!(matches!(&missing, WalkError::Read { .. }));
        assert!(matches!(walk(Path::new("/dev/null"), None), Err(WalkError::Special { .. })));
    }
}
