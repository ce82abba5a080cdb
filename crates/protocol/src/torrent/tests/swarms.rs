//! Whole swarms in memory, over many seeds.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec;

use super::*;
use crate::SeedChoker;

/// Endpoints joined by a queue without delay; every hash is right unless a giver of a block corrupts.
struct Swarm {
    ends: Vec<Torrent>,
    /// What is under way: to whom, and whether it is a corrupt block.
    wire: VecDeque<(usize, Input, bool)>,
    /// (endpoint, link) to the other side's (endpoint, link). Links are never numbered twice.
    links: BTreeMap<(usize, ConnId), (usize, ConnId)>,
    link_count: u16,
    /// The corrupt blocks that each endpoint keeps.
    tainted: Vec<BTreeSet<Block>>,
    /// The block being delivered is corrupt.
    corrupt: bool,
    corrupters: Vec<usize>,
    now: u64,
    completed: usize,
    /// Who banned whom.
    banned: Vec<(usize, usize)>,
}

impl Swarm {
    fn new(
        seeds: usize,
        leechers: usize,
        pieces: u32,
        config: &Config,
        seed: u64,
        fast: impl Fn(usize) -> bool,
    ) -> Self {
        let layout = Arc::new(Layout::new(u64::from(pieces) * 64 - 5, 64, BLOCK).unwrap());
        let end = |at: usize| {
            let have = if at < seeds { Bitfield::full(pieces) } else { Bitfield::empty(pieces) };
            let config = Arc::new(Config { fast_extension: fast(at), ..config.clone() });
            let (peer_id, seed) = (peer_id(at as u16), seed * 1_000 + at as u64);
            Torrent::new(Setup {
                layout: layout.clone(),
                config,
                peer_id,
                have,
                tiers: Vec::new(),
                info_hash: crate::InfoHash([0; 20]),
                seed,
            })
        };
        let ends: Vec<Torrent> = (0..seeds + leechers).map(end).collect();
        let count = ends.len();
        let peers = |at: usize| Input::Peers {
            source: PeerSource::Tracker,
            list: (0..count).filter(|&other| other != at).map(|other| addr(other as u16)).collect(),
        };
        Swarm {
            ends,
            wire: (0..count).map(|at| (at, peers(at), false)).collect(),
            links: BTreeMap::new(),
            link_count: 0,
            tainted: vec![BTreeSet::new(); count],
            corrupt: false,
            corrupters: Vec::new(),
            now: 0,
            completed: 0,
            banned: Vec::new(),
        }
    }

    fn connect(&mut self, from: usize, to: usize) {
        let reserved =
            |end: &Torrent| if end.config.fast_extension { Reserved::OURS } else { Reserved::default() };
        let conn = ConnId(self.link_count);
        self.link_count += 1;
        self.links.insert((from, conn), (to, conn));
        self.links.insert((to, conn), (from, conn));
        for (end, other, direction) in [(from, to, Direction::Outgoing), (to, from, Direction::Incoming)] {
            let (reserved, peer_id) = (reserved(&self.ends[other]), peer_id(other as u16));
            let peer = Box::new(Opened { addr: addr(other as u16), direction, peer_id, reserved });
            self.wire.push_back((end, Input::Opened { conn, peer }, false));
            self.wire.push_back((end, Input::Writable { conn, blocks: 2 }, false));
        }
    }

    fn hand(&mut self, end: usize, input: Input) {
        let mut out = Vec::new();
        self.ends[end].handle(at(self.now), input, &mut out);
        self.ends[end].requests.check(&self.ends[end].layout);
        for output in out {
            match output {
                Output::Connect { addr } => {
                    let SocketAddr::V4(addr) = *addr else { panic!("only IPv4 here") };
                    self.connect(end, (u32::from(*addr.ip()) - 0xc612_0000) as usize);
                }
                Output::Send { conn, message } => {
                    let Some(&(to, conn)) = self.links.get(&(end, conn)) else { continue };
                    let block = matches!(message, Message::Piece(_));
                    if let Message::Piece(block) = message {
                        assert!(self.ends[end].have.contains(block.piece), "{end} sends what it has not");
                    }
                    self.wire.push_back((
                        to,
                        Input::Message { conn, message },
                        block && self.corrupters.contains(&end),
                    ));
                }
                Output::Close { conn, reason } => {
                    assert!(!matches!(reason, CloseReason::Misbehaved(_)), "{end}: {reason:?}");
                    let Some((to, far)) = self.links.remove(&(end, conn)) else { continue };
                    self.links.remove(&(to, far));
                    if reason == CloseReason::Banned {
                        self.banned.push((end, to));
                    }
                    self.wire.push_back((to, Input::Closed { conn: far }, false));
                }
                Output::Store { block, .. } if self.corrupt => _ = self.tainted[end].insert(block),
                Output::Store { block, .. } => _ = self.tainted[end].remove(&block),
                Output::Verify { piece } => {
                    let ok = self.tainted[end].iter().all(|block| block.piece != piece);
                    self.wire.push_front((end, Input::Verified { piece, ok }, false));
                }
                Output::Completed => self.completed += 1,
                Output::Announce(_) | Output::Stopped | Output::Note(_) => {}
            }
        }
    }

