//! Torrents for the tests of this module.

use std::path::Path;
use std::sync::Arc;

use sha1::{Digest, Sha1};
use swarmlab_metainfo::{Draft, DraftFile, Metainfo};

use super::content::Content;

/// Piece length of the test torrents.
pub(crate) const PIECE: usize = 64;

/// The bytes of the content: no two pieces are alike.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 7 + at % 251) as u8).collect()
}

/// A torrent of files of these lengths. One file without a slash makes a single-file torrent, names that begin with
/// `.pad` are pad files (whose bytes are zeros), the name of others is `many`.
pub(crate) fn torrent(files: &[(&str, u64)]) -> Arc<Metainfo> {
    let mut content = Vec::new();
    for (name, length) in files {
        let part = bytes(content.len() + *length as usize);
        let start = content.len();
        content.extend(part[start..].iter().map(|&byte| if name.starts_with(".pad") { 0 } else { byte }));
    }
    let draft = |(name, length): &(&str, u64)| DraftFile {
        path: name.split('/').map(str::to_owned).collect(),
        length: *length,
        pad: name.starts_with(".pad"),
        executable: false,
    };
    let single = files.len() == 1 && !files[0].0.contains('/');
    let draft = Draft {
        name: if single { files[0].0.into() } else { "many".into() },
        files: if single { vec![DraftFile::single(files[0].1)] } else { files.iter().map(draft).collect() },
        piece_length: PIECE as u32,
        hashes: content.chunks(PIECE).flat_map(|piece| Sha1::digest(piece).to_vec()).collect(),
        ..Draft::default()
    };
    Arc::new(Metainfo::from_bytes(&draft.to_bytes().unwrap()).unwrap())
}

/// That torrent to be written below a directory.
pub(crate) fn content(root: &Path, files: &[(&str, u64)]) -> Arc<Content> {
    Arc::new(Content::below(torrent(files), root))
}
