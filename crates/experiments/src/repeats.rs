//! Several runs of one scenario, each with a seed of its own: a row for each, and one document of all.

use serde::Serialize;

use crate::numbers::{Decimal, count};
use crate::results::Document;
use crate::statistics::mean;
use crate::summary::duration;
use crate::table::{Table, clipped};
use crate::units::{grouped, show_duration};

/// The `runs/1` document: the `sim/1` documents of all runs in their order, as JSON text with a line end.
pub fn json(runs: &[Document]) -> String {
    #[derive(Serialize)]
    struct Runs<'a> {
        schema: &'static str,
        runs: &'a [Document],
    }
    let runs = Runs { schema: "runs/1", runs };
    let mut text = serde_json::to_string_pretty(&runs).expect("plain numbers and texts have a JSON form");
    text.push('\n');
    text
}

/// A table with a row for each run, and the mean of each column below.
pub fn summary(runs: &[Document]) -> String {
    let name = runs.first().map_or("", |run| run.scenario.as_str());
    let mut table = Table::new(["seed", "completed", "mean", "last one done", "of the best", "seeds sent"]);
    for run in runs {
        let completed: u64 = run.groups.iter().map(|group| group.completed).sum();
        table.row([run.seed.to_string(), grouped(completed)].into_iter().chain(cells(
            mean_time(run),
            run.makespan_seconds,
            run.efficiency,
            run.seed_copies,
        )));
    }
    let over = |of: &dyn Fn(&Document) -> Option<Decimal>| {
        let values =
            runs.iter().filter_map(of).map(|value| u64::try_from(value.millionths()).unwrap_or(u64::MAX));
        mean(&values.collect::<Vec<_>>()).map(Decimal::micros)
    };
    table.row(["mean".to_owned(), String::new()].into_iter().chain(cells(
        over(&mean_time),
        over(&|run| run.makespan_seconds),
        over(&|run| run.efficiency),
        over(&|run| run.seed_copies),
    )));
    format!("{}  ({})\n{table}", clipped(name, 50), count(runs.len() as u64, "run"))
}

fn cells(
    mean: Option<Decimal>,
    last: Option<Decimal>,
    efficiency: Option<Decimal>,
    copies: Option<Decimal>,
) -> [String; 4] {
    let time = |seconds: Option<Decimal>| seconds.map(|seconds| show_duration(duration(seconds)));
    let copies = copies.map(|copies| format!("{} copies", copies.rounded(2)));
    [time(mean), time(last), efficiency.map(Decimal::percent), copies]
        .map(|cell| cell.unwrap_or_else(|| "-".to_owned()))
}

/// The mean time from join to completion, over the leechers of all groups.
fn mean_time(run: &Document) -> Option<Decimal> {
    let groups =
        || run.groups.iter().filter_map(|group| Some((group.time?.mean.millionths(), group.completed)));
    let completed: u64 = groups().map(|(_, completed)| completed).sum();
    let sum: u128 = groups().map(|(time, completed)| time * u128::from(completed)).sum();
    Some(Decimal::micros(u64::try_from(sum.checked_div(completed.into())?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::small;

    #[test]
    fn a_row_for_each_run() {
        let mut case = small();
        let mut runs = vec![case.results().document().clone()];
        case.model.seed = 8;
        case.outcome.peers[2].complete = None;
        runs.push(case.results().document().clone());
        let expected = "two  (2 runs)
  seed  completed    mean  last one done  of the best   seeds sent
  7             2  23.0 s         25.0 s       81.0 %  1.20 copies
  8             1  22.0 s              -            -  1.20 copies
  mean             22.5 s         25.0 s       81.0 %  1.20 copies
";
        assert_eq!(summary(&runs), expected);
        let json: serde_json::Value = serde_json::from_str(&json(&runs)).unwrap();
        assert_eq!((&json["schema"], &json["runs"][1]["seed"]), (&"runs/1".into(), &8.into()));
        assert_eq!(json["runs"][0]["schema"], "sim/1");
    }
}
