//! An answer for a terminal: at most 100 columns.

use std::fmt::Write as _;
use std::time::Duration;

use super::document::{Coarse, Figure, Prediction};
use crate::numbers::{Decimal, count};
use crate::table::{Align, Table, clipped};
use crate::units::{grouped, show_duration, show_rate, show_size};

/// Groups that have a line.
const CLASSES: usize = 12;
/// Settings that have a line: those that matter most.
const SETTINGS: usize = 3;

impl Prediction {
    /// The answer for people, each line with its end.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{}: {} to {}, in {} of {}\n",
            clipped(&self.name, 40),
            show_size(self.length),
            count(self.nodes, "node"),
            count(self.piece_count.into(), "piece"),
            show_size(self.piece_length.into()),
        );
        times(&mut text, self);
        text.push_str(&facts(self).to_string());
        classes(&mut text, self);
        settings(&mut text, self);
        if let Some(coarse) = &self.coarsening {
            text.push_str(&coarseness(coarse, self));
        }
        runs(&mut text, self);
        text
    }

    /// The document as JSON text, with a line end.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain numbers and texts have a JSON form") + "\n"
    }
}

fn times(text: &mut String, answer: &Prediction) {
    let _ = writeln!(
        text,
        "Time from a node's start to its last piece; the last from the first start on. 95 % intervals\n\
         (Student's t) over {}",
        count(answer.time.mean.estimate.runs, "run"),
    );
    let mut table = Table::new(["", "swarm", "± mean", "one run lies in", "plain HTTP"]);
    let http = |part: fn(&super::document::Http) -> Decimal| {
        answer.http.as_ref().map_or_else(|| "-".to_owned(), |http| shown(part(http)))
    };
    let time = &answer.time;
    for (name, figure, http) in [
        ("mean", time.mean, http(|http| http.mean_seconds)),
        ("half done", time.p50, http(|http| http.p50_seconds)),
        ("95 % done", time.p95, http(|http| http.p95_seconds)),
        ("99 % done", time.p99, http(|http| http.p99_seconds)),
        ("last done", time.last, http(|http| http.last_seconds)),
    ] {
        table.row([name.to_owned(), micros(figure.estimate.mean), half(figure), one_run(figure), http]);
    }
    let _ = writeln!(text, "{table}");
}

fn shown(seconds: Decimal) -> String {
    show_duration(crate::summary::duration(seconds))
}

fn micros(time: i64) -> String {
    show_duration(Duration::from_micros(time.max(0) as u64))
}

fn half(figure: Figure) -> String {
    figure.estimate.half.map_or_else(|| "-".to_owned(), |half| show_duration(Duration::from_micros(half)))
}

fn one_run(figure: Figure) -> String {
    let of = figure.estimate;
    let Some(half) = of.half_of_one else { return "-".to_owned() };
    let half = half.min(i64::MAX as u64) as i64;
    format!("{} to {}", micros(of.mean.saturating_sub(half)), micros(of.mean.saturating_add(half)))
}

fn facts(answer: &Prediction) -> Table {
    let mut table = Table::new(["", ""]).aligned(1, Align::Left);
    let mut fact = |name: &str, words: String| table.row([name.to_owned(), words]);
    match &answer.bound {
        Some(bound) => {
            let of = bound.efficiency.map_or_else(String::new, |share| {
                format!("; this is {} of the best possible", share.percent())
            });
            fact(
                "bound",
                format!("{} at least, set by {}{of}", shown(bound.seconds), resource(bound.resource)),
            );
            let parts = format!(
                "origin's uplink {}, slowest downlink {}, all uplinks {}",
                shown(bound.origin_uplink_seconds),
                shown(bound.downlinks_seconds),
                shown(bound.all_uplinks_seconds),
            );
            fact("", parts);
        }
        None => fact("bound", "none: this scenario does not wait for a last completion".to_owned()),
    }
    fact("binds", binds(answer));
    let binds = &answer.binds;
    fact(
        "used",
        format!(
            "origin's uplink {}, nodes' uplinks {}, nodes' downlinks {}",
            binds.origin_uplink_used.percent(),
            binds.uplinks_used.percent(),
            binds.downlinks_used.percent(),
        ),
    );
    let origin = &answer.origin;
    let mut sends = format!(
        "{} copies: {} ({} to {})",
        origin.copies.rounded(2),
        show_size(origin.bytes),
        show_size(origin.least),
        show_size(origin.most),
    );
    if let Some(http) = &answer.http {
        let _ = write!(sends, "; plain HTTP {}", show_size(http.origin_bytes));
    }
    fact("origin sends", sends);
    if let Some(known) = &answer.calibration {
        let startup = show_duration(Duration::from_micros(known.startup_us));
        let rate = Decimal::micros(known.rate).percent();
        fact("calibrated", format!("links give {rate} of their rate, each start takes {startup} longer"));
    }
    table
}

fn resource(name: &str) -> &'static str {
    match name {
        "origin-uplink" => "the origin's uplink",
        "downlinks" => "the slowest downlink",
        _ => "all uplinks together",
    }
}

