//! SHA-1, the hash of BitTorrent v1: of pieces, of the `info` dictionary, and of what BEP 6 draws from.

use sha1::{Digest, Sha1};

/// SHA-1 of these bytes.
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}
