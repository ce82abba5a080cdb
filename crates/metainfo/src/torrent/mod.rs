//! `.torrent` files (BEP 3): reading, checking and writing the metainfo of a torrent.
//!
//! Owns what the keys mean (BEP 3, 12, 19, 27, 47) and that a [`Metainfo`] is sound: the number of hashes fits the
//! length, offsets do not overflow, and every path is safe to create. It refuses what cannot be downloaded as v1;
//! everything odd but clear is read, and told as a [`Warning`].

mod draft;
mod error;
mod files;
mod read;

#[cfg(test)]
mod tests;

pub use draft::{Draft, DraftFile, recommended_piece_length};
pub use error::{Fault, Oddity, TorrentError, Warning};
pub use files::{File, FileSpan, file_spans};

use crate::{InfoHash, Layout, PieceIndex};
use alloc::{boxed::Box, string::String, vec::Vec};
use core::ops::Range;

/// What a `.torrent` file says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metainfo {
    info_hash: InfoHash,
    info: Box<[u8]>,
    name: String,
    literal_name: Option<String>,
    layout: Layout,
    hashes: Box<[u8]>,
    files: Vec<File>,
    multi_file: bool,
    private: bool,
    hybrid: bool,
    announce: Option<String>,
    announce_list: Vec<Vec<String>>,
    web_seeds: Vec<String>,
    comment: Option<String>,
    created_by: Option<String>,
    creation_date: Option<i64>,
    warnings: Vec<Warning>,
}

impl Metainfo {
    /// Reads a `.torrent` file. Bencode is read leniently, since real torrents have unsorted keys; the info hash is
    /// always that of the bytes as they stand. The caller bounds the size of the file.
    ///
    /// # Errors
    /// When the bytes are not bencode, when a required key is missing, of the wrong type or contradicts another, or
    /// when the torrent is of BitTorrent v2 only (BEP 52). The error names the key and the byte offset.
    ///
    /// ```
    /// use swarmlab_metainfo::Metainfo;
    ///
    /// let error = Metainfo::from_bytes(b"d4:infod4:name1:a12:piece lengthi0e6:pieces0:ee").unwrap_err();
    /// assert_eq!(error.to_string(), "info.length (byte 7): missing, and there is no `files` either");
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TorrentError> {
        read::torrent(bytes)
    }

    /// SHA-1 of the `info` dictionary as it stands in the file: the name of the torrent on the network.
    pub fn info_hash(&self) -> InfoHash {
        self.info_hash
    }

    /// The `info` dictionary as it stands in the file, which is what a metadata exchange (BEP 9) sends.
    pub fn info_bytes(&self) -> &[u8] {
        &self.info
    }

    /// Name of the file, or of the directory that holds the files: one component, safe to create.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name as the torrent spells it, where [`Metainfo::name`] had to differ for the sake of other systems but
    /// a POSIX system can hold it. See [`File::literal`].
    pub fn literal_name(&self) -> Option<&str> {
        self.literal_name.as_deref()
    }

    /// How the content is cut into pieces and blocks (of [`Layout::BLOCK_LEN`]).
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Length of the content in bytes, pad files included.
    pub fn length(&self) -> u64 {
        self.layout.length()
    }

    /// SHA-1 that the bytes of a piece must have. The piece must exist.
    pub fn piece_hash(&self, piece: PieceIndex) -> [u8; 20] {
        let (hashes, _) = self.hashes.as_chunks();
        hashes[piece.0 as usize]
    }

    /// The files in the order of the content; never empty.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Whether the torrent has a `files` list: then the paths of [`Metainfo::files`] are below a directory called
    /// [`Metainfo::name`]. Otherwise there is one file of that name.
    pub fn is_multi_file(&self) -> bool {
        self.multi_file
    }

    /// The parts of files that a range of the content covers. See [`file_spans`].
    pub fn spans(&self, range: Range<u64>) -> impl Iterator<Item = FileSpan> + '_ {
        file_spans(&self.files, range)
    }

    /// Whether peers may come from the torrent's own trackers only (BEP 27).
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Whether the torrent is also one of BitTorrent v2 (BEP 52), of which only the v1 part was read.
    pub fn is_hybrid(&self) -> bool {
        self.hybrid
    }

    /// `announce` as written (BEP 3).
    pub fn announce(&self) -> Option<&str> {
        self.announce.as_deref()
    }

    /// `announce-list` without its empty entries (BEP 12).
    pub fn announce_list(&self) -> &[Vec<String>] {
        &self.announce_list
    }

    /// The trackers to use, tier by tier: `announce-list` if there is one, else `announce` alone (BEP 12).
    pub fn tiers(&self) -> Vec<Vec<String>> {
        if self.announce_list.is_empty() {
            self.announce.iter().map(|url| Vec::from([url.clone()])).collect()
        } else {
            self.announce_list.clone()
        }
    }

    /// `url-list`: web seeds (BEP 19).
    pub fn web_seeds(&self) -> &[String] {
        &self.web_seeds
    }

    /// `comment`.
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// `created by`: the program that made the torrent.
    pub fn created_by(&self) -> Option<&str> {
        self.created_by.as_deref()
    }

    /// `creation date` in seconds since 1970-01-01 UTC.
    pub fn creation_date(&self) -> Option<i64> {
        self.creation_date
    }

    /// What was odd and how it was read, in no particular order; at most [`Warning::MOST`] of them.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}
