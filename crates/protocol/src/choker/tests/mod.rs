//! Decisions over views: each policy alone, and over the rounds of a swarm without links.

mod clients;
mod reference;
mod tyrants;

use alloc::vec;

use super::*;

fn view(conn: u16) -> ChokeView {
    ChokeView {
        conn: ConnId(conn),
        interested: true,
        unchoked: false,
        snubbed: false,
        received: 0,
        sent: 0,
        pending: true,
        since_unchoke: 0,
        pieces_since_unchoke: 0,
        progress: 500,
    }
}

fn unchoked(decision: &Decision) -> Vec<u16> {
    let mut conns: Vec<u16> = decision.iter().map(|(conn, _)| conn.0).collect();
    conns.sort_unstable();
    conns
}

#[test]
fn an_uninterested_faster_remote_costs_no_slot() {
    let mut views: Vec<ChokeView> = (0..6).map(view).collect();
    for (view, received) in views.iter_mut().zip([60, 50, 40, 30, 20, 10]) {
        view.received = received;
    }
    views[1].interested = false;
    views[5].interested = false;
    let config = Config { unchoke_slots: 3, optimistic_slots: 0, ..Config::default() };
    let decision = Choker::new().decide(&config, false, true, &views, &mut Random::new(1));
    assert_eq!(unchoked(&decision), [0, 1, 2, 3], "1 ranks before the last chosen, 5 does not");
    assert_eq!(decision[1], (ConnId(1), UnchokeReason::FastUninterested));
}

#[test]
fn a_snubber_is_unchoked_only_by_chance() {
    let mut views: Vec<ChokeView> = (0..3).map(view).collect();
    views[0].received = 1_000;
    views[0].snubbed = true;
    let mut choker = Choker::new();
    (0..3).for_each(|conn| choker.opened(ConnId(conn), &mut Random::new(1)));
    let config = Config { unchoke_slots: 2, optimistic_slots: 0, ..Config::default() };
    let decision = choker.decide(&config, false, true, &views, &mut Random::new(1));
    assert_eq!(unchoked(&decision), [1, 2]);
    views.truncate(1);
    let decision = choker.decide(&config, false, true, &views, &mut Random::new(1));
    assert_eq!(decision, [(ConnId(0), UnchokeReason::Optimistic)], "a slot nobody else fills");
}

/// An hour of a seed that serves 40 leechers, the first of which takes thrice what the others can.
fn share_of_the_fastest(seed_choker: SeedChoker) -> f64 {
    let config = Config { seed_choker, ..Config::default() };
    let mut random = Random::new(2);
    let mut choker = Choker::new();
    let mut views: Vec<ChokeView> = (0..40).map(view).collect();
    (0..40).for_each(|conn| choker.opened(ConnId(conn), &mut random));
    let mut given = vec![0u64; 40];
    for _ in 0..360 {
        let decision = choker.decide(&config, true, true, &views, &mut random);
        for (at, view) in views.iter_mut().enumerate() {
            let now = decision.iter().any(|&(conn, _)| conn == view.conn);
            view.since_unchoke = if now && !view.unchoked { 0 } else { view.since_unchoke + 10_000 };
            let sent = if at == 0 { 3_000 } else { 1_000 };
            view.sent = if now { view.sent / 2 + sent } else { 0 };
            view.pieces_since_unchoke = if now { view.since_unchoke / 1_000 } else { 0 };
            given[at] += if now { u64::from(sent) } else { 0 };
            view.unchoked = now;
        }
    }
    assert!(given.iter().skip(1).all(|&bytes| bytes > 0), "{seed_choker:?} starves someone: {given:?}");
    given[0] as f64 * 40.0 / given.iter().sum::<u64>() as f64
}

#[test]
fn the_mainline_4_seed_is_not_captured_by_a_fast_leecher() {
    // The fast one takes thrice as much in equal time: an even share of time gives 3 x 40 / 42 = 2.86.
    let even = 3.0 * 40.0 / 42.0;
    for fair in [SeedChoker::Mainline4, SeedChoker::RoundRobin] {
        let share = share_of_the_fastest(fair);
        assert!(share < even * 1.1, "{fair:?}: {share}");
    }
    let fastest = share_of_the_fastest(SeedChoker::FastestUpload);
    assert!(fastest > even * 2.0, "the old rule is captured: {fastest}");
}

#[test]
fn anti_leech_prefers_the_ends_of_a_download() {
    let mut views: Vec<ChokeView> = (0..4).map(view).collect();
    for (view, progress) in views.iter_mut().zip([20, 480, 900, 600]) {
        view.progress = progress;
    }
    let config = Config {
        seed_choker: SeedChoker::AntiLeech,
        unchoke_slots: 2,
        optimistic_slots: 0,
        ..Config::default()
    };
    let decision = Choker::new().decide(&config, true, true, &views, &mut Random::new(1));
    assert_eq!(unchoked(&decision), [0, 2]);
}

#[test]
fn a_new_link_is_three_times_as_likely_to_be_next_in_the_rotation() {
    const DRAWS: u32 = 10_000;
    let config = Config { unchoke_slots: 1, optimistic_slots: 1, ..Config::default() };
    let views: Vec<ChokeView> = (0..10).map(view).collect();
    let mut random = Random::new(5);
    let mut first = 0;
    for _ in 0..DRAWS {
        let mut choker = Choker::new();
        (0..10).for_each(|conn| choker.opened(ConnId(conn), &mut random));
        let decision = choker.decide(&config, false, true, &views, &mut random);
        assert_eq!(decision[0].1, UnchokeReason::Optimistic);
        first += u32::from(decision[0].0 == ConnId(9));
    }
    // 3 of 12 places; two-sided chi-square at p = 0.01 with one degree of freedom allows 6.63.
    let expected = f64::from(DRAWS) * 3.0 / 12.0;
    let chi = (f64::from(first) - expected).powi(2) / (expected * 0.75);
    assert!(chi < 6.63, "{first} of {DRAWS}");
}
