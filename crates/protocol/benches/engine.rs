//! What the engine costs: `cargo bench -p swarmlab-protocol --bench engine`.
//!
//! First the bytes that a torrent holds on the heap amid a download, then the time that each kind of input takes. Times
//! are per item: per block of a swarm with everything that belongs to it, per message, per pick.

use std::alloc::System;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use swarmlab_protocol::{
    Bitfield, Block, Config, ConnId, Direction, Endgame, InfoHash, Input, Instant, Layout, Message, Opened,
    Output, PeerId, PeerSource, PieceIndex, Pipeline, Random, Reserved, Setup, Torrent,
};

#[global_allocator]
static ALLOC: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Blocks of a piece of 256 KiB.
const BLOCKS: u32 = 16;

#[allow(clippy::print_stdout)] // a bench prints what it measures
fn main() {
    for (name, links, pieces) in [("50 links, 128 pieces", 50, 128), ("50 links, 2,048 pieces", 50, 2_048)] {
        let (torrent, leech) = heap(links, pieces, pieces / 2);
        let (_, seed) = heap(links, pieces, pieces);
        println!(
            "bytes of a torrent, {name}: itself {torrent}, its heap {leech} amid a download, {seed} as a seed"
        );
    }
    divan::main();
}

fn torrent(pieces: u32, have: Bitfield, seed: u64) -> Torrent {
    Torrent::new(setup(pieces, have, seed))
}

fn setup(pieces: u32, have: Bitfield, seed: u64) -> Setup {
    let layout = Layout::new(u64::from(pieces * BLOCKS * Layout::BLOCK_LEN), 256 << 10, Layout::BLOCK_LEN);
    // The depth that a link of about 100 kB/s settles at.
    let pipeline = Pipeline { min: 5, max: 8, span: Duration::from_secs(1) };
    let config = Arc::new(Config { pipeline, ..Config::default() });
    let info_hash = InfoHash([0; 20]);
    Setup {
        layout: Arc::new(layout.unwrap()),
        config,
        peer_id: peer_id(0),
        have,
        tiers: vec![1],
        info_hash,
        seed,
    }
}

fn peer_id(number: u32) -> PeerId {
    let mut id = *b"-SL0100-abcdefgh\0\0\0\0";
    id[16..].copy_from_slice(&number.to_be_bytes());
    PeerId(id)
}

fn addr(number: u32) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::from(0xc612_0000 + number), 6881))
}

fn open(conn: u16, number: u32, direction: Direction) -> Input {
    let (addr, peer_id, reserved) = (addr(number), peer_id(number), Reserved::OURS);
    Input::Opened { conn: ConnId(conn), peer: Box::new(Opened { addr, direction, peer_id, reserved }) }
}

fn says(conn: u16, message: Message) -> Input {
    Input::Message { conn: ConnId(conn), message }
}

fn some(pieces: u32, random: &mut Random, of_16: u32) -> Bitfield {
    let mut have = Bitfield::empty(pieces);
    (0..pieces).filter(|_| random.below(16) < of_16).for_each(|piece| _ = have.insert(PieceIndex(piece)));
    have
}

