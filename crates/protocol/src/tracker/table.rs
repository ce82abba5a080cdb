//! The table of a tracker: which torrents there are, who is in each swarm, and whom an asker is told.
//!
//! A peer is known by the address others reach it at (IP address and port); the peer id says whether it is still the
//! same client. IPv4 and IPv6 peers of a torrent are kept apart and an asker is told peers of its own family (BEP 7).
//! Memory is bounded by [`Limits`]; hashing is keyed by the seed, as addresses and info hashes are chosen by
//! strangers. Same seed and same calls give the same answers. Whether an address may be claimed at all, and which
//! torrents are served, is for the caller to decide.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;
use swarmlab_metainfo::InfoHash;

use super::sample::Sampler;
use super::swarm::{Contact, Peer, Presence, Swarm};
use crate::{AnnounceEvent, Instant, PeerId, Random};

/// How long peers stay and how much may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A peer not heard of for so long is forgotten, as is a torrent without peers. Counted in whole seconds, at
    /// least one.
    pub lifetime: Duration,
    /// Most torrents at a time. An empty one takes 160 B.
    pub torrents: u32,
    /// Most peers at a time over all torrents. One takes 32 B (IPv4) or 44 B (IPv6) and its share of an index, in
    /// all about 40 to 90 B.
    pub peers: u32,
}

impl Default for Limits {
    /// Peers stay for 65 minutes (two of the usual intervals of half an hour and a margin), memory stays below 1 GiB.
    fn default() -> Self {
        Limits { lifetime: Duration::from_secs(65 * 60), torrents: 1_000_000, peers: 5_000_000 }
    }
}

/// What a peer tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attendance {
    /// The torrent.
    pub info_hash: InfoHash,
    /// Where others reach the peer. An IPv4 address mapped into IPv6 counts as IPv4.
    pub addr: SocketAddr,
    /// What it calls itself.
    pub peer_id: PeerId,
    /// Whether it has everything (`left` is 0).
    pub seed: bool,
    /// What has happened.
    pub event: AnnounceEvent,
    /// How many peers it wants at most.
    pub numwant: u32,
}

/// The numbers of one torrent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Peers that have everything.
    pub complete: u32,
    /// Peers that have not.
    pub incomplete: u32,
    /// How often a peer has told that it completed, since the torrent was first heard of.
    pub downloaded: u32,
}

/// The numbers of a whole table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Torrents, empty ones among them until they expire.
    pub torrents: u32,
    /// Peers at IPv4 addresses.
    pub peers_v4: u32,
    /// Peers at IPv6 addresses.
    pub peers_v6: u32,
    /// Those of all peers that have everything.
    pub seeds: u32,
}

impl Totals {
    /// Peers of both address families.
    pub fn peers(&self) -> u32 {
        self.peers_v4 + self.peers_v6
    }
}

/// Whether the announcing peer is in the table now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Admission {
    /// It is, and others will be told of it.
    Listed,
    /// It has left.
    Left,
    /// There is no room for it; it was answered all the same.
    Full,
}

/// The table holds as many torrents as it may, and this would be another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this tracker has no room for another torrent")]
pub struct TableFull;

/// What an announcing peer is told.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The torrent's numbers with this announce counted in.
    pub counts: Counts,
    /// Whether the announcing peer is in the table now.
    pub admission: Admission,
    /// Other peers, chosen at random; no seeds if the announcing peer is one itself.
    pub peers: Peers<'a>,
}

/// A random selection of peers of one address family, in random order.
#[derive(Debug)]
pub struct Peers<'a>(Selection<'a>);

#[derive(Debug)]
enum Selection<'a> {
    V4 { peers: &'a [Peer<6>], slots: &'a [u32] },
    V6 { peers: &'a [Peer<18>], slots: &'a [u32] },
}

impl Peers<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self.0 {
            Selection::V4 { slots, .. } | Selection::V6 { slots, .. } => slots.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether these are IPv6 peers.
    pub fn is_v6(&self) -> bool {
        matches!(self.0, Selection::V6 { .. })
    }

