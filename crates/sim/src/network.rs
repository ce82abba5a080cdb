//! What lies between nodes: latencies, what a message costs on a link, and addresses.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use core::time::Duration;

use swarmlab_protocol::{PeerId, Random};

use crate::event::NodeId;
use crate::{Framing, Latency, Network, Sharing};

/// Headers of one frame: Ethernet 14, IPv4 20, TCP with timestamps 32 bytes.
const HEADERS: u32 = 66;
/// TCP payload of a full frame.
const SEGMENT: u32 = 1_448;
/// The port every node listens at.
const PORT: u16 = 6_881;
/// Node 0 has the address after this one, in 10.0.0.0/8.
const BASE: u32 = 0x0a00_0000;

/// The most nodes there can be: the addresses of 10.0.0.0/8, without the first and the last.
pub(crate) const MOST_NODES: u32 = (1 << 24) - 2;

/// The address of a node, fixed by its number.
pub(crate) fn addr_of(node: NodeId) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::from(BASE + 1 + node), PORT))
}

/// The node at an address; `None` if it is nobody's.
pub(crate) fn node_at(addr: SocketAddr) -> Option<NodeId> {
    let SocketAddr::V4(addr) = addr else { return None };
    u32::from(*addr.ip()).checked_sub(BASE + 1)
}

/// The peer id of a node.
pub(crate) fn peer_id_of(node: NodeId) -> PeerId {
    let mut id = *b"-SL0100-sim.........";
    for (place, byte) in id[12..].iter_mut().enumerate() {
        *byte = b"0123456789abcdef"[(node >> (28 - 4 * place) & 15) as usize];
    }
    PeerId(id)
}

/// One-way latencies in microseconds.
#[derive(Debug)]
pub(crate) enum Paths {
    Constant(u64),
    Uniform { least: u64, span: u64, seed: u64 },
    Regions { table: Vec<Vec<u64>>, of_group: Vec<u16> },
}

impl Paths {
    pub(crate) fn new(latency: &Latency, seed: u64, regions: Vec<u16>) -> Self {
        let micros = |time: &Duration| time.as_micros() as u64;
        match latency {
            Latency::Constant(time) => Paths::Constant(micros(time)),
            Latency::Uniform(least, most) => {
                Paths::Uniform { least: micros(least), span: micros(most) - micros(least) + 1, seed }
            }
            Latency::Regions(table) => Paths::Regions {
                table: table.iter().map(|row| row.iter().map(micros).collect()).collect(),
                of_group: regions,
            },
        }
    }

    /// The least latency between any two nodes.
    pub(crate) fn least(&self) -> u64 {
        match self {
            Paths::Constant(time) => *time,
            Paths::Uniform { least, .. } => *least,
            Paths::Regions { table, .. } => table.iter().flatten().copied().min().unwrap_or(0),
        }
    }

    /// The greatest latency between any two nodes.
    fn most(&self) -> u64 {
        match self {
            Paths::Constant(time) => *time,
            Paths::Uniform { least, span, .. } => least + span,
            Paths::Regions { table, .. } => table.iter().flatten().copied().max().unwrap_or(0),
        }
    }

    /// From one node to another, given with their groups.
    pub(crate) fn latency(
        &self,
        (one, one_group): (NodeId, u16),
        (other, other_group): (NodeId, u16),
    ) -> u64 {
        match self {
            Paths::Constant(time) => *time,
            Paths::Uniform { least, span, seed } => {
                let pair = u64::from(one.min(other)) << 32 | u64::from(one.max(other));
                let drawn = Random::stream(*seed, pair).bits();
                least + ((u128::from(drawn) * u128::from(*span)) >> 64) as u64
            }
            Paths::Regions { table, of_group } => {
                let row = usize::from(of_group[usize::from(one_group)]);
                table[row][usize::from(of_group[usize::from(other_group)])]
            }
        }
    }
}