/// Size of a torrent and the bytes it holds on the heap: with `here` pieces, 60 known addresses, five remotes that
/// serve us and four that we serve, each with requests under way.
fn heap(links: u16, pieces: u32, here: u32) -> (usize, usize) {
    let mut random = Random::new(1);
    let mut out = Vec::with_capacity(100_000);
    let mut have = Bitfield::empty(pieces);
    (0..here).for_each(|piece| _ = have.insert(PieceIndex(piece * 7 % pieces)));
    let sets: Vec<Bitfield> = (0..links).map(|_| some(pieces, &mut random, 10)).collect();
    let sets: Vec<Arc<Bitfield>> = sets.into_iter().map(Arc::new).collect();
    // What a torrent takes for itself: layout and configuration are shared in a simulation.
    let setup = setup(pieces, have.clone(), 1);
    let region = Region::new(ALLOC);
    let mut end = Torrent::new(Setup { have, ..setup });
    let have_len = pieces.div_ceil(64) as usize * 8;
    let list: Box<[SocketAddr]> = (1..=60).map(addr).collect();
    hand(&mut end, 0, Input::Peers { source: PeerSource::Tracker, list }, &mut out);
    for conn in 0..links {
        let direction = if conn < 25 { Direction::Outgoing } else { Direction::Incoming };
        hand(&mut end, 1, open(conn, u32::from(conn) + 1, direction), &mut out);
        hand(&mut end, 1, Input::Writable { conn: ConnId(conn), blocks: 2 }, &mut out);
        hand(&mut end, 1, says(conn, Message::Bitfield(sets[usize::from(conn)].clone())), &mut out);
    }
    (0..links).for_each(|conn| hand(&mut end, 2, says(conn, Message::Interested), &mut out));
    (0..5).for_each(|conn| hand(&mut end, 3, says(conn, Message::Unchoke), &mut out));
    // Five minutes of rounds, in which every remote gives a sign of life and those that serve us serve.
    for second in 1..300_u64 {
        for conn in 0..5_u16 {
            let asked = out.iter().rev().find_map(|output| match output {
                Output::Send { conn: to, message: Message::Request(block) } if to.0 == conn => Some(*block),
                _ => None,
            });
            if let Some(block) = asked.filter(|_| second.is_multiple_of(60)) {
                hand(&mut end, second * 1_000, says(conn, Message::Piece(block)), &mut out);
            }
        }
        (0..links).for_each(|conn| hand(&mut end, second * 1_000, says(conn, Message::KeepAlive), &mut out));
    }
    let unchoked: Vec<u16> =
        end.conns().filter(|(_, view)| !view.we_choking).map(|(conn, _)| conn.0).collect();
    let ours: Vec<PieceIndex> = end.have().iter().take(7).collect();
    for conn in unchoked {
        for &piece in &ours {
            let block = Block { piece, begin: 0, len: Layout::BLOCK_LEN };
            hand(&mut end, 300_000, says(conn, Message::Request(block)), &mut out);
        }
    }
    out.clear();
    let change = region.change();
    let held = change.bytes_allocated - change.bytes_deallocated;
    (size_of::<Torrent>(), held + have_len)
}

fn hand(end: &mut Torrent, millis: u64, input: Input, out: &mut Vec<Output>) {
    end.handle(Instant::from_micros(millis * 1_000), input, out);
}

/// Endpoints joined by a queue: every message takes its turn, every hash is right.
struct Swarm {
    ends: Vec<Torrent>,
    wire: VecDeque<(u16, Input)>,
    out: Vec<Output>,
    now: u64,
}

impl Swarm {
    /// A seed and leechers, each linked with all others: the link to endpoint `n` is number `n`.
    fn new(leechers: u16, pieces: u32) -> Self {
        let count = leechers + 1;
        let have = |end: u16| if end == 0 { Bitfield::full(pieces) } else { Bitfield::empty(pieces) };
        let ends = (0..count).map(|end| torrent(pieces, have(end), u64::from(end)));
        let mut swarm =
            Swarm { ends: ends.collect(), wire: VecDeque::with_capacity(4_096), out: Vec::new(), now: 0 };
        for end in 0..count {
            for other in (0..count).filter(|&other| other != end) {
                let direction = if end < other { Direction::Outgoing } else { Direction::Incoming };
                swarm.wire.push_back((end, open(other, u32::from(other) + 1, direction)));
                swarm.wire.push_back((end, Input::Writable { conn: ConnId(other), blocks: 2 }));
            }
        }
        swarm
    }

    /// Runs until so many blocks are stored or nothing is left to do; returns how many.
    fn run(&mut self, blocks: u64) -> u64 {
        let mut stored = 0;
        while stored < blocks {
            let Some((end, input)) = self.wire.pop_front() else { break };
            self.now += 10;
            let from = match input {
                Input::Message { conn, message: Message::Piece(_) } => Some(conn),
                _ => None,
            };
            self.ends[usize::from(end)].handle(Instant::from_micros(self.now), input, &mut self.out);
            for output in self.out.drain(..) {
                match output {
                    Output::Send { conn, message } => {
                        self.wire.push_back((conn.0, Input::Message { conn: ConnId(end), message }))
                    }
                    Output::Verify { piece } => {
                        self.wire.push_back((end, Input::Verified { piece, ok: true }))
                    }
                    Output::Close { conn, .. } => {
                        self.wire.push_back((conn.0, Input::Closed { conn: ConnId(end) }))
                    }
                    Output::Store { .. } => stored += 1,
                    _ => {}
                }
            }
            if let Some(from) = from {
                self.wire.push_back((from.0, Input::Writable { conn: ConnId(end), blocks: 1 }));
            }
        }
        stored
    }
}

