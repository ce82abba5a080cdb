//! Checking what is on disk against a torrent: which pieces are there, and what is wrong with each file.

use std::fs;
use std::io;
use std::path::Path;

use swarmlab_metainfo::{Layout, PieceIndex};

use super::read::{ReadError, Source, hash_pieces};
use super::{Stopped, Work};

/// What is on disk, piece by piece and file by file.
#[derive(Debug)]
pub struct Verified {
    /// Whether each piece has the hash it should have.
    pub pieces: Vec<bool>,
    /// What is known of each source, in order.
    pub files: Vec<FileCheck>,
}

/// What is known of one source.
#[derive(Debug)]
pub struct FileCheck {
    /// What was found in its place.
    pub found: Found,
    /// How many pieces hold bytes of it.
    pub pieces: u32,
    /// How many of those do not have the hash they should have; the fault may lie in another file of the same piece.
    pub bad_pieces: u32,
}

/// What was found where a file should be.
#[derive(Debug)]
pub enum Found {
    /// A file of the right length, or nothing where nothing is needed (a pad file).
    Right,
    /// Nothing.
    Missing,
    /// A file that is too short; its length in bytes.
    Short(u64),
    /// A file that is too long; its length in bytes.
    Long(u64),
    /// Something that is no file, such as a directory.
    NotAFile,
    /// Something that cannot be read.
    Unreadable(io::Error),
}

impl Verified {
    /// How many pieces have the hash they should have.
    pub fn pieces_ok(&self) -> usize {
        self.pieces.iter().filter(|ok| **ok).count()
    }

    /// Whether everything is as the torrent says: every piece, and every file's length.
    pub fn is_complete(&self) -> bool {
        self.pieces.iter().all(|ok| *ok) && self.files.iter().all(|file| matches!(file.found, Found::Right))
    }
}

impl FileCheck {
    /// Whether the file is there with the right length and each of its pieces has the right hash.
    pub fn is_ok(&self) -> bool {
        self.bad_pieces == 0 && matches!(self.found, Found::Right)
    }
}

/// Hashes the sources and compares each piece with what `expected` says of it. What is missing, short or unreadable
/// is part of the result, not an error.
///
/// # Errors
/// When the work was stopped.
pub fn verify(
    sources: &[Source],
    layout: &Layout,
    expected: impl Fn(PieceIndex) -> [u8; 20],
    work: Work<'_>,
) -> Result<Verified, Stopped> {
    let mut found: Vec<Found> = sources.iter().map(look).collect();
    let outcomes = hash_pieces(sources, layout, false, work)?;
    let mut pieces = Vec::with_capacity(outcomes.len());
    for (outcome, piece) in outcomes.into_iter().zip(layout.pieces()) {
        pieces.push(match outcome {
            Ok(hash) => hash == expected(piece),
            Err(trouble) => {
                note(&mut found[trouble.source], trouble.error);
                false
            }
        });
    }
    let mut start = 0;
    let files = sources.iter().zip(found).map(|(source, found)| {
        let held = held_by(start, source.len, layout);
        start += source.len;
        let bad = pieces[held.clone()].iter().filter(|ok| !**ok).count();
        FileCheck { found, pieces: held.len() as u32, bad_pieces: bad as u32 }
    });
    let files = files.collect();
    Ok(Verified { pieces, files })
}

/// The pieces that hold bytes of a stretch of content.
fn held_by(start: u64, len: u64, layout: &Layout) -> std::ops::Range<usize> {
    let piece_length = u64::from(layout.piece_length());
    let first = (start / piece_length) as usize;
    match len {
        0 => first..first,
        _ => first..(start + len).div_ceil(piece_length) as usize,
    }
}

fn look(source: &Source) -> Found {
    let Some(path) = &source.path else { return Found::Right };
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Found::NotAFile,
        Ok(metadata) if metadata.len() < source.len => Found::Short(metadata.len()),
        Ok(metadata) if metadata.len() > source.len => Found::Long(metadata.len()),
        Ok(_) => Found::Right,
        Err(error) => unreadable(error),
    }
}

fn unreadable(error: io::Error) -> Found {
    use io::ErrorKind::{NotADirectory, NotFound};
    match error.kind() {
        NotFound | NotADirectory => Found::Missing,
        _ => Found::Unreadable(error),
    }
}

/// What reading met, where looking found nothing wrong.
fn note(found: &mut Found, error: ReadError) {
    if matches!(found, Found::Right | Found::Long(_)) {
        *found = match error {
            ReadError::Io(error) => unreadable(error),
            ReadError::Short(len) => Found::Short(len),
            ReadError::NotAFile => Found::NotAFile,
        };
    }
}

