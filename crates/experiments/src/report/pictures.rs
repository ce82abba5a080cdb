//! The pictures over time: completions, the size of the swarm, the rarest piece, the use of the uplinks. Each comes with a
//! sentence that says what to see, computed from the same numbers.

use swarmlab_sim::{Role, Sample};

use super::axis::Axis;
use super::chart::{Chart, Mark, Series, Shape};
use super::fold::{Fold, fold};
use super::thin;
use crate::numbers::{count, micros};
use crate::results::{Results, download_time, present};
use crate::statistics::quantile;
use crate::units::{grouped, show_duration};

/// Millionths of one.
const MILLION: u64 = 1_000_000;

/// A picture: what stands above it, and the chart; without one there is only the sentence.
pub(super) struct Picture {
    pub title: &'static str,
    pub says: String,
    pub chart: Option<Chart>,
}

/// How many have completed by when. With a bound, times count from the first arrival, as the bound does; else from each
/// one's own join.
pub(super) fn completions(results: &Results<'_>) -> Picture {
    let (model, outcome) = (results.model(), results.outcome());
    let bound = results.bound();
    let awaited = |group: u32| model.groups.get(group as usize).is_some_and(|group| model.awaits(group));
    let first = outcome.peers.iter().filter(|peer| awaited(peer.group)).filter_map(|peer| peer.join).min();
    let time = |peer: &swarmlab_sim::PeerOutcome| match (bound, first) {
        (Some(_), Some(first)) => download_time(peer).and(peer.complete?.checked_sub(first)),
        _ => download_time(peer),
    };
    let (mut series, mut all, mut came) = (Vec::new(), Vec::new(), 0_usize);
    for (tone, fold) in fold(model, |role| role != Role::Seed).into_iter().enumerate() {
        let peers = || outcome.peers.iter().filter(|peer| fold.groups.contains(&(peer.group as usize)));
        let joined = peers().filter(|peer| peer.join.is_some() && peer.lacked > 0).count();
        let mut times: Vec<u64> = peers().filter_map(time).map(micros).collect();
        times.sort_unstable();
        let share = |number: u64| number.saturating_mul(MILLION) / (joined.max(1) as u64);
        let points = thin::distribution(&times).into_iter().map(|(time, number)| (time, share(number)));
        let points = std::iter::once((0, 0)).chain(points).collect();
        series.push(Series { name: fold.name, tone, points, shape: Shape::Steps });
        came += joined;
        all.append(&mut times);
    }
    all.sort_unstable();
    let since = if bound.is_some() { "since the first arrival" } else { "since each one's own join" };
    let says = match (quantile(&all, 500), all.last()) {
        (Some(half), Some(&last)) => {
            let [half, last] = [half, last].map(time_of);
            let who = format!("{} of {}", grouped(all.len() as u64), count(came as u64, "leecher"));
            format!("{who} completed: half of them within {half}, the last after {last}, counted {since}.")
        }
        _ => "Nobody completed.".to_owned(),
    };
    let limit = bound.map(|bound| micros(bound.time));
    let end = all.last().copied().unwrap_or(0).max(limit.unwrap_or(0));
    let marks = limit.map(|at| Mark { at, name: format!("bound {}", time_of(at)) });
    let chart = Chart {
        x: Axis::time(&format!("time {since}"), end.saturating_add(end / 40)),
        y: Axis::percent("completed, share of the leechers that came"),
        series,
        marks: marks.into_iter().collect(),
    };
    Picture { title: "Completions", says, chart: (!all.is_empty()).then_some(chart) }
}

