//! T-02 and T-02a: equal uplinks, one piece at a time.
//!
//! With N leechers and a seed that each send one piece of M per round, no schedule needs less than `M + floor(log2 N)`
//! rounds (Mundinger, Weber and Weiss, "Optimal scheduling of peer-to-peer file dissemination", cs/0606110). Two things are
//! held against that:
//!
//! - T-02: the simulator, with pieces of one block, equal uplinks and downlinks that are no limit, never needs less time
//!   than so many pieces take on an uplink.
//! - T-02a: an idealised behaviour. In each round each node that has something chooses a leecher at random among those that
//!   lack a piece of its, and sends one piece, which the engine's picker chooses knowing how many nodes have each. Rarest
//!   first then needs 1 to 7 % more than the least for 100 pieces, and for fewer as many rounds as the table has (computed
//!   the same way, three seeds); a random choice needs clearly more, for every seed.

use swarmlab_protocol::picker::{Availability, PickView, pick};
use swarmlab_protocol::{Bitfield, Picker, PieceIndex, Random};
use swarmlab_sim::Role;

use super::Line;
use super::swarm::{BLOCK_HEADER, client, full_mesh, group, layout, mean, model, run};

/// The least number of rounds.
fn least(leechers: u32, pieces: u32) -> u32 {
    pieces + leechers.ilog2()
}

/// How many pieces a leecher takes in one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Any,
    One,
}

/// The state of an idealised swarm; node 0 is the seed.
struct Swarm {
    have: Vec<Bitfield>,
    /// By leecher, the pieces it lacks and was not promised in this round, as the picker reads them.
    lacking: Vec<Vec<u64>>,
    availability: Availability,
}

impl Swarm {
    fn new(leechers: u32, pieces: u32) -> Self {
        let mut have = vec![Bitfield::empty(pieces); leechers as usize + 1];
        have[0] = Bitfield::full(pieces);
        let lacking = have.iter().map(|have| words(pieces, |piece| !have.contains(piece))).collect();
        let mut availability = Availability::new(pieces);
        availability.add_set(&have[0]);
        Swarm { have, lacking, availability }
    }

    /// The piece that `from` would send to `to`.
    fn choice(&self, policy: Picker, from: usize, to: usize, random: &mut Random) -> Option<PieceIndex> {
        let remote = words(self.have[from].len(), |piece| self.have[from].contains(piece));
        let view = PickView {
            remote: Some(&remote),
            unstarted: &self.lacking[to],
            availability: &self.availability,
            begun: 0,
            random_first: 0,
        };
        pick(policy, view, random).map(|(piece, _)| piece)
    }

    /// One round. What is sent in it can be passed on in the next.
    fn round(&mut self, policy: Picker, takes: Takes, random: &mut Random) {
        const TRIES: u32 = 30;
        let nodes = self.have.len();
        let mut order: Vec<usize> = (0..nodes).collect();
        random.shuffle(&mut order);
        let mut sent: Vec<PieceIndex> = Vec::new();
        let mut receivers: Vec<usize> = Vec::new();
        for from in order.into_iter().filter(|&from| !self.have[from].is_empty()) {
            for _ in 0..TRIES {
                let to = 1 + random.below(nodes as u32 - 1) as usize;
                if to == from || (takes == Takes::One && receivers.contains(&to)) {
                    continue;
                }
                if let Some(piece) = self.choice(policy, from, to, random) {
                    let (word, bit) = place(piece);
                    self.lacking[to][word] &= !bit;
                    sent.push(piece);
                    receivers.push(to);
                    break;
                }
            }
        }
        for (piece, to) in sent.into_iter().zip(receivers) {
            self.have[to].insert(piece);
            self.availability.add(piece);
        }
    }

    fn is_done(&self) -> bool {
        self.have.iter().all(Bitfield::is_full)
    }
}

/// Word and bit of a piece, as the picker reads them.
fn place(piece: PieceIndex) -> (usize, u64) {
    (piece.0 as usize / 64, 1 << (63 - piece.0 % 64))
}

