//! What goes wrong, and that the swarm gets over it.

use swarmlab_sim::{Behaviour, End, Fault, FaultKind, Role, Target};

use super::{completed, group, model, run, seconds, swarm};

fn with_fault(kind: FaultKind, at: u64, length: Option<u64>) -> swarmlab_sim::Outcome {
    let mut model = swarm(12);
    model.faults = vec![Fault { at: seconds(at), length: length.map(seconds), kind }];
    run(model)
}

#[test]
fn the_swarm_outlives_every_fault_that_ends() {
    let some = Target { group: 1, count: 6 };
    let calm = run(swarm(12)).simulated;
    for (kind, length) in [
        (FaultKind::TrackerDown, Some(60)),
        (FaultKind::Partition(0, 1), Some(20)),
        (FaultKind::Reset(some), None),
        (FaultKind::Crash(some), Some(20)),
        (FaultKind::DiskSlow(some, 10_000), Some(40)),
        (FaultKind::DiskFull(some), Some(40)),
    ] {
        let outcome = with_fault(kind.clone(), 10, length);
        assert_eq!((outcome.end.clone(), completed(&outcome, 1)), (End::LeechersDone, 12), "{kind:?}");
        let disturbed = !matches!(kind, FaultKind::TrackerDown);
        assert!(!disturbed || outcome.simulated != calm, "{kind:?} changed nothing");
    }
}

#[test]
fn who_crashes_comes_back_with_what_its_disk_kept() {
    let everyone = Target { group: 1, count: 12 };
    let outcome = with_fault(FaultKind::Crash(everyone), 40, Some(30));
    assert_eq!(completed(&outcome, 1), 12);
    let downloaded: u64 = outcome.peers.iter().map(|peer| peer.downloaded).sum();
    let content = 12 * (4 << 20);
    assert!(downloaded < content + content / 4, "{downloaded}: verified pieces are not fetched again");
}

#[test]
fn who_crashes_for_good_is_not_waited_for() {
    let outcome = with_fault(FaultKind::Crash(Target { group: 1, count: 3 }), 10, None);
    assert_eq!((outcome.end.clone(), completed(&outcome, 1)), (End::LeechersDone, 9));
}

#[test]
fn a_slow_disk_that_fills_up_still_writes_what_it_took() {
    let target = Target { group: 1, count: 1 };
    let mut model = swarm(1);
    let fault = |at, length, kind| Fault { at: seconds(at), length: Some(seconds(length)), kind };
    model.faults =
        vec![fault(8, 8, FaultKind::DiskSlow(target, 20_000)), fault(12, 30, FaultKind::DiskFull(target))];
    let outcome = run(model);
    assert_eq!(completed(&outcome, 1), 1, "a piece whose check was under way is checked");
    assert!(outcome.simulated > seconds(42), "the end of the slow time is not that of the full time");
}

#[test]
fn a_restart_does_not_empty_a_full_disk() {
    let target = Target { group: 1, count: 1 };
    let mut model = swarm(1);
    let fault = |at, length, kind| Fault { at: seconds(at), length: Some(seconds(length)), kind };
    model.faults = vec![fault(10, 200, FaultKind::DiskFull(target)), fault(20, 10, FaultKind::Crash(target))];
    let outcome = run(model);
    assert!(completed(&outcome, 1) == 1 && outcome.simulated > seconds(210), "{:?}", outcome.simulated);
}

#[test]
fn without_a_tracker_from_the_start_nobody_finds_anybody() {
    let mut model = swarm(3);
    model.faults = vec![Fault { at: seconds(0), length: None, kind: FaultKind::TrackerDown }];
    model.run.max_time = seconds(300);
    let outcome = run(model);
    assert_eq!((outcome.end, outcome.blocks, outcome.tracker.announces), (End::MaxTime, 0, 0));
    assert!(outcome.tracker.unanswered > 3);
}

#[test]
fn corrupters_are_found_out_and_the_honest_complete() {
    let mut bad = group("bad", Role::Seed, 2);
    bad.behaviour = Behaviour::Corrupter;
    let outcome = run(model(vec![group("origin", Role::Seed, 1), group("honest", Role::Leecher, 10), bad]));
    assert_eq!(completed(&outcome, 1), 10);
    assert!(outcome.peers.iter().map(|peer| peer.bad_pieces).sum::<u32>() > 0);
}
