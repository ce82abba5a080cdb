//! Golden values of the literature, small swarms whose optimum is known, and random schedules that try to beat the bound.

use std::time::Duration;

use proptest::prelude::*;
use swarmlab_protocol::Random;
use swarmlab_sim::Framing;

use super::{Bound, Limit, Node, lower_bound, of_run};
use crate::scenario::{Options, Origin, Scenario};

const SECOND: u64 = 1_000_000;
const KBIT: u64 = 125; // bytes per second

fn seed(up: u64) -> Node {
    Node { join: 0, lacks: 0, up, down: u64::MAX, awaited: false }
}

fn leecher(lacks: u64, up: u64, down: u64) -> Node {
    Node { join: 0, lacks, up, down, awaited: true }
}

/// One seed and equal leechers, in kbit/s.
fn flash_crowd(count: usize, length: u64, rates: [u64; 3]) -> Option<Bound> {
    let mut nodes = vec![leecher(length, rates[1] * KBIT, rates[2] * KBIT); count];
    nodes.push(seed(rates[0] * KBIT));
    lower_bound(&nodes, length, Framing::None)
}

/// In tenths of a second, rounded as the tables are.
fn tenths(bound: Option<Bound>) -> u128 {
    (bound.unwrap().time.as_millis() + 50) / 100
}

#[test]
fn kumar_and_ross_golden_values() {
    const F: u64 = 102_400 * 1024;
    for (count, expected) in
        [(50, 16132), (100, 18236), (300, 19973), (1000, 20662), (5000, 20909), (10_000, 20940)]
    {
        let bound = flash_crowd(count, F, [6000, 400, 1500]);
        assert_eq!(tenths(bound), expected, "{count} leechers");
        assert_eq!(bound.unwrap().limit, Limit::Uplinks);
    }
    for (up, expected, limit) in [
        (200, 41943, Limit::Seeds),
        (400, 20972, Limit::Seeds),
        (600, 20940, Limit::Uplinks),
        (800, 20930, Limit::Uplinks),
        (1000, 20919, Limit::Uplinks),
        (2000, 20867, Limit::Uplinks),
        (6000, 20662, Limit::Uplinks),
    ] {
        let bound = flash_crowd(1000, F, [up, 400, 1500]);
        assert_eq!((tenths(bound), bound.unwrap().limit), (expected, limit), "a seed of {up} kbit/s");
    }
}

#[test]
fn three_classes_wait_for_the_slowest_downlink() {
    const F: u64 = 102_400 * 1024;
    let classes = [(3000, 6000), (400, 1500), (128, 784)];
    let class = |(up, down): (u64, u64)| std::iter::repeat_n(leecher(F, up * KBIT, down * KBIT), 333);
    let mut nodes: Vec<Node> = classes.into_iter().flat_map(class).collect();
    nodes.push(leecher(F, 3000 * KBIT, 6000 * KBIT));
    nodes.push(seed(6000 * KBIT));
    let bound = lower_bound(&nodes, F, Framing::None);
    assert_eq!((tenths(bound), bound.unwrap().limit), (10_700, Limit::Downlink));
}

#[test]
fn the_textbook_table() {
    const F: u64 = 15_000_000_000 / 8;
    for (count, expected) in
        [(10, [7500, 7500, 7500]), (100, [25_000, 15_000, 7500]), (1000, [45_455, 20_548, 7500])]
    {
        for (up, expected) in [300, 700, 2000].into_iter().zip(expected) {
            let bound = flash_crowd(count, F, [30_000, up, 2000]).unwrap();
            assert_eq!((bound.time.as_millis() + 500) / 1000, expected, "{count} leechers of {up} kbit/s");
        }
    }
}

/// With equal uplinks, and whole pieces sent one at a time, the optimum is M + floor(log2 N) pieces' time (Mundinger, Weber,
/// Weiss): the bound is the M of it.
#[test]
fn equal_uplinks_stay_below_the_optimum_in_rounds() {
    for (count, pieces) in [(1, 1), (2, 1), (3, 1), (3, 2), (10, 10), (100, 20), (300, 100)] {
        let mut nodes = vec![leecher(pieces * 1000, 1000, u64::MAX); count];
        nodes.push(seed(1000));
        let bound = lower_bound(&nodes, pieces * 1000, Framing::None).unwrap();
        let optimum = pieces + u64::from(count.ilog2());
        assert_eq!(bound.time, Duration::from_secs(pieces), "{count} leechers, {pieces} pieces");
        assert!(bound.time <= Duration::from_secs(optimum));
    }
}

