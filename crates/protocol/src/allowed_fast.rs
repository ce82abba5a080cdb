//! The allowed-fast set of BEP 6: the pieces a remote may ask for even while it is choked, so that it has something to
//! trade soon. It depends on the remote's address and the torrent only, so one remote cannot collect several sets. BEP 6 has
//! all hosts of a network share one, so that a host of many addresses gets no more; hosts of one network that come together
//! then all begin with the same piece. libtorrent draws a set for each host (`send_allowed_set` in `peer_connection.cpp`).

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use swarmlab_metainfo::sha1;

use crate::{InfoHash, PieceIndex};

/// The first `count` pieces of the set of a remote with this address (BEP 6: of its [`network`]), in the order of BEP 6, in a
/// torrent of `piece_count` pieces: all of them, if there are no more.
///
/// The set is drawn from a chain of SHA-1, five pieces from each link. Costs one SHA-1 of 24 bytes for about five pieces.
/// BEP 6 has no rule for IPv6.
pub fn allowed_fast(info_hash: &InfoHash, piece_count: u32, addr: Ipv4Addr, count: usize) -> Vec<PieceIndex> {
    let count = count.min(piece_count as usize);
    let mut set = Vec::with_capacity(count);
    let mut start = [0; 24];
    start[..4].copy_from_slice(&addr.octets());
    start[4..].copy_from_slice(&info_hash.0);
    let mut digest = sha1(&start);
    while set.len() < count {
        for word in digest.chunks_exact(4) {
            let drawn = u32::from_be_bytes([word[0], word[1], word[2], word[3]]);
            let piece = PieceIndex(drawn % piece_count);
            if set.len() < count && !set.contains(&piece) {
                set.push(piece);
            }
        }
        digest = sha1(&digest);
    }
    set
}

/// The class C network of an address: what BEP 6 draws the set from.
pub fn network(addr: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, _] = addr.octets();
    Ipv4Addr::new(a, b, c, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(piece_count: u32, count: usize) -> Vec<u32> {
        let addr = Ipv4Addr::new(80, 4, 4, 200);
        let set = allowed_fast(&InfoHash([0xaa; 20]), piece_count, network(addr), count);
        set.into_iter().map(|piece| piece.0).collect()
    }

    #[test]
    fn the_vectors_of_bep_6() {
        assert_eq!(set(1_313, 7), [1059, 431, 808, 1217, 287, 376, 1188]);
        assert_eq!(set(1_313, 9), [1059, 431, 808, 1217, 287, 376, 1188, 353, 508]);
    }

    #[test]
    fn a_small_torrent_has_every_piece_once() {
        for piece_count in 0..12 {
            let mut all = set(piece_count, 10);
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), piece_count.min(10) as usize, "{piece_count} pieces");
        }
    }

    #[test]
    fn neighbours_in_one_network_have_one_set() {
        let of = |addr: Ipv4Addr| allowed_fast(&InfoHash([7; 20]), 500, addr, 10);
        let (one, other) = (Ipv4Addr::new(198, 18, 3, 1), Ipv4Addr::new(198, 18, 3, 250));
        assert_eq!(of(network(one)), of(network(other)));
        assert_ne!(of(one), of(other), "but not where each host has its own");
        assert_ne!(of(network(one)), of(network(Ipv4Addr::new(198, 18, 4, 1))));
    }
}