/// How many leechers and seeds are present.
pub(super) fn size(results: &Results<'_>) -> Picture {
    let timeline = &results.outcome().timeline;
    let sums: Vec<_> = timeline.iter().map(|sample| (micros(sample.at), present(sample))).collect();
    let peak = sums
        .iter()
        .map(|(at, sum)| (sum.leechers, *at))
        .max_by_key(|&(leechers, at)| (leechers, u64::MAX - at));
    let says = peak.map(|(leechers, at)| {
        let seeds = sums.last().map_or(0, |(_, sum)| sum.seeds);
        format!(
            "At most {} at a time, first at {}; {} present at the end.",
            count(leechers.into(), "leecher"),
            time_of(at),
            count(seeds.into(), "seed"),
        )
    });
    let leechers = sums.iter().map(|(at, sum)| (*at, sum.leechers.into())).collect();
    let seeds = sums.iter().map(|(at, sum)| (*at, sum.seeds.into())).collect();
    over_time(
        "Size of the swarm",
        "present peers",
        says,
        timeline,
        vec![("leechers", leechers), ("seeds", seeds)],
    )
}

/// How many hold the rarest piece.
pub(super) fn rarest(results: &Results<'_>) -> Picture {
    let timeline = &results.outcome().timeline;
    let least = timeline.iter().map(|sample| (sample.rarest, micros(sample.at))).min();
    let says = least.map(|(rarest, at)| match rarest {
        0 => format!("At {} a piece was held by nobody present.", time_of(at)),
        _ => format!("The rarest piece had at least {} at all times.", count(rarest.into(), "holder")),
    });
    let points = timeline.iter().map(|sample| (micros(sample.at), sample.rarest.into())).collect();
    over_time(
        "Availability of the rarest piece",
        "present peers that have it",
        says,
        timeline,
        vec![("holders", points)],
    )
}

/// Content sent over what the uplinks of those present could have sent, between samples.
pub(super) fn utilisation(results: &Results<'_>) -> Picture {
    let (model, outcome) = (results.model(), results.outcome());
    let total = |share: Option<crate::numbers::Decimal>| {
        share.map_or_else(|| "-".to_owned(), |share| share.percent())
    };
    let used = results.document().utilisation;
    let says = format!(
        "Over the whole run {} of the leechers' uplinks and {} of the seeds' carried content.",
        total(used.leechers),
        total(used.seeds)
    );
    let sides = [("came as leechers", false), ("seeds from the start", true)].map(|(name, seeds)| {
        let groups: Vec<usize> = (0..model.groups.len())
            .filter(|&number| (model.groups[number].role == Role::Seed) == seeds)
            .collect();
        (name, used_over_time(results, &Fold { name: name.to_owned(), groups }))
    });
    let mut picture = over_time("Use of the uplinks", "", Some(says), &outcome.timeline, sides.into());
    if let Some(chart) = &mut picture.chart {
        chart.y = Axis::percent("content sent, share of capacity");
        chart.series.retain(|series| series.points.iter().any(|&(_, share)| share > 0));
        chart.series.iter_mut().for_each(|series| series.shape = Shape::Line);
    }
    picture
}

/// The share in each of a number of equal runs of samples, at the end of the run. The capacity of a run is taken from
/// who is present at its samples' ends, so where many come or go it is not exact; never shown above all.
fn used_over_time(results: &Results<'_>, fold: &Fold) -> Vec<(u64, u64)> {
    let (model, timeline) = (results.model(), &results.outcome().timeline);
    let at = |sample: &Sample| {
        let mut sum = (0_u128, 0_u128);
        for &number in &fold.groups {
            let Some(group) = sample.groups.get(number) else { continue };
            let present = u128::from(group.leechers) + u128::from(group.seeds);
            sum = (sum.0 + u128::from(group.uploaded), sum.1 + present * u128::from(model.groups[number].up));
        }
        sum
    };
    let columns = thin::COLUMNS.min(timeline.len().saturating_sub(1));
    let mut points = Vec::with_capacity(columns);
    for column in 0..columns {
        let steps = timeline.len() - 1;
        let run = &timeline[steps * column / columns..=steps * (column + 1) / columns];
        let capacity = run.windows(2).map(|pair| {
            let time = micros(pair[1].at.saturating_sub(pair[0].at));
            (at(&pair[0]).1 + at(&pair[1]).1) * u128::from(time) / 2
        });
        let sent = at(&run[run.len() - 1]).0.saturating_sub(at(&run[0]).0);
        let share = (sent * 1_000_000 * u128::from(MILLION)).checked_div(capacity.sum()).unwrap_or(0);
        let share = u64::try_from(share).unwrap_or(u64::MAX).min(MILLION);
        points.push((micros(run[run.len() - 1].at), share));
    }
    points
}

