//! The `sim/1` document: the numbers scripts read. Fields are only ever added.
//!
//! Times are in seconds, sizes in bytes, shares and ratios plain numbers (0.95, not 95). What does not exist in a run is
//! `null`.

use serde::Serialize;
use std::time::Duration;

use swarmlab_protocol::MessageKind;
use swarmlab_sim::{End, Model, Outcome, Role, Stop};

use super::{Measured, RunInfo, groups};
use crate::bound::{self, Bound};
use crate::numbers::Decimal;
use crate::statistics::Spread;

/// The document.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    /// `sim/1`.
    pub schema: &'static str,
    /// Name of the scenario.
    pub scenario: String,
    /// Of everything drawn at random.
    pub seed: u64,
    /// Worker threads.
    pub threads: u16,
    /// Version of the program.
    pub version: String,
    /// SHA-256 over what happened, 64 hex digits; `null` of a real run.
    pub digest: Option<String>,
    /// Whether the stop rule was met.
    pub complete: bool,
    /// Why the run ended: `leechers-done`, `max-time`, `piece-lost` or `interrupted`.
    pub end: &'static str,
    /// With `piece-lost`: the first piece that nobody holds.
    pub lost_piece: Option<u32>,
    /// Simulated time at the end; of a real run, the time since its start.
    pub simulated_seconds: Decimal,
    /// Wall time of the run.
    pub wall_seconds: Decimal,
    /// Events handled.
    pub events: u64,
    /// Blocks delivered.
    pub blocks: u64,
    /// Nodes in all.
    pub nodes: u64,
    /// Peak memory of the process divided by the nodes.
    pub bytes_per_node: Option<u64>,
    /// Peak memory of the process.
    pub peak_rss_bytes: Option<u64>,
    /// What was shared.
    pub content: ContentSize,
    /// Lower bound on the last completion from the first arrival; [`crate::bound`].
    pub bound_seconds: Option<Decimal>,
    /// What sets the bound: `downlink`, `seeds` or `uplinks`.
    pub bound_limit: Option<&'static str>,
    /// Last completion of an honest leecher from the first arrival of one; `null` unless all have completed.
    pub makespan_seconds: Option<Decimal>,
    /// `bound_seconds / makespan_seconds`: 1 is the physical limit.
    pub efficiency: Option<Decimal>,
    /// Content sent over what the uplinks could have sent while their nodes were present, until the last completion.
    pub utilisation: Utilisation,
    /// The same with everything the links carried, headers included.
    pub link_utilisation: Utilisation,
    /// A row for each group, in the order of the scenario.
    pub groups: Vec<GroupResult>,
    /// Content the seeds of the start sent, in copies of the whole.
    pub seed_copies: Option<Decimal>,
    /// Messages sent, by kind; kinds that were not sent are left out.
    pub messages: Vec<KindCount>,
    /// Content in `piece` messages, in bytes.
    pub content_bytes: u64,
    /// Bytes of messages besides content, over content: what the protocol costs.
    pub protocol_overhead: Option<Decimal>,
    /// Bytes on the links besides content, over content: with the headers the scenario's framing counts.
    pub link_overhead: Option<Decimal>,
    /// Content received for nothing, over content received.
    pub wasted_share: Option<Decimal>,
    /// What the tracker had to do.
    pub tracker: TrackerResult,
    /// Who gave how much to whom, by group; pairs without any are left out.
    pub flows: Vec<PeerFlow>,
    /// Of a run with real content: nodes that had its true bytes when they completed.
    pub true_copies: Option<u64>,
    /// What the checkers say; empty if they did not run.
    pub checks: Vec<CheckResult>,
    /// How a real run was measured; `null` of a simulated one.
    pub measured: Option<Measured>,
}

/// What was shared.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ContentSize {
    /// In bytes.
    pub length: u64,
    /// Bytes of a piece.
    pub piece_length: u32,
    /// How many.
    pub piece_count: u32,
}

/// Upload over capacity, as a share.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Utilisation {
    /// Of all nodes.
    pub all: Option<Decimal>,
    /// Of those that lacked something at their start: without the seeds.
    pub leechers: Option<Decimal>,
    /// Of those that had everything from their start.
    pub seeds: Option<Decimal>,
}

