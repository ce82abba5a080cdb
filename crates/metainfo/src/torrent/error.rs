//! What can be wrong with a torrent, and what is merely odd.

use crate::{
    LayoutError,
    bencode::{self, Kind},
};
use alloc::string::String;
use core::fmt;

/// Why a `.torrent` file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TorrentError {
    /// Not bencode, not even with leniency.
    #[error("not a torrent: {0}")]
    Bencode(#[from] bencode::Error),
    /// A key that is missing, of the wrong type, or in contradiction to another.
    #[error("{key} (byte {offset}): {fault}")]
    Key {
        /// Path of the key, such as `info.files[3].length`; `torrent` for the whole.
        key: String,
        /// Offset in the file of the key's value, or of the dictionary that lacks the key.
        offset: usize,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What makes a key unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A required key is missing.
    #[error("missing")]
    Missing,
    /// Neither `length` nor `files`.
    #[error("missing, and there is no `files` either")]
    NoLength,
    /// Both `length` and `files`: it is not clear which content is meant.
    #[error("stands beside `length`; a torrent has one of the two")]
    LengthAndFiles,
    /// A value of another type.
    #[error("{found} where {expected} is due")]
    WrongType {
        /// The type BEP 3 demands.
        expected: Kind,
        /// The type found.
        found: Kind,
    },
    /// A length below zero.
    #[error("{0} is negative")]
    Negative(i64),
    /// A `files` list without an element.
    #[error("the list of files is empty")]
    NoFiles,
    /// The lengths of the files add up to more than 2^63 - 1.
    #[error("the files are longer than 9223372036854775807 bytes together")]
    TotalTooLong,
    /// The piece length, or the number of pieces, is out of range.
    #[error(transparent)]
    Layout(LayoutError),
    /// The string of hashes is not a multiple of 20 bytes long.
    #[error("{0} bytes of hashes are not a multiple of 20")]
    TornHashes(usize),
    /// The number of hashes does not fit the length of the content.
    #[error("{found} hashes where the content has {expected} pieces")]
    HashCount {
        /// Pieces that length and piece length make.
        expected: u32,
        /// Hashes there are.
        found: usize,
    },
    /// A torrent of BitTorrent v2 without the v1 part.
    #[error("the torrent is of BitTorrent v2 only (BEP 52); v1 and hybrid torrents are supported")]
    VersionTwoOnly,
}

/// Something odd that was read all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Path of the key, such as `info.files[3].path`; empty where a place in the bencode is meant.
    pub key: String,
    /// Offset in the file.
    pub offset: usize,
    /// What is odd, and what was made of it.
    pub oddity: Oddity,
}

impl Warning {
    /// Most warnings kept for one torrent; the rest is counted in [`Oddity::LeftOut`].
    pub const MOST: usize = 1_000;
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "byte {}: {}", self.offset, self.oddity)
        } else {
            write!(f, "{} (byte {}): {}", self.key, self.offset, self.oddity)
        }
    }
}

/// The kinds of oddities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Not canonical bencode.
    Bencode(bencode::Reason),
    /// An optional key of the wrong type, ignored.
    Ignored {
        /// The type due.
        expected: Kind,
        /// The type found.
        found: Kind,
    },
    /// A web address that is not UTF-8 or has control characters in it, ignored.
    UnreadableUrl,
    /// A text that is not UTF-8, read with replacement characters.
    NotUtf8,
    /// Also a v2 torrent; the v1 part was read.
    Hybrid,
    /// A name or path that is not safe to create everywhere, changed. Both are escaped for showing.
    Renamed {
        /// As the torrent has it.
        from: String,
        /// As it is used.
        to: String,
    },
    /// A symbolic link (BEP 47), read as an ordinary file.
    SymbolicLink,
    /// This many further warnings.
    LeftOut(usize),
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Oddity::Bencode(reason) => write!(f, "{reason}; read all the same"),
            Oddity::Ignored { expected, found } => write!(f, "{found} where {expected} is due; ignored"),
            Oddity::UnreadableUrl => {
                f.write_str("an address that is not UTF-8 or has control characters; ignored")
            }
            Oddity::NotUtf8 => f.write_str("a text that is not UTF-8; read with replacements"),
            Oddity::Hybrid => f.write_str("a hybrid torrent; read as v1, its v2 part is not used"),
            Oddity::Renamed { from, to } => write!(f, "\"{from}\" is not a safe name; \"{to}\" is used"),
            Oddity::SymbolicLink => f.write_str("a symbolic link; read as an ordinary file"),
            Oddity::LeftOut(count) => write!(f, "{count} further warnings are left out"),
        }
    }
}
