//! The pictures of groups: how share ratios spread in each, and who gave to whom.

use std::fmt::Write as _;

use swarmlab_sim::Role;

use super::axis::Axis;
use super::chart::{WIDTH, tenths};
use super::fold::{Fold, fold};
use super::html::escape;
use crate::numbers::Decimal;
use crate::results::Results;
use crate::statistics::Spread;
use crate::table::clipped;
use crate::units::show_size;

/// Millionths of one.
const MILLION: u128 = 1_000_000;

/// A band for each group of those that received something: 5 to 95 % of its peers, the middle half, the median. Returns the
/// sentence and the SVG, if anybody received anything.
pub(super) fn share_ratios(results: &Results<'_>) -> (String, Option<String>) {
    let outcome = results.outcome();
    let folds = fold(results.model(), |role| role != Role::Seed);
    let ratios = |fold: &Fold| {
        let peers = outcome.peers.iter().filter(|peer| fold.groups.contains(&(peer.group as usize)));
        let ratios = peers.filter_map(|peer| {
            let ratio = (u128::from(peer.uploaded) * MILLION).checked_div(peer.downloaded.into())?;
            u64::try_from(ratio).ok()
        });
        Spread::of(ratios.collect())
    };
    let rows: Vec<(String, Spread)> =
        folds.into_iter().filter_map(|fold| ratios(&fold).map(|spread| (fold.name, spread))).collect();
    if rows.is_empty() {
        return ("Nobody received anything.".to_owned(), None);
    }
    let says = match rows.as_slice() {
        [(_, one)] => format!(
            "Half of the peers gave back less than {} of what they received, one in twenty less than {}.",
            percent(one.p50),
            percent(one.p5)
        ),
        _ => {
            let least = rows.iter().min_by_key(|row| row.1.p50).expect("there is a row");
            let most = rows.iter().max_by_key(|row| row.1.p50).expect("there is a row");
            format!(
                "The median peer of {} gave back {} of what it received, that of {} {}.",
                most.0,
                percent(most.1.p50),
                least.0,
                percent(least.1.p50)
            )
        }
    };
    (says, Some(bands(&rows)))
}

/// A number of millionths in per cent.
fn percent(millionths: u64) -> String {
    Decimal::ratio(millionths.into(), MILLION).map_or_else(|| "-".to_owned(), |ratio| ratio.percent_with(0))
}

