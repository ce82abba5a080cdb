//! P-23: what a first seed sends until the swarm can do without it.
//!
//! BEP 16: a standard seed may have to send 150 to 200 % of the content, a super-seed about 105 %. Counted is what the seed had
//! sent at the first sample (one a second) where each piece is somewhere else. One seed whose uplink is that of a leecher,
//! 60 leechers.
//!
//! A super-seed must send 1.00 to 1.10 copies, an ordinary one 1.05 to 1.3, whatever the pieces: our leechers begin what
//! only the seed has before they ask it for the rest of what they began elsewhere. With strict priority alone (Cohen, 2003, section
//! 2.4.1; `unfinished = "oldest"`) it sends 1.8 copies with pieces of 256 KiB, as BEP 16 says of the clients of its time.

use swarmlab_sim::{Behaviour, Role};

use super::Line;
use super::swarm::{KBIT, group, layout, model, run};

/// What the seed has sent when everything is somewhere else, in multiples of the content.
fn sent(behaviour: Behaviour, (pieces, blocks_per_piece): (u64, u64), seed: u64) -> f64 {
    let mut origin = group("origin", Role::Seed, 1, 1_000 * KBIT, 8_000 * KBIT);
    origin.behaviour = behaviour;
    let leechers = group("leechers", Role::Leecher, 60, 1_000 * KBIT, 8_000 * KBIT);
    let mut model = model(layout(pieces, blocks_per_piece), vec![origin, leechers]);
    (model.run.timeline, model.seed) = (true, seed);
    let content = model.content.layout.length() as f64;
    let outcome = run(model);
    // The seed is one of those that have the rarest piece.
    let copied = outcome.timeline.iter().find(|sample| sample.rarest > 1).expect("a copy of everything");
    copied.groups[0].uploaded as f64 / content
}

pub(crate) fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (behaviour, size, allowed) in [
        (Behaviour::Honest, (1_000, 2), 1.05..=1.3),
        (Behaviour::Honest, (200, 16), 1.05..=1.3),
        (Behaviour::SuperSeed, (1_000, 2), 1.0..=1.1),
        (Behaviour::SuperSeed, (200, 16), 1.0..=1.1),
    ] {
        for seed in 1..=2 {
            let name = behaviour.name();
            let what = format!(
                "{name}, pieces of {} blocks, seed {seed}: copies sent until each piece is elsewhere",
                size.1
            );
            lines.push(Line::within(what, 1.0, sent(behaviour, size, seed), allowed.clone()));
        }
    }
    lines
}

#[test]
fn a_first_seed_sends_little_more_than_one_copy() {
    super::hold(&lines());
}
