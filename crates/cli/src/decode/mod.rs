//! Explaining bytes: what each byte of bencode, a handshake, peer messages, an announce or a tracker's reply is.
//!
//! The reading is done by the parsers that the rest of the program uses; this module names what they read. Its one
//! invariant: the spans of an explanation tile the input, and the children of a span tile the span, so every byte has
//! a name whatever the input is. Bytes behind an error are a span of their own.

mod bencode;
mod keys;
mod peer;
pub mod render;
mod request;
mod span;
#[cfg(test)]
mod tests;

use clap::ValueEnum;
use swarmlab_metainfo::Metainfo;

pub use span::{Hue, Span, WithBytes};

/// What bytes can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Any bencoded value.
    Bencode,
    /// A .torrent file.
    Torrent,
    /// A tracker's reply to an announce or a scrape, with or without its HTTP header.
    Reply,
    /// The 68 bytes that open a peer connection, and the messages behind them.
    Handshake,
    /// Peer messages, one after another.
    Messages,
    /// An announce or a scrape: URL, query string or whole HTTP request.
    Request,
}

/// Where and why the input could not be read on, or is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Offset of the first byte concerned.
    pub offset: usize,
    /// What is wrong.
    pub reason: String,
}

/// An input, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// What it was taken for.
    pub kind: Kind,
    /// What its bytes are, from first to last without a gap.
    pub spans: Vec<Span>,
    /// Oddities that reading passes over.
    pub warnings: Vec<Fault>,
    /// Where it stops making sense.
    pub fault: Option<Fault>,
}

impl Kind {
    /// What to call it in a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Bencode => "bencode",
            Kind::Torrent => "a torrent",
            Kind::Reply => "a tracker's reply",
            Kind::Handshake => "a handshake",
            Kind::Messages => "peer messages",
            Kind::Request => "a tracker request",
        }
    }

    /// What these bytes look like.
    pub fn of(data: &[u8]) -> Kind {
        match data {
            [0x13, b'B', ..] => Kind::Handshake,
            _ if data.starts_with(b"HTTP/") => Kind::Reply,
            _ if request::looks_like(data) => Kind::Request,
            // The length prefix of every acceptable message begins with a zero.
            [0, ..] => Kind::Messages,
            _ => bencode::kind(data),
        }
    }
}

/// Explains every byte of `data` as `kind`.
pub fn explain(kind: Kind, data: &[u8]) -> Explained {
    let mut explained = Explained { kind, spans: Vec::new(), warnings: Vec::new(), fault: None };
    match kind {
        Kind::Bencode | Kind::Torrent => bencode::explain(&mut explained, data, 0),
        Kind::Reply => {
            let body = request::reply_header(&mut explained, data);
            bencode::explain(&mut explained, data, body);
        }
        Kind::Handshake => {
            let end = peer::handshake(&mut explained, data);
            peer::messages(&mut explained, data, end);
        }
        Kind::Messages => peer::messages(&mut explained, data, 0),
        Kind::Request => request::explain(&mut explained, data),
    }
    if kind == Kind::Torrent {
        judge_torrent(&mut explained, data);
    }
    explained
}

/// Says what is wrong with a torrent that is sound bencode, and its info hash if nothing is.
fn judge_torrent(explained: &mut Explained, data: &[u8]) {
    if explained.fault.is_some() {
        return;
    }
    match Metainfo::from_bytes(data) {
        Ok(torrent) => {
            if let Some(span) = explained.spans.iter_mut().find_map(|span| span.child_named("info")) {
                span.meaning = format!("its SHA-1 is the info hash, {}", torrent.info_hash());
            }
        }
        Err(error) => {
            let offset = match &error {
                swarmlab_metainfo::TorrentError::Key { offset, .. } => *offset,
                swarmlab_metainfo::TorrentError::Bencode(error) => error.offset,
            };
            explained.fault = Some(Fault { offset, reason: format!("not a valid torrent: {error}") });
        }
    }
}

impl Explained {
    /// Names the rest of the input from `offset` on as what could not be read.
    fn give_up(&mut self, data: &[u8], offset: usize, fault: Fault) {
        if offset < data.len() {
            let rest = Span::new(offset..data.len(), Hue::Wrong, "not understood", "");
            self.spans.push(rest.meaning(fault.reason.clone()));
        }
        self.fault = Some(fault);
    }
}
