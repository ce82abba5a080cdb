//! The rules of named clients, item by item.

use super::*;

/// Decides round after round, with the views kept as an engine would: who is unchoked, since when.
struct Rounds {
    config: Config,
    seeding: bool,
    choker: Choker,
    random: Random,
    views: Vec<ChokeView>,
}

impl Rounds {
    fn new(config: Config, links: u16) -> Self {
        let (mut choker, mut random) = (Choker::new(), Random::new(3));
        (0..links).for_each(|conn| choker.opened(ConnId(conn), &mut random));
        Rounds { config, seeding: false, choker, random, views: (0..links).map(view).collect() }
    }

    fn next(&mut self) -> Decision {
        let Rounds { config, seeding, choker, random, views } = self;
        let decision = choker.decide(config, *seeding, true, views, random);
        for view in views {
            let now = decision.iter().any(|&(conn, _)| conn == view.conn);
            let span = config.rechoke_interval.as_millis() as u32;
            view.since_unchoke = if now && !view.unchoked { span } else { view.since_unchoke + span };
            view.unchoked = now;
        }
        decision
    }

    fn optimistic(&mut self) -> Vec<u16> {
        let decision = self.next();
        let optimistic = decision.iter().filter(|(_, reason)| *reason == UnchokeReason::Optimistic);
        optimistic.map(|(conn, _)| conn.0).collect()
    }
}

fn with(choker: LeechChoker, unchoke_slots: u16) -> Config {
    Config { choker, unchoke_slots, ..Config::default() }
}

#[test]
fn libtorrent_gives_idle_peers_equal_time() {
    // simulation/test_optimistic_unchoke.cpp of libtorrent: 20 idle interested peers, one slot, which is optimistic,
    // 1,800 s: each is unchoked for 90 s.
    let config = Config {
        optimistic: OptimisticRule::LongestWaiting,
        rechoke_interval: core::time::Duration::from_secs(15),
        optimistic_rounds: 2,
        ..with(LeechChoker::Libtorrent, 1)
    };
    let mut rounds = Rounds::new(config, 20);
    let mut time = [0u32; 20];
    for _ in 0..1_800 / 15 {
        for (conn, _) in rounds.next() {
            time[usize::from(conn.0)] += 15;
        }
    }
    assert_eq!(time, [90; 20]);
}

#[test]
fn libtorrent_looks_at_the_last_round_only() {
    let config = Config { optimistic_slots: 0, ..with(LeechChoker::Libtorrent, 1) };
    let mut rounds = Rounds::new(config, 2);
    (rounds.views[0].received, rounds.views[1].received) = (900, 100);
    assert_eq!(unchoked(&rounds.next()), [0]);
    // In its window of two rounds 0 still has more, but 1 sent 300 in this round and 0 nothing.
    (rounds.views[0].received, rounds.views[1].received) = (900, 400);
    assert_eq!(unchoked(&rounds.next()), [1]);
}

#[test]
fn libtorrent_promotes_the_optimistic_one_and_gives_its_turn_on() {
    let config = Config { optimistic: OptimisticRule::LongestWaiting, ..with(LeechChoker::Libtorrent, 2) };
    let mut rounds = Rounds::new(config, 6);
    let first = rounds.optimistic()[0];
    rounds.views[usize::from(first)].received = 1_000;
    let decision = rounds.next();
    assert_eq!(decision[0], (ConnId(first), UnchokeReason::Regular));
    assert_eq!(decision[1].1, UnchokeReason::Optimistic);
    assert_ne!(decision[1].0, ConnId(first));
}

#[test]
fn transmission_keeps_its_optimistic_one_for_four_further_rounds() {
    let mut rounds = Rounds::new(Config { optimistic_rounds: 5, ..with(LeechChoker::Transmission, 9) }, 40);
    let kept: Vec<Vec<u16>> = (0..20).map(|_| rounds.optimistic()).collect();
    for turn in kept.chunks(5) {
        assert!(turn.iter().all(|optimistic| optimistic == &turn[0] && optimistic.len() == 1), "{kept:?}");
    }
    assert!(kept.chunks(5).any(|turn| turn[0] != kept[0]), "{kept:?}");
}