/// A picture of samples: a line of steps for each name.
fn over_time(
    title: &'static str,
    what: &str,
    says: Option<String>,
    timeline: &[Sample],
    lines: Vec<(&str, Vec<(u64, u64)>)>,
) -> Picture {
    if timeline.len() < 2 {
        return Picture { title, says: "No samples over time were kept.".to_owned(), chart: None };
    }
    let end = timeline.last().map_or(0, |sample| micros(sample.at));
    let largest = lines.iter().flat_map(|(_, points)| points).map(|point| point.1).max().unwrap_or(0);
    let line = |(tone, (name, points)): (usize, (&str, _))| Series {
        name: name.to_owned(),
        tone,
        points: thin::series(points),
        shape: Shape::Steps,
    };
    let series = lines.into_iter().enumerate().map(line).collect();
    let chart = Chart {
        x: Axis::time("time since the start", end),
        y: Axis::count(what, largest),
        series,
        marks: vec![],
    };
    Picture { title, says: says.unwrap_or_default(), chart: Some(chart) }
}

fn time_of(micros: u64) -> String {
    show_duration(std::time::Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::small;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn completions_count_as_the_bound_does() {
        let mut case = small();
        let picture = completions(&case.results());
        assert_eq!(
            picture.says,
            "2 of 2 leechers completed: half of them within 22.0 s, the last after 25.0 s, counted since the first arrival."
        );
        let chart = picture.chart.unwrap();
        let (half, all) = ((22 * SECOND, MILLION / 2), (25 * SECOND + 1, MILLION));
        assert_eq!(chart.series[0].points, [(0, 0), half, all]);
        assert_eq!(chart.marks[0].at, 20_250_000);

        // Without a bound: from each one's own join; who did not complete keeps the line below all.
        case.model.groups[1].abort = Some(0.5);
        case.outcome.peers[2].complete = None;
        let picture = completions(&case.results());
        assert!(picture.says.ends_with("counted since each one's own join."), "{}", picture.says);
        assert_eq!(picture.chart.unwrap().series[0].points, [(0, 0), half]);
    }

    #[test]
    fn use_is_what_was_sent_over_what_could_be_between_samples() {
        let small = small();
        let chart = utilisation(&small.results()).chart.unwrap();
        let of = |name: &str| &chart.series.iter().find(|series| series.name == name).unwrap().points;
        // 500 kB of the 500 kB that two leechers, who came between the samples, are taken to be able to send; then 800 of
        // 1,000 kB, then 300.
        assert_eq!(
            *of("came as leechers"),
            [(10 * SECOND, MILLION), (20 * SECOND, 800_000), (30 * SECOND, 300_000)]
        );
        assert_eq!(
            *of("seeds from the start"),
            [(10 * SECOND, 900_000), (20 * SECOND, MILLION), (30 * SECOND, 500_000)]
        );
    }

    #[test]
    fn sentences_say_what_the_lines_show() {
        let mut case = small();
        assert_eq!(
            size(&case.results()).says,
            "At most 2 leechers at a time, first at 10.0 s; 3 seeds present at the end."
        );
        assert_eq!(rarest(&case.results()).says, "The rarest piece had at least 1 holder at all times.");
        case.outcome.timeline[2].rarest = 0;
        assert_eq!(rarest(&case.results()).says, "At 20.0 s a piece was held by nobody present.");
    }
}