    /// Runs until nothing is under way, then lets the next deadline come; ends when so many have completed or after
    /// the simulated time.
    fn run(&mut self, all: usize, seconds: u64) {
        while self.completed < all && self.now < seconds * 1_000 {
            if let Some((to, input, corrupt)) = self.wire.pop_front() {
                self.deliver(to, input, corrupt);
                continue;
            }
            let next =
                self.ends.iter().filter_map(Torrent::deadline).min().expect("somebody waits for something");
            self.now = self.now.max(next.as_micros().div_ceil(1_000));
            for end in 0..self.ends.len() {
                if self.ends[end].deadline().is_some_and(|due| due <= at(self.now)) {
                    self.hand(end, Input::Deadline);
                }
            }
        }
    }

    fn deliver(&mut self, to: usize, input: Input, corrupt: bool) {
        let mut credit = None;
        if let Input::Message { conn, message: Message::Piece(_) } = input {
            credit = self.links.get(&(to, conn)).copied();
        }
        self.corrupt = corrupt;
        self.hand(to, input);
        self.corrupt = false;
        if let Some((from, conn)) = credit {
            self.hand(from, Input::Writable { conn, blocks: 1 });
        }
    }
}

#[test]
fn swarms_complete_whatever_the_seed() {
    for seed in 0..30 {
        let leechers = 1 + seed as usize % 9;
        let config = Config {
            endgame: if seed % 2 == 0 { Endgame::Strict } else { Endgame::Full },
            redundant_have: seed % 3 == 0,
            max_connections: 3 + seed as u16 % 7,
            seed_choker: [
                SeedChoker::Mainline4,
                SeedChoker::FastestUpload,
                SeedChoker::RoundRobin,
                SeedChoker::AntiLeech,
            ][seed as usize % 4],
            ..Config::default()
        };
        let mut swarm = Swarm::new(1, leechers, 3 + seed as u32 * 3, &config, seed, |at| {
            !(at + seed as usize).is_multiple_of(3)
        });
        swarm.run(leechers, 3_600);
        assert_eq!(swarm.completed, leechers, "seed {seed} at {} ms", swarm.now);
        let sum = |of: fn(Totals) -> u64| swarm.ends.iter().map(|end| of(end.totals())).sum::<u64>();
        assert_eq!(sum(|totals| totals.left), 0);
        let lacked = leechers as u64 * swarm.ends[0].layout.length();
        assert_eq!(sum(|totals| totals.downloaded) - sum(|totals| totals.wasted), lacked, "seed {seed}");
    }
}

#[test]
fn a_corrupter_is_found_and_the_honest_complete() {
    for seed in 0..20 {
        let mut swarm = Swarm::new(2, 5, 24, &Config::default(), seed, |at| at % 2 == 0);
        swarm.corrupters = vec![1];
        swarm.run(5, 3_600);
        assert_eq!(swarm.completed, 5, "seed {seed}");
        assert!(!swarm.banned.is_empty(), "seed {seed}: somebody must have noticed");
        assert!(swarm.banned.iter().all(|&(_, banned)| banned == 1), "seed {seed}: {:?}", swarm.banned);
    }
}

#[test]
fn notes_change_nothing() {
    let run = |notes| {
        let mut swarm = Swarm::new(1, 6, 20, &Config { notes, ..Config::default() }, 9, |_| true);
        swarm.run(6, 600);
        swarm.ends.iter().map(Torrent::totals).collect::<Vec<_>>()
    };
    assert_eq!(run(false), run(true));
}