#[test]
fn transmission_ranks_by_rate_then_keeps_who_is_unchoked() {
    let config = Config {
        optimistic_slots: 0,
        seed_choker: SeedChoker::Transmission,
        ..with(LeechChoker::Transmission, 2)
    };
    let mut rounds = Rounds::new(config, 5);
    rounds.views[2].received = 50;
    rounds.views[4].unchoked = true;
    assert_eq!(unchoked(&rounds.next()), [2, 4]);
    rounds.views[1].progress = 1_000;
    rounds.views[1].received = 90;
    assert_eq!(unchoked(&rounds.next()), [2, 4], "a seed is choked, whatever it sends");
    rounds.seeding = true;
    rounds.views[3].sent = 70;
    rounds.views[0].sent = 60;
    assert_eq!(unchoked(&rounds.next()), [0, 3], "a seed looks at what it sends");
}

#[test]
fn mainline_unchokes_two_where_all_snub() {
    let mut rounds = Rounds::new(with(LeechChoker::Mainline4, 4), 8);
    assert_eq!(rounds.next().len(), 4);
    rounds.views.iter_mut().for_each(|view| view.snubbed = true);
    assert_eq!(rounds.optimistic().len(), 2, "min_uploads");
}

#[test]
fn mainline_walks_its_rotation() {
    let mut rounds = Rounds::new(with(LeechChoker::Mainline4, 4), 20);
    for fast in 0..3 {
        rounds.views[fast].received = 1_000;
    }
    let mut seen: Vec<u16> = Vec::new();
    for _ in 0..17 {
        let turn = [rounds.optimistic(), rounds.optimistic(), rounds.optimistic()];
        assert!(turn.iter().all(|optimistic| optimistic == &turn[0]), "kept for three rounds");
        seen.extend(&turn[0]);
    }
    seen.sort_unstable();
    assert_eq!(seen, (3..20).collect::<Vec<u16>>(), "each of the others once");
}

#[test]
fn bep_3_counts_the_optimistic_one_only_if_it_is_interested() {
    for (interested, regular) in [(true, 3), (false, 4)] {
        let mut rounds = Rounds::new(with(LeechChoker::Bep3, 4), 12);
        let next = rounds.choker.turns.iter().next().unwrap();
        rounds.views[usize::from(next.0)].interested = interested;
        let decision = rounds.next();
        let count = |wanted| decision.iter().filter(|&&(_, reason)| reason == wanted).count();
        assert_eq!((count(UnchokeReason::Regular), count(UnchokeReason::Optimistic)), (regular, 1));
        assert!(decision.contains(&(next, UnchokeReason::Optimistic)));
    }
}

#[test]
fn bep_3_knows_no_snubbing_and_the_paper_of_2003_does() {
    for (choker, expected) in [(LeechChoker::Bep3, 0), (LeechChoker::Reciprocal, 1)] {
        let config = Config { optimistic_slots: 0, ..with(choker, 1) };
        let mut rounds = Rounds::new(config, 2);
        (rounds.views[0].received, rounds.views[0].snubbed) = (100, true);
        assert_eq!(unchoked(&rounds.next()), [expected], "{choker:?}");
    }
}

#[test]
fn slots_emptied_by_snubbing_become_optimistic() {
    let mut rounds = Rounds::new(with(LeechChoker::Reciprocal, 4), 10);
    rounds.views.iter_mut().skip(1).for_each(|view| view.snubbed = true);
    assert_eq!(rounds.optimistic().len(), 3, "Cohen 2003: more than one concurrent optimistic unchoke");
}

