//! The page and the picture of a comparison: both distributions over each other, and the figures in tables.

use std::fmt::Write as _;

use super::axis::Axis;
use super::chart::{Chart, Series, Shape};
use super::html::{self, escape};
use super::{STYLE, close, figure, open, thin};
use crate::accuracy::text::{cells, distances, figures, heading};
use crate::accuracy::{Comparison, Row, Times};
use crate::numbers::count;

const MILLION: u64 = 1_000_000;
/// Groups that get a picture of their own.
const PICTURES: usize = 6;

/// The page.
pub(crate) fn page(comparison: &Comparison) -> String {
    let mut page = open("real and simulated");
    let (class, verdict) = match comparison.within {
        Some(true) => ("good", "Within every target."),
        Some(false) => ("bad", "Not within every target."),
        None => ("soft", "Nothing to judge."),
    };
    let _ = write!(
        page,
        "<header>\n<h1>Real and simulated</h1>\n<p>{} against {}.</p>\n<p class=\"{class}\">{verdict}</p>\n\
         <p class=\"soft\">Targets: mean and median within 5 %, the last completion within 10 %, or within twice the standard \
         error over the real runs where that is more; the shape at most 0.05 farther than real runs are from each other.</p>\n\
         </header>\n<div class=\"pictures\">\n",
        count(comparison.real.len() as u64, "real run"),
        count(comparison.simulated.len() as u64, "simulated one"),
    );
    let overall = &comparison.overall;
    page.push_str(&distribution("Download times", &heading(overall), &times(comparison.times())));
    page.push_str(&distribution(
        "Their shape",
        "Each run's times over their mean.",
        &shapes(comparison.times()),
    ));
    let leechers: Vec<&Row> = comparison.groups.iter().filter(|group| group.time.is_some()).collect();
    if leechers.len() > 1 {
        for group in leechers.iter().take(PICTURES) {
            page.push_str(&distribution("Download times of a group", &heading(group), &times(group.times())));
        }
    }
    page.push_str("</div>\n");
    table(&mut page, overall);
    comparison.groups.iter().for_each(|group| table(&mut page, group));
    sources(&mut page, comparison);
    close(page)
}

/// Both distributions of the times of all leechers, as a file of SVG.
pub(crate) fn picture(comparison: &Comparison) -> String {
    times(comparison.times()).document("Download times, real and simulated", STYLE)
}

fn distribution(title: &str, says: &str, chart: &Chart) -> String {
    figure(title, says, &chart.legend(), Some(&chart.svg(&format!("{title}: {says}"))))
}

fn times(times: &Times) -> Chart {
    let end = times.real.iter().chain(&times.simulated).max().copied().unwrap_or(0);
    chart(
        Axis::time("time since each one's own join", end.saturating_add(end / 40)),
        [(&times.real, times.real_came), (&times.simulated, times.simulated_came)],
    )
}

fn shapes(times: &Times) -> Chart {
    let end = times.real_shape.iter().chain(&times.simulated_shape).max().copied().unwrap_or(0);
    chart(
        Axis::ratio("time over the mean of the run", end),
        [(&times.real_shape, times.real_came), (&times.simulated_shape, times.simulated_came)],
    )
}

fn chart(x: Axis, sides: [(&Vec<u64>, u64); 2]) -> Chart {
    let names = ["real", "simulated"];
    let series = sides.into_iter().zip(names).enumerate().map(|(tone, ((values, came), name))| {
        let share = |number: u64| number.saturating_mul(MILLION) / came.max(1);
        let steps = thin::distribution(values).into_iter().map(|(value, number)| (value, share(number)));
        let points = std::iter::once((0, 0)).chain(steps).collect();
        Series { name: name.to_owned(), tone, points, shape: Shape::Steps }
    });
    let y = Axis::percent("completed, share of the leechers that came");
    Chart { x, y, series: series.collect(), marks: vec![] }
}

fn table(page: &mut String, row: &Row) {
    let titles = ["", "real", "standard error", "simulated", "standard error", "error", "allowed", ""];
    let rows = figures(row)
        .into_iter()
        .map(|(name, figure)| std::iter::once(name.to_owned()).chain(cells(figure)).collect());
    let distance = row.distance.as_ref().map(distances).unwrap_or_default();
    let _ = write!(
        page,
        "<section>\n<h2>{}</h2>\n{}\n<p class=\"soft\">{}</p>\n</section>\n",
        escape(&heading(row)),
        html::table(&titles, rows),
        escape(&distance)
    );
}

fn sources(page: &mut String, comparison: &Comparison) {
    page.push_str("<section>\n<details>\n<summary>The runs</summary>\n<pre>");
    for (side, sources) in [("real", &comparison.real), ("simulated", &comparison.simulated)] {
        sources.iter().for_each(|source| _ = writeln!(page, "{side:<11}{}", escape(source)));
    }
    page.push_str("</pre>\n</details>\n</section>\n");
}