    /// Their addresses and peer ids.
    pub fn iter(&self) -> impl Iterator<Item = (SocketAddr, PeerId)> + '_ {
        (0..self.len()).map(|number| match self.0 {
            Selection::V4 { peers, slots } => {
                let peer = &peers[slots[number] as usize];
                (addr_v4(&peer.contact), peer.id)
            }
            Selection::V6 { peers, slots } => {
                let peer = &peers[slots[number] as usize];
                (addr_v6(&peer.contact), peer.id)
            }
        })
    }

    /// Bytes that [`compact`](Self::compact) appends.
    pub fn compact_len(&self) -> usize {
        self.len() * if self.is_v6() { 18 } else { 6 }
    }

    /// Appends them in compact form: 6 bytes each for IPv4 (BEP 23), 18 for IPv6 (BEP 7).
    pub fn compact(&self, out: &mut Vec<u8>) {
        match self.0 {
            Selection::V4 { peers, slots } => append(peers, slots, out),
            Selection::V6 { peers, slots } => append(peers, slots, out),
        }
    }
}

fn append<const N: usize>(peers: &[Peer<N>], slots: &[u32], out: &mut Vec<u8>) {
    out.reserve(slots.len() * N);
    slots.iter().for_each(|&slot| out.extend_from_slice(&peers[slot as usize].contact));
}

#[derive(Debug)]
struct Entry {
    info_hash: InfoHash,
    downloaded: u32,
    /// Second of the last announce, since the driver's start.
    touched: u32,
    v4: Swarm<6>,
    v6: Swarm<18>,
}

impl Entry {
    fn counts(&self) -> Counts {
        let complete = self.v4.seeds() + self.v6.seeds();
        let incomplete = self.v4.len() + self.v6.len() - complete;
        Counts { complete, incomplete, downloaded: self.downloaded }
    }
}

/// The swarms of a tracker.
#[derive(Debug)]
pub struct Table {
    limits: Limits,
    lifetime: u32,
    key: SipHasher13,
    random: Random,
    sampler: Sampler,
    entries: Vec<Entry>,
    /// Places in `entries` by the hash of the info hash.
    index: HashTable<u32>,
    /// The entry looked at last for peers to forget.
    cursor: usize,
    totals: Totals,
}

impl Table {
    /// An empty table. The seed decides what is drawn at random and keys the hashing: where strangers announce, it
    /// must be one they cannot guess.
    pub fn new(limits: Limits, seed: u64) -> Self {
        let mut keys = Random::stream(seed, 1);
        Table {
            lifetime: u32::try_from(limits.lifetime.as_secs()).unwrap_or(u32::MAX).max(1),
            limits,
            key: SipHasher13::new_with_keys(keys.bits(), keys.bits()),
            random: Random::stream(seed, 2),
            sampler: Sampler::default(),
            entries: Vec::new(),
            index: HashTable::new(),
            cursor: 0,
            totals: Totals::default(),
        }
    }

