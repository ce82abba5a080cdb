//! `report.html`: one file with the numbers and the pictures of a run, that needs no network and no script to be read.
//!
//! Pictures are SVG made here, in integers. Every text that comes from a scenario is escaped. Colours follow the reader's
//! light or dark setting; lines differ in dashes too, for who does not tell the colours apart.

mod axis;
mod chart;
pub(crate) mod comparison;
mod fold;
mod groups;
mod html;
mod pictures;
#[cfg(test)]
mod tests;
mod thin;

use std::fmt::Write as _;

use html::escape;
use pictures::Picture;

use crate::numbers::{Decimal, TimeUnit, count};
use crate::results::{Document, GroupResult, PAGE, Results};
use crate::summary::{duration, ending, fact_list, time_unit};
use crate::units::{grouped, show_duration, show_size};

/// Groups that have a row; the others are in `results.json`.
const GROUPS: usize = 100;
/// Bytes of a scenario's text that are shown.
const SCENARIO: usize = 64 << 10;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The page.
pub(crate) fn of(results: &Results<'_>) -> String {
    let mut page = open(&results.info().scenario_name);
    head(&mut page, results);
    tiles(&mut page, results.document());
    page.push_str("<div class=\"pictures\">\n");
    let known = results.document().measured.is_none();
    let lines = [
        Some(pictures::completions(results)),
        Some(pictures::size(results)),
        known.then(|| pictures::rarest(results)),
        Some(pictures::utilisation(results)),
    ];
    lines.iter().flatten().for_each(|picture| page.push_str(&line_figure(picture)));
    let (says, svg) = groups::share_ratios(results);
    page.push_str(&figure("Share ratios", &says, "", svg.as_deref()));
    if known {
        let (says, svg) = groups::flows(results);
        page.push_str(&figure("Who gave to whom", &says, "", svg.as_deref()));
    }
    page.push_str("</div>\n");
    tables(&mut page, results);
    scenario(&mut page, &results.info().scenario_text);
    close(page)
}

/// A page up to its first line.
fn open(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{} - swarmlab</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escape(title)
    )
}

/// The same page with its end.
fn close(mut page: String) -> String {
    let _ = write!(page, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    page
}

fn head(page: &mut String, results: &Results<'_>) {
    let (document, content) = (results.document(), results.document().content);
    let class = if document.complete { "good" } else { "bad" };
    let _ = write!(
        page,
        "<header>\n<h1>{}</h1>\n<p>{} in {} of {}, {} in {}, seed {}.</p>\n<p class=\"{class}\">{}</p>\n",
        escape(&document.scenario),
        show_size(content.length),
        count(content.piece_count.into(), "piece"),
        show_size(content.piece_length.into()),
        count(document.nodes, "peer"),
        count(document.groups.len() as u64, "group"),
        document.seed,
        escape(&sentence(&ending(results))),
    );
    let info = results.info();
    if info.page.is_some() {
        let _ = writeln!(
            page,
            "<p><a href=\"{PAGE}\">Watch this run</a>, peer by peer and message by message.</p>"
        );
    }
    let commit = info.commit.as_deref().map(|commit| format!(" ({commit})")).unwrap_or_default();
    let _ = write!(
        page,
        "<p class=\"soft\">swarmlab {}{} on {}. {}</p>\n</header>\n",
        escape(&info.version),
        escape(&commit),
        escape(&info.platform),
        match (&document.measured, &document.digest) {
            (Some(measured), _) => {
                let notes: Vec<String> = measured.notes.iter().map(|note| sentence(note)).collect();
                let (client, kernel) = (&measured.client, &measured.kernel);
                escape(&format!(
                    "Measured with {client}, {}, {kernel}. {}",
                    measured.tracker,
                    notes.join(" ")
                ))
            }
            (None, digest) => format!("Digest <code>{}</code>", digest.as_deref().unwrap_or_default()),
        },
    );
}

/// With a capital letter and a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect()).unwrap_or_default()
}

fn tiles(page: &mut String, document: &Document) {
    let time = |seconds: Option<Decimal>| {
        seconds.map_or_else(|| "-".to_owned(), |seconds| show_duration(duration(seconds)))
    };
    let share = |share: Option<Decimal>| share.map_or_else(|| "-".to_owned(), Decimal::percent);
    let copies = document.seed_copies.map_or_else(|| "-".to_owned(), |copies| copies.rounded(2).to_string());
    let overhead = document.protocol_overhead.map_or_else(|| "-".to_owned(), |share| share.percent_with(2));
    let tiles = [
        ("physical bound", time(document.bound_seconds), "no swarm with these links is faster"),
        ("last one done", time(document.makespan_seconds), "after the first came"),
        ("of the best possible", share(document.efficiency), "bound / last one done"),
        ("uplinks used", share(document.utilisation.all), "content sent / capacity"),
        ("seeds sent", copies, "copies of the content"),
        ("protocol overhead", overhead, "messages besides content"),
    ];
    page.push_str("<dl class=\"tiles\">\n");
    for (name, value, note) in tiles {
        let _ = writeln!(page, "<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>");
    }
    page.push_str("</dl>\n");
}