/// Where the files of a torrent lie if its content is at `root`: the file itself, or the directory of a multi-file
/// torrent. A path that differs from the torrent's spelling for the sake of other systems is looked for under both.
pub fn sources(torrent: &swarmlab_metainfo::Metainfo, root: &Path) -> Vec<Source> {
    let place = |file: &swarmlab_metainfo::File| {
        if file.pad {
            return None;
        }
        if !torrent.is_multi_file() {
            return Some(root.to_owned());
        }
        let safe = file.path.iter().fold(root.to_owned(), |path, name| path.join(name));
        match &file.literal {
            Some(literal) if !safe.exists() => {
                let literal = literal.iter().fold(root.to_owned(), |path, name| path.join(name));
                Some(if literal.exists() { literal } else { safe })
            }
            _ => Some(safe),
        }
    };
    torrent.files().iter().map(|file| Source { path: place(file), len: file.length }).collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::atomic::AtomicBool;

    use sha1::{Digest as _, Sha1};

    use super::*;

    /// Three files of 10, 0 and 22 bytes and 8 bytes of padding between; pieces of 8 bytes: 0, 1 hold `a`, 1 and 2
    /// the padding, 2 to 4 `c`.
    struct Case {
        dir: tempfile::TempDir,
        sources: Vec<Source>,
        layout: Layout,
        hashes: Vec<[u8; 20]>,
    }

    fn case() -> Case {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, len| Source { path: Some(dir.path().join(name)), len };
        let sources = vec![file("a", 10), file("b", 0), Source { path: None, len: 8 }, file("c", 22)];
        fs::write(dir.path().join("a"), [1; 10]).unwrap();
        fs::write(dir.path().join("b"), []).unwrap();
        fs::write(dir.path().join("c"), [3; 22]).unwrap();
        let content = [vec![1; 10], vec![0; 8], vec![3; 22]].concat();
        let hashes = content.chunks(8).map(|piece| Sha1::digest(piece).into()).collect();
        Case { dir, sources, layout: Layout::new(40, 8, 8).unwrap(), hashes }
    }

    impl Case {
        /// A character per piece, then what is wrong with `a`, `b`, the padding and `c`.
        #[track_caller]
        fn check(&self, pieces: &str, files: [&str; 4]) {
            let stop = AtomicBool::new(false);
            for threads in [1, 3] {
                let threads = NonZeroUsize::new(threads).unwrap();
                let work = Work { threads, progress: &|_| (), stop: &stop };
                let expected = |piece: PieceIndex| self.hashes[piece.0 as usize];
                let verified = verify(&self.sources, &self.layout, expected, work).unwrap();
                let shown: String = verified.pieces.iter().map(|ok| if *ok { '#' } else { '.' }).collect();
                assert_eq!(shown, pieces);
                let shown: Vec<String> = verified.files.iter().map(show).collect();
                assert_eq!(shown, files);
                let right = pieces == "#####" && files.iter().all(|file| file.starts_with("Right"));
                assert_eq!(verified.is_complete(), right);
            }
        }
    }

    fn show(file: &FileCheck) -> String {
        let found = match &file.found {
            Found::Unreadable(_) => "Unreadable".to_owned(),
            found => format!("{found:?}"),
        };
        format!("{found} {}/{}", file.bad_pieces, file.pieces)
    }

    #[test]
    fn everything_right() {
        case().check("#####", ["Right 0/2", "Right 0/0", "Right 0/2", "Right 0/3"]);
    }

    #[test]
    fn a_changed_byte_spoils_its_piece_and_the_files_in_it() {
        let case = case();
        fs::write(case.dir.path().join("a"), [1, 1, 1, 1, 1, 1, 1, 1, 1, 9]).unwrap();
        case.check("#.###", ["Right 1/2", "Right 0/0", "Right 1/2", "Right 0/3"]);
    }

    #[test]
    fn missing_files() {
        let case = case();
        fs::remove_file(case.dir.path().join("b")).unwrap();
        case.check("#####", ["Right 0/2", "Missing 0/0", "Right 0/2", "Right 0/3"]);
        fs::remove_file(case.dir.path().join("c")).unwrap();
        case.check("##...", ["Right 0/2", "Missing 0/0", "Right 1/2", "Missing 3/3"]);
    }

    #[test]
    fn wrong_lengths() {
        let case = case();
        fs::write(case.dir.path().join("a"), [1; 9]).unwrap();
        fs::write(case.dir.path().join("c"), [3; 23]).unwrap();
        case.check("#.###", ["Short(9) 1/2", "Right 0/0", "Right 1/2", "Long(23) 0/3"]);
    }

    #[test]
    fn a_directory_in_the_place_of_a_file() {
        let case = case();
        fs::remove_file(case.dir.path().join("a")).unwrap();
        fs::create_dir(case.dir.path().join("a")).unwrap();
        case.check("..###", ["NotAFile 2/2", "Right 0/0", "Right 1/2", "Right 0/3"]);
    }
}