fn bands(rows: &[(String, Spread)]) -> String {
    const ROW: i64 = 520;
    const LEFT: i64 = 120;
    const LENGTH: i64 = WIDTH - 2 * LEFT - 60;
    let axis = Axis::ratio("uploaded / downloaded", rows.iter().map(|row| row.1.p95).max().unwrap_or(0));
    let bottom = 60 + ROW * rows.len() as i64;
    let height = bottom + 530;
    let x = |value: u64| LEFT + axis.place(value, LENGTH);
    let label = "Share ratio of the peers of each group: 5 to 95 %, the middle half, and the median";
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{label}\">",
        tenths(WIDTH),
        tenths(height)
    );
    for (value, tick) in axis.ticks() {
        let _ = write!(svg, "<path class=\"grid\" d=\"M{} 4V{}\"/>", tenths(x(value)), tenths(bottom));
        let _ = write!(
            svg,
            "<text class=\"mid\" x=\"{}\" y=\"{}\">{tick}</text>",
            tenths(x(value)),
            tenths(bottom + 210)
        );
    }
    // Where a peer has given back what it received.
    let even = tenths(LEFT + axis.place(axis.unit, LENGTH));
    let _ = write!(svg, "<path class=\"even\" d=\"M{even} 4V{}\"/>", tenths(bottom));
    let middle = tenths(LEFT + LENGTH / 2);
    let _ = write!(
        svg,
        "<text class=\"mid name\" x=\"{middle}\" y=\"{}\">{}</text>",
        tenths(height - 50),
        axis.title
    );
    for (number, (name, spread)) in rows.iter().enumerate() {
        let top = 60 + ROW * number as i64;
        let quantiles = [spread.p5, spread.p25, spread.p50, spread.p75, spread.p95].map(x);
        let [p5, p25, p50, p75, p95] = quantiles;
        let shown =
            |value: u64| Decimal::ratio(value.into(), MILLION).map(|ratio| ratio.rounded(2).to_string());
        let numbers = [spread.min, spread.p5, spread.p50, spread.p95, spread.max]
            .map(|value| shown(value).unwrap_or_default());
        let [min, low, median, high, max] = numbers;
        let _ = write!(
            svg,
            "<g><title>{}: least {min}, 5 % {low}, median {median}, 95 % {high}, most {max}</title>",
            escape(name)
        );
        let text = format!("{}: median {median}, most {max}", clipped(name, 20));
        let _ = write!(
            svg,
            "<text class=\"over-lines\" x=\"{}\" y=\"{}\">{}</text>",
            tenths(LEFT),
            tenths(top + 190),
            escape(&text)
        );
        let _ = write!(
            svg,
            "<path class=\"whisker t{number}\" d=\"M{} {}H{}\"/>",
            tenths(p5),
            tenths(top + 350),
            tenths(p95)
        );
        let (width, y) = (tenths((p75 - p25).max(20)), tenths(top + 260));
        let _ = write!(
            svg,
            "<rect class=\"box t{number}\" x=\"{}\" y=\"{y}\" width=\"{width}\" height=\"18\"/>",
            tenths(p25)
        );
        let _ = write!(svg, "<path class=\"median\" d=\"M{} {}v24\"/></g>", tenths(p50), tenths(top + 230));
    }
    svg.push_str("</svg>");
    svg
}

/// Who gave to whom: a row for each giver, a column for each receiver, in shares of what the receiver got. Returns the
/// sentence and the SVG, if anything was given.
pub(super) fn flows(results: &Results<'_>) -> (String, Option<String>) {
    let folds = fold(results.model(), |_| true);
    let flows = &results.outcome().flows;
    let given = |from: &Fold, to: &Fold| -> u128 {
        let pairs = from.groups.iter().flat_map(|&from| to.groups.iter().map(move |&to| (from, to)));
        pairs.filter_map(|(from, to)| flows.get(from)?.get(to)).map(|&bytes| u128::from(bytes)).sum()
    };
    let cells: Vec<Vec<u128>> =
        folds.iter().map(|from| folds.iter().map(|to| given(from, to)).collect()).collect();
    let receivers: Vec<usize> = (0..folds.len()).filter(|&to| cells.iter().any(|row| row[to] > 0)).collect();
    if receivers.is_empty() {
        return ("Nothing was given.".to_owned(), None);
    }
    let all: u128 = cells.iter().flatten().sum();
    let largest = (0..folds.len()).flat_map(|from| receivers.iter().map(move |&to| (from, to)));
    let (from, to) =
        largest.max_by_key(|&(from, to)| (cells[from][to], std::cmp::Reverse((from, to)))).unwrap_or((0, 0));
    let share = Decimal::ratio(cells[from][to], all).map_or_else(String::new, Decimal::percent);
    let says = format!(
        "The most went from {} to {}: {share} of all content. A column adds up to what its receivers got.",
        folds[from].name,
        if from == to { "each other" } else { &folds[to].name }
    );
    (says, Some(matrix(&folds, &cells, &receivers)))
}

