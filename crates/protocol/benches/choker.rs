//! What a choke decision costs: `cargo bench -p swarmlab-protocol --bench choker`.
//!
//! A node decides every 10 s over each of its links, so in a large swarm the decision is among the frequent events.

use divan::{Bencher, black_box};
use swarmlab_protocol::choker::{ChokeView, Choker};
use swarmlab_protocol::{Config, ConnId, LeechChoker, Random, SeedChoker, preset};

fn main() {
    divan::main();
}

const LINKS: [u16; 2] = [50, 500];

/// Remotes of which half are interested, a sixth sends, and a few are unchoked.
fn views(links: u16) -> Vec<ChokeView> {
    let view = |conn: u16| ChokeView {
        conn: ConnId(conn),
        interested: conn.is_multiple_of(2),
        unchoked: conn.is_multiple_of(14),
        snubbed: conn % 11 == 10,
        received: if conn.is_multiple_of(6) { u32::from(conn) * 16_384 } else { 0 },
        sent: if conn.is_multiple_of(14) { 1 << 20 } else { 0 },
        pending: conn.is_multiple_of(14),
        since_unchoke: u32::from(conn) * 2_000,
        pieces_since_unchoke: 3,
        progress: conn * 19 % 1_000,
    };
    (0..links).map(view).collect()
}

fn decide(bencher: Bencher, config: Config, seeding: bool, links: u16) {
    decide_over(bencher, config, seeding, views(links));
}

fn decide_over(bencher: Bencher, config: Config, seeding: bool, views: Vec<ChokeView>) {
    let (links, mut random, mut choker) = (views.len() as u16, Random::new(1), Choker::new());
    (0..links).for_each(|conn| choker.opened(ConnId(conn), &mut random));
    bencher.bench_local(|| black_box(choker.decide(&config, seeding, true, black_box(&views), &mut random)));
}

#[divan::bench(args = LINKS)]
fn leecher(bencher: Bencher, links: u16) {
    decide(bencher, Config::default(), false, links);
}

/// Nobody sends anything yet, so that every rank is equal.
#[divan::bench(args = LINKS)]
fn leecher_among_equals(bencher: Bencher, links: u16) {
    let mut views = views(links);
    views.iter_mut().for_each(|view| (view.received, view.interested) = (0, true));
    decide_over(bencher, Config::default(), false, views);
}

/// One remote only wants something, so that the rotation is walked to its end.
#[divan::bench(args = LINKS)]
fn leecher_with_one_interested(bencher: Bencher, links: u16) {
    let mut views = views(links);
    views.iter_mut().for_each(|view| view.interested = view.conn == ConnId(7));
    decide_over(bencher, Config::default(), false, views);
}

/// Each named client over 50 links, as a leecher.
#[divan::bench(args = preset::NAMES)]
fn client(bencher: Bencher, name: &str) {
    decide(bencher, preset::by_name(name).expect("a preset"), false, 50);
}

/// BitTyrant orders all remotes that are interested.
#[divan::bench(args = LINKS)]
fn bittyrant(bencher: Bencher, links: u16) {
    let config = Config { choker: LeechChoker::BitTyrant, upload_capacity: 125_000, ..Config::default() };
    decide(bencher, config, false, links);
}

#[divan::bench(args = LINKS)]
fn seed_mainline(bencher: Bencher, links: u16) {
    decide(bencher, Config::default(), true, links);
}

#[divan::bench(args = LINKS)]
fn seed_round_robin(bencher: Bencher, links: u16) {
    decide(bencher, Config { seed_choker: SeedChoker::RoundRobin, ..Config::default() }, true, links);
}