fn binds(answer: &Prediction) -> String {
    match (answer.binds.resource, answer.binds.busy) {
        (Some(name), true) => resource(name).to_owned(),
        (Some(name), false) => {
            format!("no link alone: {} could carry more; start and protocol cost the rest", resource(name))
        }
        (None, _) => "no link can be named".to_owned(),
    }
}

fn classes(text: &mut String, answer: &Prediction) {
    if answer.classes.len() < 2 {
        return;
    }
    let mut table = Table::new(["nodes", "count", "up", "down", "half done"]);
    for class in answer.classes.iter().take(CLASSES) {
        table.row([
            clipped(&class.name, 24),
            grouped(class.count.into()),
            show_rate(class.up),
            show_rate(class.down),
            class.p50_seconds.map_or_else(|| "-".to_owned(), shown),
        ]);
    }
    let _ = write!(text, "\n{table}");
    let more = answer.classes.len().saturating_sub(CLASSES) as u64;
    if more > 0 {
        let _ = writeln!(text, "  and {}: see --json", count(more, "more class"));
    }
}

fn settings(text: &mut String, answer: &Prediction) {
    if answer.settings.is_empty() {
        return;
    }
    let mut table =
        Table::new(["setting", "from", "to", "mean", "last", "pairs", ""]).aligned(6, Align::Left);
    let change = |share: crate::numbers::Signed, half: Option<Decimal>| match half {
        // What is uncertain by more than a tenth needs no tenths of a percent.
        Some(half) if half.millionths() >= 100_000 => {
            format!("{} ± {} %", share.percent(), (half.millionths() + 5_000) / 10_000)
        }
        Some(half) => format!("{} ± {}", share.percent(), half.percent()),
        None => share.percent(),
    };
    for effect in answer.settings.iter().take(SETTINGS) {
        table.row([
            effect.setting.to_owned(),
            effect.from.clone(),
            effect.to.clone(),
            change(effect.mean, effect.mean_half),
            change(effect.last, effect.last_half),
            effect.runs.to_string(),
            effect.set.clone(),
        ]);
    }
    let tried = count(answer.settings.len() as u64, "change");
    let _ = write!(text, "\nWhat matters most of {tried} tried, each alone with the same seeds\n{table}");
}

fn coarseness(coarse: &Coarse, answer: &Prediction) -> String {
    let pieces = match coarse.merged_pieces {
        1 => String::new(),
        merged => format!(", a piece for {merged}"),
    };
    let mut text = format!(
        "\nBlocks of {} stand for {} of 16 KiB each{pieces}. What that costs, measured with both\n",
        show_size(coarse.block_length),
        grouped(coarse.factor),
    );
    let mut table = Table::new(["reduced to", "coarse mean", "fine mean", "difference", "runs"]);
    for reduced in &coarse.reduced {
        let (mean, lost) = (reduced.coarse.estimate.mean, reduced.difference.estimate);
        table.row([
            format!("{} to {}", count(reduced.pieces.into(), "piece"), count(reduced.nodes, "node")),
            micros(mean),
            micros(mean.saturating_add(lost.mean)),
            plus_minus(reduced.difference),
            lost.runs.to_string(),
        ]);
    }
    text.push_str(&table.to_string());
    let _ = match coarse.shift {
        Some(shift) => {
            let raw = answer.time.mean.estimate.mean.saturating_sub(shift.estimate.mean);
            let share = |time: i64| crate::numbers::Signed::ratio(time.into(), raw.max(1) as u128);
            let words = share(shift.estimate.mean).map_or_else(String::new, |share| share.percent());
            let unsure = match shift.estimate.half {
                Some(half) => share(half as i64).map_or_else(String::new, |share| share.size().percent()),
                None => "more than a single run can tell".to_owned(),
            };
            writeln!(
                text,
                "  so the times above have {} added, {words} of the mean, uncertain by {unsure}",
                plus_minus(shift),
            )
        }
        None => {
            writeln!(text, "  there was no time to measure it: the times above are those of coarse blocks")
        }
    };
    text
}

fn plus_minus(figure: Figure) -> String {
    let of = figure.estimate;
    let size = show_duration(Duration::from_micros(of.mean.unsigned_abs()));
    let sign = if of.mean < 0 { "-" } else { "+" };
    match of.half {
        Some(half) => format!("{sign}{size} ± {}", show_duration(Duration::from_micros(half))),
        None => format!("{sign}{size}"),
    }
}

fn runs(text: &mut String, answer: &Prediction) {
    let runs = &answer.runs;
    let _ = write!(text, "\nSimulated {} of the question", count(runs.base, "run"));
    if runs.settings > 0 {
        let _ = write!(text, ", {} with other settings", grouped(runs.settings));
    }
    if runs.reduced > 0 {
        let _ = write!(text, ", {} of reduced models", grouped(runs.reduced));
    }
    if let Some(wall) = runs.wall_seconds {
        let _ = write!(text, " in {} on {}", shown(wall), count(runs.threads, "thread"));
    }
    let _ = match runs.left_out {
        0 => writeln!(text, "."),
        left => writeln!(text, ";\nthere was no time for {left} more (--budget)."),
    };
    if !runs.complete {
        text.push_str("Stopped before its time: a partial result.\n");
    }
}
