//! The answer as a document, `predict/1`: seconds and bytes, shares of one. What a person reads of it is in `text`.

use serde::{Serialize, Serializer};

use super::calibration::Calibration;
use super::estimate::Estimate;
use crate::bound::{Limit, Parts};
use crate::numbers::{Decimal, Signed};

/// The answer to a question.
#[derive(Clone, Debug, Serialize)]
pub struct Prediction {
    /// `predict/1`.
    pub schema: &'static str,
    /// Name of the scenario, `prediction` for one given by flags.
    pub name: String,
    /// Length of the content in bytes.
    pub length: u64,
    /// Length of a piece in bytes.
    pub piece_length: u32,
    /// Number of pieces.
    pub piece_count: u32,
    /// Nodes that want it.
    pub nodes: u64,
    /// The times no swarm can beat; `null` where there are none.
    pub bound: Option<Bounds>,
    /// The same nodes served by plain HTTP; `null` without a seed.
    pub http: Option<Http>,
    /// What the swarm takes.
    pub time: TimeFigures,
    /// What the seeds send.
    pub origin: Origin,
    /// What holds it up.
    pub binds: Binding,
    /// What was tried, the largest effect on the mean first.
    pub settings: Vec<SettingEffect>,
    /// Median times by group.
    pub classes: Vec<ClassAnswer>,
    /// What coarse blocks cost; `null` if blocks were as on real sockets.
    pub coarsening: Option<Coarse>,
    /// What the links were found to lose in reality, if a calibration was given.
    pub calibration: Option<Calibration>,
    /// The first seed; run number n has this plus n.
    pub seed: u64,
    /// What was run.
    pub runs: Runs,
}

/// Lower bounds on the last completion, in seconds from the first start.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bounds {
    /// The largest of the others.
    pub seconds: Decimal,
    /// `origin-uplink`, `downlinks` or `all-uplinks`.
    pub resource: &'static str,
    /// By the uplinks of the seeds.
    pub origin_uplink_seconds: Decimal,
    /// By the slowest downlink.
    pub downlinks_seconds: Decimal,
    /// By all uplinks together.
    pub all_uplinks_seconds: Decimal,
    /// The bound over the predicted last completion.
    pub efficiency: Option<Decimal>,
}

impl Bounds {
    pub(super) fn of(parts: Parts, last: i64) -> Bounds {
        let bound = parts.bound();
        Bounds {
            seconds: Decimal::seconds(bound.time),
            resource: resource(bound.limit),
            origin_uplink_seconds: Decimal::seconds(parts.seeds),
            downlinks_seconds: Decimal::seconds(parts.downlink),
            all_uplinks_seconds: Decimal::seconds(parts.uplinks),
            efficiency: Decimal::ratio(bound.time.as_micros(), u128::from(last.max(0) as u64)),
        }
    }
}

pub(super) fn resource(limit: Limit) -> &'static str {
    match limit {
        Limit::Seeds => "origin-uplink",
        Limit::Downlink => "downlinks",
        Limit::Uplinks => "all-uplinks",
    }
}

/// Plain HTTP from the seeds to all, see [`super::http`].
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs)] // as those of the swarm
pub struct Http {
    pub mean_seconds: Decimal,
    pub p50_seconds: Decimal,
    pub p95_seconds: Decimal,
    pub p99_seconds: Decimal,
    pub last_seconds: Decimal,
    /// A copy for each node.
    pub origin_bytes: u64,
}

/// How long downloads take.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TimeFigures {
    /// Mean over the nodes, from a node's start to its last piece.
    pub mean: Figure,
    /// Half of the nodes take no longer.
    pub p50: Figure,
    /// 95 % take no longer.
    pub p95: Figure,
    /// 99 % take no longer.
    pub p99: Figure,
    /// From the first start to the last completion.
    pub last: Figure,
}

/// A time over the runs: its mean and its intervals (Student's t, 95 %), in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// In microseconds.
    pub estimate: Estimate,
}

impl From<Estimate> for Figure {
    fn from(estimate: Estimate) -> Figure {
        Figure { estimate }
    }
}

