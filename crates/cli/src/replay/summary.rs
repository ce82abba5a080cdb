//! A summary of a trace: who was there, what was recorded, who completed when. The numbers are those of `sim/1` where both say
//! something.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use swarmlab_experiments::numbers::{Decimal, TimeUnit, count};
use swarmlab_experiments::statistics::Spread;
use swarmlab_experiments::table::{Table, clipped};
use swarmlab_experiments::units::{grouped, show_duration, show_size};
use swarmlab_trace::{End, Entry, Header, Level, Outcome, Record, State, code};

/// What has been read of a trace so far.
pub(crate) struct Tally {
    state: State,
    /// Records by kind, messages sent by the name of their kind.
    records: BTreeMap<u8, u64>,
    messages: BTreeMap<&'static str, u64>,
    answered: u64,
    lost: u64,
    end: Option<End>,
}

/// `replay/1`.
#[derive(Serialize)]
pub(crate) struct Document {
    name: String,
    world: String,
    seed: Option<u64>,
    program: String,
    /// The time of the last record, and of the end.
    seconds: Decimal,
    /// Whether the run came to its end.
    complete: bool,
    nodes: u64,
    present: u64,
    links: u64,
    recorded: Levels,
    records: BTreeMap<&'static str, u64>,
    lost: u64,
    groups: Vec<Group>,
    /// Sent by nodes that are recorded in full.
    messages: BTreeMap<&'static str, u64>,
    announces_answered: u64,
    /// How many present nodes have the rarest piece, at the last sample.
    rarest: Option<u64>,
}

#[derive(Default, Serialize)]
struct Levels {
    messages: u64,
    pieces: u64,
    life: u64,
    seen: u64,
}

#[derive(Serialize)]
struct Group {
    name: String,
    role: String,
    joined: u64,
    completed: u64,
    /// From a node's join to its completion, in seconds.
    time: Option<Times>,
    /// Content by nodes that are recorded in full, in bytes.
    sent: u64,
    received: u64,
}

#[derive(Serialize)]
struct Times {
    min: Decimal,
    mean: Decimal,
    p50: Decimal,
    p95: Decimal,
    p99: Decimal,
    max: Decimal,
}

impl Tally {
    pub(crate) fn new(header: &Header) -> Tally {
        Tally {
            state: State::new(header.piece_count()),
            records: BTreeMap::new(),
            messages: BTreeMap::new(),
            answered: 0,
            lost: 0,
            end: None,
        }
    }

    /// Counts a record.
    pub(crate) fn add(&mut self, entry: &Entry) {
        *self.records.entry(entry.record.kind()).or_default() += 1;
        match &entry.record {
            Record::Sent { message, .. } => *self.messages.entry(message.kind().name()).or_default() += 1,
            Record::Reply(reply) => self.answered += u64::from(reply.outcome == Outcome::Answered),
            Record::Lost(count) => self.lost = self.lost.saturating_add(*count),
            _ => {}
        }
        self.state.apply(entry.at, &entry.record);
    }

    /// The run is over.
    pub(crate) fn ends(&mut self, end: End) {
        self.end = Some(end);
    }

    /// Whether the end was read.
    pub(crate) fn has_end(&self) -> bool {
        self.end.is_some()
    }

    /// The state of now.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// What there is to say.
    pub(crate) fn document(&self, header: &Header) -> Document {
        let mut recorded = Levels::default();
        for node in self.state.nodes() {
            *match node.level {
                Level::Seen => &mut recorded.seen,
                Level::Life => &mut recorded.life,
                Level::Pieces => &mut recorded.pieces,
                Level::Messages => &mut recorded.messages,
            } += 1;
        }
        let present: Vec<_> = self.state.nodes().filter(|node| node.present).collect();
        Document {
            name: header.name.clone(),
            world: header.world.clone(),
            seed: header.seed,
            program: header.program.clone(),
            seconds: Decimal::micros(self.end.map_or(self.state.at(), |end| end.at)),
            complete: self.end.is_some_and(|end| end.complete),
            nodes: self.state.joined(),
            present: present.len() as u64,
            links: present.iter().map(|node| node.links.len() as u64).sum(),
            recorded,
            records: self.records.iter().map(|(kind, count)| (code::RECORDS.name(*kind), *count)).collect(),
            lost: self.lost,
            groups: self.groups(header),
            messages: self.messages.clone(),
            announces_answered: self.answered,
            rarest: self.state.sample().map(|sample| sample.rarest),
        }
    }