/// What became of a group.
#[derive(Clone, Debug, Serialize)]
pub struct GroupResult {
    /// Its name.
    pub name: String,
    /// `seed`, `leecher` or `partial`.
    pub role: &'static str,
    /// How its nodes behave, as in the scenario.
    pub behaviour: &'static str,
    /// Nodes in it.
    pub count: u64,
    /// Those that came.
    pub joined: u64,
    /// Those that lacked something and got everything.
    pub completed: u64,
    /// Those that left without everything.
    pub gave_up: u64,
    /// Time from a node's join to its completion; `null` if nobody completed (after the warm-up).
    pub time: Option<Times>,
    /// Content sent.
    pub uploaded: u64,
    /// Content received.
    pub downloaded: u64,
    /// Content received for nothing.
    pub wasted: u64,
    /// `uploaded / downloaded`.
    pub share_ratio: Option<Decimal>,
    /// Content sent over what the uplinks could have sent.
    pub utilisation: Option<Decimal>,
    /// Hash failures met.
    pub bad_pieces: u64,
}

/// How times spread, in seconds. Quantiles are the nearest rank ([`crate::statistics`]).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Times {
    /// The shortest.
    pub min: Decimal,
    /// The mean.
    pub mean: Decimal,
    /// The median.
    pub p50: Decimal,
    /// No longer for 95 % of the nodes.
    pub p95: Decimal,
    /// No longer for 99 % of the nodes.
    pub p99: Decimal,
    /// The longest.
    pub max: Decimal,
}

impl Times {
    /// Of times in microseconds.
    pub(super) fn of(micros: Vec<u64>) -> Option<Times> {
        let Spread { min, mean, p50, p95, p99, max, .. } = Spread::of(micros)?;
        let [min, mean, p50, p95, p99, max] = [min, mean, p50, p95, p99, max].map(Decimal::micros);
        Some(Times { min, mean, p50, p95, p99, max })
    }
}

/// Messages of one kind.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct KindCount {
    /// Its name in the specification.
    pub kind: &'static str,
    /// How many were sent.
    pub count: u64,
    /// Their bytes, without packet headers.
    pub bytes: u64,
    /// Those of them that are content.
    pub content: u64,
}

/// What the tracker had to do.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TrackerResult {
    /// Announces answered.
    pub announces: u64,
    /// Announces that came while it was down.
    pub unanswered: u64,
    /// Peers it gave in all.
    pub peers_given: u64,
}

/// Content that nodes of one group gave to those of another.
#[derive(Clone, Debug, Serialize)]
pub struct PeerFlow {
    /// Who gave.
    pub from: String,
    /// Who received.
    pub to: String,
    /// In bytes.
    pub bytes: u64,
}

/// What one checker says.
#[derive(Clone, Debug, Serialize)]
pub struct CheckResult {
    /// Its name.
    pub name: &'static str,
    /// Whether it found nothing wrong.
    pub ok: bool,
    /// How often something was wrong.
    pub failures: u64,
    /// What was wrong first.
    pub first_failure: Option<String>,
}

/// Bytes of a `piece` message besides content: length, id, piece, begin (BEP 3).
const PIECE_HEADER: u64 = 13;

