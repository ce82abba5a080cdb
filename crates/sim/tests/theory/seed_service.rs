//! P-03a: the seed choker of mainline 4 spreads its service, the older rule is captured by the fast.
//!
//! One seed and 40 leechers that give nothing, so all they get is the seed's; one of them has a downlink without limit. In
//! an hour, under the new rule, no leecher has more than 1.5 times the mean, where the others can take what a quarter of the
//! uplink gives (the rule shares time, not bytes). Under the old one (fastest upload) the fast one has at least twice the mean,
//! where the others take a little less than that (Legout et al., IMC 2006, section 4.3).

use swarmlab_protocol::{Config, SeedChoker};
use swarmlab_sim::{Behaviour, Role, Stop};

use super::Line;
use super::swarm::{KBIT, client, full_mesh, group, layout, mean, model, run, seconds};

/// What the leecher that got most has, and what the fast one has, as multiples of the mean.
fn shares(seed_choker: SeedChoker, slow: u64) -> (f64, f64) {
    // Four slots, as clients had when the rules were compared.
    let config = Config { seed_choker, unchoke_most: 0, ..full_mesh(60) };
    let mut groups = vec![
        group("origin", Role::Seed, 1, 4_000 * KBIT, 8_000 * KBIT),
        group("fast", Role::Leecher, 1, 1_000 * KBIT, 1_000_000 * KBIT),
        group("slow", Role::Leecher, 39, 1_000 * KBIT, slow * KBIT),
    ];
    groups.iter_mut().for_each(|group| group.client = client(config.clone()));
    groups[1..].iter_mut().for_each(|group| group.behaviour = Behaviour::FreeRider);
    // More than the seed can send in the time, to each: nobody completes.
    let mut model = model(layout(8_000, 16), groups);
    (model.run.stop, model.run.max_time) = (Stop::Never, seconds(3_600));
    // That somebody is left without is what is looked for.
    model.run.check = false;
    let outcome = run(model);
    let got: Vec<f64> = outcome.peers[1..].iter().map(|peer| peer.downloaded as f64).collect();
    let mean = mean(got.iter().copied());
    (got.iter().copied().fold(0.0, f64::max) / mean, got[0] / mean)
}

pub(crate) fn lines() -> Vec<Line> {
    let (most, _) = shares(SeedChoker::Mainline4, 1_000);
    let (_, fast) = shares(SeedChoker::FastestUpload, 800);
    vec![
        Line::within("mainline 4: most that a leecher got, over the mean".into(), 1.0, most, 1.0..=1.5),
        Line::within(
            "fastest upload: what the fast one got, over the mean".into(),
            2.0,
            fast,
            2.0..=f64::INFINITY,
        ),
    ]
}

#[test]
fn the_new_seed_choker_is_fair_and_the_old_one_is_not() {
    super::hold(&lines());
}
