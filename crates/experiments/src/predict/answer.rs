//! From the figures of runs to the answer: means over runs with their intervals, what binds, what each setting changes, and what
//! coarse blocks cost.

use swarmlab_sim::{End, Role};

use super::document::{
    Binding, Bounds, ClassAnswer, Coarse, Figure, Http, Origin, Prediction, Reduction, Runs, SettingEffect,
    TimeFigures,
};
use super::estimate::Estimate;
use super::plan::{Job, Plan};
use super::record::{Record, Times};
use crate::bound::{Limit, Parts};
use crate::numbers::{Decimal, Signed};
use crate::statistics::mean;

/// A resource of which at least this much is used for content, in millionths, holds the swarm up by itself.
const BUSY: u128 = 750_000;

/// A run that was made.
#[derive(Clone, Debug)]
pub struct Done {
    /// Which.
    pub job: Job,
    /// What is kept of it.
    pub record: Record,
}

/// What coarse blocks change beyond what the reduced models show, of the mean, in thousandths: measured, see docs/predict.md.
const UNSURE: u64 = 40;

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// No run of the question has ended.
    #[error("no run of the question has ended")]
    NoRun,
    /// Runs ended before all nodes had everything.
    #[error("{failed} of {runs} runs ended before all nodes were complete: {why}")]
    Unfinished {
        /// How many.
        failed: u64,
        /// Of how many.
        runs: u64,
        /// How the first of them ended.
        why: String,
    },
}

/// The answer that these runs make.
///
/// # Errors
/// When there is none.
pub fn answer(plan: &Plan, done: &[Done], runs: Runs) -> Result<Prediction, NoAnswer> {
    let base: Vec<&Record> = of(done, |job| matches!(job, Job::Base(_))).collect();
    let times: Vec<Times> = base.iter().filter_map(|record| record.times).collect();
    let first = *base.first().ok_or(NoAnswer::NoRun)?;
    if let Some(bad) = base.iter().find(|record| record.times.is_none()) {
        let failed = (base.len() - times.len()) as u64;
        return Err(NoAnswer::Unfinished { failed, runs: base.len() as u64, why: ending(&bad.end) });
    }
    let coarse = coarse(plan, done, mean(&times.iter().map(|times| times.mean).collect::<Vec<_>>()));
    let late = Late::of(plan, coarse.as_ref());
    let figures = figures(&times, late).ok_or(NoAnswer::NoRun)?;
    let bound = bounds(&base);
    let layout = plan.model.content.layout;
    let leechers = plan.model.groups.iter().filter(|group| group.role != Role::Seed);
    Ok(Prediction {
        schema: "predict/1",
        name: plan.name.clone(),
        length: layout.length(),
        piece_length: layout.piece_length(),
        piece_count: layout.piece_count(),
        nodes: leechers.map(|group| u64::from(group.count)).sum(),
        bound: bound.map(|parts| Bounds::of(parts, figures.last.estimate.mean)),
        http: http(plan, &base),
        origin: origin(plan, &base).ok_or(NoAnswer::NoRun)?,
        binds: binding(&base, bound),
        settings: effects(plan, done),
        classes: classes(plan, &base, late),
        time: figures,
        coarsening: coarse,
        calibration: plan.calibration.clone(),
        seed: first.seed,
        runs,
    })
}

fn of<'a>(done: &'a [Done], which: impl Fn(Job) -> bool + 'a) -> impl Iterator<Item = &'a Record> + 'a {
    done.iter().filter(move |done| which(done.job)).map(|done| &done.record)
}

fn ending(end: &End) -> String {
    match end {
        End::PieceLost(piece) => format!("nobody held piece {piece}, and nobody was to bring it"),
        End::MaxTime => "the longest simulated time had passed".to_owned(),
        End::Interrupted => "they were stopped".to_owned(),
        End::LeechersDone => "some nodes left without everything".to_owned(),
    }
}

fn signed(values: impl Iterator<Item = u64>) -> Option<Estimate> {
    let values: Vec<i64> = values.map(|value| i64::try_from(value).unwrap_or(i64::MAX)).collect();
    Estimate::of(&values)
}

