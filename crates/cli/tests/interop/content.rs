//! What is shared in the tests: a single file, and a tree with everything that trips implementations (an empty file, a
//! deep path, files that end inside a piece, names beyond ASCII). The bytes are made from a fixed rule, and compared with
//! what arrived by this module alone, not by any client's own word.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Small pieces, so that even a small file has many; the least that `mktorrent` makes.
pub(crate) const PIECE_LENGTH: usize = 32 << 10;

/// A file or a folder of files on disk, with the bytes it was made of.
pub(crate) struct Content {
    /// Where it lies: the file itself or the folder.
    pub(crate) path: PathBuf,
    /// Relative path (empty for the single file) and bytes.
    files: BTreeMap<String, Vec<u8>>,
}

/// The kinds of content the tests share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One file that ends inside its last piece and inside its last block.
    Single,
    /// A folder as described at the top.
    Multi,
    /// The same without the empty file, which `transmission-create` leaves out of a torrent.
    NoEmptyFile,
    /// One file large enough that a swarm has time to form around a slow seed.
    Large,
}

impl Shape {
    /// The part of a test's name that says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Shape::Single => "single_file",
            Shape::Multi => "multi_file",
            Shape::NoEmptyFile => "no_empty_file",
            Shape::Large => "large_file",
        }
    }

    /// Names that every program sorts alike: some compare without regard to case, or take bytes beyond ASCII as negative.
    fn files(self) -> Vec<(&'static str, usize)> {
        let mut files = match self {
            Shape::Single => return vec![("", 3 * 1_000_000 + 7)],
            Shape::Large => return vec![("", 12 << 20)],
            Shape::Multi | Shape::NoEmptyFile => vec![
                ("a/folder/well/below/the/top/deep.bin", 2 * PIECE_LENGTH + 1),
                ("inside-a-piece.bin", 1_000),
                ("large.bin", 1 << 20),
                ("m/Ärger mit 日本語.txt", 123_457),
                ("whole-pieces.bin", 3 * PIECE_LENGTH),
                ("z/one-byte", 1),
            ],
        };
        if self == Shape::Multi {
            files.push(("b/empty", 0));
        }
        files
    }
}

impl Content {
    /// Writes the content of that shape under `folder`.
    pub(crate) fn make(shape: Shape, folder: &Path) -> Result<Self, String> {
        let name = match shape {
            Shape::Single => "einzelne Datei – 単一.bin",
            Shape::Large => "large.bin",
            Shape::Multi | Shape::NoEmptyFile => "ein Baum – 木",
        };
        let path = folder.join(name);
        let mut files = BTreeMap::new();
        for (number, (relative, length)) in shape.files().into_iter().enumerate() {
            let bytes = pseudorandom(number as u64, length);
            let file = if relative.is_empty() { path.clone() } else { path.join(relative) };
            let parent = file.parent().expect("a file of the content has a parent");
            fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
            fs::write(&file, &bytes).map_err(|error| format!("{}: {error}", file.display()))?;
            files.insert(relative.to_owned(), bytes);
        }
        Ok(Self { path, files })
    }

    /// The folder the content lies in.
    pub(crate) fn parent(&self) -> &Path {
        self.path.parent().expect("content lies in a folder")
    }

    /// Bytes in all.
    pub(crate) fn length(&self) -> usize {
        self.files.values().map(Vec::len).sum()
    }

    /// Whether `folder` holds a copy: the same files with the same bytes and no other. A client that makes no empty files
    /// is allowed to lack them.
    pub(crate) fn compare(&self, folder: &Path, makes_empty_files: bool) -> Result<(), String> {
        let copy = folder.join(self.path.file_name().expect("content has a name"));
        let mut found = BTreeMap::new();
        read_files(&copy, "", &mut found)?;
        for (relative, bytes) in &self.files {
            match found.remove(relative) {
                None if bytes.is_empty() && !makes_empty_files => {}
                None => return Err(format!("{relative:?} is missing in {}", copy.display())),
                Some(other) if other != *bytes => return Err(difference(relative, bytes, &other)),
                Some(_) => {}
            }
        }
        match found.keys().next() {
            None => Ok(()),
            Some(relative) => Err(format!("{relative:?} in {} is not part of the content", copy.display())),
        }
    }
}

fn read_files(path: &Path, relative: &str, found: &mut BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    if !path.is_dir() {
        found.insert(relative.to_owned(), fs::read(path).map_err(fail)?);
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().into_string().map_err(|name| format!("{name:?} is not UTF-8"))?;
        let below = if relative.is_empty() { name } else { format!("{relative}/{name}") };
        read_files(&entry.path(), &below, found)?;
    }
    Ok(())
}

fn difference(relative: &str, wanted: &[u8], got: &[u8]) -> String {
    let at = wanted.iter().zip(got).position(|(a, b)| a != b).unwrap_or(wanted.len().min(got.len()));
    format!("{relative:?} differs from byte {at} on ({} bytes, wanted {})", got.len(), wanted.len())
}

/// `length` bytes of SplitMix64 (Steele, Lea, Flood 2014) started at `seed`.
fn pseudorandom(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x5851_f42d_4c95_7f2d);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
