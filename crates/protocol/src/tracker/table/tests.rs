extern crate std;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;

use proptest::prelude::*;

use super::*;

const HOUR: u64 = 3600;

fn at(seconds: u64) -> Instant {
    Instant::from_micros(seconds * 1_000_000)
}

fn table() -> Table {
    Table::new(Limits { lifetime: Duration::from_secs(HOUR), ..Limits::default() }, 42)
}

fn hash(number: u8) -> InfoHash {
    InfoHash([number; 20])
}

/// Peer `number`: odd numbers have IPv6 addresses when `mixed`.
fn addr(number: u16, mixed: bool) -> SocketAddr {
    if mixed && number % 2 == 1 {
        SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number), 6881))
    } else {
        let [high, low] = number.to_be_bytes();
        SocketAddr::from(([10, 0, high, low], 6881))
    }
}

fn said(torrent: u8, addr: SocketAddr) -> Attendance {
    Attendance {
        info_hash: hash(torrent),
        addr,
        peer_id: PeerId([1; 20]),
        seed: false,
        event: AnnounceEvent::None,
        numwant: 50,
    }
}

fn told(answer: &Answer<'_>) -> BTreeSet<SocketAddr> {
    answer.peers.iter().map(|(addr, _)| addr).collect()
}

#[test]
fn peers_meet_and_leave() {
    let mut table = table();
    let (first, second) = (addr(0, false), addr(2, false));
    let answer = table.announce(at(0), &said(1, first)).unwrap();
    assert_eq!((answer.counts.incomplete, answer.peers.len()), (1, 0));
    let answer = table.announce(at(1), &Attendance { seed: true, ..said(1, second) }).unwrap();
    assert_eq!(answer.counts, Counts { complete: 1, incomplete: 1, downloaded: 0 });
    assert_eq!(told(&answer), BTreeSet::from([first]));
    let leaving = Attendance { event: AnnounceEvent::Stopped, ..said(1, first) };
    let answer = table.announce(at(2), &leaving).unwrap();
    assert_eq!((answer.admission, answer.counts.incomplete, answer.peers.len()), (Admission::Left, 0, 0));
    assert_eq!(table.totals(), Totals { torrents: 1, peers_v4: 1, peers_v6: 0, seeds: 1 });
}

#[test]
fn a_late_stop_of_the_previous_client_at_an_address_is_ignored() {
    let mut table = table();
    let peer = said(1, addr(0, false));
    table.announce(at(0), &peer).unwrap();
    table.announce(at(1), &Attendance { peer_id: PeerId([2; 20]), ..peer }).unwrap();
    let late = Attendance { event: AnnounceEvent::Stopped, ..peer };
    assert_eq!(table.announce(at(2), &late).unwrap().counts.incomplete, 1);
    let own = Attendance { peer_id: PeerId([2; 20]), ..late };
    assert_eq!(table.announce(at(3), &own).unwrap().counts.incomplete, 0);
}

#[test]
fn completion_is_counted_once_for_each_client() {
    let mut table = table();
    let done = Attendance { seed: true, event: AnnounceEvent::Completed, ..said(1, addr(0, false)) };
    let downloaded =
        |table: &mut Table, said: &Attendance| table.announce(at(0), said).unwrap().counts.downloaded;
    assert_eq!(downloaded(&mut table, &done), 1);
    assert_eq!(downloaded(&mut table, &done), 1);
    assert_eq!(downloaded(&mut table, &Attendance { event: AnnounceEvent::None, ..done }), 1);
    assert_eq!(downloaded(&mut table, &Attendance { peer_id: PeerId([9; 20]), ..done }), 2);
}

#[test]
fn seeds_are_not_told_to_seeds() {
    let mut table = table();
    for number in 0..40 {
        table.announce(at(0), &Attendance { seed: number < 30, ..said(1, addr(number * 2, false)) }).unwrap();
    }
    let seed = Attendance { seed: true, ..said(1, addr(0, false)) };
    let answer = table.announce(at(1), &seed).unwrap();
    assert_eq!(told(&answer), (30..40).map(|number| addr(number * 2, false)).collect());
    let leecher = Attendance { numwant: 200, ..said(1, addr(78, false)) };
    assert_eq!(told(&table.announce(at(1), &leecher).unwrap()).len(), 39);
}

