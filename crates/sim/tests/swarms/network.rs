//! Links, latency, framing, NAT.

use swarmlab_protocol::{Layout, MessageKind};
use swarmlab_sim::{Arrive, End, Framing, Latency, Role, Stop};

use super::{completed, group, millis, model, run, seconds, swarm};

#[test]
fn one_seed_to_one_leecher_is_as_fast_as_the_slower_link() {
    // 4 MiB at 125,000 B/s: 33.55 s of content alone.
    let content = f64::from(4 << 20) / 125_000.0;
    for (framing, least, most) in [(Framing::None, 1.0, 1.02), (Framing::Ethernet, 1_514.0 / 1_448.0, 1.07)] {
        let mut model = swarm(1);
        model.groups[0].arrive = Arrive::At(seconds(0));
        model.groups[1].arrive = Arrive::At(seconds(0));
        model.network.framing = framing;
        let outcome = run(model);
        let took = outcome.simulated.as_secs_f64() / content;
        assert!(took > least && took < most, "{framing:?}: {took}");
    }
}

#[test]
fn the_downlink_limits_as_the_uplink_does() {
    let mut model = swarm(1);
    model.groups[0].up = 10_000_000;
    model.groups[1].down = 125_000;
    let outcome = run(model);
    let took =
        (outcome.simulated - outcome.peers[1].join.unwrap()).as_secs_f64() / (f64::from(4 << 20) / 125_000.0);
    assert!(took > 1.045 && took < 1.08, "{took}");
}

#[test]
fn a_long_way_is_no_slow_way_once_the_window_is_open() {
    let time = |latency| {
        let mut model = swarm(1);
        model.network.latency = Latency::Constant(millis(latency));
        model.tracker.latency = millis(latency);
        let outcome = run(model);
        (outcome.simulated - outcome.peers[1].join.unwrap()).as_secs_f64()
    };
    let (near, far) = (time(1), time(200));
    assert!(far > near + 0.8, "connecting alone takes round trips: {near} {far}");
    assert!(far < near + 6.0, "{near} {far}");
}

#[test]
fn who_hides_behind_nat_can_still_call() {
    let mut hidden = swarm(6);
    hidden.groups[1].nat = 1.0;
    assert_eq!(completed(&run(hidden), 1), 6, "the seed can be called");
    let mut unreachable = swarm(3);
    unreachable.groups.iter_mut().for_each(|group| group.nat = 1.0);
    unreachable.run.max_time = seconds(600);
    unreachable.run.stop = Stop::LeechersDone;
    let outcome = run(unreachable);
    assert_eq!((outcome.end, outcome.blocks), (End::MaxTime, 0), "nobody can be called");
}

#[test]
fn on_a_slow_uplink_nothing_comes_before_the_handshake() {
    let mut slow = swarm(1);
    slow.content.layout = Layout::new(1, 16 << 10, Layout::BLOCK_LEN).unwrap();
    slow.groups[0].up = 150;
    slow.groups[1].up = 150;
    slow.groups[1].nat = 1.0;
    let outcome = run(slow);
    assert_eq!(completed(&outcome, 1), 1, "what overtakes the handshake is lost");
}

#[test]
fn regions_have_the_latencies_of_their_table() {
    let time = |across| {
        let mut model = model(vec![group("here", Role::Seed, 1), group("there", Role::Leecher, 1)]);
        model.groups[1].region = 1;
        model.network.latency =
            Latency::Regions(vec![vec![millis(1), millis(across)], vec![millis(across), millis(1)]]);
        let outcome = run(model);
        outcome.simulated - outcome.peers[1].join.unwrap()
    };
    assert!(time(150) > time(10) + millis(600));
}

#[test]
fn haves_reach_only_those_who_lack_the_piece() {
    let outcome = run(swarm(10));
    let count = |kind: MessageKind| outcome.messages[kind as usize].count;
    assert!(count(MessageKind::Have) < 64 * 10 * 9 && count(MessageKind::Have) > 0);
    assert!(
        count(MessageKind::Piece) >= 256 * 10 && count(MessageKind::Request) >= count(MessageKind::Piece)
    );
    assert_eq!(outcome.messages[MessageKind::Have as usize].bytes, 9 * count(MessageKind::Have));
}

#[test]
fn a_long_block_takes_as_long_as_the_blocks_it_stands_for() {
    // One connection whose window is all that limits it: 128 MiB, a round trip of 200 ms.
    let time = |block: u32| {
        let mut model = swarm(1);
        model.content.layout = Layout::new(128 << 20, 2 << 20, block).unwrap();
        (model.network.latency, model.tracker.latency) = (Latency::Constant(millis(100)), millis(100));
        model.groups.iter_mut().for_each(|group| {
            (group.up, group.down) = (1_000_000_000, 1_000_000_000);
            let mut config = (*group.client.config).clone();
            let blocks = |blocks: u16| (blocks / (block / Layout::BLOCK_LEN) as u16).max(2);
            (config.pipeline.min, config.pipeline.max) = (blocks(2_000), blocks(2_000));
            config.max_queued_requests = 2_000;
            group.client.config = std::sync::Arc::new(config);
            group.client.send_buffer = 8 << 20;
        });
        let outcome = run(model);
        (outcome.simulated - outcome.peers[1].join.unwrap()).as_secs_f64()
    };
    let short = time(Layout::BLOCK_LEN);
    for block in [2, 4, 8].map(|units| units * Layout::BLOCK_LEN) {
        let long = time(block);
        assert!((long / short - 1.0).abs() < 0.1, "{block}: {long} s, with short blocks {short} s");
    }
}