#[test]
fn late_leechers_bring_their_uplinks_late() {
    // Ten need 100 s of the seed's uplink alone. The second ten come at 50 s and help then: 20,000 bytes at 200/s until
    // then, at 400/s after.
    let early = Node { up: 10, ..leecher(1000, 0, u64::MAX) };
    let late = Node { join: 50 * SECOND, up: 20, ..early };
    let nodes = [vec![early; 10], vec![late; 10], vec![seed(100)]].concat();
    let bound = lower_bound(&nodes, 1000, Framing::None).unwrap();
    assert_eq!((bound.time, bound.limit), (Duration::from_secs(75), Limit::Uplinks));

    // Where most come late, what was idle before they came does not help them.
    let late = Node { join: 1000 * SECOND, ..early };
    let nodes = [vec![early], vec![late; 10], vec![seed(90)]].concat();
    let bound = lower_bound(&nodes, 1000, Framing::None).unwrap();
    assert_eq!((bound.time, bound.limit), (Duration::from_secs(1050), Limit::Uplinks));
}

#[test]
fn time_counts_from_the_first_leecher_and_seeds_from_their_arrival() {
    let one = Node { join: 30 * SECOND, ..leecher(1000, 100, u64::MAX) };
    let here = seed(100);
    assert_eq!(lower_bound(&[one, here], 1000, Framing::None).unwrap().time, Duration::from_secs(10));
    let late = Node { join: 100 * SECOND, ..here };
    assert_eq!(lower_bound(&[one, late], 1000, Framing::None).unwrap().time, Duration::from_secs(80));
}

#[test]
fn what_partial_nodes_hold_need_not_come_from_seeds() {
    let half = leecher(500, 1000, u64::MAX);
    // Together they may hold everything: 1,000 bytes are lacking, and all uplinks are 2,001.
    let bound = lower_bound(&[half, half, seed(1)], 1000, Framing::None).unwrap();
    assert_eq!((bound.time, bound.limit), (Duration::from_micros(499_750), Limit::Uplinks));
    // Alone it cannot: half must come from the seed.
    let bound = lower_bound(&[half, leecher(1000, 0, u64::MAX), seed(1)], 1000, Framing::None).unwrap();
    assert_eq!((bound.time, bound.limit), (Duration::from_secs(500), Limit::Seeds));
}

#[test]
fn whom_nobody_waits_for_still_gives() {
    // It came before the honest one and may have had everything from the seed by then.
    let rider = Node { awaited: false, ..leecher(1000, 500, u64::MAX) };
    let honest = Node { join: 20 * SECOND, ..leecher(1000, 0, u64::MAX) };
    let bound = lower_bound(&[rider, honest, seed(100)], 1000, Framing::None).unwrap();
    assert_eq!(bound.time, Duration::from_micros(1_666_666));
}

#[test]
fn ethernet_leaves_1448_of_1514_bytes() {
    let nodes = [leecher(1_448_000, 0, u64::MAX), seed(1_514)];
    assert_eq!(lower_bound(&nodes, 1_448_000, Framing::Ethernet).unwrap().time, Duration::from_secs(1000));
}

#[test]
fn no_bound_without_anybody_to_wait_for_or_without_a_way() {
    assert_eq!(lower_bound(&[seed(100)], 1000, Framing::None), None);
    assert_eq!(lower_bound(&[leecher(1000, 1, 1)], 1000, Framing::None), None); // no seed
    assert_eq!(lower_bound(&[leecher(1000, 1, 0), seed(1)], 1000, Framing::None), None);
    assert_eq!(lower_bound(&[leecher(1000, 0, 1), seed(0)], 1000, Framing::None), None);
}

#[test]
fn links_without_a_limit_do_not_overflow() {
    let all = vec![leecher(u64::MAX, u64::MAX, u64::MAX); 100];
    let bound = lower_bound(&[all, vec![seed(u64::MAX)]].concat(), u64::MAX, Framing::Ethernet).unwrap();
    assert!(bound.time <= Duration::from_micros(1_045_580), "{bound:?}"); // one second, framed
}