    /// Takes one announce and answers it.
    ///
    /// A `stopped` removes the peer only if it comes with the peer id it is known by: a late one of a client that has
    /// been started again does no harm. A `completed` is counted once for each peer.
    ///
    /// # Errors
    /// When the torrent is new and there is no room for it.
    pub fn announce(&mut self, now: Instant, said: &Attendance) -> Result<Answer<'_>, TableFull> {
        let now = seconds(now);
        self.tend(now);
        let Some(place) = self.place_for(said, now)? else {
            let peers = Peers(Selection::V4 { peers: &[], slots: &[] });
            return Ok(Answer { counts: Counts::default(), admission: Admission::Left, peers });
        };
        self.expire_entry(place, now);
        let totals = &mut self.totals;
        let entry = &mut self.entries[place];
        entry.touched = now;
        let room = totals.peers() < self.limits.peers;
        let before = entry.counts();
        let (peers_v4, peers_v6) = (entry.v4.len(), entry.v6.len());
        let call = Call { said, now, room, key: &self.key };
        let port = said.addr.port();
        let visit = match said.addr.ip().to_canonical() {
            IpAddr::V4(ip) => call.visit(&mut entry.v4, contact_v4(ip, port)),
            IpAddr::V6(ip) => call.visit(&mut entry.v6, contact_v6(ip, port)),
        };
        entry.downloaded = entry.downloaded.saturating_add(u32::from(visit.completes));
        let counts = entry.counts();
        totals.peers_v4 = totals.peers_v4 + entry.v4.len() - peers_v4;
        totals.peers_v6 = totals.peers_v6 + entry.v6.len() - peers_v6;
        totals.seeds = totals.seeds + counts.complete - before.complete;
        let slots = visit.draw(said.numwant, &mut self.sampler, &mut self.random);
        let peers = Peers(match said.addr.ip().to_canonical() {
            IpAddr::V4(_) => Selection::V4 { peers: entry.v4.peers(), slots },
            IpAddr::V6(_) => Selection::V6 { peers: entry.v6.peers(), slots },
        });
        Ok(Answer { counts, admission: visit.admission, peers })
    }

    /// The numbers of one torrent; `None` if it was never announced or has been forgotten.
    pub fn scrape(&mut self, now: Instant, info_hash: &InfoHash) -> Option<Counts> {
        let place = self.place(info_hash)?;
        self.expire_entry(place, seconds(now));
        Some(self.entries[place].counts())
    }

    /// The numbers of every torrent, in no particular order but always the same one. Peers that are overdue count
    /// until [`expire`](Self::expire) is called.
    pub fn torrents(&self) -> impl Iterator<Item = (InfoHash, Counts)> + '_ {
        self.entries.iter().map(|entry| (entry.info_hash, entry.counts()))
    }

    /// The numbers of the whole table. Peers that are overdue count until [`expire`](Self::expire) is called.
    pub fn totals(&self) -> Totals {
        Totals { torrents: self.entries.len() as u32, ..self.totals }
    }

    /// Forgets every peer and every torrent without peers that is overdue. Announces do this little by little, so
    /// that calling it is only needed for exact totals and when announces have ceased.
    pub fn expire(&mut self, now: Instant) {
        let now = seconds(now);
        for place in (0..self.entries.len()).rev() {
            self.expire_entry(place, now);
            self.forget_if_idle(place, now);
        }
        if self.entries.capacity() > 4 * self.entries.len() {
            self.entries.shrink_to_fit();
            let Table { entries, index, key, .. } = self;
            index.shrink_to_fit(|&place| key.hash(&entries[place as usize].info_hash.0));
        }
    }

    /// Looks at one torrent with each announce. A torrent in use is announced at least once in half a lifetime by
    /// each peer, so all of them have their turn in time.
    fn tend(&mut self, now: u32) {
        self.cursor = self.cursor.checked_sub(1).unwrap_or(self.entries.len().saturating_sub(1));
        if self.cursor < self.entries.len() {
            self.expire_entry(self.cursor, now);
            self.forget_if_idle(self.cursor, now);
        }
    }

    fn expire_entry(&mut self, place: usize, now: u32) {
        let entry = &mut self.entries[place];
        let seeds = entry.counts().complete;
        self.totals.peers_v4 -= entry.v4.expire(now, self.lifetime, &self.key);
        self.totals.peers_v6 -= entry.v6.expire(now, self.lifetime, &self.key);
        self.totals.seeds -= seeds - entry.counts().complete;
    }

    fn forget_if_idle(&mut self, place: usize, now: u32) {
        let entry = &self.entries[place];
        let empty = entry.v4.len() + entry.v6.len() == 0;
        if !empty || now.saturating_sub(entry.touched) < self.lifetime {
            return;
        }
        let last = self.entries.len() - 1;
        let [gone, moved] = [place, last].map(|at| self.key.hash(&self.entries[at].info_hash.0));
        if let Ok(found) = self.index.find_entry(gone, |&at| at as usize == place) {
            found.remove();
        }
        if let Some(at) = self.index.find_mut(moved, |&at| at as usize == last) {
            *at = place as u32;
        }
        self.entries.swap_remove(place);
    }

    fn place(&self, info_hash: &InfoHash) -> Option<usize> {
        let hash = self.key.hash(&info_hash.0);
        self.index
            .find(hash, |&place| self.entries[place as usize].info_hash == *info_hash)
            .map(|&p| p as usize)
    }

    /// Where the torrent is, made if it must be; none for a peer that leaves a torrent nobody knows.
    fn place_for(&mut self, said: &Attendance, now: u32) -> Result<Option<usize>, TableFull> {
        if let Some(place) = self.place(&said.info_hash) {
            return Ok(Some(place));
        }
        if said.event == AnnounceEvent::Stopped {
            return Ok(None);
        }
        if self.entries.len() >= self.limits.torrents as usize {
            return Err(TableFull);
        }
        let place = self.entries.len();
        let info_hash = said.info_hash;
        self.entries.push(Entry {
            info_hash,
            downloaded: 0,
            touched: now,
            v4: Swarm::new(),
            v6: Swarm::new(),
        });
        let Table { entries, index, key, .. } = self;
        let hash = |&at: &u32| key.hash(&entries[at as usize].info_hash.0);
        index.insert_unique(hash(&(place as u32)), place as u32, hash);
        Ok(Some(place))
    }
}