impl Document {
    pub(super) fn new(model: &Model, outcome: &Outcome, info: &RunInfo, bound: Option<Bound>) -> Document {
        let layout = model.content.layout;
        let totals = groups::totals(model, outcome);
        let makespan = groups::makespan(model, outcome);
        let messages = messages(outcome);
        let content_bytes: u64 = messages.iter().map(|kind| kind.content).sum();
        let message_bytes: u64 = messages.iter().map(|kind| kind.bytes).sum();
        let all = totals.leechers.plus(totals.seeds);
        let nodes = outcome.peers.len() as u64;
        Document {
            schema: "sim/1",
            scenario: info.scenario_name.clone(),
            seed: model.seed,
            threads: info.threads,
            version: info.version.clone(),
            digest: info.measured.is_none().then(|| hex(&outcome.digest)),
            complete: is_complete(model, outcome),
            end: match outcome.end {
                End::LeechersDone => "leechers-done",
                End::MaxTime => "max-time",
                End::PieceLost(_) => "piece-lost",
                End::Interrupted => "interrupted",
            },
            lost_piece: if let End::PieceLost(piece) = outcome.end { Some(piece) } else { None },
            simulated_seconds: Decimal::seconds(outcome.simulated),
            wall_seconds: Decimal::seconds(info.wall),
            events: outcome.events,
            blocks: outcome.blocks,
            nodes,
            bytes_per_node: info.peak_rss.and_then(|bytes| bytes.checked_div(nodes)),
            peak_rss_bytes: info.peak_rss,
            content: ContentSize {
                length: layout.length(),
                piece_length: layout.piece_length(),
                piece_count: layout.piece_count(),
            },
            bound_seconds: bound.map(|bound| Decimal::seconds(bound.time)),
            bound_limit: bound.map(limit),
            makespan_seconds: makespan.map(Decimal::seconds),
            efficiency: bound.zip(makespan).and_then(|(bound, makespan)| efficiency(bound.time, makespan)),
            utilisation: Utilisation {
                all: all.utilisation(),
                leechers: totals.leechers.utilisation(),
                seeds: totals.seeds.utilisation(),
            },
            link_utilisation: Utilisation {
                all: all.link_utilisation(),
                leechers: totals.leechers.link_utilisation(),
                seeds: totals.seeds.link_utilisation(),
            },
            groups: groups::of(model, outcome, info.warmup),
            seed_copies: Decimal::ratio(totals.seeds.uploaded, layout.length().into()),
            messages,
            content_bytes,
            protocol_overhead: overhead(message_bytes.into(), content_bytes.into()),
            link_overhead: overhead(all.up_wire, all.uploaded),
            wasted_share: Decimal::ratio(all.wasted, all.downloaded),
            tracker: TrackerResult {
                announces: outcome.tracker.announces,
                unanswered: outcome.tracker.unanswered,
                peers_given: outcome.tracker.peers_given,
            },
            flows: flows(model, outcome),
            true_copies: outcome.true_copies,
            checks: outcome.checks.iter().map(check).collect(),
            measured: info.measured.clone(),
        }
    }
}

/// Whether a run ended as its scenario wants it to.
fn is_complete(model: &Model, outcome: &Outcome) -> bool {
    match model.run.stop {
        Stop::LeechersDone => outcome.end == End::LeechersDone,
        Stop::Never => outcome.end == End::MaxTime,
    }
}

fn limit(bound: Bound) -> &'static str {
    match bound.limit {
        bound::Limit::Downlink => "downlink",
        bound::Limit::Seeds => "seeds",
        bound::Limit::Uplinks => "uplinks",
    }
}

fn efficiency(bound: Duration, makespan: Duration) -> Option<Decimal> {
    Decimal::ratio(bound.as_micros(), makespan.as_micros())
}

/// What was sent besides content, over content.
fn overhead(sent: u128, content: u128) -> Option<Decimal> {
    Decimal::ratio(sent.saturating_sub(content), content)
}

fn messages(outcome: &Outcome) -> Vec<KindCount> {
    let sent = MessageKind::ALL.into_iter().zip(outcome.messages).filter(|(_, sent)| sent.count > 0);
    let row = |(kind, sent): (MessageKind, swarmlab_sim::MessageCount)| {
        let headers = sent.count.saturating_mul(PIECE_HEADER);
        let content = if kind == MessageKind::Piece { sent.bytes.saturating_sub(headers) } else { 0 };
        KindCount { kind: kind.name(), count: sent.count, bytes: sent.bytes, content }
    };
    sent.map(row).collect()
}

fn flows(model: &Model, outcome: &Outcome) -> Vec<PeerFlow> {
    let name =
        |group: usize| model.groups.get(group).map_or_else(|| group.to_string(), |group| group.name.clone());
    let mut flows = Vec::new();
    for (from, row) in outcome.flows.iter().enumerate() {
        for (to, &bytes) in row.iter().enumerate().filter(|(_, bytes)| **bytes > 0) {
            flows.push(PeerFlow { from: name(from), to: name(to), bytes });
        }
    }
    flows
}

fn check(check: &swarmlab_sim::Check) -> CheckResult {
    let ok = check.failure.is_none() && check.failures == 0;
    CheckResult { name: check.name, ok, failures: check.failures, first_failure: check.failure.clone() }
}

/// Lower-case hex digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a role is called in files.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Seed => "seed",
        Role::Leecher => "leecher",
        Role::Partial(_) | Role::AllBut(_) => "partial",
    }
}