/// Per block, with all that comes with it, at both ends and in the queue between.
#[divan::bench(args = [(1, 2_048), (15, 128), (49, 128), (49, 1_024)])]
fn block_of_a_swarm(bencher: Bencher, (leechers, pieces): (u16, u32)) {
    let blocks = u64::from(pieces * BLOCKS) * u64::from(leechers) / 2;
    bencher.counter(ItemsCount::new(blocks)).with_inputs(|| Swarm::new(leechers, pieces)).bench_local_values(
        |mut swarm| {
            assert_eq!(swarm.run(blocks), blocks);
            swarm
        },
    );
}

/// A leecher with 50 links to remotes that have nothing yet.
fn among_50(pieces: u32) -> Torrent {
    let (mut end, mut out) = (torrent(pieces, Bitfield::empty(pieces), 1), Vec::new());
    for conn in 0..50 {
        hand(&mut end, 0, open(conn, u32::from(conn) + 1, Direction::Incoming), &mut out);
        hand(&mut end, 0, says(conn, Message::HaveNone), &mut out);
    }
    end
}

#[divan::bench(args = [128, 2_048])]
fn have(bencher: Bencher, pieces: u32) {
    let mut random = Random::new(1);
    let mut order: Vec<(u16, PieceIndex)> =
        (0..50).flat_map(|conn| (0..pieces).map(move |piece| (conn, PieceIndex(piece)))).collect();
    random.shuffle(&mut order);
    order.truncate(order.len() * 3 / 4);
    bencher.counter(ItemsCount::new(order.len())).with_inputs(|| among_50(pieces)).bench_local_values(
        |mut end| {
            let mut out = Vec::new();
            for &(conn, piece) in &order {
                hand(&mut end, 1, says(conn, Message::Have(piece)), &mut out);
                out.clear();
            }
            end
        },
    );
}

/// Per request: queued behind four others, and one of them answered.
#[divan::bench]
fn request_and_writable(bencher: Bencher) {
    let (mut end, mut out) = (torrent(128, Bitfield::full(128), 1), Vec::new());
    for conn in 0..50 {
        hand(&mut end, 0, open(conn, u32::from(conn) + 1, Direction::Incoming), &mut out);
        hand(&mut end, 0, says(conn, Message::Interested), &mut out);
    }
    for number in 0..4 * 4 {
        let block = Block { piece: PieceIndex(number), begin: 0, len: Layout::BLOCK_LEN };
        hand(&mut end, 0, says(number as u16 % 4, Message::Request(block)), &mut out);
    }
    const EACH: u32 = 1_000;
    bencher.counter(ItemsCount::new(EACH * 4)).bench_local(|| {
        for number in 0..EACH {
            for conn in 0..4 {
                let block = Block { piece: PieceIndex(number % 128), begin: 0, len: Layout::BLOCK_LEN };
                hand(&mut end, 1, says(conn, Message::Request(block)), &mut out);
                hand(&mut end, 1, Input::Writable { conn: ConnId(conn), blocks: 1 }, &mut out);
                out.clear();
            }
        }
    });
}

