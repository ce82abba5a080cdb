//! The comparison as a person reads it in a terminal.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Comparison, Distance, Estimate, Figure, Row, Targets, Unit};
use crate::numbers::{Decimal, Signed, count};
use crate::table::{Table, clipped};
use crate::units::{grouped, show_size};

pub(super) fn of(comparison: &Comparison) -> String {
    let mut text = String::new();
    for (side, sources) in [("real", &comparison.real), ("simulated", &comparison.simulated)] {
        let _ = writeln!(text, "{side:<11}{}", sources_in_short(sources));
    }
    row(&mut text, &comparison.overall);
    // A single group of leechers is all leechers.
    let leechers = comparison.groups.iter().filter(|group| group.time.is_some()).count();
    for group in comparison.groups.iter().filter(|group| group.time.is_none() || leechers > 1) {
        row(&mut text, group);
    }
    for (side, names) in [("real", &comparison.only_real), ("simulated", &comparison.only_simulated)] {
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| clipped(name, 30)).collect();
            let _ = writeln!(text, "\nonly {side} runs have the group {}", names.join(", "));
        }
    }
    if !comparison.notes.is_empty() {
        text.push('\n');
    }
    for note in &comparison.notes {
        let _ = writeln!(text, "note: {}", clipped(note, 94));
    }
    let verdict = match comparison.within {
        Some(true) => "within every target",
        Some(false) => "not within every target",
        None => "nothing to judge",
    };
    let share = |target: u64| Decimal::micros(target).percent_with(0);
    let Targets { centre, last, shape } = comparison.targets;
    let _ = writeln!(
        text,
        "
{verdict}
  mean and median {}, last {}, or 2 standard errors; shape {} more than real runs have",
        share(centre),
        share(last),
        Decimal::micros(shape).rounded(2),
    );
    text
}

fn sources_in_short(sources: &[String]) -> String {
    let first = sources.first().map_or("", String::as_str);
    let all = count(sources.len() as u64, "run");
    format!("{all}: {}{}", clipped(first, 60), if sources.len() > 1 { ", .." } else { "" })
}

fn row(text: &mut String, row: &Row) {
    let _ = writeln!(text, "\n{}", heading(row));
    let mut table = Table::new(["", "real", "±", "simulated", "±", "error", "allowed", ""]);
    for (name, figure) in figures(row) {
        table.row(std::iter::once(name.to_owned()).chain(cells(figure)));
    }
    let _ = write!(text, "{table}");
    if let Some(distance) = &row.distance {
        let _ = writeln!(text, "  {}", distances(distance));
    }
}

/// The group, how many peers it has, and how many completed where that is not all.
pub(crate) fn heading(row: &Row) -> String {
    let peers = |peers: Estimate| grouped(peers.mean.unwrap_or(0));
    let (real, simulated) = (peers(row.peers), peers(row.simulated_peers));
    let number = if real == simulated { real } else { format!("{real} real, {simulated} simulated") };
    let mut heading = format!("{} ({number})", clipped(&row.name, 40));
    let done = row.completed;
    for (side, completed, came) in
        [("real", done.real, done.real_came), ("simulated", done.simulated, done.simulated_came)]
    {
        if completed < came {
            let _ =
                write!(heading, "; of the {side} ones {} of {} completed", grouped(completed), grouped(came));
        }
    }
    heading
}

/// The figures of a row that exist, with their names.
pub(crate) fn figures(row: &Row) -> Vec<(&'static str, &Figure)> {
    let mut figures = Vec::new();
    if let Some(time) = &row.time {
        figures.extend([
            ("mean", &time.mean),
            ("median", &time.p50),
            ("95 %", &time.p95),
            ("last", &time.last),
        ]);
    }
    figures.push(("sent", &row.uploaded));
    if row.time.is_some() {
        figures.extend([("received", &row.downloaded), ("share ratio", &row.share_ratio)]);
    }
    figures
}

/// Real, its standard error, simulated, its standard error, the error, what is allowed, and the verdict.
pub(crate) fn cells(figure: &Figure) -> [String; 7] {
    let dash = || "-".to_owned();
    let mean = |side: Estimate| side.mean.map_or_else(dash, |value| shown(side, value));
    let luck = |side: Estimate| side.standard_error.map_or_else(String::new, |value| shown(side, value));
    let verdict = figure.within.map_or("", |within| if within { "ok" } else { "off" });
    [
        mean(figure.real),
        luck(figure.real),
        mean(figure.simulated),
        luck(figure.simulated),
        figure.error.map_or_else(dash, Signed::percent),
        figure.allowed.map_or_else(String::new, Decimal::percent),
        verdict.to_owned(),
    ]
}

/// Times with two decimals: their errors of a few per cent are to be seen.
fn shown(estimate: Estimate, value: u64) -> String {
    match estimate.unit() {
        Unit::Time => format!("{} s", Decimal::seconds(Duration::from_micros(value)).rounded(2)),
        Unit::Bytes => show_size(value),
        Unit::Ratio => Decimal::micros(value).rounded(3).to_string(),
        Unit::Count => grouped(value),
    }
}

/// The distances in one line.
pub(crate) fn distances(distance: &Distance) -> String {
    let short = |value: Decimal| value.rounded(3).to_string();
    let mut line = format!("distance {} raw, {} of shapes", short(distance.raw), short(distance.shape));
    if let (Some(raw), Some(shape)) = (distance.real_raw, distance.real_shape) {
        let _ = write!(line, "; real runs have {} and {} among themselves", short(raw), short(shape));
    }
    if let Some(within) = distance.within {
        line.push_str(if within { ": ok" } else { ": off" });
    }
    line
}
