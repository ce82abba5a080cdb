//! Records as lines of JSON: one object for each, names in place of numbers, fields in the order of `docs/trace.md`.

use std::fmt::{Display, Write as _};

use swarmlab_protocol::{Block, Message};
use swarmlab_trace::{
    Announce, Entry, Fault, GroupSample, Header, Join, Opened, Pieces, Record, Reply, Sample, code,
};

/// One JSON object that is being written.
pub(crate) struct Line(String);

impl Line {
    fn new() -> Line {
        Line("{".to_owned())
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.text_value(key);
        self.0.push(':');
    }

    fn text_value(&mut self, text: &str) {
        self.0.push_str(&serde_json::to_string(text).expect("a text has a JSON form"));
    }

    /// A number, or `true`, `false` or `null`.
    fn plain(mut self, key: &str, value: impl Display) -> Line {
        self.key(key);
        // Writing to a String cannot fail.
        _ = write!(self.0, "{value}");
        self
    }

    fn text(mut self, key: &str, text: impl Display) -> Line {
        self.key(key);
        self.text_value(&text.to_string());
        self
    }

    fn hex(mut self, key: &str, bytes: &[u8]) -> Line {
        self.key(key);
        self.0.push('"');
        bytes.iter().for_each(|byte| _ = write!(self.0, "{byte:02x}"));
        self.0.push('"');
        self
    }

    fn block(self, block: &Block) -> Line {
        self.plain("piece", block.piece).plain("begin", block.begin).plain("length", block.len)
    }