/// What messages cost on a link, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frames {
    ethernet: bool,
    /// What each segment takes besides its content.
    bare: u32,
    /// Most blocks have this length: with their message they cost `usual_block`, and cause `usual_acks`.
    usual: u32,
    usual_block: u32,
    usual_acks: u32,
}

/// Bytes of a `Piece` message before its block.
const PIECE_HEADER: u32 = 13;

impl Frames {
    pub(crate) fn new(framing: Framing, block_len: u32) -> Self {
        let ethernet = framing == Framing::Ethernet;
        let bare = if ethernet { HEADERS } else { 0 };
        let mut frames = Frames { ethernet, bare, usual: 0, usual_block: 0, usual_acks: 0 };
        (frames.usual_block, frames.usual_acks) = (frames.block(block_len), frames.acks(block_len));
        frames.usual = block_len;
        frames
    }

    /// A message that travels in a segment of its own, or (`rides`) in one with the message before it.
    #[inline]
    pub(crate) fn small(self, len: u32, rides: bool) -> u32 {
        let segments = match rides {
            true => len / SEGMENT,
            false => len.div_ceil(SEGMENT),
        };
        len + segments * self.bare
    }

    /// A block of `len` bytes with its message, in a stream of full segments: their headers in proportion.
    #[inline]
    pub(crate) fn block(self, len: u32) -> u32 {
        let message = len + PIECE_HEADER;
        if len == self.usual {
            self.usual_block
        } else if self.ethernet {
            (u64::from(message) * u64::from(SEGMENT + HEADERS)).div_ceil(u64::from(SEGMENT)) as u32
        } else {
            message
        }
    }

    /// The acknowledgements that a block of `len` bytes causes on the reverse link: one for two segments.
    #[inline]
    pub(crate) fn acks(self, len: u32) -> u32 {
        if len == self.usual {
            self.usual_acks
        } else if self.ethernet {
            (len + PIECE_HEADER).div_ceil(2 * SEGMENT) * HEADERS
        } else {
            0
        }
    }

    /// A segment without content.
    #[inline]
    pub(crate) fn bare(self) -> u32 {
        self.bare
    }
}

/// Blocks that a socket's buffer takes at a time where it takes `mean` on the average: any number from one on is equally likely,
/// drawn anew every two seconds for each connection of each node.
#[inline]
pub(crate) fn uneven_buffer(mean: u8, now_us: u64, (node, conn): (NodeId, u16)) -> u8 {
    let link = u64::from(node) << 16 | u64::from(conn);
    // Each link has moments of its own.
    let shift = link.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 43;
    let drawn = Random::stream(link, (now_us + shift) >> 21).bits() >> 32;
    let choices = (2 * u64::from(mean) - 1).min(u64::from(u8::MAX));
    1 + ((drawn * choices) >> 32).min(u64::from(u8::MAX - 1)) as u8
}

/// What a network is made of, as far as it is the same for all nodes.
#[derive(Debug)]
pub(crate) struct Fabric {
    pub(crate) paths: Paths,
    pub(crate) frames: Frames,
    /// Buffer of a link in nanoseconds at its rate.
    pub(crate) queue_ns: u64,
    /// The buffer of a socket goes with a window that is not always the same.
    pub(crate) uneven: bool,
    /// Latency to and from the tracker in microseconds.
    pub(crate) tracker_us: u64,
    /// How many units of a connection's window a block has.
    pub(crate) units: u32,
}

impl Fabric {
    pub(crate) fn new(
        network: &Network,
        tracker: Duration,
        (seed, block_len): (u64, u32),
        regions: Vec<u16>,
    ) -> Self {
        Fabric {
            paths: Paths::new(&network.latency, seed, regions),
            frames: Frames::new(network.framing, block_len),
            queue_ns: network.queue.as_nanos() as u64,
            uneven: network.sharing == Sharing::DropTail,
            tracker_us: tracker.as_micros() as u64,
            units: (block_len / network.window.max(1)).max(1),
        }
    }

