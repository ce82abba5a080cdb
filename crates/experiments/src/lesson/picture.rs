//! Bytes for the page to draw: those that a lesson gives, and those that its own run has put on the wire.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use swarmlab_metainfo::{Draft, DraftFile, InfoHash};
use swarmlab_protocol::Handshake;
use swarmlab_trace::{Header, Record};

use super::moment::{Moment, Query};
use super::{Picture, PictureKind};
use crate::scenario::{Options, Scenario};

/// The query for the moment a picture is taken from, if it needs one.
pub(super) fn query(picture: &Picture) -> Option<Query> {
    let first = |kind: &str, reason: &str| Query {
        kind: Some(kind.to_owned()),
        reason: Some(reason.to_owned()),
        ..Query::default()
    };
    let needed = match picture.kind {
        PictureKind::Request => first("announce", "started"),
        PictureKind::Reply => first("reply", "answered"),
        PictureKind::Handshake => first("opened", "outgoing"),
        PictureKind::Bencode | PictureKind::Torrent | PictureKind::Participants => return None,
    };
    Some(picture.at.clone().unwrap_or(needed))
}

/// The picture as the page takes it, or why there is none.
pub(super) fn draw(
    picture: &Picture,
    moment: Option<&Moment>,
    header: &Header,
    peer: impl Fn(u32) -> Option<Handshake>,
    scenario: &Scenario,
) -> Result<Json, String> {
    let record = moment.and_then(|moment| moment.record.as_ref());
    let (kind, key, bytes) = match (picture.kind, record) {
        (PictureKind::Bencode, _) => {
            let text = picture.bytes.as_ref().ok_or("a picture of bencode needs its bytes")?;
            ("bencode", "bytes_hex", text.clone().into_bytes())
        }
        (PictureKind::Torrent, _) => ("torrent", "bytes_hex", torrent(header, scenario)?),
        (PictureKind::Request, Some(Record::Announce(announce))) => {
            ("request", "text_hex", announce.bytes.clone())
        }
        (PictureKind::Reply, Some(Record::Reply(reply))) => ("reply", "bytes_hex", reply.bytes.clone()),
        (PictureKind::Handshake, Some(Record::Opened(opened))) => {
            let handshake = peer(opened.node).ok_or("the trace knows no handshake of this node")?;
            ("handshake", "bytes_hex", handshake.to_bytes().to_vec())
        }
        (PictureKind::Participants, _) => ("participants", "bytes_hex", Vec::new()),
        (kind, _) => return Err(format!("the run has no moment for a picture of {kind:?}")),
    };
    let mut drawn = json!({ "kind": kind, "title": picture.title, "text": picture.text });
    if kind != "participants" {
        drawn[key] = hex(&bytes).into();
    }
    if let Some(moment) = moment {
        drawn["at_us"] = moment.at.into();
    }
    Ok(drawn)
}

/// A `.torrent` of the content of the run, with the hashes of its true pieces.
fn torrent(header: &Header, scenario: &Scenario) -> Result<Vec<u8>, String> {
    let options = Options { real_bytes: true, ..Options::default() };
    let content = scenario.model(&options).map_err(|error| error.to_string())?.content;
    let real = content.real.ok_or("the content of this run is not known")?;
    let draft = Draft {
        name: header.content.as_ref().map_or_else(|| header.name.clone(), |content| content.name.clone()),
        files: vec![DraftFile::single(content.layout.length())],
        piece_length: content.layout.piece_length(),
        hashes: real.hashes.concat(),
        tiers: vec![vec!["http://tracker.example/announce".to_owned()]],
        ..Draft::default()
    };
    draft.to_bytes().map_err(|error| error.to_string())
}

/// The info hash of a trace.
pub(super) fn info_hash(header: &Header) -> Option<InfoHash> {
    header.content.as_ref()?.info_hash.parse().ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}