/// What is added to every simulated time, in microseconds, and how far that may be off.
#[derive(Clone, Copy)]
struct Late {
    by: i64,
    half: u64,
}

impl Late {
    /// What coarse blocks were too fast, and what every start takes beyond the model.
    fn of(plan: &Plan, coarse: Option<&Coarse>) -> Late {
        let startup = plan.calibration.as_ref().map_or(0, |known| known.startup_us) as i64;
        let (shift, half) = coarse.and_then(|coarse| coarse.shift).map_or((0, 0), Figure::of_mean);
        Late { by: shift.saturating_add(startup), half }
    }
}

fn figures(times: &[Times], late: Late) -> Option<TimeFigures> {
    let figure =
        |part: fn(&Times) -> u64| Some(signed(times.iter().map(part))?.shifted(late.by, late.half).into());
    Some(TimeFigures {
        mean: figure(|times| times.mean)?,
        p50: figure(|times| times.p50)?,
        p95: figure(|times| times.p95)?,
        p99: figure(|times| times.p99)?,
        last: figure(|times| times.last)?,
    })
}

/// The least of each over the runs: what holds in all of them.
fn bounds(base: &[&Record]) -> Option<Parts> {
    let parts = || base.iter().filter_map(|record| record.bound);
    Some(Parts {
        downlink: parts().map(|parts| parts.downlink).min()?,
        seeds: parts().map(|parts| parts.seeds).min()?,
        uplinks: parts().map(|parts| parts.uplinks).min()?,
    })
}

fn http(plan: &Plan, base: &[&Record]) -> Option<Http> {
    let times: Vec<Times> = base.iter().filter_map(|record| record.http).collect();
    let mean = |part: fn(&Times) -> u64| {
        let estimate = signed(times.iter().map(part))?;
        Some(Decimal::micros(estimate.mean.unsigned_abs()))
    };
    let nodes: u64 = plan
        .model
        .groups
        .iter()
        .filter(|group| plan.model.awaits(group))
        .map(|group| u64::from(group.count))
        .sum();
    Some(Http {
        mean_seconds: mean(|times| times.mean)?,
        p50_seconds: mean(|times| times.p50)?,
        p95_seconds: mean(|times| times.p95)?,
        p99_seconds: mean(|times| times.p99)?,
        last_seconds: mean(|times| times.last)?,
        origin_bytes: plan.model.content.layout.length().saturating_mul(nodes),
    })
}

fn origin(plan: &Plan, base: &[&Record]) -> Option<Origin> {
    let bytes = signed(base.iter().map(|record| record.seeds_sent))?;
    let length = u128::from(plan.model.content.layout.length());
    Some(Origin {
        bytes: bytes.mean.unsigned_abs(),
        least: bytes.least.unsigned_abs(),
        most: bytes.most.unsigned_abs(),
        copies: Decimal::ratio(bytes.mean.unsigned_abs().into(), length)?,
    })
}

fn binding(base: &[&Record], bound: Option<Parts>) -> Binding {
    let used = |part: fn(&Record) -> u64| {
        Decimal::micros(
            signed(base.iter().map(|record| part(record))).map_or(0, |used| used.mean.unsigned_abs()),
        )
    };
    let (seeds, uplinks, downlinks) = (
        used(|record| record.used.seeds),
        used(|record| record.used.uplinks),
        used(|record| record.used.downlinks),
    );
    let limit = bound.map(|parts| parts.bound().limit);
    let busy = limit.map(|limit| match limit {
        Limit::Seeds => seeds,
        Limit::Downlink => downlinks,
        Limit::Uplinks => uplinks,
    });
    Binding {
        resource: limit.map(super::document::resource),
        busy: busy.is_some_and(|used| used.millionths() >= BUSY),
        origin_uplink_used: seeds,
        uplinks_used: uplinks,
        downlinks_used: downlinks,
    }
}

fn classes(plan: &Plan, base: &[&Record], late: Late) -> Vec<ClassAnswer> {
    let groups = plan.model.groups.iter().enumerate().filter(|(_, group)| group.role != Role::Seed);
    let class = |(number, group): (usize, &swarmlab_sim::Group)| {
        let medians = base.iter().filter_map(|record| *record.medians.get(number)?);
        ClassAnswer {
            name: group.name.clone(),
            count: group.count,
            up: group.up,
            down: group.down,
            p50_seconds: signed(medians)
                .map(|median| Decimal::micros(median.mean.saturating_add(late.by).max(0) as u64)),
        }
    };
    groups.map(class).collect()
}