/// One announce on its way to the swarm of its address family.
struct Call<'a> {
    said: &'a Attendance,
    now: u32,
    room: bool,
    key: &'a SipHasher13,
}

/// What became of it, and among which slots the answer is drawn.
struct Visit {
    admission: Admission,
    completes: bool,
    /// First slot of those that may be told: behind the seeds if the asker is one.
    first: u32,
    /// How many may be told, the asker left out.
    among: u32,
    /// The asker's own slot, if it is among them.
    asker: Option<u32>,
}

impl Call<'_> {
    fn visit<const N: usize>(&self, swarm: &mut Swarm<N>, contact: Contact<N>) -> Visit {
        let Attendance { peer_id: id, seed, event, .. } = *self.said;
        let known = swarm.find(&contact, self.key);
        if event == AnnounceEvent::Stopped {
            if let Some(slot) = known
                && swarm.peers()[slot as usize].id == id
            {
                swarm.remove(slot, self.key);
            }
            return Visit { admission: Admission::Left, completes: false, first: 0, among: 0, asker: None };
        }
        let completed = event == AnnounceEvent::Completed;
        let presence = Presence { contact, id, seed, completed, now: self.now };
        let listed = match known {
            Some(slot) => Some(swarm.update(slot, presence, self.key)),
            None if self.room => Some(swarm.add(presence, self.key)),
            None => None,
        };
        let first = if seed { swarm.seeds() } else { 0 };
        let asker = listed.map(|(slot, _)| slot).filter(|&slot| slot >= first);
        Visit {
            admission: if listed.is_some() { Admission::Listed } else { Admission::Full },
            completes: listed.is_some_and(|(_, completes)| completes),
            first,
            among: swarm.len() - first - u32::from(asker.is_some()),
            asker,
        }
    }
}

impl Visit {
    /// Draws the slots of the peers that are told.
    fn draw<'a>(&self, want: u32, sampler: &'a mut Sampler, random: &mut Random) -> &'a [u32] {
        let slots = sampler.draw(self.among, want, random);
        for slot in slots.iter_mut() {
            *slot += self.first;
            *slot += u32::from(self.asker.is_some_and(|asker| *slot >= asker));
        }
        slots
    }
}

fn seconds(now: Instant) -> u32 {
    u32::try_from(now.as_micros() / 1_000_000).unwrap_or(u32::MAX)
}

fn contact_v4(ip: Ipv4Addr, port: u16) -> Contact<6> {
    let ([a, b, c, d], [high, low]) = (ip.octets(), port.to_be_bytes());
    [a, b, c, d, high, low]
}

fn contact_v6(ip: Ipv6Addr, port: u16) -> Contact<18> {
    let mut contact = [0; 18];
    contact[..16].copy_from_slice(&ip.octets());
    contact[16..].copy_from_slice(&port.to_be_bytes());
    contact
}

pub(super) fn addr_v4(&[a, b, c, d, high, low]: &Contact<6>) -> SocketAddr {
    SocketAddr::from(([a, b, c, d], u16::from_be_bytes([high, low])))
}

pub(super) fn addr_v6(contact: &Contact<18>) -> SocketAddr {
    let mut ip = [0; 16];
    ip.copy_from_slice(&contact[..16]);
    SocketAddr::from((ip, u16::from_be_bytes([contact[16], contact[17]])))
}

#[cfg(test)]
mod tests;
