//! T-07: bytes are neither made nor lost, and nobody is served before the seed has spoken.
//!
//! With everybody there to the end and time enough for what is under way (Cohen, 2003, sections 1 and 2.4.2):
//!
//! - content sent = content received, and the table of who sent to whom sums to both;
//! - the share ratio over all leechers is exactly `(N F - seed's payload) / (N F)` where nothing is received twice;
//! - the first completion is not before `F / u_S`, and at no sample is somebody complete while the seed has sent less
//!   than F.
//!
//! All exact.

use std::time::Duration;

use swarmlab_protocol::{Config, preset};
use swarmlab_sim::{Arrive, Fault, FaultKind, Model, Outcome, Role, Stop};

use super::Line;
use super::swarm::{KBIT, client, group, layout, model, run, seconds};

const LEECHERS: u32 = 30;

/// A swarm in which everybody has completed long before the end.
fn swarm(config: &Config, seed: u64) -> Model {
    let mut groups = vec![
        group("origin", Role::Seed, 1, 1_000 * KBIT, 8_000 * KBIT),
        group("leechers", Role::Leecher, LEECHERS, 500 * KBIT, 4_000 * KBIT),
    ];
    // One by one, so that no two call each other at once and one call is given up with what it carries.
    groups[1].arrive = Arrive::Every(Duration::from_millis(200));
    groups.iter_mut().for_each(|group| group.client = client(config.clone()));
    let mut model = model(layout(64, 4), groups);
    model.seed = seed;
    // Nobody is told of anybody later and calls those who have called it: one of the two links would be given up.
    model.faults = vec![Fault { at: seconds(20), length: None, kind: FaultKind::TrackerDown }];
    (model.run.stop, model.run.max_time, model.run.timeline) = (Stop::Never, seconds(6_000), true);
    model
}

fn lines_of(name: &str, model: &Model, outcome: &Outcome) -> Vec<Line> {
    let content = model.content.layout.length();
    let wanted = u64::from(LEECHERS) * content;
    let (seed, leechers) = outcome.peers.split_first().expect("a seed");
    let sum = |count: fn(&swarmlab_sim::PeerOutcome) -> u64| leechers.iter().map(count).sum::<u64>();
    let (sent, received) = (sum(|peer| peer.uploaded), sum(|peer| peer.downloaded));
    let wasted = sum(|peer| peer.wasted);
    let flows: u64 = outcome.flows.iter().flatten().sum();
    let first = leechers.iter().filter_map(|peer| peer.complete).min().expect("somebody completes");
    let least = content as f64 / model.groups[0].up as f64;
    let early = outcome
        .timeline
        .iter()
        .filter(|sample| sample.groups[1].completed > 0 && sample.groups[0].uploaded < content);
    let what = |text: &str| format!("{name}: {text}");
    let mut lines = vec![
        Line::exact(
            what("leechers that complete"),
            LEECHERS.into(),
            leechers.iter().filter(|peer| peer.complete.is_some()).count() as u64,
        ),
        {
            let (sent, received) = ((seed.uploaded + sent) as f64, received as f64);
            let least = if wasted == 0 { 1.0 } else { 0.99 };
            Line::times(what("bytes received, of those sent"), sent, received, least..=1.0)
        },
        Line::exact(what("bytes in the table of flows, to bytes received"), received, flows),
        Line::exact(what("bytes received for use, to N F"), wanted, received - wasted),
        Line::within(
            what("first completion in s, at least F / u_S"),
            least,
            first.as_secs_f64(),
            least..=f64::INFINITY,
        ),
        Line::exact(what("samples with somebody complete before the seed sent F"), 0, early.count() as u64),
    ];
    if wasted == 0 {
        let each = leechers.iter().map(|peer| peer.uploaded as f64 / peer.downloaded as f64);
        let ratio = super::swarm::mean(each);
        let predicted = (wanted - seed.uploaded) as f64 / wanted as f64;
        // The one figure that is a sum of rounded quotients.
        lines.push(Line::times(what("mean share ratio"), predicted, ratio, 1.0 - 1e-12..=1.0 + 1e-12));
    }
    lines
}

pub(crate) fn lines() -> Vec<Line> {
    let once = Config { endgame_askers: 1, request_timeout: Duration::MAX, ..Config::default() };
    let mut runs = vec![("nothing asked for twice", once), ("default", Config::default())];

    runs.extend(
        preset::NAMES[1..].iter().map(|name| (*name, preset::by_name(name).expect("a name of the list"))),
    );

    let mut lines = Vec::new();
    for (number, (name, config)) in (1..).zip(&runs) {
        let model = swarm(config, number);
        lines.extend(lines_of(name, &model, &run(model.clone())));
    }
    lines
}

#[test]
fn bytes_are_neither_made_nor_lost() {
    let lines = lines();
    super::hold(&lines);
    assert!(lines.iter().any(|line| line.what.ends_with("share ratio")), "no run without waste");
}
