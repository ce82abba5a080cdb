//! Writing a `.torrent` file.

use super::{Metainfo, TorrentError};
use crate::bencode::{self, DictEncoder};
use alloc::{string::String, vec::Vec};

/// A torrent to be written: plain values, checked by [`Draft::to_bytes`].
///
/// ```
/// use swarmlab_metainfo::{Draft, DraftFile, Metainfo};
///
/// let draft = Draft {
///     name: "hello.txt".into(),
///     files: vec![DraftFile::single(5)],
///     piece_length: 16384,
///     hashes: vec![7; 20],
///     ..Draft::default()
/// };
/// let bytes = draft.to_bytes().unwrap();
/// assert_eq!(bytes, b"d4:infod6:lengthi5e4:name9:hello.txt12:piece lengthi16384e6:pieces20:\
///     \x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07ee");
/// assert_eq!(Metainfo::from_bytes(&bytes).unwrap().length(), 5);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Name of the file or the directory.
    pub name: String,
    /// The files in the order of the content. One file with an empty path makes a single-file torrent.
    pub files: Vec<DraftFile>,
    /// Piece length in bytes; see [`recommended_piece_length`].
    pub piece_length: u32,
    /// The SHA-1 hashes of all pieces, end to end.
    pub hashes: Vec<u8>,
    /// Whether peers may come from the torrent's trackers only (BEP 27).
    pub private: bool,
    /// Trackers, tier by tier (BEP 12). The first one becomes `announce`; `announce-list` is written only if there
    /// are more.
    pub tiers: Vec<Vec<String>>,
    /// Web seeds (BEP 19).
    pub web_seeds: Vec<String>,
    /// `comment`.
    pub comment: Option<String>,
    /// `created by`.
    pub created_by: Option<String>,
    /// `creation date` in seconds since 1970-01-01 UTC; without it the same content gives the same bytes.
    pub creation_date: Option<i64>,
}

/// A file of a [`Draft`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftFile {
    /// Components of the path below the torrent's directory; empty for the only file of a single-file torrent.
    pub path: Vec<String>,
    /// Length in bytes.
    pub length: u64,
    /// Whether it is a pad file (BEP 47).
    pub pad: bool,
    /// Whether it is executable (BEP 47).
    pub executable: bool,
}

impl DraftFile {
    /// The only file of a single-file torrent.
    pub fn single(length: u64) -> Self {
        DraftFile { length, ..DraftFile::default() }
    }
}

impl Draft {
    /// The bytes of the `.torrent` file, in canonical form.
    ///
    /// # Errors
    /// What [`Metainfo::from_bytes`] says of a torrent with these values, if it refuses it. Offsets then speak of
    /// the bytes that would have been written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TorrentError> {
        let bytes = bencode::dict(|torrent| {
            let mut trackers = self.tiers.iter().flatten();
            if let Some(first) = trackers.next() {
                torrent.bytes("announce", first);
                if trackers.next().is_some() {
                    self.write_announce_list(torrent);
                }
            }
            if let Some(comment) = &self.comment {
                torrent.bytes("comment", comment);
            }
            if let Some(created_by) = &self.created_by {
                torrent.bytes("created by", created_by);
            }
            if let Some(date) = self.creation_date {
                torrent.int("creation date", date);
            }
            torrent.dict("info", |info| self.write_info(info));
            match self.web_seeds.as_slice() {
                [] => {}
                [one] => torrent.bytes("url-list", one),
                many => torrent.list("url-list", |list| many.iter().for_each(|url| list.bytes(url))),
            }
        });
        Metainfo::from_bytes(&bytes)?;
        Ok(bytes)
    }

    fn write_announce_list(&self, torrent: &mut DictEncoder<'_>) {
        torrent.list("announce-list", |tiers| {
            for tier in self.tiers.iter().filter(|tier| !tier.is_empty()) {
                tiers.list(|list| tier.iter().for_each(|url| list.bytes(url)));
            }
        });
    }

    fn write_info(&self, info: &mut DictEncoder<'_>) {
        match self.files.as_slice() {
            [only] if only.path.is_empty() => {
                if let Some(attributes) = only.attributes() {
                    info.bytes("attr", attributes);
                }
                info.int("length", signed(only.length));
            }
            files => info.list("files", |list| {
                for file in files {
                    list.dict(|entry| file.write(entry));
                }
            }),
        }
        info.bytes("name", &self.name);
        info.int("piece length", i64::from(self.piece_length));
        info.bytes("pieces", &self.hashes);
        if self.private {
            info.int("private", 1);
        }
    }
}

impl DraftFile {
    fn attributes(&self) -> Option<&'static str> {
        match (self.pad, self.executable) {
            (false, false) => None,
            (false, true) => Some("x"),
            (true, _) => Some("p"),
        }
    }

    fn write(&self, entry: &mut DictEncoder<'_>) {
        if let Some(attributes) = self.attributes() {
            entry.bytes("attr", attributes);
        }
        entry.int("length", signed(self.length));
        entry.list("path", |path| self.path.iter().for_each(|name| path.bytes(name)));
    }
}

/// Lengths past the range of an integer become negative, which reading back refuses.
fn signed(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(-1)
}

/// The piece length for content of `length` bytes: the power of two from 16 KiB to 16 MiB that gives at most 2,000
/// pieces, so 1,000 to 2,000 wherever the range allows.
pub fn recommended_piece_length(length: u64) -> u32 {
    let least = length.div_ceil(2_000).clamp(16 << 10, 16 << 20);
    least.next_power_of_two() as u32
}