impl Figure {
    /// Mean and half of its interval in microseconds; a half of nothing is none.
    pub(super) fn of_mean(self) -> (i64, u64) {
        (self.estimate.mean, self.estimate.half.unwrap_or(0))
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written {
            seconds: Signed,
            /// The mean lies so far around with 95 %.
            half: Option<Decimal>,
            /// One more run lies so far around with 95 %.
            half_of_one: Option<Decimal>,
            least: Signed,
            most: Signed,
            runs: u64,
        }
        let of = self.estimate;
        Written {
            seconds: super::answer::share(of.mean),
            half: of.half.map(Decimal::micros),
            half_of_one: of.half_of_one.map(Decimal::micros),
            least: super::answer::share(of.least),
            most: super::answer::share(of.most),
            runs: of.runs,
        }
        .serialize(serializer)
    }
}

/// What the seeds send, in bytes of content.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Origin {
    /// Mean over the runs.
    pub bytes: u64,
    /// Least of any run.
    pub least: u64,
    /// Most of any run.
    pub most: u64,
    /// The mean in copies of the content.
    pub copies: Decimal,
}

/// What holds a swarm up.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Binding {
    /// The resource that sets the bound.
    pub resource: Option<&'static str>,
    /// Whether at least three quarters of it are used for content: if not, start and protocol hold the swarm up as much as it does.
    pub busy: bool,
    /// Content sent of what the seeds' uplinks could have sent until the end.
    pub origin_uplink_used: Decimal,
    /// The same of all other uplinks.
    pub uplinks_used: Decimal,
    /// Content received of what the downlinks could have received until each node was done.
    pub downlinks_used: Decimal,
}

/// What one setting changes: differences of runs with the same seeds, as shares of the time without it.
#[derive(Clone, Debug, Serialize)]
pub struct SettingEffect {
    /// What it is.
    pub setting: &'static str,
    /// Its value in the question.
    pub from: String,
    /// The value that was tried.
    pub to: String,
    /// The same for `--set`.
    pub set: String,
    /// Pairs of runs.
    pub runs: u64,
    /// Change of the mean time.
    pub mean: Signed,
    /// Half of its 95 % interval.
    pub mean_half: Option<Decimal>,
    /// Change of the last completion.
    pub last: Signed,
    /// Half of its 95 % interval.
    pub last_half: Option<Decimal>,
    /// Size of the change of the mean, in millionths.
    #[serde(skip)]
    pub(super) size: u64,
}

/// Nodes of one group.
#[derive(Clone, Debug, Serialize)]
pub struct ClassAnswer {
    /// The group.
    pub name: String,
    /// Its nodes.
    pub count: u32,
    /// Uplink of each, in bytes per second.
    pub up: u64,
    /// Downlink of each, in bytes per second.
    pub down: u64,
    /// Median time of its nodes, mean over the runs.
    pub p50_seconds: Option<Decimal>,
}

/// What coarse blocks cost in accuracy: measured on two smaller models, fine against coarse.
#[derive(Clone, Debug, Serialize)]
pub struct Coarse {
    /// Length of a block that was simulated, in bytes.
    pub block_length: u64,
    /// How many times the usual 16 KiB that is.
    pub factor: u64,
    /// How many pieces were made one.
    pub merged_pieces: u32,
    /// The reduced models, the shorter first.
    pub reduced: Vec<Reduction>,
    /// What that makes for the whole content: by how much all times were lengthened. `null` if it was not measured.
    pub shift: Option<Figure>,
}

/// A reduced model with both kinds of blocks.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Reduction {
    /// Its pieces.
    pub pieces: u32,
    /// Its nodes, seeds among them.
    pub nodes: u64,
    /// Mean time with coarse blocks.
    pub coarse: Figure,
    /// How much longer it is with fine ones.
    pub difference: Figure,
}

/// What was run. The number of runs depends on the machine and on the time there was; each run does not.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Runs {
    /// Runs of the question.
    pub base: u64,
    /// Runs with other settings.
    pub settings: u64,
    /// Runs of reduced models.
    pub reduced: u64,
    /// Runs there was no time for.
    pub left_out: u64,
    /// Threads that ran them.
    pub threads: u64,
    /// Wall time of all.
    pub wall_seconds: Option<Decimal>,
    /// Whether it was not stopped before its time.
    pub complete: bool,
}
