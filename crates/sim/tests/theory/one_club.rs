//! T-05: the missing piece syndrome (Hajek and Zhu, "The missing piece syndrome in peer-to-peer communication", 1002.3493).
//!
//! A seed sends U_s pieces a second, empty leechers come at lambda a second and go as soon as they have everything. Whatever
//! useful piece is chosen, the swarm is stable if lambda < U_s and grows without end if lambda > U_s: nearly everybody lacks
//! the same piece, the "one club", and waits for the seed; what comes joins the club at once.
//!
//! K = 10 pieces of one block, U_s = 1 and mu = 1 pieces a second; it begins with 300 leechers that lack the same piece;
//! everybody knows everybody. lambda = 0.8 must drain to less than 30 (a chain with random contacts: 8 to 15); 1.2 and 2.0
//! must grow by lambda - U_s a second, give or take 0.1, where lambda is what really came and U_s what the seed really sent:
//! its other messages take a little, and it is idle for a moment when all whom it serves leave at once.
//!
//! Leechers ask for the rarest piece from the first on. With four random pieces before that, a seed that is nearly always
//! asked by newcomers (a slot that becomes free goes to whoever wants something first) sends the rare piece half of the time
//! only, and lambda = 0.8 grows too: the theory's seed chooses whom to serve without regard to who is new.

use swarmlab_protocol::{Config, Layout, PieceIndex};
use swarmlab_sim::{Arrive, Leave, Model, Outcome, Role, Stop};

use super::Line;
use super::swarm::{BLOCK_HEADER, client, full_mesh, group, layout, model, run, seconds};

const CLUB: u32 = 300;
/// Bytes of a piece on a link.
const PIECE: u64 = 16 * 1024 + BLOCK_HEADER;

fn swarm(lambda: f64, length: u64, seed: u64) -> Model {
    let nodes = |name: &str, role, count| {
        let mut group = group(name, role, count, PIECE, 20 * PIECE);
        (group.leave, group.client) =
            (Leave::OnComplete, client(Config { random_first_pieces: 0, ..full_mesh(4_000) }));
        group
    };
    let mut origin = nodes("origin", Role::Seed, 1);
    origin.leave = Leave::Stay;
    let mut newcomers = nodes("newcomers", Role::Leecher, (1.5 * lambda * length as f64) as u32 + 50);
    newcomers.arrive = Arrive::Poisson(lambda);
    let club = nodes("one club", Role::AllBut(PieceIndex(0)), CLUB);
    let mut model = model(layout(10, 1), vec![origin, club, newcomers]);
    model.seed = seed;
    model.tracker.numwant = 4_000;
    model.run.stop = Stop::Never;
    model.run.max_time = seconds(length);
    (model.run.timeline, model.run.check) = (true, false);
    model
}

/// Leechers there at each second.
fn population(outcome: &Outcome) -> Vec<f64> {
    let leechers =
        |sample: &swarmlab_sim::Sample| sample.groups.iter().map(|group| group.leechers).sum::<u32>();
    outcome.timeline.iter().map(|sample| f64::from(leechers(sample))).collect()
}

/// How fast the swarm grows in the second half, and the rate at which leechers came less that at which the seed sent.
pub(crate) fn growth(lambda: f64, length: u64, seed: u64) -> [Line; 2] {
    let outcome = run(swarm(lambda, length, seed));
    let population = population(&outcome);
    let (half, end) = (outcome.timeline.len() / 2 - 1, outcome.timeline.len() - 1);
    let (from, until) = (outcome.timeline[half].at, outcome.timeline[end].at);
    let time = (until - from).as_secs_f64();
    let slope = (population[end] - population[half]) / time;
    let joins = outcome.peers.iter().filter_map(|peer| peer.join);
    let came = joins.filter(|&join| join > from && join <= until).count() as f64 / time;
    let sent = outcome.timeline[end].groups[0].uploaded - outcome.timeline[half].groups[0].uploaded;
    let sent = (sent / u64::from(Layout::BLOCK_LEN)) as f64 / time;
    let theory = came - sent;
    let what = |text: &str| format!("lambda = {lambda}, seed {seed}: {text}");
    [
        Line::within(what("growth in leechers per s"), theory, slope, theory - 0.1..=theory + 0.1),
        Line::within(what("pieces that the seed sends per s"), 1.0, sent, 0.85..=1.0),
    ]
}

/// How many leechers are there in the end, where the club drains.
pub(crate) fn drained(lambda: f64, length: u64, seed: u64) -> Line {
    let population = population(&run(swarm(lambda, length, seed)));
    let last = &population[population.len() - population.len() / 10..];
    let mean = super::swarm::mean(last.iter().copied());
    Line::within(
        format!("lambda = {lambda}, seed {seed}: leechers in the end, of 300"),
        12.0,
        mean,
        0.0..=30.0,
    )
}

pub(crate) fn lines() -> Vec<Line> {
    let mut lines = vec![drained(0.8, 3_000, 1)];
    lines.extend(
        [(1.2, 1), (1.2, 2), (2.0, 1)].into_iter().flat_map(|(lambda, seed)| growth(lambda, 400, seed)),
    );
    lines
}

#[test]
fn the_club_grows_where_leechers_come_faster_than_the_seed_sends() {
    super::hold(&lines());
}