    fn groups(&self, header: &Header) -> Vec<Group> {
        let mut groups: Vec<(Group, Vec<u64>)> = header
            .groups
            .iter()
            .map(|head| {
                let (name, role) = (head.name.clone(), head.role.clone());
                (Group { name, role, joined: 0, completed: 0, time: None, sent: 0, received: 0 }, Vec::new())
            })
            .collect();
        for node in self.state.nodes() {
            let Some((group, times)) = groups.get_mut(node.group as usize) else { continue };
            group.joined += 1;
            group.sent = group.sent.saturating_add(node.sent);
            group.received = group.received.saturating_add(node.received);
            if let Some(at) = node.completed_at {
                group.completed += 1;
                times.push(at.saturating_sub(node.joined_at));
            }
        }
        groups.into_iter().map(|(group, times)| Group { time: Times::of(times), ..group }).collect()
    }
}

impl Times {
    fn of(micros: Vec<u64>) -> Option<Times> {
        let Spread { min, mean, p50, p95, p99, max, .. } = Spread::of(micros)?;
        let [min, mean, p50, p95, p99, max] = [min, mean, p50, p95, p99, max].map(Decimal::micros);
        Some(Times { min, mean, p50, p95, p99, max })
    }
}

impl Document {
    /// The text a person reads.
    pub(crate) fn text(&self, header: &Header) -> String {
        let mut text =
            format!("{}  ({} run{})\n", clipped(&self.name, 50), clipped(&self.world, 20), self.seed());
        if let Some(content) = &header.content {
            text.push_str(&format!(
                "  {} in {} of {}\n",
                show_size(content.length),
                count(content.piece_count.into(), "piece"),
                show_size(content.piece_length.into())
            ));
        }
        let ending = if self.complete { "ended" } else { "was not ended" };
        let time = show_duration(micros(self.seconds));
        text.push_str(&format!("  {} joined; the run {ending} after {time}\n", count(self.nodes, "peer")));
        text.push_str(&format!("  recorded      {}\n", self.recorded.words()));
        let seen = (count(self.present, "peer"), count(self.links, "link end"));
        text.push_str(&format!("  at the end    {} present with {}{}\n", seen.0, seen.1, self.rarest()));
        text.push_str(&format!("  tracker       {} answered\n", count(self.announces_answered, "announce")));
        if self.lost > 0 {
            text.push_str(&format!(
                "  lost          {} that could not be kept\n",
                count(self.lost, "record")
            ));
        }
        text.push_str(&self.groups_table());
        text.push_str(&table("messages sent", &self.messages));
        text.push_str(&table("records", &self.records));
        text
    }

    fn seed(&self) -> String {
        self.seed.map_or_else(String::new, |seed| format!(", seed {seed}"))
    }

    fn rarest(&self) -> String {
        self.rarest.map_or_else(String::new, |rarest| {
            format!(
                "; of the rarest piece there {}",
                if rarest == 1 { "is 1 copy".to_owned() } else { format!("are {} copies", grouped(rarest)) }
            )
        })
    }

    fn groups_table(&self) -> String {
        let longest =
            self.groups.iter().filter_map(|group| group.time.as_ref()).map(|times| micros(times.max)).max();
        let unit = TimeUnit::of(longest.unwrap_or_default());
        let mut table =
            Table::new(["group", "joined", "done", "min", "mean", "p50", "p95", "max", "sent", "received"]);
        for group in &self.groups {
            let mut row = vec![clipped(&group.name, 24), grouped(group.joined), grouped(group.completed)];
            match &group.time {
                Some(Times { min, mean, p50, p95, max, .. }) => {
                    row.extend([min, mean, p50, p95, max].map(|time| unit.show(micros(*time))));
                }
                None => row.extend(std::iter::repeat_n("-".to_owned(), 5)),
            }
            row.extend([show_size(group.sent), show_size(group.received)]);
            table.row(row);
        }
        format!(
            "\nTime from a peer's join to its last piece in {}; content of peers recorded in full\n{table}",
            unit.name
        )
    }
}

impl Levels {
    fn words(&self) -> String {
        let parts = [
            (self.messages, "in full"),
            (self.pieces, "with their pieces"),
            (self.life, "as they come, complete and go"),
            (self.seen, "as others saw them"),
        ];
        let words = parts.iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = words.map(|(count, how)| format!("{} {how}", grouped(*count))).collect();
        if words.is_empty() { "nobody".to_owned() } else { words.join(", ") }
    }
}

fn table(title: &str, counts: &BTreeMap<&'static str, u64>) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let mut rows: Vec<_> = counts.iter().collect();
    rows.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), **name));
    let mut table = Table::new([title, "count"]);
    rows.into_iter().for_each(|(name, count)| table.row([(*name).to_owned(), grouped(*count)]));
    format!("\n{table}")
}

fn micros(seconds: Decimal) -> Duration {
    Duration::from_micros(u64::try_from(seconds.millionths()).unwrap_or(u64::MAX))
}
