//! The bencoded replies to announce and scrape.
//!
//! Written in canonical form, with peers as bytes (BEP 23, BEP 7) or as dictionaries (BEP 3). Read as real trackers
//! write them: what is missing gets its customary value, what is out of range is brought into it, peers nobody can
//! connect to are left out and counted. Words from a tracker are shown to people, so control characters are taken out
//! of them and they are cut to a bearable length. Fetching replies and the policy of announcing are others' business.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use swarmlab_metainfo::InfoHash;
use swarmlab_metainfo::bencode::{self, Document, Limits, Mode, Node};

use super::table::{Counts, addr_v4, addr_v6};
use crate::{AnnounceReply, PeerId};

/// The interval taken where a reply has none: half an hour, as most trackers and clients have it.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(1800);

/// Intervals are brought into this range, in seconds: a tracker asks neither for a flood nor never to be asked again.
const INTERVALS: core::ops::RangeInclusive<i64> = 1..=24 * 3600;

/// Most peers kept of one reply; it is more than any client can use.
const MAX_PEERS: usize = 10_000;

/// Most characters kept of a failure reason or a warning.
const MAX_WORDS: usize = 400;

/// No list or dictionary of a reply is deeper than `peers`; peers in dictionary form are 7 values each.
const LIMITS: Limits = Limits { depth: 8, size: 4 << 20, items: 200_000 };

/// The answer to an announce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnounceResponse {
    /// When the tracker wants to hear from the client again.
    pub interval: Duration,
    /// The soonest it wants to hear from it again.
    pub min_interval: Option<Duration>,
    /// Seeds in the swarm.
    pub complete: Option<u32>,
    /// Leechers in the swarm.
    pub incomplete: Option<u32>,
    /// How often the torrent was completed.
    pub downloaded: Option<u32>,
    /// To be sent with later announces.
    pub tracker_id: Option<Vec<u8>>,
    /// Something for people to read; the announce has succeeded all the same.
    pub warning: Option<String>,
    /// The address the tracker saw the client at (BEP 24).
    pub external_ip: Option<IpAddr>,
    /// Peers of the swarm.
    pub peers: PeerList,
    /// Peers left out in reading: port 0, a host name instead of an address, or more than 10,000.
    pub dropped: u32,
}

/// Peers in the form they have on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerList {
    /// As bytes: 6 for each IPv4 address with port (BEP 23), 18 for each IPv6 one (BEP 7).
    Compact {
        /// The key `peers`; the length is a multiple of 6.
        v4: Vec<u8>,
        /// The key `peers6`; the length is a multiple of 18.
        v6: Vec<u8>,
    },
    /// As dictionaries, with peer ids if these were not declined (BEP 3).
    Dictionaries(Vec<(SocketAddr, Option<PeerId>)>),
}

impl Default for PeerList {
    fn default() -> Self {
        PeerList::Compact { v4: Vec::new(), v6: Vec::new() }
    }
}

impl PeerList {
    /// How many peers there are.
    pub fn len(&self) -> usize {
        match self {
            PeerList::Compact { v4, v6 } => v4.len() / 6 + v6.len() / 18,
            PeerList::Dictionaries(peers) => peers.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their addresses.
    pub fn addrs(&self) -> Vec<SocketAddr> {
        match self {
            PeerList::Compact { v4, v6 } => {
                let v4 = v4.as_chunks().0.iter().map(addr_v4);
                v4.chain(v6.as_chunks().0.iter().map(addr_v6)).collect()
            }
            PeerList::Dictionaries(peers) => peers.iter().map(|(addr, _)| *addr).collect(),
        }
    }
}

/// The answer to a scrape (BEP 48).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrapeResponse {
    /// The torrents the tracker knows of those asked for.
    pub files: Vec<(InfoHash, Counts)>,
    /// The soonest the tracker wants to be scraped again.
    pub min_request_interval: Option<Duration>,
}

/// A refusal: the `failure reason` of a reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    /// The tracker's words.
    pub reason: String,
    /// When to ask again, if it says so (BEP 31).
    pub retry: Option<Retry>,
}

