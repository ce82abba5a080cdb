//! What is shared: content made from a seed, a real file, or what a torrent describes; and its bytes, where a run moves
//! them for real.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use swarmlab_metainfo::sha1;
use swarmlab_metainfo::{Layout, Metainfo, PieceIndex};
use swarmlab_protocol::Random;
use swarmlab_sim::RealContent;

use super::diagnostic::quote;
use crate::units::{grouped, show_size};

/// Most memory for content that moves for real, in bytes: every node keeps a copy, the original is another.
const MOST_REAL: u64 = 4 << 30;
/// Largest torrent that is read: what its parser takes.
const LARGEST_TORRENT: u64 = 64 << 20;
/// The purpose of the random numbers that content is made of.
const PURPOSE: u64 = 0x636f_6e74_656e_7421;

/// What is shared.
#[derive(Clone, Debug)]
pub struct Content {
    /// How it is cut.
    pub layout: Layout,
    /// Where its bytes come from.
    pub kind: ContentKind,
}

/// Where content comes from.
#[derive(Clone, Debug)]
pub enum ContentKind {
    /// It is made from the seed of the run.
    Generated,
    /// It is in this file.
    File(PathBuf),
    /// It lies in this directory, as the torrent says.
    Torrent(PathBuf, Arc<Metainfo>),
}

/// Why content cannot move for real.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// There is more than a run can hold.
    #[error(
        "real bytes of {} would be kept by {} nodes, {} in all; a run may keep {}",
        show_size(*length), grouped(*nodes), show_size(length.saturating_mul(*nodes)), show_size(MOST_REAL)
    )]
    TooLarge {
        /// How many nodes there are.
        nodes: u64,
        /// Length of the content in bytes.
        length: u64,
    },
    /// A file cannot be read.
    #[error("cannot read the content {}", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// A file is longer or shorter than it was or should be.
    #[error("{} has another length than {length} bytes", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// What it should be.
        length: u64,
    },
    /// The bytes are not those of the torrent.
    #[error("piece {0} is not what the torrent says")]
    Wrong(u32),
}

impl Content {
    /// The content of a run's model, with its bytes if so many nodes are to keep them.
    pub(super) fn resolve(
        &self,
        seed: u64,
        real_for: Option<u64>,
    ) -> Result<swarmlab_sim::Content, ContentError> {
        let real = real_for.map(|nodes| self.real(seed, nodes)).transpose()?;
        Ok(swarmlab_sim::Content { layout: self.layout, real })
    }

    /// Its bytes, for a run with this seed.
    ///
    /// # Errors
    /// When there are more than 4 GiB, or they cannot be read or are not what they should be.
    pub fn bytes(&self, seed: u64) -> Result<Arc<[u8]>, ContentError> {
        Ok(self.real(seed, 0)?.bytes)
    }

    fn real(&self, seed: u64, nodes: u64) -> Result<RealContent, ContentError> {
        let length = self.layout.length();
        if length.saturating_mul(nodes + 1) > MOST_REAL {
            return Err(ContentError::TooLarge { nodes, length });
        }
        let bytes = match &self.kind {
            ContentKind::Generated => generated(seed, length as usize),
            ContentKind::File(path) => {
                let mut bytes = Vec::new();
                read_exactly(path, length, &mut bytes)?;
                bytes
            }
            ContentKind::Torrent(dir, torrent) => of_torrent(dir, torrent)?,
        };
        let hashes: Vec<[u8; 20]> = bytes.chunks(self.layout.piece_length() as usize).map(sha1).collect();
        if let ContentKind::Torrent(_, torrent) = &self.kind {
            let wrong =
                hashes.iter().zip(0..).find(|(hash, piece)| **hash != torrent.piece_hash(PieceIndex(*piece)));
            if let Some((_, piece)) = wrong {
                return Err(ContentError::Wrong(piece));
            }
        }
        Ok(RealContent { bytes: bytes.into(), hashes: hashes.into() })
    }
}

/// Content of a seed: the words of a SplitMix64 stream, least byte first. Word n depends on the seed and on n alone.
fn generated(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::stream(seed, PURPOSE);
    let mut bytes = Vec::with_capacity(length.next_multiple_of(8));
    while bytes.len() < length {
        bytes.extend_from_slice(&random.bits().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn of_torrent(dir: &Path, torrent: &Metainfo) -> Result<Vec<u8>, ContentError> {
    let mut bytes = Vec::with_capacity(torrent.length() as usize);
    let root = dir.join(torrent.name());
    for file in torrent.files() {
        if file.pad {
            bytes.resize(bytes.len() + file.length as usize, 0);
            continue;
        }
        // The paths of a torrent have been made safe: plain names only.
        let below = if torrent.is_multi_file() { file.path.as_slice() } else { &[] };
        let path = below.iter().fold(root.clone(), |path, name| path.join(name));
        read_exactly(&path, file.length, &mut bytes)?;
    }
    Ok(bytes)
}

fn read_exactly(path: &Path, length: u64, bytes: &mut Vec<u8>) -> Result<(), ContentError> {
    let unreadable = |error| ContentError::Unreadable(path.to_owned(), error);
    let file = File::open(path).map_err(unreadable)?;
    let read = file.take(length + 1).read_to_end(bytes).map_err(unreadable)?;
    if read as u64 == length { Ok(()) } else { Err(ContentError::Length { path: path.to_owned(), length }) }
}

/// The length of a file.
pub(super) fn length_of(path: &Path, shown: &str) -> Result<u64, String> {
    let metadata =
        std::fs::metadata(path).map_err(|error| format!("cannot read {}: {error}", quote(shown)))?;
    match metadata.len() {
        _ if !metadata.is_file() => Err(format!("{} is no file", quote(shown))),
        0 => Err(format!("{} is empty", quote(shown))),
        length => Ok(length),
    }
}

/// A torrent.
pub(super) fn torrent_of(path: &Path, shown: &str) -> Result<Metainfo, String> {
    let told = |error: &dyn std::fmt::Display| format!("cannot read the torrent {}: {error}", quote(shown));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| told(&error))?;
    file.take(LARGEST_TORRENT + 1).read_to_end(&mut bytes).map_err(|error| told(&error))?;
    if bytes.len() as u64 > LARGEST_TORRENT {
        return Err(told(&"it has more than 64 MiB"));
    }
    let torrent = Metainfo::from_bytes(&bytes).map_err(|error| told(&error))?;
    if torrent.length() == 0 { Err(told(&"it has no content")) } else { Ok(torrent) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_content_is_pinned() {
        let hash = sha1(&generated(1, 100_000));
        let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, "3a92b21677658a7d73536235b79b5d36be76f7e6");
        assert_eq!(generated(1, 13), generated(1, 100)[..13]);
        assert_ne!(generated(1, 100), generated(2, 100));
    }
}
