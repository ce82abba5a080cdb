//! A scenario of a seed. Every part has a stream of random numbers of its own, and sizes are kept so small that a run takes
//! a fraction of a second.

mod client;
mod fault;
mod group;

use std::fmt::Display;

use swarmlab_protocol::Random;

use super::{Draft, Section};

/// Blocks that all nodes together fetch, at most: what keeps a run short.
const MOST_BLOCKS: u64 = 12_000;
/// Length of a block in bytes.
const BLOCK: u64 = 16 << 10;

/// The scenario of a seed.
pub fn draw(seed: u64) -> Draft {
    let mut dice = Dice(Random::stream(seed, 0x6675_7a7a));
    let (content, length) = content(&mut dice);
    let most_nodes = (MOST_BLOCKS / length.div_ceil(BLOCK)).clamp(2, 60);
    let regions = if dice.one_in(4) { dice.range(1, 3) } else { 0 };
    let mut sections = vec![content, run(&mut dice), network(&mut dice, regions), tracker(&mut dice)];
    if dice.one_in(2) {
        let mut section = Section::new("[client]");
        client::keys(&mut dice, "", &mut section);
        sections.push(section);
    }
    let groups = group::all(&mut dice, most_nodes, regions);
    let names: Vec<String> = groups
        .iter()
        .filter_map(|group| group.get("name"))
        .map(|name| name.trim_matches('"').to_owned())
        .collect();
    sections.extend(groups);
    sections.extend(fault::all(&mut dice, &names));
    sections.retain(|section| !section.keys.is_empty());
    Draft { seed, sections }
}

/// The content, and its length in bytes.
fn content(dice: &mut Dice) -> (Section, u64) {
    let piece = BLOCK << dice.below(6);
    let pieces = match dice.below(6) {
        0 => 1,
        1 => dice.range(2, 4),
        2 => dice.range(63, 66),
        3 => dice.range(100, 400),
        _ => dice.range(5, 40),
    };
    let pieces = pieces.min((MOST_BLOCKS / 4 / (piece / BLOCK)).max(1));
    let last = match dice.below(5) {
        0 => 1,
        1 => dice.range(1, piece),
        2 => (BLOCK * dice.range(1, piece / BLOCK)).saturating_sub(1),
        _ => piece,
    };
    let length = (pieces - 1) * piece + last;
    let mut section = Section::new("[content]");
    section.set("size", length);
    section.set("piece_length", piece);
    (section, length)
}

fn run(dice: &mut Dice) -> Section {
    let mut section = Section::new("[run]");
    if dice.one_in(10) {
        section.text("stop", "never");
        section.text("max_time", format_args!("{} min", dice.range(5, 90)));
    } else {
        section.text("max_time", format_args!("{} min", dice.range(60, 480)));
    }
    match dice.below(6) {
        0 => section.text("sample", format_args!("{} ms", dice.range(50, 900))),
        1 => section.text("sample", format_args!("{} s", dice.range(2, 20))),
        _ => {}
    }
    section
}

fn network(dice: &mut Dice, regions: u64) -> Section {
    let mut section = Section::new("[network]");
    if regions > 0 {
        let names: Vec<String> = (0..regions).map(|region| format!("\"r{region}\"")).collect();
        let row = |dice: &mut Dice| {
            let times: Vec<String> = (0..regions).map(|_| format!("\"{}\"", latency(dice))).collect();
            format!("[{}]", times.join(", "))
        };
        let rows: Vec<String> = (0..regions).map(|_| row(dice)).collect();
        let (names, rows) = (names.join(", "), rows.join(", "));
        section.set("latency", format_args!("{{ regions = [{names}], table = [{rows}] }}"));
    } else if dice.one_in(3) {
        let least = dice.range(100, 50_000);
        let most = least + dice.range(0, 300_000);
        section.set("latency", format_args!("{{ uniform = [\"{least} us\", \"{most} us\"] }}"));
    } else if dice.one_in(2) {
        section.text("latency", latency(dice));
    }
    if dice.one_in(2) {
        section.text("framing", "none");
    }
    if dice.one_in(3) {
        section.text("queue", format_args!("{} ms", dice.range(5, 2_000)));
    }
    section
}

/// From a switch in the same room to two satellites.
fn latency(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => format!("{} us", dice.range(100, 999)),
        1 => format!("{} ms", dice.range(200, 800)),
        _ => format!("{} ms", dice.range(1, 150)),
    }
}

fn tracker(dice: &mut Dice) -> Section {
    let mut section = Section::new("[tracker]");
    if dice.one_in(2) {
        section.text("interval", format_args!("{} min", dice.range(1, 40)));
    }
    if dice.one_in(4) {
        section.text("min_interval", format_args!("{} s", dice.range(10, 300)));
    }
    if dice.one_in(3) {
        section.set("numwant", dice.range(10, 100));
    }
    if dice.one_in(3) {
        section.text("latency", latency(dice));
    }
    section
}

/// A rate of a link, over four decades: from a modem to a data centre.
fn rate(dice: &mut Dice) -> String {
    let decade = [1_000, 10_000, 100_000, 1_000_000][dice.below(4) as usize];
    format!("{} B/s", decade * dice.range(2, 20))
}

/// A share from 0.1 to 1.
fn share(dice: &mut Dice) -> String {
    let tenths = dice.range(1, 10);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// What is drawn with.
struct Dice(Random);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0.below(bound)
    }

    /// A number between two, both among them.
    fn range(&mut self, least: u64, most: u64) -> u64 {
        let span = u32::try_from(most.saturating_sub(least)).unwrap_or(u32::MAX - 1);
        least + u64::from(self.below(span + 1))
    }

    /// True once in so many times.
    fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    fn one_of<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len() as u32) as usize]
    }

    /// Sets a key to a text, once in six times.
    fn sometimes(&mut self, section: &mut Section, key: &str, value: impl Display) {
        if self.one_in(6) {
            section.set(key, value);
        }
    }
}