fn line_figure(picture: &Picture) -> String {
    let svg = picture.chart.as_ref().map(|chart| chart.svg(&format!("{}: {}", picture.title, picture.says)));
    let legend = picture.chart.as_ref().map(chart::Chart::legend).unwrap_or_default();
    figure(picture.title, &picture.says, &legend, svg.as_deref())
}

fn figure(title: &str, says: &str, legend: &str, svg: Option<&str>) -> String {
    format!(
        "<figure>\n<figcaption><h2>{title}</h2><p>{}</p></figcaption>\n{legend}{}\n</figure>\n",
        escape(says),
        svg.unwrap_or_default()
    )
}

fn tables(page: &mut String, results: &Results<'_>) {
    let document = results.document();
    let titles = [
        "group",
        "role",
        "peers",
        "done",
        "gave up",
        "min",
        "mean",
        "p50",
        "p95",
        "p99",
        "max",
        "sent",
        "received",
        "ratio",
        "uplinks used",
    ];
    let unit = time_unit(document);
    let rows = html::table(&titles, document.groups.iter().take(GROUPS).map(|group| group_row(group, unit)));
    let _ = write!(
        page,
        "<section>\n<h2>Groups</h2>\n<p class=\"soft\">Time from a peer's join to its last piece in {}.</p>\n{rows}\n",
        unit.name
    );
    let rest = document.groups.len().saturating_sub(GROUPS) as u64;
    if rest > 0 {
        let _ = writeln!(page, "<p>And {}: see <code>results.json</code>.</p>", count(rest, "more group"));
    }
    page.push_str("</section>\n<section class=\"facts\">\n<h2>The whole swarm</h2>\n<table><tbody>");
    for (name, value) in fact_list(results) {
        let _ = write!(page, "<tr><th scope=\"row\">{name}</th><td>{}</td></tr>", escape(&value));
    }
    page.push_str("</tbody></table>\n</section>\n");
    if !document.messages.is_empty() {
        let rows = document.messages.iter().map(|kind| {
            let besides = kind.bytes - kind.content;
            let share = Decimal::ratio(besides.into(), document.content_bytes.into());
            let share = share.map_or_else(|| "-".to_owned(), |share| share.percent_with(3));
            vec![kind.kind.to_owned(), grouped(kind.count), show_size(kind.bytes), show_size(besides), share]
        });
        let rows = html::table(&["kind", "count", "bytes", "besides content", "of the content"], rows);
        let _ = write!(page, "<section>\n<h2>Messages</h2>\n{rows}\n</section>\n");
    }
    if !document.checks.is_empty() {
        let rows = document.checks.iter().map(|check| {
            let says = if check.ok { "holds".to_owned() } else { count(check.failures, "failure") };
            vec![check.name.to_owned(), says, check.first_failure.clone().unwrap_or_default()]
        });
        let rows = html::table(&["check", "", "first failure"], rows);
        let _ = write!(page, "<section>\n<h2>Checks</h2>\n{rows}\n</section>\n");
    }
}

fn group_row(group: &GroupResult, unit: TimeUnit) -> Vec<String> {
    let dash = || "-".to_owned();
    let leecher = |number: u64| if group.role == "seed" { dash() } else { grouped(number) };
    let role = match group.behaviour {
        "honest" => group.role.to_owned(),
        behaviour => format!("{}, {behaviour}", group.role),
    };
    let mut row = vec![
        group.name.clone(),
        role,
        grouped(group.count),
        leecher(group.completed),
        leecher(group.gave_up),
    ];
    match &group.time {
        Some(time) => {
            let times = [time.min, time.mean, time.p50, time.p95, time.p99, time.max];
            row.extend(times.map(|time| unit.show(duration(time))));
        }
        None => row.extend(std::iter::repeat_with(dash).take(6)),
    }
    row.extend([show_size(group.uploaded), show_size(group.downloaded)]);
    row.push(group.share_ratio.map_or_else(dash, |ratio| ratio.rounded(2).to_string()));
    row.push(group.utilisation.map_or_else(dash, Decimal::percent));
    row
}

fn scenario(page: &mut String, text: &str) {
    let mut end = text.len().min(SCENARIO);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let cut = if end < text.len() { "\n.. the rest is in manifest.json" } else { "" };
    let _ = write!(
        page,
        "<section>\n<details>\n<summary>The scenario</summary>\n<pre>{}{cut}</pre>\n</details>\n</section>\n",
        escape(&text[..end])
    );
}
