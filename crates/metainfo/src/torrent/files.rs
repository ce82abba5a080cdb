//! The files of a torrent and where they lie in its content.

use alloc::{string::String, vec::Vec};
use core::ops::Range;

/// One file of a torrent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Components of the path, each safe to create; never empty. Below the torrent's directory for a multi-file
    /// torrent, the name itself for a single file. No two files that are to be written share a path, also where
    /// upper and lower case are the same, and no such path is a directory of another.
    pub path: Vec<String>,
    /// The path as the torrent spells it, where `path` had to differ for the sake of other systems (`aux.c`, `a\b`,
    /// two names that differ in case only) but a POSIX system can hold it. Content that is already there may be
    /// *read* from this path if `path` does not exist; nothing may be written to it.
    pub literal: Option<Vec<String>>,
    /// Length in bytes.
    pub length: u64,
    /// Offset of the file's first byte in the content.
    pub offset: u64,
    /// A pad file (BEP 47): it takes up room in the content, reads as zeros and is not to be written.
    pub pad: bool,
    /// To be marked as executable where the file system can (BEP 47).
    pub executable: bool,
}

impl File {
    /// The path joined by slashes.
    pub fn display_path(&self) -> String {
        self.path.join("/")
    }
}

/// Part of a file that a range of the content covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSpan {
    /// Index of the file.
    pub file: usize,
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// Length in bytes, never 0.
    pub len: u64,
}

/// The parts of `files` that a range of the content covers, in order and without gaps, pad files included. Files
/// of length 0 are passed over; a range that reaches past the end of the content is cut there.
///
/// The files must lie end to end, as those of a [`Metainfo`](super::Metainfo) do. The first one is found by binary
/// search.
pub fn file_spans(files: &[File], range: Range<u64>) -> impl Iterator<Item = FileSpan> + '_ {
    let first = files.partition_point(|file| file.offset + file.length <= range.start);
    let (mut at, end) = (range.start, range.end);
    files.iter().enumerate().skip(first).filter(|(_, file)| file.length > 0).map_while(
        move |(index, file)| {
            if at >= end {
                return None;
            }
            let offset = at - file.offset;
            let len = (file.length - offset).min(end - at);
            at += len;
            Some(FileSpan { file: index, offset, len })
        },
    )
}