fn matrix(folds: &[Fold], cells: &[Vec<u128>], receivers: &[usize]) -> String {
    const ROW: i64 = 340;
    const LEFT: i64 = 1_500;
    const TOP: i64 = 480;
    let column = (WIDTH - LEFT - 60) / receivers.len() as i64;
    let height = TOP + ROW * folds.len() as i64 + 60;
    let label =
        "Content given by each group (rows) to each group (columns), in shares of what the receivers got";
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{label}\">",
        tenths(WIDTH),
        tenths(height)
    );
    let _ = write!(svg, "<text class=\"name\" x=\"2\" y=\"{}\">giver</text>", tenths(TOP - 60));
    let _ = write!(svg, "<text class=\"name\" x=\"{}\" y=\"15\">receiver</text>", tenths(LEFT));
    for (place, &to) in receivers.iter().enumerate() {
        let x = LEFT + column * place as i64;
        // Letters stand for the groups where their names do not fit.
        let room = usize::try_from(column / 90).unwrap_or(0);
        let name = if receivers.len() > 3 { letter(to) } else { clipped(&folds[to].name, room) };
        let (x, y) = (tenths(x + column / 2), tenths(TOP - 60));
        let _ = write!(svg, "<text class=\"mid\" x=\"{x}\" y=\"{y}\">{}</text>", escape(&name));
    }
    for (from, row) in cells.iter().enumerate() {
        let y = TOP + ROW * from as i64;
        let name = &folds[from].name;
        let name = if receivers.len() > 3 {
            format!("{} {}", letter(from), clipped(name, 13))
        } else {
            clipped(name, 16)
        };
        let _ = write!(svg, "<text x=\"2\" y=\"{}\">{}</text>", tenths(y + 220), escape(&name));
        for (place, &to) in receivers.iter().enumerate() {
            let received: u128 = cells.iter().map(|row| row[to]).sum();
            let share = Decimal::ratio(row[to], received);
            let hundredths = share.map_or(0, |share| share.millionths() / 10_000);
            let bytes = show_size(u64::try_from(row[to]).unwrap_or(u64::MAX));
            let (x, width) = (LEFT + column * place as i64, tenths(column - 20));
            let percent = |places| share.map_or_else(String::new, |share| share.percent_with(places));
            let shown = match row[to] {
                0 => "-".to_owned(),
                _ => percent(if receivers.len() > 3 { 0 } else { 1 }),
            };
            let _ = write!(
                svg,
                "<g><title>{} to {}: {bytes}, {}</title>",
                escape(&folds[from].name),
                escape(&folds[to].name),
                percent(2)
            );
            let _ = write!(
                svg,
                "<rect class=\"heat\" x=\"{}\" y=\"{}\" width=\"{width}\" height=\"32\" fill-opacity=\".{:02}\"/>",
                tenths(x),
                tenths(y),
                (6 + hundredths * 90 / 100).min(96)
            );
            // What can be read on the cell differs between light and dark in the middle.
            let class = match hundredths {
                0..60 => "mid on-pale",
                60..85 => "mid on-middle",
                _ => "mid on-full",
            };
            let (x, y) = (tenths(x + column / 2 - 10), tenths(y + 205));
            let _ = write!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{shown}</text></g>");
        }
    }
    svg.push_str("</svg>");
    svg
}

/// A, B, C, ..
fn letter(number: usize) -> String {
    char::from(b'A' + u8::try_from(number % 26).unwrap_or(0)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{large, small};

    #[test]
    fn a_column_of_flows_adds_up_to_what_was_received() {
        let small = small();
        let (says, svg) = flows(&small.results());
        assert_eq!(
            says,
            "The most went from origin to slow, \"home\": 60.0 % of all content. A column adds up to what its receivers got."
        );
        let svg = svg.unwrap();
        assert!(svg.contains(">60.0 %</text>") && svg.contains(">40.0 %</text>"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2); // nobody gave to the seed: it has a row, but no column
    }

    #[test]
    fn medians_and_the_even_ratio_are_drawn() {
        let small = small();
        let (says, svg) = share_ratios(&small.results());
        assert_eq!(
            says,
            "Half of the peers gave back less than 30 % of what they received, one in twenty less than 30 %."
        );
        assert!(svg.unwrap().contains("least 0.30, 5 % 0.30, median 0.30, 95 % 0.50, most 0.50"));
        let mut generous = large(1, 2, 100, 2);
        generous.outcome.peers.iter_mut().for_each(|peer| peer.uploaded *= 40);
        let (_, svg) = share_ratios(&generous.results());
        assert_eq!(svg.unwrap().matches("class=\"even\"").count(), 1);
    }
}
