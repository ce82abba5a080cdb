//! The swarm that the benches of the simulator run.

use std::sync::Arc;
use std::time::Duration;

use swarmlab_protocol::{Config, Layout};
use swarmlab_sim::{
    Arrive, Behaviour, Client, Content, Framing, Group, Latency, Leave, Model, Network, Role, Run, Sharing,
    Stop, TrackerModel,
};

/// 256 KiB pieces, at most 50 connections (30 from a million peers on), latency 20 ms, a seed of 20 Mbit/s, leechers of
/// 1 up and 8 down Mbit/s that come within 10 s and stay.
pub(crate) fn model(peers: u32, mib: u32, threads: u16) -> Model {
    let config = if peers < 1_000_000 {
        Config::default()
    } else {
        Config { max_connections: 30, initiate_up_to: 18, ..Config::default() }
    };
    let group = |name: &str, role, count, up: u64, down: u64| Group {
        name: name.into(),
        role,
        count,
        up: up * 125_000,
        down: down * 125_000,
        nat: 0.0,
        arrive: if role == Role::Seed {
            Arrive::At(Duration::ZERO)
        } else {
            Arrive::Together(Duration::from_secs(10))
        },
        leave: Leave::Stay,
        abort: None,
        behaviour: Behaviour::Honest,
        client: Client::prompt(Arc::new(config.clone()), 32 * 1024),
        region: 0,
    };
    Model {
        seed: 1,
        content: Content {
            layout: Layout::new(u64::from(mib) << 20, 256 << 10, Layout::BLOCK_LEN).expect("a layout"),
            real: None,
        },
        network: Network {
            latency: Latency::Constant(Duration::from_millis(20)),
            framing: Framing::Ethernet,
            queue: Duration::from_millis(100),
            sharing: Sharing::Even,
            window: Layout::BLOCK_LEN,
        },
        tracker: TrackerModel {
            interval: Duration::from_secs(1_800),
            min_interval: None,
            numwant: 50,
            latency: Duration::from_millis(20),
        },
        groups: vec![group("origin", Role::Seed, 1, 20, 100), group("leechers", Role::Leecher, peers, 1, 8)],
        faults: Vec::new(),
        run: Run {
            stop: Stop::LeechersDone,
            max_time: Duration::from_secs(24 * 3_600),
            sample: Duration::from_secs(1),
            threads,
            check: false,
            timeline: false,
        },
    }
}
