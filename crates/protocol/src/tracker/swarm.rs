//! The peers of one torrent in one address family: a dense vector, seeds first, with a hash index over addresses.
//!
//! A peer takes 32 bytes (IPv4) or 44 (IPv6) in the vector and, in swarms of more than [`SCAN`] peers, 5 bytes in the
//! index, both at up to twice that while they have room to grow. Being dense, the vector lets a random selection cost
//! the same whatever the size of the swarm; being split into seeds and leechers, it lets seeds be left out of it.

use alloc::vec::Vec;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use crate::PeerId;

/// An address as compact replies carry it: the IP address and the port, big-endian (BEP 23, BEP 7).
pub(super) type Contact<const N: usize> = [u8; N];

/// Swarms up to this size are searched peer by peer and have no index: most swarms of a tracker are that small.
const SCAN: usize = 16;

/// One peer.
#[derive(Debug)]
pub(super) struct Peer<const N: usize> {
    pub(super) contact: Contact<N>,
    pub(super) id: PeerId,
    /// Its completion has been counted, so that a repeated `completed` is not counted again.
    counted: bool,
    /// Second of its last announce, since the driver's start.
    seen: u32,
}

/// What an announce says of a peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Presence<const N: usize> {
    pub(super) contact: Contact<N>,
    pub(super) id: PeerId,
    pub(super) seed: bool,
    pub(super) completed: bool,
    pub(super) now: u32,
}

/// The peers of one torrent in one address family. Slots below `seeds` hold seeds, the others leechers.
#[derive(Debug)]
pub(super) struct Swarm<const N: usize> {
    peers: Vec<Peer<N>>,
    seeds: u32,
    /// No peer was last seen before this second: a lower bound, made exact by each sweep.
    oldest: u32,
    /// Slots by the hash of the peer's contact; empty while the swarm is small.
    index: HashTable<u32>,
}

impl<const N: usize> Swarm<N> {
    pub(super) const fn new() -> Self {
        Swarm { peers: Vec::new(), seeds: 0, oldest: u32::MAX, index: HashTable::new() }
    }

    pub(super) fn peers(&self) -> &[Peer<N>] {
        &self.peers
    }

    pub(super) fn len(&self) -> u32 {
        self.peers.len() as u32
    }

    pub(super) fn seeds(&self) -> u32 {
        self.seeds
    }

    /// The slot of the peer with this contact.
    pub(super) fn find(&self, contact: &Contact<N>, key: &SipHasher13) -> Option<u32> {
        if self.index.is_empty() {
            return self.peers.iter().position(|peer| peer.contact == *contact).map(|slot| slot as u32);
        }
        self.index.find(key.hash(contact), |&slot| self.peers[slot as usize].contact == *contact).copied()
    }

    /// Adds a peer that is not there. Gives its slot and whether a completion is to be counted.
    pub(super) fn add(&mut self, new: Presence<N>, key: &SipHasher13) -> (u32, bool) {
        let slot = self.len();
        self.oldest = self.oldest.min(new.now);
        self.peers.push(Peer { contact: new.contact, id: new.id, counted: new.completed, seen: new.now });
        self.enter(slot, key);
        (self.set_seed(slot, new.seed, key), new.completed)
    }

    /// Brings a peer up to date. Gives its slot, which may be another, and whether a completion is to be counted.
    pub(super) fn update(&mut self, slot: u32, new: Presence<N>, key: &SipHasher13) -> (u32, bool) {
        let peer = &mut self.peers[slot as usize];
        if peer.id != new.id {
            // Another client has taken over the address: what was counted for the old one says nothing of it.
            peer.counted = false;
            peer.id = new.id;
        }
        let completes = new.completed && !peer.counted;
        peer.counted |= new.completed;
        peer.seen = new.now;
        (self.set_seed(slot, new.seed, key), completes)
    }

    /// Removes the peer in this slot.
    pub(super) fn remove(&mut self, slot: u32, key: &SipHasher13) {
        let slot = self.set_seed(slot, false, key);
        self.swap(slot, self.len() - 1, key);
        let last = self.len() - 1;
        if !self.index.is_empty() {
            let hash = key.hash(&self.peers[last as usize].contact);
            if let Ok(entry) = self.index.find_entry(hash, |&entry| entry == last) {
                entry.remove();
            }
        }
        self.peers.pop();
        if self.peers.len() <= SCAN / 2 {
            self.index = HashTable::new();
        }
    }

    /// Removes every peer last seen `lifetime` seconds ago or longer; gives how many. Costs nothing when none can be
    /// that old, else one pass; as times are whole seconds, at most one pass a second.
    pub(super) fn expire(&mut self, now: u32, lifetime: u32, key: &SipHasher13) -> u32 {
        if now.saturating_sub(self.oldest) < lifetime || self.peers.is_empty() {
            return 0;
        }
        let before = self.len();
        // From the back: a slot that is filled by a removal gets a peer that was looked at already.
        for slot in (0..before).rev() {
            if now.saturating_sub(self.peers[slot as usize].seen) >= lifetime {
                self.remove(slot, key);
            }
        }
        self.oldest = self.peers.iter().map(|peer| peer.seen).min().unwrap_or(u32::MAX);
        if self.peers.capacity() > 4 * self.peers.len() {
            self.peers.shrink_to_fit();
            let Swarm { peers, index, .. } = self;
            index.shrink_to_fit(|&slot| key.hash(&peers[slot as usize].contact));
        }
        before - self.len()
    }

    /// Makes the peer a seed or a leecher; gives its slot from then on.
    fn set_seed(&mut self, slot: u32, seed: bool, key: &SipHasher13) -> u32 {
        match (slot < self.seeds, seed) {
            (false, true) => {
                self.swap(slot, self.seeds, key);
                self.seeds += 1;
                self.seeds - 1
            }
            (true, false) => {
                self.seeds -= 1;
                self.swap(slot, self.seeds, key);
                self.seeds
            }
            _ => slot,
        }
    }

    fn swap(&mut self, one: u32, other: u32, key: &SipHasher13) {
        if one == other {
            return;
        }
        if !self.index.is_empty() {
            let [one_hash, other_hash] =
                [one, other].map(|slot| key.hash(&self.peers[slot as usize].contact));
            // Both entries are found before either is changed: they differ only in the slot they name.
            let [first, second] = self.index.get_disjoint_mut([one_hash, other_hash], |which, &entry| {
                entry == if which == 0 { one } else { other }
            });
            if let (Some(first), Some(second)) = (first, second) {
                core::mem::swap(first, second);
            }
        }
        self.peers.swap(one as usize, other as usize);
    }

    /// Enters the peer in the index, which is built when the swarm outgrows being searched.
    fn enter(&mut self, slot: u32, key: &SipHasher13) {
        let Swarm { peers, index, .. } = self;
        let hash = |&slot: &u32| key.hash(&peers[slot as usize].contact);
        if !index.is_empty() {
            index.insert_unique(hash(&slot), slot, hash);
        } else if peers.len() > SCAN {
            for slot in 0..peers.len() as u32 {
                index.insert_unique(hash(&slot), slot, hash);
            }
        }
    }
}

const _: () = assert!(size_of::<Peer<6>>() == 32);
const _: () = assert!(size_of::<Peer<18>>() == 44);
