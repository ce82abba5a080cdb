//! The same model gives the same outcome, whoever simulates it.

use std::sync::Arc;

use swarmlab_protocol::{Config, Picker};
use swarmlab_sim::{Arrive, Fault, FaultKind, Latency, Leave, Model, Role, Target};

use super::{group, millis, model, run, seconds, swarm};

/// A swarm in which everything happens that may.
pub(crate) fn eventful() -> Model {
    let mut leechers = group("leechers", Role::Leecher, 40);
    leechers.arrive = Arrive::Poisson(0.5);
    leechers.leave = Leave::After { time: seconds(60), exponential: true };
    leechers.abort = Some(0.000_5);
    leechers.nat = 0.3;
    let mut model =
        model(vec![group("origin", Role::Seed, 2), leechers, group("late", Role::Partial(0.5), 7)]);
    model.network.latency = Latency::Uniform(millis(5), millis(80));
    let half = Target { group: 1, count: 20 };
    model.faults = vec![
        Fault { at: seconds(30), length: Some(seconds(20)), kind: FaultKind::TrackerDown },
        Fault { at: seconds(40), length: Some(seconds(15)), kind: FaultKind::Crash(half) },
        Fault { at: seconds(50), length: None, kind: FaultKind::Reset(half) },
        Fault { at: seconds(60), length: Some(seconds(30)), kind: FaultKind::DiskSlow(half, 20_000) },
        Fault { at: seconds(70), length: Some(seconds(10)), kind: FaultKind::Partition(0, 1) },
    ];
    model
}

#[test]
fn any_number_of_threads_gives_the_same() {
    let outcomes: Vec<_> = [1, 2, 3, 5]
        .map(|threads| {
            let mut model = eventful();
            model.run.threads = threads;
            run(model)
        })
        .into();
    for other in &outcomes[1..] {
        assert_eq!(other.digest, outcomes[0].digest);
        assert_eq!(other.peers, outcomes[0].peers);
        assert_eq!(other.timeline, outcomes[0].timeline);
        assert_eq!(other.messages, outcomes[0].messages);
        assert_eq!((other.events, other.simulated), (outcomes[0].events, outcomes[0].simulated));
    }
}

#[test]
fn looking_changes_nothing() {
    let watched = run(eventful());
    let mut model = eventful();
    (model.run.check, model.run.timeline) = (false, false);
    let unwatched = run(model);
    assert_eq!(watched.digest, unwatched.digest);
    assert_eq!(watched.peers, unwatched.peers);
}

#[test]
fn another_seed_is_another_run() {
    let mut other = eventful();
    other.seed = 2;
    assert_ne!(run(eventful()).digest, run(other).digest);
}

#[test]
fn the_time_between_samples_changes_no_event() {
    let mut model = swarm(10);
    model.run.sample = millis(250);
    let (fine, coarse) = (run(model), run(swarm(10)));
    assert_eq!(fine.simulated, coarse.simulated);
    let ends =
        |outcome: &swarmlab_sim::Outcome| outcome.peers.iter().map(|peer| peer.complete).collect::<Vec<_>>();
    assert_eq!(ends(&fine), ends(&coarse));
}

#[test]
fn arrivals_stay_when_a_policy_changes() {
    let joins = |picker| {
        let mut model = eventful();
        model.groups[1].client.config = Arc::new(Config { picker, ..Config::default() });
        run(model).peers.iter().map(|peer| (peer.join, peer.nat)).collect::<Vec<_>>()
    };
    assert_eq!(joins(Picker::RarestFirst), joins(Picker::Sequential));
}
