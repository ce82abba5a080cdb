//! T-03: the fluid model of Qiu and Srikant (SIGCOMM 2004).
//!
//! Leechers come at lambda per second; each sends mu and takes c files a second at most; who has completed stays for a
//! time drawn from an exponential distribution of mean `1 / gamma`. With nobody giving up, and sharing that is effective
//! (eta = 1), a leecher takes `T = max(1 / c, 1 / mu - 1 / gamma)`, whatever lambda; there are `x = lambda T` leechers and
//! `y = lambda / gamma` seeds.
//!
//! A seed that never goes keeps the content alive. It sends s = 2 % of what is sent in all, which is subtracted: where
//! uplinks are the limit, `T = (1 - s) / mu - 1 / gamma`.
//!
//! lambda is chosen such that there are 200 leechers. The swarm begins in the state it should keep: that many seeds, and
//! leechers that have 5, 15, .. 95 % of the pieces. (From an empty swarm a seed of 2 % would take an age to bring enough
//! copies of each piece about, and where gamma > mu theory itself says that it might never: T-05a.) The first 2 T are
//! discarded, and those leechers are looked at that come early enough to complete. 300 pieces of one block of 64 KiB, framing
//! none. T, x and y must be within 10 % of the formula.
//!
//! What is lost against the fluid is the time until a newcomer has something to give, and HAVEs. With few large pieces, or
//! an endgame that asks for blocks twice while links take half a minute for one, eta falls to 0.9, and T, which is
//! `(1 - s) / (eta mu) - 1 / gamma`, grows by twice as much.

use std::time::Duration;

use swarmlab_protocol::{Config, Layout, Pipeline};
use swarmlab_sim::{Arrive, Client, Group, Leave, Model, Outcome, Role, Stop};

use super::Line;
use super::swarm::{BLOCK_HEADER, client, group, mean, model, run, seconds};

const PIECES: u64 = 300;
/// Bytes of a piece, which is one block: few events, and nothing waits for the rest of a piece.
const PIECE: u64 = 64 * 1024;
/// Share of all that is sent that the seed which never goes sends.
const PERMANENT: f64 = 0.02;
/// How many leechers there should be at a time.
const LEECHERS: f64 = 200.0;

/// A row of the table, in files per second and per second.
#[derive(Clone, Copy, Debug)]
struct Rates {
    mu: f64,
    c: f64,
    gamma: f64,
}

const ROWS: [Rates; 4] = [
    Rates { mu: 0.001_25, c: 0.002, gamma: 0.005 },
    Rates { mu: 0.001_25, c: 0.01, gamma: 0.002_5 },
    Rates { mu: 0.001, c: 0.01, gamma: 0.002 },
    Rates { mu: 0.001, c: 0.01, gamma: 0.000_5 },
];

impl Rates {
    /// The time a download takes, in seconds.
    fn time(self) -> f64 {
        (1.0 / self.c).max((1.0 - PERMANENT) / self.mu - 1.0 / self.gamma)
    }

    /// Leechers that come in a second.
    fn lambda(self) -> f64 {
        LEECHERS / self.time()
    }
}

/// A file with the headers of its blocks, in bytes.
fn file() -> f64 {
    (PIECES * (PIECE + BLOCK_HEADER)) as f64
}

fn swarm(rates: Rates, length: f64, seed: u64) -> Model {
    let (lambda, file) = (rates.lambda(), file());
    let config = Config {
        // Links are slow, a block takes seconds: what waits at a remote is kept short, it is waited for, and nothing is asked
        // for twice, as a fluid is not.
        pipeline: Pipeline { min: 2, max: 500, span: seconds(1) },
        request_timeout: seconds(120),
        endgame_askers: 1,
        ..Config::default()
    };
    let nodes = |name: &str, role, count: f64| {
        let (up, down) = ((rates.mu * file) as u64, (rates.c * file) as u64);
        let mut group = group(name, role, count.round() as u32, up, down);
        let time = Duration::from_secs_f64(1.0 / rates.gamma);
        (group.leave, group.client) = (
            Leave::After { time, exponential: true },
            Client { send_buffer: 2 * PIECE as u32, ..client(config.clone()) },
        );
        group
    };
    let mut origin = nodes("origin", Role::Seed, 1.0);
    (origin.up, origin.leave) = ((PERMANENT * lambda * file) as u64, Leave::Stay);
    let mut groups = vec![origin, nodes("seeds", Role::Seed, lambda / rates.gamma)];
    groups.extend((0..10).map(|tenth| {
        let share = 0.05 + 0.1 * f64::from(tenth);
        nodes("under way", Role::Partial(share), LEECHERS / 10.0)
    }));
    groups.push(Group {
        arrive: Arrive::Poisson(lambda),
        ..nodes("leechers", Role::Leecher, 1.2 * lambda * length + 100.0)
    });
    let mut model = model(Layout::new(PIECES * PIECE, PIECE, PIECE as u32).expect("a layout"), groups);
    model.seed = seed;
    model.run.stop = Stop::Never;
    model.run.max_time = seconds(length as u64);
    model.run.timeline = true;
    (model.run.check, model.run.sample) = (false, seconds(5));
    model
}

/// T, x and y as they were in a run, over all samples and leechers from a time on.
fn averages(outcome: &Outcome, from: f64, until: f64) -> [f64; 3] {
    let newcomers = outcome.peers.last().expect("a group of leechers").group;
    let in_time = |at: Duration| (from..until).contains(&at.as_secs_f64());
    let times = outcome.peers.iter().filter(|peer| peer.group == newcomers).filter_map(|peer| {
        let join = peer.join.filter(|&join| in_time(join))?;
        Some((peer.complete? - join).as_secs_f64())
    });
    let samples = || outcome.timeline.iter().filter(|sample| sample.at.as_secs_f64() >= from);
    let present = |count: fn(&swarmlab_sim::Presence) -> u32| {
        mean(samples().map(|sample| f64::from(sample.groups.iter().map(count).sum::<u32>())))
    };
    // The seed that never goes is not one of theirs.
    [mean(times), present(|group| group.leechers), present(|group| group.seeds) - 1.0]
}

fn lines_of(rates: Rates, seed: u64) -> Vec<Line> {
    let time = rates.time();
    let (from, length) = (2.0 * time, 12.0 * time);
    let outcome = run(swarm(rates, length, seed));
    let [measured, x, y] = averages(&outcome, from, length - 2.0 * time);
    let Rates { mu, c, gamma } = rates;
    let what = |text: &str| format!("mu = {mu}, c = {c}, gamma = {gamma}: {text}");
    let close =
        |text: &str, predicted: f64, measured: f64| Line::times(what(text), predicted, measured, 0.9..=1.1);
    vec![
        close("time of a download in s", time, measured),
        close("leechers", LEECHERS, x),
        close("seeds", rates.lambda() / gamma, y),
    ]
}

pub(crate) fn lines() -> Vec<Line> {
    ROWS.into_iter().flat_map(|rates| lines_of(rates, 1)).collect()
}

#[test]
fn downloads_take_as_long_as_the_fluid() {
    super::hold(&lines());
}
