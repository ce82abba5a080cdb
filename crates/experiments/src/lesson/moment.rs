//! Moments of a run, found in its trace by what happens there.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use serde::Deserialize;
use swarmlab_protocol::ConnId;
use swarmlab_trace::{Entry, Item, NodeId, ReadError, Reader, Record, State, code};

use crate::units::{parse_time, show_duration};

/// What happens at a moment. Every key that is given must fit; with `after` alone it is a time. Words are those of `docs/trace.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Query {
    /// The kind of the record: `unchoked`, `sent`, `completed`.
    pub kind: Option<String>,
    /// Its reason, event, outcome or kind of fault: `regular`, `rarest first`, `started`.
    pub reason: Option<String>,
    /// The message that is sent or received: `have`.
    pub message: Option<String>,
    /// The name of the node's group.
    pub group: Option<String>,
    /// The name of the group at the other end.
    pub remote_group: Option<String>,
    /// The number of the node.
    pub node: Option<NodeId>,
    /// The number of the node at the other end.
    pub remote: Option<NodeId>,
    /// The piece it is about.
    pub piece: Option<u32>,
    /// Not before this time: `12 s`.
    pub after: Option<String>,
    /// Which of those that fit, from 1.
    pub nth: Option<u32>,
    /// The last of those that fit.
    pub last: bool,
}

/// A moment that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// When, in microseconds of the run.
    pub at: u64,
    /// What the record names: `time`, `node`, `remote`, `conn`, `piece`.
    pub words: BTreeMap<String, String>,
    /// The record, unless the moment is a time.
    pub record: Option<Record>,
}

/// A query is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoTime(pub(super) String);

/// What a record says, in the words of queries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Facts {
    kind: &'static str,
    reason: Option<&'static str>,
    message: Option<&'static str>,
    node: Option<NodeId>,
    conn: Option<ConnId>,
    remote: Option<NodeId>,
    piece: Option<u32>,
}

/// A query while its moment is looked for.
struct Search<'a> {
    query: &'a Query,
    after: u64,
    left: u32,
    found: Option<Moment>,
}

/// Finds the moment of each query; nothing for one whose moment does not come.
pub(super) fn find(
    trace: impl Read,
    queries: &[&Query],
) -> Result<Result<Vec<Option<Moment>>, NoTime>, ReadError> {
    let searches: Result<Vec<Search<'_>>, NoTime> = queries.iter().map(|query| Search::new(query)).collect();
    let mut searches = match searches {
        Ok(searches) => searches,
        Err(error) => return Ok(Err(error)),
    };
    let mut reader = Reader::new(trace)?;
    let groups: Vec<String> = reader.header().groups.iter().map(|group| group.name.clone()).collect();
    let mut state = State::new(reader.header().piece_count());
    while let Some(item) = reader.next_item()? {
        let Item::Record(entry) = item else { continue };
        // A record that ends a link still speaks of it, and one that begins a node already does.
        let facts = facts(&entry.record, &state);
        state.apply(entry.at, &entry.record);
        let group_of = |node: Option<NodeId>| {
            let group = state.node(node?)?.group;
            groups.get(group as usize).map(String::as_str)
        };
        for search in &mut searches {
            search.see(&entry, facts, group_of(facts.node), group_of(facts.remote));
        }
    }
    Ok(Ok(searches.into_iter().map(|search| search.found).collect()))
}

