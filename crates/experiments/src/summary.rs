//! The summary of a run for a terminal: one screen, at most 100 columns, plain words.

use std::fmt::Write as _;
use std::time::Duration;

use swarmlab_sim::{Framing, Stop};

use crate::numbers::{Decimal, TimeUnit, count, significant};
use crate::results::{Document, GroupResult, Results};
use crate::table::{Table, clipped};
use crate::units::{grouped, rate_of, show_duration, show_number, show_size};

/// Groups that have a line; the others are in the files.
const GROUPS: usize = 16;
/// Characters of a name.
const NAME: usize = 14;

/// The summary of these results, each line with its end.
pub(crate) fn of(results: &Results<'_>) -> String {
    let document = results.document();
    let mut text = String::new();
    head(&mut text, results);
    text.push('\n');
    groups(&mut text, document);
    text.push('\n');
    text.push_str(&facts(results).to_string());
    text.push('\n');
    messages(&mut text, document);
    checks(&mut text, document);
    for note in document.measured.iter().flat_map(|measured| &measured.notes) {
        line(&mut text, format_args!("note: {}", clipped(note, 94)));
    }
    text
}

fn head(text: &mut String, results: &Results<'_>) {
    let document = results.document();
    let content = document.content;
    let name = clipped(&document.scenario, 50);
    match (&document.measured, &document.digest) {
        (Some(measured), _) => {
            line(text, format_args!("{name}  (seed {}, {})", document.seed, clipped(&measured.client, 30)));
        }
        (None, digest) => {
            let digest = digest.as_deref().unwrap_or_default();
            line(text, format_args!("{name}  (seed {}, digest {:.12})", document.seed, digest));
        }
    }
    line(
        text,
        format_args!(
            "  {} in {} of {}, {} in {}",
            show_size(content.length),
            count(content.piece_count.into(), "piece"),
            show_size(content.piece_length.into()),
            count(document.nodes, "peer"),
            count(document.groups.len() as u64, "group"),
        ),
    );
    line(text, format_args!("  {}", ending(results)));
}

/// Whether the run is complete, and why it ended.
pub(crate) fn ending(results: &Results<'_>) -> String {
    let document = results.document();
    let time = show_duration(results.outcome().simulated);
    match (document.end, document.complete) {
        ("leechers-done", _) => format!("complete: every honest leecher was done or gone after {time}"),
        ("max-time", true) => format!("complete: ran for {time}, as the scenario says"),
        ("max-time", false) => format!("unfinished: leechers were still waiting at the longest time, {time}"),
        ("piece-lost", _) => {
            let piece = document.lost_piece.unwrap_or(0);
            format!("unfinished: after {time} nobody held piece {piece}, and nobody was to bring it")
        }
        _ => format!("interrupted after {time}: these are partial results"),
    }
}

fn groups(text: &mut String, document: &Document) {
    let unit = time_unit(document);
    let mut table = Table::new([
        "group", "peers", "done", "min", "mean", "p50", "p95", "max", "sent", "received", "ratio",
    ]);
    for group in document.groups.iter().take(GROUPS) {
        table.row(group_cells(group, unit));
    }
    line(
        text,
        format_args!("Time from a peer's join to its last piece in {}; content sent and received", unit.name),
    );
    text.push_str(&table.to_string());
    let rest = document.groups.len().saturating_sub(GROUPS) as u64;
    if rest > 0 {
        line(text, format_args!("  and {}: see --json", count(rest, "more group")));
    }
}

/// The unit for the times of all groups.
pub(crate) fn time_unit(document: &Document) -> TimeUnit {
    let longest = document.groups.iter().filter_map(|group| group.time.map(|time| duration(time.max))).max();
    TimeUnit::of(longest.unwrap_or_default())
}

fn group_cells(group: &GroupResult, unit: TimeUnit) -> Vec<String> {
    let dash = || "-".to_owned();
    let done = if group.role == "seed" { dash() } else { grouped(group.completed) };
    let mut cells = vec![clipped(&group.name, NAME), grouped(group.count), done];
    match group.time {
        Some(time) => {
            let times = [time.min, time.mean, time.p50, time.p95, time.max];
            cells.extend(times.map(|time| unit.show(duration(time))));
        }
        None => cells.extend(std::iter::repeat_with(dash).take(5)),
    }
    cells.extend([show_size(group.uploaded), show_size(group.downloaded)]);
    cells.push(group.share_ratio.map_or_else(dash, significant));
    cells
}

/// A number of seconds as a time.
pub(crate) fn duration(seconds: Decimal) -> Duration {
    Duration::from_micros(u64::try_from(seconds.millionths()).unwrap_or(u64::MAX))
}

/// The numbers of the whole swarm, with their names.
pub(crate) fn facts(results: &Results<'_>) -> Table {
    let mut table = Table::new(["", ""]).aligned(1, crate::table::Align::Left);
    for (name, value) in fact_list(results) {
        table.row([name.to_owned(), value]);
    }
    table
}