#[test]
fn families_are_kept_apart_and_mapped_addresses_are_ipv4() {
    let mut table = table();
    let v4 = SocketAddr::from(([192, 0, 2, 1], 1));
    let mapped = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 2).to_ipv6_mapped(), 2));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 3));
    for peer in [v4, mapped, v6] {
        table.announce(at(0), &said(1, peer)).unwrap();
    }
    let answer = table.announce(at(1), &said(1, v4)).unwrap();
    assert_eq!(told(&answer), BTreeSet::from([SocketAddr::from(([192, 0, 2, 2], 2))]));
    assert_eq!(answer.counts.incomplete, 3);
    let mut compact = vec![];
    answer.peers.compact(&mut compact);
    assert_eq!((compact.as_slice(), compact.len()), (&[192, 0, 2, 2, 0, 2][..], answer.peers.compact_len()));
    assert!(table.announce(at(1), &said(1, v6)).unwrap().peers.is_empty());
    let other_v6 = SocketAddr::from((Ipv6Addr::from(0x2001 << 112 | 7), 258));
    let answer = table.announce(at(1), &said(1, other_v6)).unwrap();
    let mut compact = vec![];
    answer.peers.compact(&mut compact);
    assert_eq!(compact, [&[0; 15][..], &[1, 0, 3]].concat());
    assert!(answer.peers.is_v6());
}

#[test]
fn limits_hold() {
    let mut table = Table::new(Limits { torrents: 2, peers: 3, ..Limits::default() }, 1);
    for number in 0..3 {
        table.announce(at(0), &said((number % 2) as u8, addr(number, false))).unwrap();
    }
    let answer = table.announce(at(0), &said(0, addr(9, false))).unwrap();
    assert_eq!((answer.admission, answer.peers.len()), (Admission::Full, 2));
    assert_eq!(table.announce(at(0), &said(7, addr(1, false))).unwrap_err(), TableFull);
    assert_eq!(table.announce(at(0), &said(0, addr(0, false))).unwrap().admission, Admission::Listed);
    assert_eq!(table.totals().peers(), 3);
}

#[test]
fn the_forgotten_make_room() {
    let mut table =
        Table::new(Limits { torrents: 1, lifetime: Duration::from_secs(10), ..Limits::default() }, 1);
    table.announce(at(0), &said(1, addr(0, false))).unwrap();
    assert_eq!(table.scrape(at(9), &hash(1)).unwrap().incomplete, 1);
    assert_eq!(table.scrape(at(10), &hash(1)).unwrap().incomplete, 0);
    assert_eq!(table.announce(at(10), &said(2, addr(0, false))).unwrap().counts.incomplete, 1);
    assert_eq!(table.scrape(at(10), &hash(1)), None);
    table.expire(at(20));
    assert_eq!(table.totals(), Totals::default());
}