/// A swarm that only has links: each node sends one piece at a time to somebody who lacks it, receives one at a time, and
/// knows everything of everybody. Returns the last completion of those awaited.
fn play(nodes: &[Node], mut have: Vec<Vec<bool>>, piece: u64, random: &mut Random) -> u64 {
    let count = nodes.len();
    let (mut sends_until, mut takes_until) = (vec![0; count], vec![0; count]);
    let mut promised = have.clone();
    let mut transfers: Vec<(u64, usize, usize)> = Vec::new();
    let mut now = 0;
    loop {
        transfers.retain(|&(end, to, number)| {
            have[to][number] |= end <= now;
            end > now
        });
        let complete = |node: usize| have[node].iter().all(|&has| has);
        if (0..count).all(|node| !nodes[node].awaited || complete(node)) {
            return now;
        }
        for from in 0..count {
            let start = random.below(count as u32) as usize;
            for to in (0..count).map(|step| (start + step) % count) {
                let here = nodes[from].join <= now && nodes[to].join <= now;
                if !here || sends_until[from] > now || takes_until[to] > now {
                    continue;
                }
                if let Some(number) = (0..have[from].len()).find(|&n| have[from][n] && !promised[to][n]) {
                    let rate = nodes[from].up.min(nodes[to].down);
                    let end = now + (piece * SECOND).div_ceil(rate);
                    (sends_until[from], takes_until[to], promised[to][number]) = (end, end, true);
                    transfers.push((end, to, number));
                }
            }
        }
        let joins = nodes.iter().map(|node| node.join);
        now = transfers.iter().map(|transfer| transfer.0).chain(joins).filter(|&at| at > now).min().unwrap();
    }
}

/// A process of arrivals that dies out brings some of its nodes only. Nobody waits for the others, so they need nothing.
#[test]
fn who_never_comes_does_not_raise_the_bound() {
    let text = r#"
        schema = "scenario/1"
        name = "dies-out"
        content = { size = "16 KiB" }
        [[group]]
        name = "origin"
        role = "seed"
        up = "10 kB/s"
        [[group]]
        name = "few"
        role = "leecher"
        count = 40
        up = "10 kB/s"
        arrive = { kind = "decaying", rate = "1 /s", tau = "5 s" }
    "#;
    let scenario = Scenario::parse(text, &Origin::named("dies-out"), &[]).unwrap();
    let model = scenario.model(&Options::default()).unwrap();
    let outcome = swarmlab_sim::run(model.clone(), &mut |_| true).unwrap();
    let come: Vec<_> = outcome.peers[1..].iter().filter_map(|peer| peer.join).collect();
    assert!((2..30).contains(&come.len()), "{} came", come.len());
    let bound = of_run(&model, &outcome).unwrap();
    let took = outcome.simulated - *come.iter().min().unwrap();
    assert!(bound.time <= took, "{bound:?}, but all was done after {took:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever the rates, arrivals and holdings: no schedule is done before the bound.
    #[test]
    fn no_schedule_beats_the_bound(seed in any::<u64>(), count in 1..9_usize, pieces in 1..9_usize, piece in 1..4_u64) {
        let mut random = Random::new(seed);
        let mut below = |bound| u64::from(random.below(bound));
        let mut have = vec![vec![true; pieces]];
        let mut nodes = vec![Node { join: below(3) * 500_000, lacks: 0, up: 1 + below(4), down: 1, awaited: false }];
        for _ in 0..count {
            let kind = below(4);
            let row: Vec<bool> = (0..pieces).map(|_| kind == 0 && below(2) == 0).collect();
            let lacks = row.iter().filter(|&&has| !has).count() as u64 * piece;
            let join = below(4) * below(3) * SECOND;
            let (up, down) = (1 + below(5), 1 + below(8));
            nodes.push(Node { join, lacks, up, down, awaited: below(5) > 0 });
            have.push(row);
        }
        if let Some(bound) = lower_bound(&nodes, pieces as u64 * piece, Framing::None) {
            let awaited = nodes.iter().filter(|node| node.awaited && node.lacks > 0);
            let first = awaited.map(|node| node.join).min().unwrap();
            let last = play(&nodes, have, piece, &mut random);
            prop_assert!(bound.time <= Duration::from_micros(last - first), "{bound:?}, but done after {} us", last - first);
        }
    }
}