fn words(pieces: u32, is_in: impl Fn(PieceIndex) -> bool) -> Vec<u64> {
    let mut words = vec![0; pieces.div_ceil(64) as usize];
    for piece in (0..pieces).map(PieceIndex).filter(|&piece| is_in(piece)) {
        let (word, bit) = place(piece);
        words[word] |= bit;
    }
    words
}

/// How many rounds a swarm needs.
fn rounds(leechers: u32, pieces: u32, policy: Picker, takes: Takes, seed: u64) -> u32 {
    let mut swarm = Swarm::new(leechers, pieces);
    let mut random = Random::new(seed);
    let mut rounds = 0;
    while !swarm.is_done() {
        swarm.round(policy, takes, &mut random);
        rounds += 1;
        assert!(rounds < 10 * pieces, "no end");
    }
    rounds
}

/// Ten seeds of each kind. N, M, and the range of makespans of rarest first and of a random choice in the table, first
/// where any number of pieces is taken in a round, then where one is.
fn table(leechers: u32, pieces: u32, takes: Takes) -> [Line; 3] {
    let least = f64::from(least(leechers, pieces));
    let makespans = |policy| -> Vec<f64> {
        (0..10).map(|seed| f64::from(rounds(leechers, pieces, policy, takes, seed))).collect()
    };
    let (rarest, any) = (makespans(Picker::RarestFirst), makespans(Picker::Random));
    let worse = rarest.iter().zip(&any).filter(|(rarest, any)| rarest < any).count();
    // With few pieces a single round more is a large share.
    let (good, bad) = match pieces {
        100.. => (1.0..=1.07, 1.10..=1.40),
        _ => (1.0..=1.16, 1.15..=1.70),
    };
    let what = |policy| format!("N = {leechers}, M = {pieces}, takes {takes:?}, {policy}: rounds");
    [
        Line::times(what("rarest first"), least, mean(rarest.into_iter()), good),
        Line::times(what("random"), least, mean(any.into_iter()), bad),
        Line::exact(
            format!("N = {leechers}, M = {pieces}, takes {takes:?}: seeds where random is worse"),
            10,
            worse as u64,
        ),
    ]
}

pub(crate) fn idealised() -> Vec<Line> {
    let sizes = [(10, 10), (100, 20), (100, 100), (300, 100)];
    let rows = sizes
        .into_iter()
        .flat_map(|(leechers, pieces)| [Takes::Any, Takes::One].map(|takes| table(leechers, pieces, takes)));
    rows.flatten().collect()
}

/// What the engine as it is gets in rounds, over the least number of rounds. Pieces of one block, so that a block is
/// passed on when it has come.
pub(crate) fn engine(leechers: u16, pieces: u32) -> Line {
    /// A round takes about a second, so latencies do not count.
    const UP: u64 = 16 * 1024 + BLOCK_HEADER;
    let node = |name: &str, role, count| {
        let mut group = group(name, role, count, UP, 100 * UP);
        group.client = client(full_mesh(leechers.max(50)));
        group
    };
    let groups = vec![node("origin", Role::Seed, 1), node("leechers", Role::Leecher, leechers.into())];
    let outcome = run(model(layout(pieces.into(), 1), groups));
    let rounds = outcome.simulated.as_secs_f64();
    let least = f64::from(least(leechers.into(), pieces));
    Line::times(
        format!("the engine, N = {leechers}, M = {pieces}: rounds, at least"),
        least,
        rounds,
        1.0..=f64::INFINITY,
    )
}

#[test]
fn rarest_first_is_close_to_the_least_and_random_is_not() {
    super::hold(&idealised());
}

#[test]
fn no_swarm_needs_fewer_rounds() {
    let sizes = [(1, 10), (2, 10), (3, 1), (10, 10), (31, 40), (100, 100)];
    super::hold(&sizes.map(|(leechers, pieces)| engine(leechers, pieces)));
}