/// Per block of a download from four seeds amid 50 links: the block, the request it makes room for, a sixteenth of a
/// verification and of a pick.
#[divan::bench(args = [128, 2_048])]
fn piece_and_next_request(bencher: Bencher, pieces: u32) {
    let ready = || {
        let (mut end, mut out) = (torrent(pieces, Bitfield::empty(pieces), 1), Vec::new());
        let mut random = Random::new(1);
        for conn in 0..50 {
            hand(&mut end, 0, open(conn, u32::from(conn) + 1, Direction::Incoming), &mut out);
            let have = if conn < 4 { Bitfield::full(pieces) } else { some(pieces, &mut random, 8) };
            hand(&mut end, 0, says(conn, Message::Bitfield(Arc::new(have))), &mut out);
        }
        (0..4).for_each(|conn| hand(&mut end, 0, says(conn, Message::Unchoke), &mut out));
        (end, out)
    };
    let blocks = pieces * BLOCKS / 2;
    bencher.counter(ItemsCount::new(blocks)).with_inputs(ready).bench_local_values(|(mut end, mut out)| {
        let mut asked: VecDeque<(u16, Block)> = VecDeque::new();
        for _ in 0..blocks {
            for output in out.drain(..) {
                match output {
                    Output::Send { conn, message: Message::Request(block) } => {
                        asked.push_back((conn.0, block))
                    }
                    Output::Verify { piece } => {
                        asked.push_front((u16::MAX, Block { piece, begin: 0, len: 0 }))
                    }
                    _ => {}
                }
            }
            let (mut conn, mut block) = asked.pop_front().expect("something is asked for");
            if conn == u16::MAX {
                hand(&mut end, 1, Input::Verified { piece: block.piece, ok: true }, &mut out);
                (conn, block) = asked.pop_front().expect("something is asked for");
            }
            hand(&mut end, 1, says(conn, Message::Piece(block)), &mut out);
        }
        end
    });
}

/// Per block of a whole download from 50 seeds that are asked for 100 blocks each: most of it is endgame.
#[divan::bench(args = [Endgame::Strict, Endgame::Full])]
fn block_of_an_endgame(bencher: Bencher, endgame: Endgame) {
    let pieces = 128;
    let ready = || {
        let setup = setup(pieces, Bitfield::empty(pieces), 1);
        let pipeline = Pipeline { min: 100, max: 100, span: Duration::from_secs(1) };
        let config = Arc::new(Config { endgame, pipeline, ..Config::default() });
        let (mut end, mut out) = (Torrent::new(Setup { config, ..setup }), Vec::new());
        for conn in 0..50 {
            hand(&mut end, 0, open(conn, u32::from(conn) + 1, Direction::Incoming), &mut out);
            hand(&mut end, 0, says(conn, Message::HaveAll), &mut out);
            hand(&mut end, 0, says(conn, Message::Unchoke), &mut out);
        }
        (end, out)
    };
    let blocks = ItemsCount::new(pieces * BLOCKS);
    bencher.counter(blocks).with_inputs(ready).bench_local_values(|(mut end, mut out)| {
        let mut asked = VecDeque::new();
        while !end.is_complete() {
            for output in std::mem::take(&mut out) {
                match output {
                    Output::Send { conn, message: Message::Request(block) } => {
                        asked.push_back((conn.0, block))
                    }
                    Output::Verify { piece } => {
                        hand(&mut end, 1, Input::Verified { piece, ok: true }, &mut Vec::new())
                    }
                    _ => {}
                }
            }
            if let Some((conn, block)) = asked.pop_front() {
                hand(&mut end, 1, says(conn, Message::Piece(block)), &mut out);
            }
        }
        end
    });
}

/// Among 2,048 pieces of which half are not begun, at a seed and at a remote that has every other one.
#[divan::bench(args = [false, true])]
fn pick(bencher: Bencher, seed: bool) {
    use swarmlab_protocol::Picker;
    use swarmlab_protocol::picker::{Availability, PickView};
    let mut random = Random::new(1);
    let mut availability = Availability::new(2_048);
    (0..40).for_each(|_| availability.add_set(&some(2_048, &mut random, 8)));
    let words: Vec<u64> = (0..32).map(|_| random.bits()).collect();
    let unstarted: Vec<u64> = (0..32).map(|_| random.bits()).collect();
    bencher.bench_local(|| {
        let view = PickView {
            remote: (!seed).then_some(&words[..]),
            unstarted: &unstarted,
            availability: &availability,
            begun: 1_024,
            random_first: 4,
        };
        swarmlab_protocol::picker::pick(Picker::RarestFirst, black_box(view), &mut random)
    });
}
