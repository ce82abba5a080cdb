//! BitTyrant: what it learns, and that it gets more for less.

use super::*;

fn config(upload_capacity: u32) -> Config {
    Config { choker: LeechChoker::BitTyrant, upload_capacity, ..Config::default() }
}

fn choker(links: u16) -> (Choker, Random) {
    let (mut choker, mut random) = (Choker::new(), Random::new(4));
    (0..links).for_each(|conn| choker.opened(ConnId(conn), &mut random));
    (choker, random)
}

#[test]
fn the_uplink_is_the_bound_and_not_the_slots() {
    for (uplink, expected) in [(16_000, 1), (48_000, 3), (160_000, 10), (1_000, 1), (10_000_000, 20)] {
        let (mut choker, mut random) = choker(20);
        let views: Vec<ChokeView> = (0..20).map(view).collect();
        let decision = choker.decide(&config(uplink), false, true, &views, &mut random);
        assert_eq!(decision.len(), expected, "{uplink} B/s at a first price of 16,000 B/s");
    }
}

#[test]
fn prices_rise_without_return_and_fall_after_three_rounds_of_it() {
    let (mut choker, mut random) = choker(2);
    let mut views: Vec<ChokeView> = (0..2).map(view).collect();
    let (mut prices, config) = (Vec::new(), config(1_000_000));
    for round in 0..6 {
        choker.decide(&config, false, true, &views, &mut random);
        prices.push([choker.past(ConnId(0)).price, choker.past(ConnId(1)).price]);
        views.iter_mut().for_each(|view| (view.unchoked, view.since_unchoke) = (true, 10_000 * (round + 1)));
        views[0].received = if round == 0 { 5_000 } else { 10_000 };
    }
    // In bytes per round of 10 s: 0 gives from the second round on, 1 never does.
    assert_eq!(prices[0], [160_000, 160_000]);
    assert_eq!(prices[1], [160_000, 192_000]);
    assert_eq!(prices[2], [160_000, 230_400]);
    assert_eq!(prices[3], [144_000, 276_480]);
    assert_eq!(prices[4], [129_600, 331_776]);
    assert_eq!(choker.past(ConnId(0)).gift, 5_000);
}

#[test]
fn who_returns_most_for_its_price_comes_first() {
    let (mut choker, mut random) = choker(5);
    let mut views: Vec<ChokeView> = (0..5).map(view).collect();
    for (view, received) in views.iter_mut().zip([50_000, 400_000, 20_000, 300_000, 100_000]) {
        view.received = received;
    }
    let decision = choker.decide(&config(32_000), false, true, &views, &mut random);
    assert_eq!(decision, [(ConnId(1), UnchokeReason::Regular), (ConnId(3), UnchokeReason::Regular)]);
}

#[test]
fn a_slot_used_again_starts_from_the_first_price() {
    let (mut choker, mut random) = choker(1);
    let mut only = view(0);
    (only.unchoked, only.since_unchoke) = (true, 30_000);
    choker.decide(&config(0), false, true, &[only], &mut random);
    choker.decide(&config(0), false, true, &[only], &mut random);
    assert!(choker.past(ConnId(0)).price > 160_000);
    choker.closed(ConnId(0));
    choker.opened(ConnId(0), &mut random);
    choker.decide(&config(0), false, true, &[view(0)], &mut random);
    assert_eq!(choker.past(ConnId(0)).price, 160_000);
}