/// When to ask a tracker again that has refused (BEP 31, `retry in`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Not before this time has passed; whole minutes on the wire.
    After(Duration),
    /// Never.
    Never,
}

/// Why a reply gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The tracker refuses.
    #[error(transparent)]
    Refused(#[from] Failure),
    /// Not bencode.
    #[error("it is not bencode: {0}")]
    NotBencode(#[from] bencode::Error),
    /// Bencode, but something else than a dictionary.
    #[error("it is {0}, where a dictionary is due")]
    NotADictionary(bencode::Kind),
    /// `peers` or `peers6` is neither a list of dictionaries nor bytes of the right length.
    #[error("{key} is {found}, where {expected} is due")]
    BadPeers {
        /// The key.
        key: &'static str,
        /// What is there.
        found: String,
        /// What should be.
        expected: &'static str,
    },
    /// `files` of a scrape is missing or no dictionary.
    #[error("it has no dictionary of files")]
    NoFiles,
}

impl AnnounceResponse {
    /// A reply with nothing but an interval.
    pub fn new(interval: Duration) -> Self {
        AnnounceResponse {
            interval,
            min_interval: None,
            complete: None,
            incomplete: None,
            downloaded: None,
            tracker_id: None,
            warning: None,
            external_ip: None,
            peers: PeerList::default(),
            dropped: 0,
        }
    }

    /// Writes the reply.
    pub fn encode(&self) -> Vec<u8> {
        bencode::dict(|d| {
            let mut count = |key, value: Option<u32>| value.into_iter().for_each(|n| d.int(key, n.into()));
            count("complete", self.complete);
            count("downloaded", self.downloaded);
            match self.external_ip {
                Some(IpAddr::V4(ip)) => d.bytes("external ip", ip.octets()),
                Some(IpAddr::V6(ip)) => d.bytes("external ip", ip.octets()),
                None => {}
            }
            if let Some(incomplete) = self.incomplete {
                d.int("incomplete", incomplete.into());
            }
            d.int("interval", seconds(self.interval));
            if let Some(interval) = self.min_interval {
                d.int("min interval", seconds(interval));
            }
            match &self.peers {
                PeerList::Compact { v4, v6 } => {
                    // `peers` is there even if empty: some clients take a reply without it for broken.
                    d.bytes("peers", v4);
                    if !v6.is_empty() {
                        d.bytes("peers6", v6);
                    }
                }
                PeerList::Dictionaries(peers) => d.list("peers", |list| {
                    peers.iter().for_each(|(addr, id)| {
                        list.dict(|peer| {
                            peer.bytes("ip", addr.ip().to_string());
                            if let Some(id) = id {
                                peer.bytes("peer id", id.0);
                            }
                            peer.int("port", addr.port().into());
                        });
                    });
                }),
            }
            if let Some(id) = &self.tracker_id {
                d.bytes("tracker id", id);
            }
            if let Some(warning) = &self.warning {
                d.bytes("warning message", warning);
            }
        })
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// When the tracker refuses or the reply cannot be read.
    pub fn decode(reply: &[u8]) -> Result<Self, ReplyError> {
        let document = Document::read(reply, Mode::Lenient, LIMITS)?;
        let root = accepted(&document)?;
        let count = |key| root.get(key)?.as_int().map(|n| n.clamp(0, u32::MAX.into()) as u32);
        let mut response = AnnounceResponse {
            interval: interval(root, b"interval").unwrap_or(DEFAULT_INTERVAL),
            min_interval: interval(root, b"min interval"),
            complete: count(b"complete"),
            incomplete: count(b"incomplete"),
            downloaded: count(b"downloaded"),
            tracker_id: root.get(b"tracker id").and_then(|id| id.as_bytes()).map(Vec::from),
            warning: root.get(b"warning message").and_then(|node| node.as_bytes()).map(words),
            external_ip: root.get(b"external ip").and_then(|ip| address(ip.as_bytes()?)),
            peers: PeerList::default(),
            dropped: 0,
        };
        response.read_peers(root)?;
        Ok(response)
    }

    fn read_peers(&mut self, root: Node<'_, '_>) -> Result<(), ReplyError> {
        let mut v6 = Vec::new();
        if let Some(node) = root.get(b"peers6") {
            v6 = self.compact::<18>("peers6", node, 0)?;
        }
        let before = v6.len() / 18;
        self.peers = match root.get(b"peers") {
            None => PeerList::Compact { v4: Vec::new(), v6 },
            Some(node) if node.as_bytes().is_some() => {
                PeerList::Compact { v4: self.compact::<6>("peers", node, before)?, v6 }
            }
            Some(node) => {
                let mut peers = self.dictionaries(node, before)?;
                peers.extend(v6.as_chunks().0.iter().map(|contact| (addr_v6(contact), None)));
                PeerList::Dictionaries(peers)
            }
        };
        Ok(())
    }

    /// The peers of a compact list, without those nobody can connect to, at most as many as there is room for.
    fn compact<const N: usize>(
        &mut self,
        key: &'static str,
        node: Node<'_, '_>,
        before: usize,
    ) -> Result<Vec<u8>, ReplyError> {
        let expected =
            if N == 6 { "a list or a string of 6 bytes a peer" } else { "a string of 18 bytes a peer" };
        let bad = |found| ReplyError::BadPeers { key, found, expected };
        let bytes = node.as_bytes().ok_or_else(|| bad(node.kind().to_string()))?;
        let (contacts, rest) = bytes.as_chunks::<N>();
        if !rest.is_empty() {
            return Err(bad(format!("a string of {} bytes", bytes.len())));
        }
        let usable = contacts.iter().filter(|contact| contact[N - 2..] != [0, 0]);
        let kept: Vec<u8> = usable.take(MAX_PEERS - before).flatten().copied().collect();
        self.dropped += (contacts.len() - kept.len() / N) as u32;
        Ok(kept)
    }

    fn dictionaries(
        &mut self,
        node: Node<'_, '_>,
        before: usize,
    ) -> Result<Vec<(SocketAddr, Option<PeerId>)>, ReplyError> {
        let items = node.items().ok_or_else(|| ReplyError::BadPeers {
            key: "peers",
            found: node.kind().to_string(),
            expected: "a list or a string of 6 bytes a peer",
        })?;
        let mut peers = Vec::new();
        for item in items {
            match dictionary(item).filter(|_| peers.len() + before < MAX_PEERS) {
                Some(peer) => peers.push(peer),
                None => self.dropped += 1,
            }
        }
        Ok(peers)
    }
}

impl From<AnnounceResponse> for AnnounceReply {
    fn from(response: AnnounceResponse) -> Self {
        let AnnounceResponse { interval, min_interval, peers, .. } = response;
        AnnounceReply { interval, min_interval, peers: peers.addrs() }
    }
}

impl ScrapeResponse {
    /// Writes the reply.
    pub fn encode(&self) -> Vec<u8> {
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_unstable_by_key(|(hash, _)| hash);
        bencode::dict(|d| {
            d.dict("files", |d| {
                for (hash, counts) in files {
                    d.dict(hash.0, |d| {
                        d.int("complete", counts.complete.into());
                        d.int("downloaded", counts.downloaded.into());
                        d.int("incomplete", counts.incomplete.into());
                    });
                }
            });
            if let Some(interval) = self.min_request_interval {
                d.dict("flags", |d| d.int("min_request_interval", seconds(interval)));
            }
        })
    }

    /// Reads a reply. Keys that are not info hashes are skipped.
    ///
    /// # Errors
    /// When the tracker refuses or the reply cannot be read.
    pub fn decode(reply: &[u8]) -> Result<Self, ReplyError> {
        let document = Document::read(reply, Mode::Lenient, LIMITS)?;
        let root = accepted(&document)?;
        let entries = root.get(b"files").and_then(|files| files.entries()).ok_or(ReplyError::NoFiles)?;
        let files = entries.filter_map(|(hash, counts)| {
            let hash = hash.as_bytes()?.try_into().ok()?;
            let count = |key| match counts.get(key).and_then(|node| node.as_int()) {
                Some(count) => count.clamp(0, u32::MAX.into()) as u32,
                None => 0,
            };
            let [complete, incomplete, downloaded] =
                [&b"complete"[..], b"incomplete", b"downloaded"].map(count);
            Some((InfoHash(hash), Counts { complete, incomplete, downloaded }))
        });
        let flags = root.get(b"flags");
        Ok(ScrapeResponse {
            files: files.collect(),
            min_request_interval: flags.and_then(|flags| interval(flags, b"min_request_interval")),
        })
    }
}

impl Failure {
    /// A refusal that says nothing of another try.
    pub fn new(reason: impl ToString) -> Self {
        Failure { reason: reason.to_string(), retry: None }
    }

    /// Writes the reply.
    pub fn encode(&self) -> Vec<u8> {
        bencode::dict(|d| {
            d.bytes("failure reason", &self.reason);
            match self.retry {
                Some(Retry::After(time)) => {
                    d.int("retry in", seconds(time).saturating_add(59) / 60);
                }
                Some(Retry::Never) => d.bytes("retry in", "never"),
                None => {}
            }
        })
    }
}

/// The dictionary of a reply that is not a refusal.
fn accepted<'d, 'a>(document: &'d Document<'a>) -> Result<Node<'d, 'a>, ReplyError> {
    let root = document.root();
    if root.kind() != bencode::Kind::Dict {
        return Err(ReplyError::NotADictionary(root.kind()));
    }
    let Some(reason) = root.get(b"failure reason") else { return Ok(root) };
    let retry = root.get(b"retry in").and_then(|retry| match (retry.as_int(), retry.as_bytes()) {
        (Some(minutes), _) => {
            Some(Retry::After(Duration::from_secs(minutes.clamp(0, 60 * 24 * 365) as u64 * 60)))
        }
        (None, Some(b"never")) => Some(Retry::Never),
        _ => None,
    });
    Err(Failure { reason: words(reason.as_bytes().unwrap_or(b"(no words)")), retry }.into())
}

fn interval(dictionary: Node<'_, '_>, key: &[u8]) -> Option<Duration> {
    let seconds = dictionary.get(key)?.as_int()?.clamp(*INTERVALS.start(), *INTERVALS.end());
    Some(Duration::from_secs(seconds as u64))
}

fn seconds(interval: Duration) -> i64 {
    i64::try_from(interval.as_secs()).unwrap_or(i64::MAX)
}

/// One peer in dictionary form. The id is left out if it is not 20 bytes.
fn dictionary(peer: Node<'_, '_>) -> Option<(SocketAddr, Option<PeerId>)> {
    let ip: IpAddr = peer.get(b"ip")?.as_str()?.parse().ok()?;
    let port = u16::try_from(peer.get(b"port")?.as_int()?).ok().filter(|&port| port != 0)?;
    let id = peer.get(b"peer id").and_then(|id| id.as_bytes()?.try_into().ok()).map(PeerId);
    Some((SocketAddr::new(ip, port), id))
}

/// An address of 4 or 16 bytes (BEP 24).
fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// What a tracker says to people, made safe to print.
fn words(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(4 * MAX_WORDS)];
    String::from_utf8_lossy(start)
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(MAX_WORDS)
        .collect()
}

#[cfg(test)]
mod tests;
