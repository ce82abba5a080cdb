//! Swarms in memory, with uplinks of a finite rate: the honest finish whoever is among them.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use core::net::IpAddr;

use super::*;
use crate::{CloseReason, ConnId, Direction, Message, Opened, PeerSource, Reserved, preset};

/// One way, in milliseconds.
const LATENCY: u64 = 5;
/// Time a block takes on an uplink, in milliseconds.
const BLOCK_MS: u64 = 20;
/// Blocks a link takes before one has left.
const CREDIT: u16 = 2;

struct Swarm {
    nodes: Vec<Node>,
    /// By time and number: to whom, what, whether it is a corrupt block.
    events: BTreeMap<(u64, u64), (usize, Input, bool)>,
    number: u64,
    /// (node, link) to the other side's (node, link). Links are never numbered twice.
    links: BTreeMap<(usize, ConnId), (usize, ConnId)>,
    link_count: u16,
    /// When each uplink has sent what it was given, in milliseconds.
    uplinks: Vec<u64>,
    /// When the last message arrives on each link: they stay in order.
    arrivals: BTreeMap<(usize, ConnId), u64>,
    tainted: Vec<BTreeSet<Block>>,
    now: u64,
    completed: BTreeSet<usize>,
    banned: BTreeSet<usize>,
    fast: Vec<bool>,
}

impl Swarm {
    /// Node 0 is a seed, the others have nothing.
    fn new(behaviours: &[Behaviour], pieces: u32, seed: u64, config: impl Fn(usize) -> Config) -> Self {
        let count = behaviours.len();
        let node = |(at, &behaviour): (usize, &Behaviour)| {
            let have = if at == 0 { Bitfield::full(pieces) } else { Bitfield::empty(pieces) };
            let config = Config { min_connections: 0, ..config(at) };
            Node::new(behaviour, setup(at as u16, have, config, seed * 1_000 + at as u64))
        };
        let mut swarm = Swarm {
            nodes: behaviours.iter().enumerate().map(node).collect(),
            events: BTreeMap::new(),
            number: 0,
            links: BTreeMap::new(),
            link_count: 0,
            uplinks: vec![0; count],
            arrivals: BTreeMap::new(),
            tainted: vec![BTreeSet::new(); count],
            now: 0,
            completed: BTreeSet::new(),
            banned: BTreeSet::new(),
            fast: (0..count).map(|at| config(at).fast_extension).collect(),
        };
        for at in 0..count {
            let list = (0..at).map(|other| addr(other as u16)).collect();
            swarm.post(0, at, Input::Peers { source: PeerSource::Tracker, list }, false);
        }
        swarm
    }

    fn post(&mut self, at: u64, to: usize, input: Input, corrupt: bool) {
        self.events.insert((at, self.number), (to, input, corrupt));
        self.number += 1;
    }

    fn connect(&mut self, from: usize, to: usize) {
        let conn = ConnId(self.link_count);
        self.link_count += 1;
        for (end, other, direction) in [(from, to, Direction::Outgoing), (to, from, Direction::Incoming)] {
            self.links.insert((end, conn), (other, conn));
            let reserved = if self.fast[other] { Reserved::OURS } else { Reserved::default() };
            let (addr, peer_id) = (addr(other as u16), peer_id(other as u16));
            let peer = Box::new(Opened { addr, direction, peer_id, reserved });
            self.post(self.now, end, Input::Opened { conn, peer }, false);
            self.post(self.now, end, Input::Writable { conn, blocks: CREDIT }, false);
        }
    }

    fn send(&mut self, from: usize, conn: ConnId, message: Message) {
        let Some(&(to, far)) = self.links.get(&(from, conn)) else { return };
        let (mut leaves, mut corrupt) = (self.now, false);
        if let Message::Piece(block) = message {
            assert!(self.nodes[from].torrent().have().contains(block.piece), "{from} sends what it has not");
            corrupt = self.nodes[from].corrupts(block);
            leaves = self.uplinks[from].max(self.now) + BLOCK_MS;
            self.uplinks[from] = leaves;
            self.post(leaves, from, Input::Writable { conn, blocks: 1 }, false);
        }
        let last = self.arrivals.entry((to, far)).or_default();
        *last = (leaves + LATENCY).max(*last);
        let arrives = *last;
        self.post(arrives, to, Input::Message { conn: far, message }, corrupt);
    }

    fn hand(&mut self, end: usize, input: Input, corrupt: bool) {
        let link = match &input {
            Input::Message { conn, .. } | Input::Writable { conn, .. } | Input::Closed { conn } => {
                Some(*conn)
            }
            _ => None,
        };
        if link.is_some_and(|conn| !self.links.contains_key(&(end, conn))) {
            return; // it has been closed while this was on its way
        }
        if let Input::Closed { conn } = &input {
            self.links.remove(&(end, *conn));
        }
        let mut out = Vec::new();
        self.nodes[end].handle(Instant::from_micros(self.now * 1_000), input, &mut out);
        for output in out {
            match output {
                Output::Connect { addr } => {
                    let IpAddr::V4(ip) = addr.ip() else { panic!("only IPv4 here") };
                    self.connect(end, (u32::from(ip) - 0xc612_0000) as usize);
                }
                Output::Send { conn, message } => self.send(end, conn, message),
                Output::Close { conn, reason } => {
                    let Some((to, far)) = self.links.remove(&(end, conn)) else { continue };
                    if reason == CloseReason::Banned {
                        self.banned.insert(to);
                    }
                    self.post(self.now + LATENCY, to, Input::Closed { conn: far }, false);
                }
                Output::Store { block, .. } if corrupt => _ = self.tainted[end].insert(block),
                Output::Store { block, .. } => _ = self.tainted[end].remove(&block),
                Output::Verify { piece } => {
                    let ok = self.tainted[end].iter().all(|block| block.piece != piece);
                    self.post(self.now, end, Input::Verified { piece, ok }, false);
                }
                Output::Completed => _ = self.completed.insert(end),
                Output::Announce(_) | Output::Stopped | Output::Note(_) => {}
            }
        }
    }