#[test]
fn the_same_seed_gives_the_same_answers() {
    let run = |seed| {
        let mut table = Table::new(Limits::default(), seed);
        let mut told = vec![];
        for number in 0..300 {
            let answer = table.announce(at(0), &Attendance { numwant: 5, ..said(1, addr(number, false)) });
            told.extend(answer.unwrap().peers.iter());
        }
        told
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

/// Chi-square over who is told to one leecher and to one seed of a swarm with seeds and leechers.
#[test]
fn selection_is_unbiased() {
    for (peers, seed) in [(40u16, false), (40, true), (400, false), (400, true)] {
        let mut table = table();
        let asker = Attendance { seed, numwant: 10, ..said(1, addr(6, false)) };
        for number in 0..peers {
            let is_seed = number % 4 == 0;
            table
                .announce(at(0), &Attendance { seed: is_seed, numwant: 0, ..said(1, addr(number, false)) })
                .unwrap();
        }
        let rounds = 20_000;
        let mut times: BTreeMap<SocketAddr, u32> = BTreeMap::new();
        for _ in 0..rounds {
            for (addr, _) in table.announce(at(1), &asker).unwrap().peers.iter() {
                *times.entry(addr).or_default() += 1;
            }
        }
        assert!(!times.contains_key(&asker.addr));
        let others = if seed { peers - peers / 4 - 1 } else { peers - 1 };
        assert_eq!(times.len(), usize::from(others));
        let expected = f64::from(rounds) * 10.0 / f64::from(others);
        // Draws without replacement vary less than independent ones, by this factor.
        let shrink = 1.0 - 9.0 / f64::from(others - 1);
        let chi_square: f64 =
            times.values().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum::<f64>() / shrink;
        // Mean `others`, deviation about sqrt(2 others): 3.5 deviations are one in 4,000.
        let limit = f64::from(others) + 3.5 * (2.0 * f64::from(others)).sqrt();
        assert!(chi_square < limit, "{peers} {seed}: {chi_square} of {limit}");
    }
}

/// The table as one would write it without a thought for speed.
#[derive(Default)]
struct Model(BTreeMap<(u8, SocketAddr), ModelPeer>, BTreeMap<u8, u32>);

struct ModelPeer {
    id: u8,
    seed: bool,
    counted: bool,
    seen: u64,
}

impl Model {
    fn expire(&mut self, now: u64) {
        self.0.retain(|_, peer| now - peer.seen < HOUR);
    }

    fn announce(&mut self, now: u64, step: &Step) {
        self.expire(now);
        let key = (step.torrent, addr(step.peer, true));
        if step.event == AnnounceEvent::Stopped {
            if self.0.get(&key).is_some_and(|peer| peer.id == step.id) {
                self.0.remove(&key);
            }
            return;
        }
        let peer =
            self.0.entry(key).or_insert(ModelPeer { id: step.id, seed: false, counted: false, seen: now });
        if peer.id != step.id {
            *peer = ModelPeer { id: step.id, seed: false, counted: false, seen: now };
        }
        (peer.seed, peer.seen) = (step.seed, now);
        if step.event == AnnounceEvent::Completed && !peer.counted {
            peer.counted = true;
            *self.1.entry(step.torrent).or_default() += 1;
        }
    }

    fn counts(&self, torrent: u8) -> (u32, u32) {
        let of =
            |seed| self.0.iter().filter(|((t, _), peer)| *t == torrent && peer.seed == seed).count() as u32;
        (of(true), of(false))
    }
}

#[derive(Clone, Debug)]
struct Step {
    wait: u64,
    torrent: u8,
    peer: u16,
    id: u8,
    seed: bool,
    event: AnnounceEvent,
    numwant: u32,
}

fn step() -> impl Strategy<Value = Step> {
    let event = prop_oneof![
        6 => Just(AnnounceEvent::None),
        2 => Just(AnnounceEvent::Started),
        2 => Just(AnnounceEvent::Completed),
        2 => Just(AnnounceEvent::Stopped),
    ];
    let wait = prop_oneof![8 => Just(0), 4 => 1..60u64, 1 => 600..2 * HOUR];
    (wait, 0..3u8, 0..60u16, 0..2u8, any::<bool>(), event, 0..70u32).prop_map(
        |(wait, torrent, peer, id, seed, event, numwant)| Step {
            wait,
            torrent,
            peer,
            id,
            seed,
            event,
            numwant,
        },
    )
}

proptest! {
    #[test]
    fn the_table_agrees_with_a_naive_model(steps in prop::collection::vec(step(), 1..400)) {
        let (mut table, mut model, mut now) = (table(), Model::default(), 0);
        for step in steps {
            now += step.wait;
            model.announce(now, &step);
            let said = Attendance {
                info_hash: hash(step.torrent),
                addr: addr(step.peer, true),
                peer_id: PeerId([step.id; 20]),
                seed: step.seed,
                event: step.event,
                numwant: step.numwant,
            };
            let answer = table.announce(at(now), &said).unwrap();
            prop_assert_eq!((answer.counts.complete, answer.counts.incomplete), model.counts(step.torrent));
            let told: vec::Vec<_> = answer.peers.iter().map(|(addr, _)| addr).collect();
            let allowed: BTreeSet<_> = model.0.iter()
                .filter(|((torrent, other), peer)| *torrent == step.torrent && *other != said.addr
                    && other.is_ipv6() == said.addr.is_ipv6() && !(step.seed && peer.seed))
                .map(|((_, other), _)| *other)
                .collect();
            let due = if step.event == AnnounceEvent::Stopped { 0 } else { allowed.len().min(step.numwant as usize) };
            prop_assert_eq!(told.len(), due);
            let distinct: BTreeSet<_> = told.iter().copied().collect();
            prop_assert_eq!(distinct.len(), told.len());
            prop_assert!(distinct.is_subset(&allowed));
            for torrent in 0..3 {
                let counts = table.scrape(at(now), &hash(torrent)).unwrap_or_default();
                prop_assert_eq!((counts.complete, counts.incomplete), model.counts(torrent));
            }
        }
        table.expire(at(now));
        let totals = table.totals();
        prop_assert_eq!(totals.peers() as usize, model.0.len());
        prop_assert_eq!(totals.peers_v6 as usize, model.0.keys().filter(|(_, addr)| addr.is_ipv6()).count());
        prop_assert_eq!(totals.seeds as usize, model.0.values().filter(|peer| peer.seed).count());
        table.expire(at(now + HOUR));
        prop_assert_eq!(table.totals(), Totals::default());
    }
}