    fn end(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}

/// The line of a record.
pub(crate) fn line(entry: &Entry, header: &Header) -> String {
    let record = &entry.record;
    let line = Line::new().plain("at_us", entry.at).text("record", code::RECORDS.name(record.kind()));
    let line = match record.node() {
        Some(node) => line.plain("node", node),
        None => line,
    };
    fields(line, record, header).end()
}

fn fields(line: Line, record: &Record, header: &Header) -> Line {
    match record {
        Record::Join(join) => of_join(line, join, header),
        Record::Leave { why, .. } => line.text("why", code::DEPARTURES.name(*why)),
        Record::Dial { remote, .. } | Record::DialFailed { remote, .. } => line.plain("remote", remote),
        Record::Opened(opened) => of_opened(line, opened),
        Record::Closed { conn, reason, .. } => {
            line.plain("conn", conn.0).text("reason", code::CLOSINGS.name(*reason))
        }
        Record::Sent { conn, message, .. } | Record::Received { conn, message, .. } => {
            of_message(line.plain("conn", conn.0), message)
        }
        Record::Unchoked { conn, reason, .. } => {
            line.plain("conn", conn.0).text("reason", code::UNCHOKES.name(*reason))
        }
        Record::Choked { conn, reason, .. } => {
            line.plain("conn", conn.0).text("reason", code::CHOKES.name(*reason))
        }
        Record::Picked { conn, piece, reason, availability, .. } => line
            .plain("conn", conn.0)
            .plain("piece", piece)
            .text("reason", code::PICKS.name(*reason))
            .plain("availability", availability),
        Record::Snubbed { conn, .. } => line.plain("conn", conn.0),
        Record::Banned { conn, piece, .. } => line.plain("conn", conn.0).plain("piece", piece),
        Record::Verified { piece, ok, .. } => line.plain("piece", piece).plain("ok", ok),
        Record::Endgame { .. } | Record::Completed { .. } => line,
        Record::Announce(announce) => of_announce(line, announce),
        Record::Reply(reply) => of_reply(line, reply),
        Record::Fault(fault) => of_fault(line, fault, header),
        Record::Sample(sample) => of_sample(line, sample, header),
        Record::Lost(count) => line.plain("count", count),
    }
}

/// The name of a group.
pub(super) fn group_name(header: &Header, group: u32) -> &str {
    header.groups.get(group as usize).map_or("", |group| group.name.as_str())
}

fn of_join(line: Line, join: &Join, header: &Header) -> Line {
    let line = line
        .text("group", group_name(header, join.group))
        .text("level", code::LEVELS.name(join.level))
        .text("peer_id", join.peer_id)
        .hex("reserved", &join.reserved.0)
        .text("address", join.addr)
        .plain("up", join.up)
        .plain("down", join.down);
    match &join.pieces {
        Pieces::Some(have) => line.plain("pieces", have.count()).hex("bitfield", &have.to_wire()),
        pieces => line.plain("pieces", pieces.count(header.piece_count())),
    }
}

fn of_opened(line: Line, opened: &Opened) -> Line {
    line.plain("conn", opened.conn.0)
        .plain("remote", opened.remote)
        .text("direction", code::DIRECTIONS.name(opened.direction))
        .hex("reserved", &opened.reserved.0)
}

fn of_message(line: Line, message: &Message) -> Line {
    let line = line.text("message", message.kind().name());
    match message {
        Message::KeepAlive
        | Message::Choke
        | Message::Unchoke
        | Message::Interested
        | Message::NotInterested
        | Message::HaveAll
        | Message::HaveNone => line,
        Message::Have(piece) | Message::Suggest(piece) | Message::AllowedFast(piece) => {
            line.plain("piece", piece)
        }
        Message::Bitfield(have) => line.plain("pieces", have.count()).hex("bitfield", &have.to_wire()),
        Message::Request(block) | Message::Piece(block) | Message::Cancel(block) | Message::Reject(block) => {
            line.block(block)
        }
        Message::Port(port) => line.plain("port", port),
        Message::Extended(extended) => line.plain("id", extended.id).hex("payload", &extended.payload),
    }
}

fn of_announce(line: Line, announce: &Announce) -> Line {
    line.plain("tracker", announce.tracker)
        .text("event", code::EVENTS.name(announce.event))
        .plain("uploaded", announce.uploaded)
        .plain("downloaded", announce.downloaded)
        .plain("left", announce.left)
        // A request is ASCII, whatever it names is escaped; what is not is shown so that it can be told.
        .text("request", String::from_utf8_lossy(&announce.bytes))
}

fn of_reply(line: Line, reply: &Reply) -> Line {
    line.plain("tracker", reply.tracker)
        .text("outcome", code::OUTCOMES.name(reply.outcome))
        .plain("interval_s", reply.interval)
        .plain("peers", reply.peers)
        .hex("body", &reply.bytes)
}

fn of_fault(line: Line, fault: &Fault, header: &Header) -> Line {
    let line = line.text("kind", code::FAULTS.name(fault.kind)).text("phase", code::PHASES.name(fault.phase));
    let line = match fault.group {
        Some(group) => line.text("group", group_name(header, group)),
        None => line,
    };
    line.text("text", &fault.text)
}

fn of_sample(line: Line, sample: &Sample, header: &Header) -> Line {
    let mut line =
        line.plain("rarest", sample.rarest).plain("announces", sample.announces).plain("up", sample.up);
    line.key("groups");
    line.0.push('[');
    for (number, group) in sample.groups.iter().enumerate() {
        let GroupSample { leechers, seeds, completed, uploaded, downloaded } = group;
        let object = Line::new()
            .text("name", group_name(header, number as u32))
            .plain("leechers", leechers)
            .plain("seeds", seeds)
            .plain("completed", completed)
            .plain("uploaded", uploaded)
            .plain("downloaded", downloaded);
        if number > 0 {
            line.0.push(',');
        }
        line.0.push_str(object.end().trim_end());
    }
    line.0.push(']');
    line
}

#[cfg(test)]
mod tests {
    use swarmlab_protocol::{ConnId, PieceIndex, UnchokeReason};

    use super::*;

    #[test]
    fn a_record_is_an_object_with_names() {
        let header = Header::new("a test", "real");
        let of = |record| line(&Entry { at: 1_500, record }, &header);
        let block = Block { piece: PieceIndex(3), begin: 16_384, len: 100 };
        let (node, conn) = (7, ConnId(2));
        for (record, text) in [
            (
                Record::Sent { node, conn, message: Message::Request(block) },
                r#"{"at_us":1500,"record":"sent","node":7,"conn":2,"message":"request","piece":3,"begin":16384,"length":100}"#,
            ),
            (
                Record::Unchoked { node, conn, reason: UnchokeReason::Optimistic },
                r#"{"at_us":1500,"record":"unchoked","node":7,"conn":2,"reason":"optimistic"}"#,
            ),
            (Record::Lost(9), r#"{"at_us":1500,"record":"lost","count":9}"#),
            (
                Record::Sample(Box::new(Sample {
                    groups: vec![GroupSample::default(); 2],
                    ..Sample::default()
                })),
                r#"{"at_us":1500,"record":"sample","rarest":0,"announces":0,"up":0,"groups":[{"name":"","leechers":0,"seeds":0,"completed":0,"uploaded":0,"downloaded":0},{"name":"","leechers":0,"seeds":0,"completed":0,"uploaded":0,"downloaded":0}]}"#,
            ),
        ] {
            assert_eq!(of(record), format!("{text}\n"));
        }
    }
}
