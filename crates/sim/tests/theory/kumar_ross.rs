//! T-01: no swarm is faster than its links, and a flash crowd is nearly as fast.
//!
//! The minimum time in which a file of F bytes reaches N leechers that stay (Kumar and Ross, "Peer-Assisted File
//! Distribution: The Minimum Distribution Time", HOTWEB 2006):
//! `T = max(F / u_S, F / min d_i, N F / (u_S + sum u_i))`. It is a limit in any run, so it is held without any slack over
//! swarms of every kind. It is reached by a fluid only; the default client must come within 1.15 of it in the flash crowd of
//! Bharambe, Herley and Padmanabhan (INFOCOM 2006): 400 pieces of 256 KiB, a seed of 6,000 kbit/s, 1,000 leechers of
//! 400 up and 1,500 down kbit/s that come within 10 s and stay.

use swarmlab_protocol::{Config, Picker, SeedChoker, preset};
use swarmlab_sim::{Arrive, Behaviour, Framing, Model, Outcome, Role, Stop};

use super::Line;
use super::swarm::{BLOCK_HEADER, KBIT, client, group, layout, model, run, seconds};

/// Kumar and Ross: the least time in seconds until all leechers of a model have everything.
fn least(model: &Model) -> f64 {
    let content = model.content.layout.length() as f64;
    let is_seed = |role| matches!(role, Role::Seed);
    let groups = || model.groups.iter();
    let up = |seeds: bool| {
        let of_kind = groups().filter(|group| is_seed(group.role) == seeds);
        of_kind.map(|group| group.up as f64 * f64::from(group.count)).sum::<f64>()
    };
    let leechers = || groups().filter(|group| !is_seed(group.role));
    let slowest = leechers().map(|group| group.down as f64).fold(f64::INFINITY, f64::min);
    let count: f64 = leechers().map(|group| f64::from(group.count)).sum();
    let terms = [content / up(true), content / slowest, count * content / (up(true) + up(false))];
    terms.into_iter().fold(0.0, f64::max)
}

fn ratio(model: &Model, outcome: &Outcome) -> f64 {
    let last = outcome.peers.iter().map(|peer| peer.complete.expect("everybody completes")).max();
    last.expect("there are peers").as_secs_f64() / least(model)
}

/// Swarms limited by each of the three terms, of several clients and behaviours: small, since a limit is broken as well
/// by a small one. Each with its time as a multiple of the bound, which is at least 1.
pub(crate) fn never_beaten() -> Vec<Line> {
    let seed = |up: u64| group("origin", Role::Seed, 1, up * KBIT, 100_000 * KBIT);
    let leechers =
        |count, up: u64, down: u64| group("leechers", Role::Leecher, count, up * KBIT, down * KBIT);
    let mut rows: Vec<(String, Model)> = Vec::new();
    for (what, groups) in [
        ("one leecher", vec![seed(1_000), leechers(1, 1, 100_000)]),
        ("slow seed", vec![seed(200), leechers(20, 4_000, 8_000)]),
        ("slow downlinks", vec![seed(50_000), leechers(20, 20_000, 500)]),
        ("slow uplinks", vec![seed(2_000), leechers(40, 400, 100_000)]),
        (
            "classes",
            vec![seed(6_000), leechers(10, 3_000, 6_000), leechers(10, 400, 1_500), leechers(10, 128, 784)],
        ),
    ] {
        for framing in [Framing::None, Framing::Ethernet] {
            let mut model = model(layout(64, 4), groups.clone());
            model.network.framing = framing;
            rows.push((format!("{what}, framing {framing:?}"), model));
        }
    }
    let crowd = || model(layout(64, 4), vec![seed(2_000), leechers(40, 400, 4_000)]);
    for name in preset::NAMES {
        let mut model = crowd();
        for group in &mut model.groups {
            group.client = client(preset::by_name(name).expect("a name of the list"));
        }
        rows.push((format!("preset {name}"), model));
    }
    for behaviour in [Behaviour::FreeRider, Behaviour::BitTyrant, Behaviour::SuperSeed] {
        let mut model = crowd();
        let place = usize::from(behaviour != Behaviour::SuperSeed);
        let mut odd = model.groups[place].clone();
        (odd.behaviour, odd.count) = (behaviour, model.groups[place].count.div_ceil(4));
        model.groups[place].count -= odd.count;
        model.groups.push(odd);
        model.groups.retain(|group| group.count > 0);
        // A run ends with the honest; the bound is of all.
        (model.run.stop, model.run.max_time) = (Stop::Never, seconds(1_000));
        rows.push((format!("behaviour {}", behaviour.name()), model));
    }
    for (what, picker, seed_choker) in [
        ("random picking", Picker::Random, SeedChoker::FastestUpload),
        ("in order", Picker::Sequential, SeedChoker::RoundRobin),
    ] {
        let mut model = crowd();
        for group in &mut model.groups {
            group.client = client(Config { picker, seed_choker, ..Config::default() });
        }
        rows.push((what.into(), model));
    }
    let line = |(what, model): (String, Model)| {
        let times = ratio(&model, &run(model.clone()));
        Line::within(
            format!("time as a multiple of the bound, at least 1: {what}"),
            1.0,
            times,
            1.0..=f64::INFINITY,
        )
    };
    let mut lines: Vec<Line> = rows.into_iter().map(line).collect();
    for framing in [Framing::None, Framing::Ethernet] {
        lines.extend(flash_crowd_lines(100, 50, framing));
    }
    lines
}

