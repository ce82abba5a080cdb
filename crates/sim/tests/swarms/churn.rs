//! Coming and going.

use swarmlab_protocol::PieceIndex;
use swarmlab_sim::{Arrive, End, Leave, Role, Stop};

use super::{completed, group, model, run, seconds, swarm};

#[test]
fn nodes_come_when_they_are_meant_to() {
    let joins = |arrive: Arrive| {
        let mut model = swarm(6);
        model.groups[1].arrive = arrive;
        let outcome = run(model);
        let joins = outcome.peers.iter().skip(1).map(|peer| peer.join.map(|at| at.as_secs_f64()));
        joins.collect::<Vec<_>>()
    };
    let whole = |times: [f64; 6]| times.map(Some).to_vec();
    assert_eq!(joins(Arrive::At(seconds(3))), whole([3.0; 6]));
    assert_eq!(joins(Arrive::Every(seconds(7))), whole([0.0, 7.0, 14.0, 21.0, 28.0, 35.0]));
    let trace = [5, 1, 9, 2, 8, 3].map(seconds);
    assert_eq!(joins(Arrive::Trace(trace.into())), whole([5.0, 1.0, 9.0, 2.0, 8.0, 3.0]));
    assert!(joins(Arrive::Together(seconds(4))).iter().all(|at| at.unwrap() < 4.0));
    // A process that dies out brings only some of them, and the run does not wait for the others.
    let few = joins(Arrive::Decaying { rate: 0.1, tau: seconds(20) });
    assert!(few.iter().any(Option::is_none) && few.iter().any(Option::is_some), "{few:?}");
}

#[test]
fn poisson_arrivals_have_their_rate() {
    let mut model = swarm(400);
    model.groups[1].arrive = Arrive::Poisson(4.0);
    model.run.max_time = seconds(80);
    model.run.stop = Stop::Never;
    let outcome = run(model);
    let come = outcome.peers.iter().filter(|peer| peer.group == 1 && peer.join.is_some()).count();
    assert!((260..380).contains(&come), "{come} of about 320");
}

#[test]
fn leavers_leave_and_the_stayers_stay() {
    for (leave, stay) in [
        (Leave::OnComplete, Some(0)),
        (Leave::After { time: seconds(9), exponential: false }, Some(9)),
        (Leave::Stay, None),
    ] {
        let mut model = swarm(8);
        model.groups[1].leave = leave;
        let outcome = run(model);
        assert_eq!(completed(&outcome, 1), 8);
        let last = outcome.simulated;
        for peer in outcome.peers.iter().filter(|peer| peer.group == 1) {
            let due = stay.map(|stay| peer.complete.unwrap() + seconds(stay)).filter(|&due| due <= last);
            assert!(due.is_none() || peer.leave == due, "{leave:?}: {peer:?}");
            assert!(stay.is_some() || peer.leave.is_none());
        }
    }
}

#[test]
fn who_leaves_at_a_ratio_has_given_it() {
    let mut model = swarm(8);
    model.groups[1].leave = Leave::AtRatio(0.25);
    model.run.stop = Stop::Never;
    model.run.max_time = seconds(1_000);
    let outcome = run(model);
    for peer in outcome.peers.iter().filter(|peer| peer.leave.is_some()) {
        assert!(peer.uploaded >= 1 << 20, "{peer:?}");
    }
    assert!(outcome.peers.iter().any(|peer| peer.leave.is_some()));
}

#[test]
fn the_impatient_give_up() {
    let mut model = swarm(30);
    model.groups[1].abort = Some(0.05);
    let outcome = run(model);
    let gave_up = outcome.peers.iter().filter(|peer| peer.complete.is_none() && peer.leave.is_some()).count();
    assert!(gave_up > 5 && outcome.end == End::LeechersDone, "{gave_up}");
}

#[test]
fn a_piece_that_nobody_has_ends_the_run() {
    let mut model = model(vec![group("origin", Role::Seed, 1), group("leechers", Role::Leecher, 5)]);
    model.groups[0].leave = Leave::After { time: seconds(10), exponential: false };
    let outcome = run(model);
    assert!(matches!(outcome.end, End::PieceLost(_)), "{:?}", outcome.end);
    assert!(outcome.simulated < seconds(30));
}

#[test]
fn the_one_club_lacks_one_piece() {
    let club = group("club", Role::AllBut(PieceIndex(63)), 4);
    let outcome = run(model(vec![group("origin", Role::Seed, 1), club]));
    assert_eq!(completed(&outcome, 1), 4);
    assert!(outcome.peers.iter().skip(1).all(|peer| peer.lacked == 64 << 10), "{:?}", outcome.peers);
    // Nobody has it and nobody who might is to come.
    let alone = run(model(vec![group("club", Role::AllBut(PieceIndex(63)), 4)]));
    assert_eq!(alone.end, End::PieceLost(63));
}

#[test]
fn the_partly_complete_fetch_only_what_they_lack() {
    let mut model = model(vec![group("origin", Role::Seed, 1), group("late", Role::Partial(0.75), 4)]);
    model.run.stop = Stop::LeechersDone;
    let outcome = run(model);
    assert_eq!(completed(&outcome, 1), 4);
    assert!(outcome.peers.iter().skip(1).all(|peer| peer.lacked == 1 << 20), "{:?}", outcome.peers);
}

#[test]
fn the_schedule_is_what_a_run_follows() {
    let mut model = swarm(20);
    model.seed = 5;
    model.groups[1].arrive = Arrive::Poisson(2.0);
    model.groups[1].leave = Leave::After { time: seconds(3), exponential: true };
    let target = swarmlab_sim::Target { group: 1, count: 2 };
    let kind = swarmlab_sim::FaultKind::Crash(target);
    model.faults.push(swarmlab_sim::Fault { at: seconds(500), length: Some(seconds(2)), kind });
    let plans = swarmlab_sim::schedule(&model);
    assert_eq!(plans.iter().filter(|plan| plan.crashes.len() == 1).count(), 2);
    let outcome = run(model);
    for (plan, peer) in plans.iter().zip(&outcome.peers) {
        assert_eq!((plan.group, plan.join), (peer.group, peer.join));
        // Who had left before the run ended stayed as long as was drawn.
        if let (Some(complete), Some(leave), Some(stay)) = (peer.complete, peer.leave, plan.stay) {
            assert_eq!(leave - complete, stay);
        }
    }
    assert!(outcome.peers.iter().filter(|peer| peer.leave.is_some()).count() > 10);
}