/// Name and value of each.
pub(crate) fn fact_list(results: &Results<'_>) -> Vec<(&'static str, String)> {
    let document = results.document();
    let mut facts = vec![("bound", bound_words(results))];
    // In a run that ends by time nobody waits for a last one.
    if results.model().run.stop == Stop::LeechersDone {
        facts.push(("last one done", makespan_words(document)));
    }
    facts.push(("uplinks", uplink_words(document)));
    if let Some(copies) = document.seed_copies {
        let sent: u64 =
            document.groups.iter().filter(|group| group.role == "seed").map(|group| group.uploaded).sum();
        facts.push((
            "seeds sent",
            format!("{} copies of the content ({})", copies.rounded(2), show_size(sent)),
        ));
    }
    if let Some(wasted) = document.wasted_share.filter(|share| share.millionths() > 0) {
        facts.push(("wasted", format!("{} of what was received", wasted.percent_with(2))));
    }
    if let Some(copies) = document.true_copies {
        facts.push(("real bytes", copies_words(document, copies)));
    }
    facts.push(("tracker", tracker_words(document)));
    match &document.measured {
        None => {
            facts.push(("overhead", overhead_words(results)));
            facts.push(("this run", run_words(results)));
        }
        Some(measured) => {
            let links = document.link_overhead.map_or_else(|| "-".to_owned(), |share| share.percent_with(2));
            facts.push((
                "overhead",
                format!("{links} of the content for messages, headers and acknowledgements"),
            ));
            let programs = format!("{}, {}, {}", measured.client, measured.tracker, measured.kernel);
            facts.push(("measured with", clipped(&programs, 80)));
            if let Some(busy) = measured.cpu_busy {
                facts.push(("processors", format!("{} busy meanwhile", busy.percent())));
            }
        }
    }
    facts
}

fn bound_words(results: &Results<'_>) -> String {
    match results.bound() {
        Some(bound) => {
            format!("{} at least, set by {} (Kumar and Ross)", show_duration(bound.time), bound.limit.words())
        }
        None => "none: this scenario does not wait for a last completion".to_owned(),
    }
}

fn makespan_words(document: &Document) -> String {
    let Some(makespan) = document.makespan_seconds else { return "not all are done".to_owned() };
    let time = show_duration(duration(makespan));
    match document.efficiency {
        Some(share) => format!("{time} after the first came: {} of the best possible", share.percent()),
        None => format!("{time} after the first came"),
    }
}

fn uplink_words(document: &Document) -> String {
    let used = document.utilisation;
    let percent = |share: Option<Decimal>| share.map_or_else(|| "-".to_owned(), Decimal::percent);
    format!(
        "{} used for content (leechers {}, seeds {}), {} with headers",
        percent(used.all),
        percent(used.leechers),
        percent(used.seeds),
        percent(document.link_utilisation.all),
    )
}

fn copies_words(document: &Document, copies: u64) -> String {
    let completed: u64 = document.groups.iter().map(|group| group.completed).sum();
    if copies == completed {
        format!("{} completed with the content, byte for byte", count(copies, "peer"))
    } else {
        format!("only {} of {} completed with the content", grouped(copies), count(completed, "peer"))
    }
}

fn tracker_words(document: &Document) -> String {
    let tracker = document.tracker;
    let mut words = format!("{} answered", count(tracker.announces, "announce"));
    if tracker.unanswered > 0 {
        let _ = write!(words, ", {} not", grouped(tracker.unanswered));
    }
    let _ = write!(words, ", {} given", count(tracker.peers_given, "peer"));
    words
}

fn overhead_words(results: &Results<'_>) -> String {
    let document = results.document();
    let percent =
        |share: Option<Decimal>| share.map_or_else(|| "-".to_owned(), |share| share.percent_with(2));
    let protocol = percent(document.protocol_overhead);
    match results.model().network.framing {
        Framing::Ethernet => {
            let links = percent(document.link_overhead);
            format!("{protocol} of the content for messages, {links} with headers and acknowledgements")
        }
        Framing::None => format!("{protocol} of the content for messages (packet headers are not counted)"),
    }
}

fn run_words(results: &Results<'_>) -> String {
    let (document, wall) = (results.document(), results.info().wall);
    let mut words = format!(
        "{} on {}: {} events/s, {} blocks/s",
        show_duration(wall),
        count(document.threads.into(), "thread"),
        show_number(rate_of(document.events, wall)),
        show_number(rate_of(document.blocks, wall)),
    );
    if let Some(bytes) = document.bytes_per_node {
        let _ = write!(words, ", {} per node", show_size(bytes));
    }
    words
}

fn messages(text: &mut String, document: &Document) {
    if document.messages.is_empty() {
        return;
    }
    line(text, format_args!("Messages sent"));
    let mut table = Table::new(["kind", "count", "bytes", "besides content", "of the content"]);
    for kind in &document.messages {
        let besides = kind.bytes - kind.content;
        let share = Decimal::ratio(besides.into(), document.content_bytes.into());
        let share = share.map_or_else(|| "-".to_owned(), |share| share.percent_with(3));
        table.row([
            kind.kind.to_owned(),
            grouped(kind.count),
            show_size(kind.bytes),
            show_size(besides),
            share,
        ]);
    }
    text.push_str(&table.to_string());
}

fn checks(text: &mut String, document: &Document) {
    if document.checks.is_empty() {
        return;
    }
    let failed = document.checks.iter().filter(|check| !check.ok);
    let good = document.checks.len() - failed.clone().count();
    line(text, format_args!("\nChecks: {good} of {} hold", document.checks.len()));
    for check in failed {
        let what = check.first_failure.as_deref().unwrap_or("no details");
        let head = format!("  {} failed {}: ", clipped(check.name, 40), count(check.failures, "time"));
        let room = 100_usize.saturating_sub(head.chars().count());
        line(text, format_args!("{head}{}", clipped(what, room)));
    }
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{words}");
}
