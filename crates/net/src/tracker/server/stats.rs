//! The tracker's numbers: counted without locks, shown as a page for people and as JSON for programs.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use swarmlab_protocol::tracker::Totals;

use super::Tracker;

/// Most torrents listed on the page, and most the tracker may hold for it to look for the largest of them.
const LISTED: usize = 50;
const SEARCHED: u32 = 20_000;

/// A number that only grows.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a tracker has been asked so far. Counting takes no lock.
#[derive(Debug, Default)]
pub struct Counters {
    pub(super) connections: Counter,
    pub(super) announces: Counter,
    pub(super) started: Counter,
    pub(super) completed: Counter,
    pub(super) stopped: Counter,
    pub(super) scrapes: Counter,
    pub(super) failures: Counter,
    pub(super) not_found: Counter,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections accepted.
    pub connections: u64,
    /// Announces answered with peers or the lack of them.
    pub announces: u64,
    /// Those of them with the event `started`.
    pub started: u64,
    /// Those of them with the event `completed`.
    pub completed: u64,
    /// Those of them with the event `stopped`.
    pub stopped: u64,
    /// Scrapes answered with numbers.
    pub scrapes: u64,
    /// Announces and scrapes answered with a failure reason.
    pub failures: u64,
    /// Requests for other paths.
    pub not_found: u64,
}

impl Counters {
    /// All of them now.
    pub fn read(&self) -> Stats {
        Stats {
            connections: self.connections.get(),
            announces: self.announces.get(),
            started: self.started.get(),
            completed: self.completed.get(),
            stopped: self.stopped.get(),
            scrapes: self.scrapes.get(),
            failures: self.failures.get(),
            not_found: self.not_found.get(),
        }
    }
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}\
    table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem 1rem .2rem 0;text-align:left;\
    border-bottom:1px solid #8884}td.n{text-align:right;font-variant-numeric:tabular-nums}\
    code{font-size:.85em}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}";

/// The page `/stats`.
pub(super) fn page(tracker: &Tracker) -> String {
    let (totals, stats) = (tracker.totals(), tracker.counters().read());
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>swarmlab tracker</title><style>{STYLE}</style><h1>swarmlab tracker</h1>\
         <p>Up {}. Clients announce every {}.</p><table>",
        span(tracker.started.elapsed()),
        span(tracker.config().interval),
    );
    for (name, number) in [
        ("torrents", totals.torrents.into()),
        ("peers", totals.peers().into()),
        ("of these seeds", totals.seeds.into()),
        ("of these at IPv6 addresses", totals.peers_v6.into()),
        ("announces", stats.announces),
        ("of these started", stats.started),
        ("of these completed", stats.completed),
        ("of these stopped", stats.stopped),
        ("scrapes", stats.scrapes),
        ("refused", stats.failures),
        ("connections", stats.connections),
    ] {
        let _ = write!(page, "<tr><td>{name}<td class=n>{number}");
    }
    page.push_str("</table>");
    if tracker.config().full_scrape {
        list(tracker, totals, &mut page);
    }
    page.push_str("<p>The same for programs: <a href=\"/stats.json\">/stats.json</a></p>\n");
    page
}

/// The table of the largest torrents.
fn list(tracker: &Tracker, totals: Totals, page: &mut String) {
    if totals.torrents > SEARCHED {
        return;
    }
    let mut torrents = tracker.torrents();
    torrents.sort_unstable_by_key(|(hash, counts)| {
        (std::cmp::Reverse(counts.complete + counts.incomplete), *hash)
    });
    page.push_str("<table><tr><th>torrent<th>seeds<th>leechers<th>completed");
    for (hash, counts) in torrents.iter().take(LISTED) {
        let _ = write!(
            page,
            "<tr><td><code>{hash}</code><td class=n>{}<td class=n>{}<td class=n>{}",
            counts.complete, counts.incomplete, counts.downloaded
        );
    }
    page.push_str("</table>");
}

/// The document `/stats.json`.
pub(super) fn json(tracker: &Tracker) -> String {
    let (totals, stats) = (tracker.totals(), tracker.counters().read());
    let mut json = String::from("{\"schema\":\"tracker-stats/1\"");
    for (name, number) in [
        ("uptime_seconds", tracker.started.elapsed().as_secs()),
        ("interval_seconds", tracker.config().interval.as_secs()),
        ("torrents", totals.torrents.into()),
        ("peers", totals.peers().into()),
        ("peers_ipv4", totals.peers_v4.into()),
        ("peers_ipv6", totals.peers_v6.into()),
        ("seeds", totals.seeds.into()),
        ("leechers", (totals.peers() - totals.seeds).into()),
        ("announces", stats.announces),
        ("started", stats.started),
        ("completed", stats.completed),
        ("stopped", stats.stopped),
        ("scrapes", stats.scrapes),
        ("failures", stats.failures),
        ("not_found", stats.not_found),
        ("connections", stats.connections),
    ] {
        let _ = write!(json, ",\"{name}\":{number}");
    }
    json.push_str("}\n");
    json
}

/// A time for people, in its two largest units.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) if seconds.is_multiple_of(60) => format!("{minutes} min"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (3661, "1 h 1 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