/// The flash crowd of Bharambe et al. with so many leechers and pieces of 256 KiB.
pub(crate) fn flash_crowd(leechers: u32, pieces: u64, framing: Framing) -> Model {
    let mut crowd = group("leechers", Role::Leecher, leechers, 400 * KBIT, 1_500 * KBIT);
    crowd.arrive = Arrive::Together(seconds(10));
    let seed = group("origin", Role::Seed, 1, 6_000 * KBIT, 6_000 * KBIT);
    let mut model = model(layout(pieces, 16), vec![seed, crowd]);
    model.network.framing = framing;
    model.run.check = false;
    model
}

/// What a byte of content costs on a link with this framing, at least: the header of its block's message, and on Ethernet
/// the headers of segments and the acknowledgements that the receivers' uplinks carry.
fn cost(framing: Framing, block_len: f64) -> f64 {
    let message = block_len + BLOCK_HEADER as f64;
    match framing {
        Framing::None => message / block_len,
        Framing::Ethernet => (message * 1_514.0 / 1_448.0 + (message / 2_896.0).ceil() * 66.0) / block_len,
    }
}

/// The flash crowd against the bound as it is, and against the bound for what its framing leaves of the links.
pub(crate) fn flash_crowd_lines(leechers: u32, pieces: u64, framing: Framing) -> [Line; 2] {
    let model = flash_crowd(leechers, pieces, framing);
    let (outcome, bound) = (run(model.clone()), least(&model));
    let times = ratio(&model, &outcome);
    let left = times / cost(framing, f64::from(model.content.layout.block_len()));
    let what = format!("flash crowd of {leechers}, {pieces} pieces, framing {framing:?}");
    [
        Line::times(format!("{what}: time in s"), bound, times * bound, 1.0..=f64::INFINITY),
        Line::shown(format!("{what}: time as a multiple of the bound without framing"), 1.0, left),
    ]
}

#[test]
fn no_swarm_beats_its_links() {
    super::hold(&never_beaten());
}

#[test]
fn a_flash_crowd_of_a_thousand_is_nearly_as_fast() {
    let [line, _] = flash_crowd_lines(1_000, 400, Framing::None);
    let times = line.measured / line.predicted;
    super::hold(&[Line::within(
        format!("{}, as a multiple of the bound", line.what),
        1.0,
        times,
        1.0..=1.15,
    )]);
}
