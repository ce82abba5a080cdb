//! `peers.csv`: a row for each peer, integers and fixed decimals only, so that equal outcomes are equal bytes.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use swarmlab_sim::{Model, Outcome};

use super::groups::download_time;
use crate::numbers::Decimal;

/// The columns. Later ones are added at the end.
const HEADER: &str = "id,group,join_s,complete_s,duration_s,leave_s,uploaded,downloaded,wasted,lacked,up_wire,down_wire,\
                      present_s,bad_pieces,nat,hash";

/// Times are seconds from the start of the run, empty where there is none; `duration_s` is from join to completion of a node
/// that lacked something. The rest is bytes, but `bad_pieces` (a count), `nat` (0 or 1), `hash` (16 hex digits).
pub(super) fn write(model: &Model, outcome: &Outcome, out: impl Write) -> io::Result<()> {
    let names: Vec<String> = model.groups.iter().map(|group| field(&group.name)).collect();
    let mut out = BufWriter::with_capacity(1 << 16, out);
    writeln!(out, "{HEADER}")?;
    for (id, peer) in outcome.peers.iter().enumerate() {
        let group = names.get(peer.group as usize).map_or("", String::as_str);
        let [join, complete, duration, leave] =
            [peer.join, peer.complete, download_time(peer), peer.leave].map(seconds);
        write!(out, "{id},{group},{join},{complete},{duration},{leave},")?;
        write!(out, "{},{},{},{},", peer.uploaded, peer.downloaded, peer.wasted, peer.lacked)?;
        write!(out, "{},{},{},", peer.up_wire, peer.down_wire, Decimal::micros(peer.present_us))?;
        writeln!(out, "{},{},{:016x}", peer.bad_pieces, u8::from(peer.nat), peer.hash)?;
    }
    out.flush()
}

fn seconds(time: Option<Duration>) -> String {
    time.map(|time| Decimal::seconds(time).to_string()).unwrap_or_default()
}

/// A text as one field (RFC 4180): quoted if it holds what separates fields.
pub(super) fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn names_stay_one_field() {
        assert_eq!(field("fast peers"), "fast peers");
        assert_eq!(field("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
    }
}
