//! Runs side by side: a table with a column for each, real or simulated.

use std::time::Duration;

use crate::numbers::{Decimal, count, micros};
use crate::results::Results;
use crate::statistics::Spread;
use crate::table::{Table, clipped};
use crate::units::{grouped, show_duration, show_size};

/// What is compared of a run. A real swarm has most of it as well; what it does not know stays `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Leechers at the start.
    pub leechers: u64,
    /// Those that have everything at the end.
    pub completed: u64,
    /// Length of the content in bytes.
    pub length: u64,
    /// No swarm with these links can be done earlier; [`crate::bound`].
    pub bound: Option<Duration>,
    /// From a leecher's start to its last piece: one for each that completed, in any order.
    pub times: Vec<Duration>,
    /// From the first start to the last completion, if all completed.
    pub last: Option<Duration>,
    /// Content the seeds sent, in bytes.
    pub seeds_sent: u64,
    /// Content the leechers sent, in bytes.
    pub leechers_sent: u64,
    /// Announces the tracker answered.
    pub announces: Option<u64>,
    /// Messages sent by all.
    pub messages: Option<u64>,
    /// Bytes of messages besides content.
    pub overhead: Option<u64>,
    /// Wall time it took.
    pub wall: Option<Duration>,
}

impl Figures {
    /// Those of a simulated run.
    pub fn of(results: &Results<'_>) -> Figures {
        let (outcome, document) = (results.outcome(), results.document());
        let leechers = || document.groups.iter().filter(|group| group.role != "seed");
        let sent = |seeds: bool| {
            let groups = document.groups.iter().filter(|group| (group.role == "seed") == seeds);
            groups.map(|group| group.uploaded).sum()
        };
        let messages = &document.messages;
        Figures {
            leechers: leechers().map(|group| group.count).sum(),
            completed: leechers().map(|group| group.completed).sum(),
            length: document.content.length,
            bound: results.bound().map(|bound| bound.time),
            times: outcome.peers.iter().filter_map(crate::results::download_time).collect(),
            last: document.makespan_seconds.map(crate::summary::duration),
            seeds_sent: sent(true),
            leechers_sent: sent(false),
            announces: Some(document.tracker.announces),
            messages: Some(messages.iter().map(|kind| kind.count).sum()),
            overhead: Some(messages.iter().map(|kind| kind.bytes - kind.content).sum()),
            wall: Some(results.info().wall),
        }
    }
}

/// A table with a column for each run under its title, as text with line ends. Rows that no run has are left out.
pub fn side_by_side(runs: &[(&str, Figures)]) -> String {
    let mut table =
        Table::new(std::iter::once(String::new()).chain(runs.iter().map(|(title, _)| clipped(title, 26))));
    let mut row = |name: &str, cell: &dyn Fn(&Figures) -> Option<String>| {
        let cells: Vec<Option<String>> = runs.iter().map(|(_, figures)| cell(figures)).collect();
        if cells.iter().any(Option::is_some) {
            let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(|| "-".to_owned()));
            table.row(std::iter::once(name.to_owned()).chain(cells));
        }
    };
    row("leechers", &|run| Some(grouped(run.leechers)));
    row("completed", &|run| Some(grouped(run.completed)));
    row("physical bound", &|run| run.bound.map(show_duration));
    row("first done", &|run| spread(run).map(|times| shown(times.min)));
    row("median", &|run| spread(run).map(|times| shown(times.p50)));
    row("95 % done", &|run| spread(run).map(|times| shown(times.p95)));
    row("last done", &|run| run.last.map(show_duration));
    row("of the best possible", &|run| {
        Some(Decimal::ratio(run.bound?.as_micros(), run.last?.as_micros())?.percent())
    });
    row("seeds sent", &|run| {
        let copies = Decimal::ratio(run.seeds_sent.into(), run.length.into())?.rounded(2);
        Some(format!("{copies} copies"))
    });
    row("leechers' share ratio", &|run| {
        let received = u128::from(run.seeds_sent) + u128::from(run.leechers_sent);
        Some(Decimal::ratio(run.leechers_sent.into(), received)?.rounded(2).to_string())
    });
    row("protocol overhead", &|run| {
        let content = u128::from(run.seeds_sent) + u128::from(run.leechers_sent);
        Some(Decimal::ratio(run.overhead?.into(), content)?.percent_with(2))
    });
    row("messages", &|run| run.messages.map(grouped));
    row("moved in all", &|run| Some(show_size(run.seeds_sent.saturating_add(run.leechers_sent))));
    row("tracker", &|run| run.announces.map(|announces| count(announces, "announce")));
    row("wall time", &|run| run.wall.map(show_duration));
    table.to_string()
}

fn spread(run: &Figures) -> Option<Spread> {
    Spread::of(run.times.iter().copied().map(micros).collect())
}

fn shown(micros: u64) -> String {
    show_duration(Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::small;

    #[test]
    fn a_real_run_beside_a_simulated_one() {
        let small = small();
        let simulated = Figures::of(&small.results());
        let real = Figures {
            times: [21_900, 24_600].map(Duration::from_millis).to_vec(),
            last: Some(Duration::from_millis(24_600)),
            overhead: None,
            messages: None,
            wall: None,
            ..simulated.clone()
        };
        let text = side_by_side(&[("real", real), ("simulated", simulated)]);
        let expected = [
            "                                real    simulated",
            "  leechers                         2            2",
            "  completed                        2            2",
            "  physical bound              20.3 s       20.3 s",
            "  first done                  21.9 s       22.0 s",
            "  median                      21.9 s       22.0 s",
            "  95 % done                   24.6 s       24.0 s",
            "  last done                   24.6 s       25.0 s",
            "  of the best possible        82.3 %       81.0 %",
            "  seeds sent             1.20 copies  1.20 copies",
            "  leechers' share ratio         0.40         0.40",
            "  protocol overhead                -       0.19 %",
            "  messages                         -          506",
            "  moved in all               3.8 MiB      3.8 MiB",
            "  tracker                5 announces  5 announces",
            "  wall time                        -       250 ms",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn nothing_is_shown_as_nothing() {
        let text = side_by_side(&[("empty", Figures::default())]);
        assert_eq!(
            text,
            "                empty\n  leechers          0\n  completed         0\n  moved in all    0 B\n"
        );
    }
}