#[test]
fn aria2_regular_slots_are_for_those_who_gave_lately() {
    let mut rounds = Rounds::new(with(LeechChoker::Aria2, 4), 10);
    for giver in 0..5 {
        rounds.views[giver].received = 100 * (giver as u32 + 1);
    }
    let decision = rounds.next();
    let regular = decision.iter().filter(|(_, reason)| *reason == UnchokeReason::Regular);
    assert_eq!(regular.map(|(conn, _)| conn.0).collect::<Vec<_>>(), [4, 3, 2]);
    assert_eq!(decision.len(), 4);
    // Nobody gives any more: the window of two rounds forgets, and after three rounds nobody is left to rank.
    rounds.views.iter_mut().for_each(|view| view.received = 0);
    assert_eq!(rounds.next().len(), 4);
    rounds.next();
    assert_eq!(rounds.next().len(), 1, "only the optimistic one");
}

#[test]
fn an_aria2_seed_goes_in_threes() {
    let mut rounds = Rounds::new(with(LeechChoker::Aria2, 4), 12);
    rounds.config.seed_choker = SeedChoker::Aria2;
    rounds.seeding = true;
    rounds.views.iter_mut().for_each(|view| view.pending = false);
    let optimistic: Vec<usize> = (0..6).map(|_| rounds.optimistic().len()).collect();
    assert!(optimistic[0] == 1 && optimistic[1] == 1 && optimistic[3] == 1 && optimistic[4] == 1);
    assert!(optimistic[2] <= 1, "the one of the second round stays, or has come to rank");
    rounds.views[7].pending = true;
    rounds.views[8].sent = 5_000;
    rounds.views.iter_mut().for_each(|view| view.since_unchoke = 60_000);
    let decision = rounds.next();
    assert_eq!([decision[0].0, decision[1].0], [ConnId(7), ConnId(8)], "who waits for us, then the fastest");
}

#[test]
fn everybody_is_everybody() {
    let config = Config { seed_choker: SeedChoker::Everybody, ..with(LeechChoker::Everybody, u16::MAX) };
    let mut rounds = Rounds::new(config, 30);
    rounds.views[4].interested = false;
    assert_eq!(rounds.next().len(), 30);
    rounds.seeding = true;
    assert_eq!(rounds.next().len(), 30);
}

#[test]
fn without_slots_nobody_is_unchoked() {
    for choker in CHOKERS {
        assert!(Rounds::new(with(choker, 0), 9).next().is_empty(), "{choker:?}");
    }
}

const CHOKERS: [LeechChoker; 9] = [
    LeechChoker::Reciprocal,
    LeechChoker::RoundRobin,
    LeechChoker::Bep3,
    LeechChoker::Mainline4,
    LeechChoker::Libtorrent,
    LeechChoker::Transmission,
    LeechChoker::Aria2,
    LeechChoker::Everybody,
    LeechChoker::BitTyrant,
];

#[test]
fn no_slot_number_is_favoured_among_equals() {
    const DRAWS: u64 = 3_000;
    for choker in CHOKERS.into_iter().filter(|&choker| choker != LeechChoker::Everybody) {
        let mut time = [0u32; 10];
        for seed in 0..DRAWS {
            let mut rounds = Rounds::new(with(choker, 3), 0);
            rounds.random = Random::new(seed);
            (0..10).for_each(|conn| rounds.choker.opened(ConnId(conn), &mut rounds.random));
            // The rotation is not what is looked at here: a newcomer has three times the chance.
            rounds.config.optimistic = OptimisticRule::Random;
            rounds.views = (0..10).map(view).collect();
            rounds.views.iter_mut().for_each(|view| view.received = 100);
            for (conn, _) in rounds.next().into_iter().filter(|(_, why)| *why == UnchokeReason::Regular) {
                time[usize::from(conn.0)] += 1;
            }
        }
        let (least, most) = (time.iter().min().unwrap(), time.iter().max().unwrap());
        assert!(*least > 0 && most * 100 < least * 140, "{choker:?}: {time:?}");
    }
}