/// What each setting changes against the runs with the same seeds, the largest change of the mean first.
fn effects(plan: &Plan, done: &[Done]) -> Vec<SettingEffect> {
    let base = |seed| {
        let mut found = done.iter().filter(move |done| done.job == Job::Base(seed));
        found.next().and_then(|done| done.record.times)
    };
    let mut effects: Vec<SettingEffect> = Vec::new();
    for (number, setting) in plan.settings.iter().enumerate() {
        let pairs: Vec<(Times, Times)> = done
            .iter()
            .filter_map(|done| match done.job {
                Job::Setting(of, seed) if of == number => Some((base(seed)?, done.record.times?)),
                _ => None,
            })
            .collect();
        // In millionths of the time without it.
        let change = |part: fn(&Times) -> u64| {
            let change = |(old, new): &(Times, Times)| {
                let (old, new) = (i128::from(part(old)), i128::from(part(new)));
                i64::try_from((new - old) * 1_000_000 / old.max(1)).unwrap_or(i64::MAX)
            };
            Estimate::of(&pairs.iter().map(change).collect::<Vec<_>>())
        };
        let (Some(mean), Some(last)) = (change(|times| times.mean), change(|times| times.last)) else {
            continue;
        };
        let (from, to) = setting.values(&plan.model);
        effects.push(SettingEffect {
            setting: setting.name(),
            from,
            to,
            set: setting.path(&plan.model),
            runs: mean.runs,
            mean: share(mean.mean),
            mean_half: mean.half.map(Decimal::micros),
            last: share(last.mean),
            last_half: last.half.map(Decimal::micros),
            size: mean.mean.unsigned_abs(),
        });
    }
    effects.sort_by_key(|effect| std::cmp::Reverse(effect.size));
    effects
}

/// Millionths as a share.
pub(super) fn share(millionths: i64) -> Signed {
    Signed::ratio(millionths.into(), 1_000_000).expect("a million is not nothing")
}

/// What coarse blocks cost, as far as the reduced models have been run.
fn coarse(plan: &Plan, done: &[Done], mean: Option<u64>) -> Option<Coarse> {
    let mean = mean.unwrap_or(0);
    let reduced = plan.reduced()?;
    let time = |which, fine, seed| {
        let mut found = done.iter().filter(move |done| done.job == Job::Reduced(which, fine, seed));
        found.next().and_then(|done| done.record.times).map(|times| times.mean as i64)
    };
    let mut seen = [Vec::new(), Vec::new()];
    let (mut shifts, mut coarse_means) = (Vec::new(), [Vec::new(), Vec::new()]);
    for done in done {
        let Job::Reduced(0, true, seed) = done.job else { continue };
        let differences = [0, 1].map(|which| Some((time(which, true, seed)?, time(which, false, seed)?)));
        let [Some(one), Some(other)] = differences else { continue };
        let lost = [one.0 - one.1, other.0 - other.1];
        for (which, coarse) in [one.1, other.1].into_iter().enumerate() {
            seen[which].push(lost[which]);
            coarse_means[which].push(coarse);
        }
        // What the beginning and the end lose, longer content loses as well, and no more: measured, see docs/predict.md.
        shifts.push(lost[1]);
    }
    let reductions = [0, 1].map(|which| {
        Some(Reduction {
            pieces: reduced[which].pieces,
            nodes: reduced[which].fine.groups.iter().map(|group| u64::from(group.count)).sum(),
            coarse: Estimate::of(&coarse_means[which])?.into(),
            difference: Estimate::of(&seen[which])?.into(),
        })
    });
    Some(Coarse {
        block_length: plan.coarsening.block(),
        factor: plan.coarsening.factor(),
        merged_pieces: plan.coarsening.merged(),
        reduced: reductions.into_iter().flatten().collect(),
        shift: Estimate::of(&shifts).map(|shift| shift.shifted(0, mean * UNSURE / 1_000).into()),
    })
}