impl<'a> Search<'a> {
    fn new(query: &'a Query) -> Result<Search<'a>, NoTime> {
        let after = query.after.as_deref().map_or(Ok(Duration::ZERO), |text| {
            parse_time(text).map_err(|error| NoTime(format!("{text:?}: {error}")))
        })?;
        let after = after.as_micros() as u64;
        let found = is_time(query).then(|| Moment::at(after));
        Ok(Search { query, after, left: query.nth.unwrap_or(1).max(1), found })
    }

    fn see(&mut self, entry: &Entry, facts: Facts, group: Option<&str>, remote_group: Option<&str>) {
        let done = self.found.is_some() && !self.query.last;
        if done
            || is_time(self.query)
            || entry.at < self.after
            || !fits(self.query, facts, group, remote_group)
        {
            return;
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || self.query.last {
            self.found = Some(Moment::of(entry, facts));
        }
    }
}

/// Whether a query asks for a time, whatever happens then.
fn is_time(query: &Query) -> bool {
    *query == Query { after: query.after.clone(), ..Query::default() }
}

fn fits(query: &Query, facts: Facts, group: Option<&str>, remote_group: Option<&str>) -> bool {
    let text = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
    let number = |wanted: Option<u32>, found: Option<u32>| wanted.is_none() || wanted == found;
    text(&query.kind, Some(facts.kind))
        && text(&query.reason, facts.reason)
        && text(&query.message, facts.message)
        && text(&query.group, group)
        && text(&query.remote_group, remote_group)
        && number(query.node, facts.node)
        && number(query.remote, facts.remote)
        && number(query.piece, facts.piece)
}

impl Moment {
    fn at(at: u64) -> Moment {
        let time = show_duration(Duration::from_micros(at));
        Moment { at, words: BTreeMap::from([("time".to_owned(), time)]), record: None }
    }

    fn of(entry: &Entry, facts: Facts) -> Moment {
        let mut moment = Moment::at(entry.at);
        let numbers = [
            ("node", facts.node),
            ("remote", facts.remote),
            ("conn", facts.conn.map(|conn| conn.0.into())),
            ("piece", facts.piece),
        ];
        let numbers =
            numbers.iter().filter_map(|(name, number)| Some(((*name).to_owned(), (*number)?.to_string())));
        moment.words.extend(numbers);
        moment.record = Some(entry.record.clone());
        moment
    }
}

/// What a record says; `before` is the state in which it happens.
fn facts(record: &Record, before: &State) -> Facts {
    let mut facts = plain(record);
    facts.node = record.node();
    if let (Some(node), Some(conn), None) = (facts.node, facts.conn, facts.remote) {
        let links = before.node(node).into_iter().flat_map(|node| &node.links);
        facts.remote = links.into_iter().find(|link| link.conn == conn).map(|link| link.remote);
    }
    facts
}

/// The same without what the state knows.
fn plain(record: &Record) -> Facts {
    let of = |kind| Facts { kind, ..Facts::default() };
    let on = |kind, conn: ConnId| Facts { conn: Some(conn), ..of(kind) };
    let why = |facts, reason| Facts { reason: Some(reason), ..facts };
    let about = |facts, piece: u32| Facts { piece: Some(piece), ..facts };
    let with = |facts, remote| Facts { remote: Some(remote), ..facts };
    match record {
        Record::Join(_) => of("join"),
        Record::Leave { why: reason, .. } => why(of("leave"), code::DEPARTURES.name(*reason)),
        Record::Dial { remote, .. } => with(of("dial"), *remote),
        Record::DialFailed { remote, .. } => with(of("dial failed"), *remote),
        Record::Opened(opened) => {
            why(with(on("opened", opened.conn), opened.remote), code::DIRECTIONS.name(opened.direction))
        }
        Record::Closed { conn, reason, .. } => why(on("closed", *conn), code::CLOSINGS.name(*reason)),
        Record::Sent { conn, message, .. } => said(on("sent", *conn), message),
        Record::Received { conn, message, .. } => said(on("received", *conn), message),
        Record::Unchoked { conn, reason, .. } => why(on("unchoked", *conn), code::UNCHOKES.name(*reason)),
        Record::Choked { conn, reason, .. } => why(on("choked", *conn), code::CHOKES.name(*reason)),
        Record::Picked { conn, piece, reason, .. } => {
            about(why(on("picked", *conn), code::PICKS.name(*reason)), piece.0)
        }
        Record::Snubbed { conn, .. } => on("snubbed", *conn),
        Record::Banned { conn, piece, .. } => about(on("banned", *conn), piece.0),
        Record::Endgame { .. } => of("endgame"),
        Record::Verified { piece, ok, .. } => {
            about(why(of("verified"), if *ok { "good" } else { "bad" }), piece.0)
        }
        Record::Completed { .. } => of("completed"),
        Record::Announce(announce) => why(of("announce"), code::EVENTS.name(announce.event)),
        Record::Reply(reply) => why(of("reply"), code::OUTCOMES.name(reply.outcome)),
        Record::Fault(fault) => why(of("fault"), code::FAULTS.name(fault.kind)),
        Record::Sample(_) => of("sample"),
        Record::Lost(_) => of("lost"),
    }
}

fn said(facts: Facts, message: &swarmlab_protocol::Message) -> Facts {
    use swarmlab_protocol::Message;
    let piece = match message {
        Message::Have(piece) | Message::Suggest(piece) | Message::AllowedFast(piece) => Some(piece.0),
        Message::Request(block) | Message::Piece(block) | Message::Cancel(block) | Message::Reject(block) => {
            Some(block.piece.0)
        }
        _ => None,
    };
    Facts { message: Some(message.kind().name()), piece, ..facts }
}