    /// What the queue of a downlink holds: nanoseconds, and so many blocks. Long blocks of several remotes may arrive at once
    /// whose units would have come in turns; a node is sent content by about as many remotes as have a slot for it, and slots
    /// are given in fours (BEP 3).
    #[inline]
    pub(crate) fn room(&self) -> (u64, u64) {
        (self.queue_ns, if self.units > 1 { 4 } else { 0 })
    }

    /// How far ahead most events lie, in microseconds: a message has waited for the buffer of its link and taken the latency.
    pub(crate) fn reach(&self) -> u64 {
        self.paths.most() + self.queue_ns / 1_000
    }

    /// How wide a window may be: nothing that leaves a node arrives sooner.
    pub(crate) fn lookahead(&self) -> u64 {
        self.paths.least().min(self.tracker_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_there_and_back() {
        for node in [0, 1, 255, 256, MOST_NODES - 1] {
            assert_eq!(node_at(addr_of(node)), Some(node));
        }
        assert_eq!(addr_of(0).to_string(), "10.0.0.1:6881");
        assert_eq!(node_at("9.9.9.9:1".parse().unwrap()), None);
        assert_eq!(peer_id_of(0x12ab).to_string(), "-SL0100-sim.000012ab");
    }

    #[test]
    fn a_latency_is_the_same_both_ways_and_within_its_bounds() {
        let (least, most) = (Duration::from_millis(5), Duration::from_millis(80));
        let paths = Paths::new(&Latency::Uniform(least, most), 1, vec![]);
        let drawn: Vec<u64> = (1..2_000).map(|node| paths.latency((0, 0), (node, 0))).collect();
        assert!(drawn.iter().all(|time| (5_000..=80_000).contains(time)));
        assert!(drawn.iter().any(|&time| time < 6_000) && drawn.iter().any(|&time| time > 79_000));
        assert!((1..2_000).all(|node| paths.latency((node, 0), (0, 0)) == drawn[node as usize - 1]));
    }

    #[test]
    fn an_uneven_buffer_is_as_large_as_an_even_one_on_the_average() {
        for mean in [1, 2, 4, 100] {
            let drawn: Vec<u8> =
                (0..4_000u64).map(|at| uneven_buffer(mean, at * 2_100_000, (7, 3))).collect();
            let sum: u64 = drawn.iter().map(|&blocks| u64::from(blocks)).sum();
            let most = u16::from(mean) * 2 - 1;
            assert!(drawn.iter().all(|&blocks| blocks >= 1 && u16::from(blocks) <= most), "{mean}");
            assert!(sum.abs_diff(4_000 * u64::from(mean)) <= 4_000 * u64::from(mean) / 20, "{mean}: {sum}");
        }
        let at = |link| (0..64u64).map(|at| uneven_buffer(4, at << 15, link)).collect::<Vec<_>>();
        assert_ne!(at((1, 1)), at((1, 2)), "each connection by itself");
        let mut steps = at((1, 1));
        steps.dedup();
        assert!(steps.len() <= 3, "the same for two seconds: {steps:?}");
    }

    #[test]
    fn a_full_segment_costs_1514_bytes() {
        let frames = Frames::new(Framing::Ethernet, 16_384);
        assert_eq!((frames.block(1_435), frames.block(14_467)), (1_514, 15_140));
        assert_eq!(
            (frames.small(9, false), frames.small(9, true), frames.small(3_000, false)),
            (75, 9, 3_198)
        );
        assert_eq!((frames.block(16_384), frames.acks(16_384)), (17_145, 6 * 66));
        assert_eq!((frames.block(16_383), frames.acks(1)), (17_144, 66));
        let bare = Frames::new(Framing::None, 16_384);
        assert_eq!((bare.block(16_384), bare.small(9, false), bare.acks(16_384)), (16_397, 9, 0));
    }
}