    /// Runs until `done`, which is asked after each piece, or after the simulated time.
    fn run(&mut self, seconds: u64, done: impl Fn(&Swarm) -> bool) {
        while self.now < seconds * 1_000 {
            let due =
                self.nodes.iter().enumerate().filter_map(|(at, node)| Some((node.deadline()?, at))).min();
            let due = due.map(|(due, at)| (due.as_micros().div_ceil(1_000), at));
            let next = self.events.keys().next().map(|&(at, _)| at);
            match (next, due) {
                (Some(next), due) if due.is_none_or(|(due, _)| next <= due) => {
                    let (_, (to, input, corrupt)) = self.events.pop_first().unwrap();
                    let piece = matches!(input, Input::Verified { .. });
                    self.now = self.now.max(next);
                    self.hand(to, input, corrupt);
                    if piece && done(self) {
                        return;
                    }
                }
                (_, Some((due, at))) => {
                    self.now = self.now.max(due);
                    self.hand(at, Input::Deadline, false);
                }
                (_, None) => panic!("nobody waits for anything"),
            }
        }
    }
}

/// Nodes of which all, or two of three, speak the fast extension.
fn ours(all_fast: bool) -> impl Fn(usize) -> Config {
    move |at| Config { fast_extension: all_fast || !at.is_multiple_of(3), ..Config::default() }
}

#[test]
fn the_honest_finish_among_the_odd() {
    for behaviour in Behaviour::ALL.into_iter().filter(|&behaviour| behaviour != Behaviour::SuperSeed) {
        for seed in 0..2 {
            let mut behaviours = vec![Behaviour::Honest; 8];
            behaviours.extend([behaviour; 3]);
            let mut swarm = Swarm::new(&behaviours, 30, seed, ours(seed == 0));
            let finished = |swarm: &Swarm| (1..8).all(|honest| swarm.completed.contains(&honest));
            swarm.run(3_600, finished);
            assert!(finished(&swarm), "{behaviour:?}, seed {seed}: only {:?}", swarm.completed);
            let odd = 8..behaviours.len();
            assert!(swarm.banned.iter().all(|at| odd.contains(at)), "{behaviour:?}: {:?}", swarm.banned);
            let uploaded: u64 = odd.map(|at| swarm.nodes[at].torrent().totals().uploaded).sum();
            if matches!(behaviour, Behaviour::FreeRider | Behaviour::Staller) {
                assert_eq!(uploaded, 0, "{behaviour:?}, seed {seed}");
            }
            if behaviour == Behaviour::Corrupter {
                assert!(!swarm.banned.is_empty(), "seed {seed}");
            }
        }
    }
}

#[test]
fn swarms_of_every_client_and_of_all_together_finish() {
    let client = |name: &str| preset::by_name(name).unwrap();
    let alone = preset::NAMES.into_iter().map(|name| vec![name; 7]);
    for names in alone.chain([preset::NAMES.to_vec(), preset::NAMES.into_iter().rev().collect()]) {
        let behaviours = vec![Behaviour::Honest; names.len()];
        let mut swarm = Swarm::new(&behaviours, 40, 1, |at| client(names[at]));
        let leechers = names.len() - 1;
        swarm.run(3_600, |swarm| swarm.completed.len() == leechers);
        assert_eq!(swarm.completed.len(), leechers, "{names:?}");
    }
}

/// Pieces and leechers of a swarm whose seed is looked at.
const PIECES: u32 = 120;
const LEECHERS: usize = 12;

/// What the seed has sent when every piece is somewhere else, in thousandths of the content, and whether all finish.
fn copies(seeding: Behaviour, seed: u64) -> (u64, bool) {
    let mut behaviours = vec![seeding];
    behaviours.extend([Behaviour::Honest; LEECHERS]);
    let mut swarm = Swarm::new(&behaviours, PIECES, seed, ours(true));
    let elsewhere = |swarm: &Swarm| {
        (0..PIECES).all(|piece| {
            let mut leechers = swarm.nodes[1..].iter();
            leechers.any(|node| node.torrent().have().contains(crate::PieceIndex(piece)))
        })
    };
    swarm.run(3_600, elsewhere);
    let sent = swarm.nodes[0].torrent().totals().uploaded * 1_000 / u64::from(PIECES * 2 * BLOCK);
    swarm.run(3_600, |swarm| swarm.completed.len() == LEECHERS);
    (sent, swarm.completed.len() == LEECHERS)
}

#[test]
fn a_super_seed_sends_about_one_copy() {
    for seed in 0..3 {
        let (sent, all) = copies(Behaviour::SuperSeed, seed);
        let (usual, _) = copies(Behaviour::Honest, seed);
        assert!(all, "seed {seed}: somebody never finishes");
        assert!((1_000..=1_100).contains(&sent), "seed {seed}: {sent} thousandths");
        assert!(usual > sent, "seed {seed}: an ordinary seed sends {usual} thousandths");
    }
}
