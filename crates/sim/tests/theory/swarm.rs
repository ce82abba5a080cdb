//! What the models of all predictions have in common.

use std::sync::Arc;
use std::time::Duration;

use swarmlab_protocol::{Config, Layout};
use swarmlab_sim::{
    Arrive, Behaviour, Client, Content, Framing, Group, Latency, Leave, Model, Network, Outcome, Role, Run,
    Stop, TrackerModel,
};

/// A block on the wire, beyond its content: length, id, piece and offset (BEP 3).
pub(crate) const BLOCK_HEADER: u64 = 13;
/// Bytes per second of a kilobit per second.
pub(crate) const KBIT: u64 = 125;

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Nodes that are there from the start, stay to the end, and run the default client.
pub(crate) fn group(name: &str, role: Role, count: u32, up: u64, down: u64) -> Group {
    Group {
        name: name.into(),
        role,
        count,
        up,
        down,
        nat: 0.0,
        arrive: Arrive::At(Duration::ZERO),
        leave: Leave::Stay,
        abort: None,
        behaviour: Behaviour::Honest,
        client: client(Config::default()),
        region: 0,
    }
}

pub(crate) fn client(config: Config) -> Client {
    Client::prompt(Arc::new(config), 32 * 1024)
}

/// A config with which any two of so many nodes are connected, as far as a client remembers addresses (500).
pub(crate) fn full_mesh(nodes: u16) -> Config {
    Config {
        max_connections: nodes,
        initiate_up_to: nodes,
        max_half_open: nodes,
        numwant: nodes,
        ..Config::default()
    }
}

/// The network of the theories: access links are all there is, bytes of the protocol are all that is counted, and nothing
/// is far away.
pub(crate) fn model(layout: Layout, groups: Vec<Group>) -> Model {
    Model {
        seed: 1,
        content: Content { layout, real: None },
        network: Network {
            latency: Latency::Constant(Duration::from_millis(10)),
            framing: Framing::None,
            queue: Duration::from_millis(100),
            sharing: swarmlab_sim::Sharing::Even,
            window: Layout::BLOCK_LEN,
        },
        tracker: TrackerModel {
            interval: seconds(1_800),
            min_interval: None,
            numwant: 50,
            latency: Duration::from_millis(10),
        },
        groups,
        faults: Vec::new(),
        run: Run {
            stop: Stop::LeechersDone,
            max_time: seconds(24 * 3_600),
            sample: seconds(1),
            threads: 1,
            check: true,
            timeline: false,
        },
    }
}

/// So many pieces of so many blocks of 16 KiB.
pub(crate) fn layout(pieces: u64, blocks_per_piece: u64) -> Layout {
    let piece = blocks_per_piece * u64::from(Layout::BLOCK_LEN);
    Layout::new(pieces * piece, piece, Layout::BLOCK_LEN).expect("a layout")
}

/// Runs it. Whatever else is measured, the checkers must be content.
pub(crate) fn run(model: Model) -> Outcome {
    let outcome = swarmlab_sim::run(model, &mut |_| true).expect("a valid model");
    for check in &outcome.checks {
        assert_eq!(check.failure, None, "{} ({} times)", check.name, check.failures);
    }
    outcome
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
    sum / f64::from(count.max(1))
}
