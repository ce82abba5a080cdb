//! Whole swarms in the simulated network, under the checkers.

mod behind;
mod churn;
mod content;
mod determinism;
mod faults;
mod network;
mod recording;

use std::sync::Arc;
use std::time::Duration;

use swarmlab_protocol::{Config, Layout, PieceIndex};
use swarmlab_sim::{
    Arrive, Behaviour, Client, Content, End, Framing, Group, Latency, Leave, Model, ModelError, Network,
    Outcome, Role, Run, Stop, TrackerModel,
};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Nodes of 1 Mbit/s up and 8 Mbit/s down that come within 5 s and stay.
fn group(name: &str, role: Role, count: u32) -> Group {
    Group {
        name: name.into(),
        role,
        count,
        up: 125_000,
        down: 1_000_000,
        nat: 0.0,
        arrive: Arrive::Together(seconds(5)),
        leave: Leave::Stay,
        abort: None,
        behaviour: Behaviour::Honest,
        client: Client::prompt(Arc::new(Config::default()), 32 * 1024),
        region: 0,
    }
}

/// 4 MiB in pieces of 64 KiB, 20 ms from node to node.
fn model(groups: Vec<Group>) -> Model {
    Model {
        seed: 1,
        content: Content { layout: Layout::new(4 << 20, 64 << 10, Layout::BLOCK_LEN).unwrap(), real: None },
        network: Network {
            latency: Latency::Constant(millis(20)),
            framing: Framing::Ethernet,
            queue: millis(100),
            sharing: swarmlab_sim::Sharing::Even,
            window: Layout::BLOCK_LEN,
        },
        tracker: TrackerModel {
            interval: seconds(1_800),
            min_interval: None,
            numwant: 50,
            latency: millis(20),
        },
        groups,
        faults: Vec::new(),
        run: Run {
            stop: Stop::LeechersDone,
            max_time: seconds(4 * 3_600),
            sample: seconds(1),
            threads: 1,
            check: true,
            timeline: true,
        },
    }
}

/// A seed and so many leechers.
fn swarm(leechers: u32) -> Model {
    model(vec![group("origin", Role::Seed, 1), group("leechers", Role::Leecher, leechers)])
}

/// Runs it; every check must hold.
fn run(model: Model) -> Outcome {
    let outcome = swarmlab_sim::run(model, &mut |_| true).expect("a valid model");
    for check in &outcome.checks {
        assert_eq!(check.failure, None, "{} ({} times)", check.name, check.failures);
    }
    outcome
}

/// How many nodes of a group have completed.
fn completed(outcome: &Outcome, group: u32) -> usize {
    outcome.peers.iter().filter(|peer| peer.group == group && peer.complete.is_some()).count()
}

#[test]
fn everybody_completes_and_the_bytes_add_up() {
    for leechers in [1, 2, 10, 60] {
        let outcome = run(swarm(leechers));
        assert_eq!((outcome.end.clone(), completed(&outcome, 1)), (End::LeechersDone, leechers as usize));
        let useful: u64 = outcome.peers.iter().map(|peer| peer.downloaded - peer.wasted).sum();
        assert_eq!(useful, u64::from(leechers) * (4 << 20));
        assert_eq!(outcome.checks.len(), 9);
        assert!(outcome.simulated <= outcome.timeline.last().unwrap().at);
    }
}

#[test]
fn a_run_ends_at_its_longest_time() {
    let mut slow = swarm(10);
    slow.run.max_time = seconds(20);
    let outcome = run(slow);
    assert_eq!((outcome.end, outcome.simulated), (End::MaxTime, seconds(20)));
}

#[test]
fn a_run_ends_when_the_caller_says_so() {
    let mut samples = 0;
    let outcome = swarmlab_sim::run(swarm(10), &mut |_| {
        samples += 1;
        samples < 7
    });
    let outcome = outcome.unwrap();
    assert_eq!((outcome.end, outcome.timeline.len()), (End::Interrupted, 7));
}

#[test]
fn a_panic_ends_a_run_of_several_threads() {
    for threads in [1, 2, 3] {
        let mut model = swarm(10);
        model.run.threads = threads;
        let run = || swarmlab_sim::run(model, &mut |_| std::panic::resume_unwind(Box::new("enough")));
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"enough"));
    }
}

#[test]
fn models_out_of_bounds_are_refused() {
    let refusal = |change: fn(&mut Model)| {
        let mut model = swarm(2);
        change(&mut model);
        swarmlab_sim::run(model, &mut |_| true).map(|_| ()).unwrap_err().to_string()
    };
    assert!(refusal(|model| model.groups.clear()).starts_with("0 nodes"));
    assert!(
        refusal(|model| model.network.latency = Latency::Constant(Duration::from_micros(99)))
            .contains("99µs")
    );
    assert!(refusal(|model| model.run.sample = Duration::from_micros(1_500)).contains("1.5ms"));
    assert!(refusal(|model| model.content.layout = Layout::new(0, 1, 1).unwrap()).contains("empty"));
    let nowhere = Role::AllBut(PieceIndex(64));
    assert_eq!(
        swarmlab_sim::run(model(vec![group("club", nowhere, 1)]), &mut |_| true).map(|_| ()),
        Err(ModelError::NoSuchPiece(64))
    );
}
