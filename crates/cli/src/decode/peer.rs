//! Explaining what peers send each other: the handshake, then messages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

use swarmlab_experiments::units::show_size;
use swarmlab_metainfo::bencode::Mode;
use swarmlab_protocol::wire::{self, Limits};
use swarmlab_protocol::{Handshake, MessageKind, PeerId, Reserved};

use super::bencode::{hex, read};
use super::{Explained, Fault, Hue, Span};
use crate::text::count;

/// Explains the handshake at the start of the data, as much as is there; returns the offset behind it.
pub(super) fn handshake(explained: &mut Explained, data: &[u8]) -> usize {
    let known = data.first_chunk::<{ Handshake::LEN }>().and_then(Handshake::from_bytes);
    let prefix = b"\x13BitTorrent protocol";
    let agreed = data.iter().zip(prefix).take_while(|(found, due)| found == due).count();
    if agreed < prefix.len().min(data.len()) {
        let reason =
            "not the handshake of BitTorrent, which begins with byte 19 and 'BitTorrent protocol'".to_owned();
        explained.give_up(data, 0, Fault { offset: agreed, reason });
        return data.len();
    }
    let mut fields = vec![
        Span::new(0..1, Hue::Length, "length", "19").meaning("of the protocol's name"),
        Span::new(1..20, Hue::Text, "protocol", "BitTorrent protocol"),
        Span::new(20..28, Hue::Id, "reserved", "").meaning("a bit per extension (BEP 4, 5, 6, 10)"),
        Span::new(28..48, Hue::Bytes, "info hash", "").meaning("SHA-1 of the info dictionary: which torrent"),
        Span::new(48..68, Hue::Text, "peer id", ""),
    ];
    if let Some(handshake) = known {
        fields[2].value = extensions(handshake.reserved);
        fields[3].value = handshake.info_hash.to_string();
        fields[4].value = handshake.peer_id.to_string();
        fields[4].meaning = client(&handshake.peer_id.0);
    }
    for field in &mut fields {
        field.len = field.end().min(data.len()).saturating_sub(field.offset);
    }
    let end = data.len().min(Handshake::LEN);
    let opening = if known.is_some() { "opens every peer connection, both ways (BEP 3)" } else { "cut off" };
    if end > 0 {
        explained.spans.push(Span::new(0..end, Hue::Bytes, "handshake", "").meaning(opening).fields(fields));
    }
    if known.is_none() {
        let reason = format!("the handshake ends after {end} of {} bytes", Handshake::LEN);
        explained.fault = Some(Fault { offset: end, reason });
    }
    end
}

fn extensions(reserved: Reserved) -> String {
    let known = [
        (reserved.extended(), "extension protocol"),
        (reserved.dht(), "DHT"),
        (reserved.fast(), "fast extension"),
    ];
    let known: Vec<&str> = known.into_iter().filter_map(|(spoken, name)| spoken.then_some(name)).collect();
    if known.is_empty() { "no known extension".to_owned() } else { known.join(", ") }
}

/// Which program a peer id belongs to, by the convention of Azureus (BEP 20).
pub(super) fn client(id: &[u8]) -> String {
    let [b'-', a, b, version @ .., _, _, _, _, _, _, _, _, _, _, _, _] = id else {
        return "what the peer calls itself".to_owned();
    };
    let name = match [*a, *b] {
        [b'S', b'L'] => "swarmlab",
        [b'T', b'R'] => "Transmission",
        [b'L', b'T'] | [b'l', b't'] => "libtorrent",
        [b'q', b'B'] => "qBittorrent",
        [b'D', b'E'] => "Deluge",
        [b'U', b'T'] => "uTorrent",
        [b'A', b'Z'] => "Azureus",
        [b'r', b'Q'] => "rqbit",
        _ => "",
    };
    match version {
        [version @ .., b'-'] if version.iter().all(u8::is_ascii_alphanumeric) && !name.is_empty() => {
            let version: Vec<String> = version.iter().map(|byte| char::from(*byte).to_string()).collect();
            format!("{name}, version {}", version.join("."))
        }
        _ => "what the peer calls itself (BEP 20)".to_owned(),
    }
}

/// A compact address: 4 or 16 bytes and a port.
pub(super) fn address(offset: usize, bytes: &[u8]) -> Span {
    let (ip, port) = bytes.split_at(bytes.len() - 2);
    let number = u16::from_be_bytes([port[0], port[1]]);
    let addr = match <[u8; 16]>::try_from(ip) {
        Ok(ip) => IpAddr::from(Ipv6Addr::from(ip)),
        Err(_) => IpAddr::from(Ipv4Addr::new(ip[0], ip[1], ip[2], ip[3])),
    };
    let middle = offset + ip.len();
    let end = offset + bytes.len();
    Span::new(offset..end, Hue::Bytes, "peer", SocketAddr::new(addr, number).to_string()).parts([
        Span::new(offset..middle, Hue::Bytes, "address", addr.to_string()),
        Span::new(middle..end, Hue::Number, "port", number.to_string()),
    ])
}

/// Most messages that are explained one by one; bounds the memory of an explanation.
const MOST_MESSAGES: usize = 100_000;

/// Explains messages from `start` to the end of the data.
pub(super) fn messages(explained: &mut Explained, data: &[u8], start: usize) {
    let limits = Limits::unknown_torrent();
    let mut at = start;
    for _ in 0..MOST_MESSAGES {
        if at == data.len() {
            return;
        }
        match wire::decode(&data[at..], &limits) {
            Ok(Some(frame)) => {
                let (span, fault) = message(data, at..at + frame.len);
                explained.spans.push(span);
                at += frame.len;
                if let Some(fault) = fault {
                    explained.give_up(data, at, fault);
                    return;
                }
            }
            Ok(None) => return explained.give_up(data, at, cut_off(&data[at..], at, &limits)),
            Err(error) => {
                return explained.give_up(data, at, Fault { offset: at, reason: error.to_string() });
            }
        }
    }
    if at < data.len() {
        let rest =
            Span::new(at..data.len(), Hue::Bytes, "more messages", format!("{} bytes", data.len() - at));
        explained.spans.push(rest.meaning("more than are explained one by one"));
    }
}

fn cut_off(rest: &[u8], at: usize, limits: &Limits) -> Fault {
    let reason = match wire::frame_len(rest, limits) {
        Ok(Some(len)) => format!("the message ends after {} of {len} bytes", rest.len()),
        _ => format!("the length of a message ends after {} of 4 bytes", rest.len()),
    };
    Fault { offset: at + rest.len(), reason }
}

/// Explains one whole message. The range covers it.
fn message(data: &[u8], range: Range<usize>) -> (Span, Option<Fault>) {
    let at = range.start;
    let length = range.len() - 4;
    let prefix =
        Span::new(at..at + 4, Hue::Length, "length", length.to_string()).meaning("bytes that follow");
    let Some(id) = data[at + 4..range.end].first().copied() else {
        let span = Span::new(range, Hue::Id, "message", "keep-alive");
        return (span.meaning("nothing to say, still here").fields([prefix]), None);
    };
    let body = at + 5..range.end;
    let Some(kind) = MessageKind::from_wire_id(id) else {
        let fields = [
            prefix,
            Span::new(at + 4..at + 5, Hue::Id, "id", id.to_string()).meaning("assigned to no message"),
            Span::new(body.clone(), Hue::Bytes, "payload", hex(&data[body])),
        ];
        let span = Span::new(range, Hue::Id, "message", "unknown").meaning("receivers pass over it");
        return (span.fields(fields), None);
    };
    let id = Span::new(at + 4..at + 5, Hue::Id, "id", id.to_string()).meaning(kind.name());
    let (value, fields, fault) = payload(kind, data, body);
    let span = Span::new(range, Hue::Id, "message", value).meaning(purpose(kind));
    (span.fields([prefix, id].into_iter().chain(fields)), fault)
}

/// What a message says in one line, and the fields behind its id.
fn payload(kind: MessageKind, data: &[u8], body: Range<usize>) -> (String, Vec<Span>, Option<Fault>) {
    let at = body.start;
    let number = |index: usize| {
        let bytes = &data[at + 4 * index..at + 4 * index + 4];
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    };
    let field = |index: usize, name: &str, meaning: &str| {
        let range = at + 4 * index..at + 4 * index + 4;
        Span::new(range, Hue::Number, name, number(index).to_string()).meaning(meaning)
    };
    let name = kind.name();
    let (value, fields) = match kind {
        MessageKind::Have | MessageKind::Suggest | MessageKind::AllowedFast => {
            (format!("{name}: piece {}", number(0)), vec![field(0, "piece", "index, from 0")])
        }
        MessageKind::Request | MessageKind::Cancel | MessageKind::Reject => (
            format!("{name}: piece {}, {} from byte {}", number(0), show_size(number(2).into()), number(1)),
            vec![
                field(0, "piece", "index, from 0"),
                field(1, "begin", "offset in the piece, in bytes"),
                field(2, "length", "of the block, in bytes"),
            ],
        ),
        MessageKind::Piece => {
            let block = at + 8..body.end;
            let size = show_size(block.len() as u64);
            (
                format!("{name}: piece {}, {size} from byte {}", number(0), number(1)),
                vec![
                    field(0, "piece", "index, from 0"),
                    field(1, "begin", "offset in the piece, in bytes"),
                    Span::new(block, Hue::Bytes, "block", size).meaning("content"),
                ],
            )
        }
        MessageKind::Bitfield => {
            let bits: u32 = data[body.clone()].iter().map(|byte| byte.count_ones()).sum();
            let field = Span::new(body.clone(), Hue::Bytes, "bits", hex(&data[body.clone()]));
            let meaning = "the highest bit of the first byte is piece 0";
            (format!("{name}: {} of {} bits set", bits, body.len() * 8), vec![field.meaning(meaning)])
        }
        MessageKind::Port => {
            let port = u16::from_be_bytes([data[at], data[at + 1]]);
            (
                format!("{name}: {port}"),
                vec![Span::new(body, Hue::Number, "port", port.to_string()).meaning("UDP")],
            )
        }
        MessageKind::Extended => return extended(data, body),
        _ => (name.to_owned(), Vec::new()),
    };
    (value, fields, None)
}

/// A message of the extension protocol: an id of its own, then usually a dictionary and perhaps data (BEP 10, BEP 9).
fn extended(data: &[u8], body: Range<usize>) -> (String, Vec<Span>, Option<Fault>) {
    let Some(id) = data[body.clone()].first().copied() else {
        return ("extended, empty".to_owned(), Vec::new(), None);
    };
    let rest = body.start + 1..body.end;
    let meaning =
        if id == 0 { "the extension handshake" } else { "as assigned in the receiver's extension handshake" };
    let first = Span::new(body.start..rest.start, Hue::Id, "extension id", id.to_string()).meaning(meaning);
    let title = if id == 0 { "extended: handshake".to_owned() } else { format!("extended: id {id}") };
    let mut fields = vec![first];
    if data[rest.clone()].first() != Some(&b'd') {
        fields.push(Span::new(rest.clone(), Hue::Bytes, "payload", hex(&data[rest])));
        return (title, fields, None);
    }
    let value = read(&data[rest.clone()], rest.start, Mode::Lenient);
    fields.extend(value.span);
    let left = value.end..rest.end;
    let name = if value.fault.is_some() { "not understood" } else { "data" };
    let hue = if value.fault.is_some() { Hue::Wrong } else { Hue::Bytes };
    fields.push(Span::new(left.clone(), hue, name, count(left.len(), "byte")));
    (title, fields, value.fault)
}

/// What a message is for.
fn purpose(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::KeepAlive => "nothing to say, still here",
        MessageKind::Choke => "I will not answer your requests",
        MessageKind::Unchoke => "I will answer your requests",
        MessageKind::Interested => "you have something I lack",
        MessageKind::NotInterested => "you have nothing I lack",
        MessageKind::Have => "I have got this piece and checked it",
        MessageKind::Bitfield => "the pieces I have; only as the first message",
        MessageKind::Request => "send me this block",
        MessageKind::Piece => "here is a block",
        MessageKind::Cancel => "I need this block no more",
        MessageKind::Port => "my DHT node listens there (BEP 5)",
        MessageKind::Suggest => "a piece I would like to send (BEP 6)",
        MessageKind::HaveAll => "I have every piece (BEP 6)",
        MessageKind::HaveNone => "I have no piece (BEP 6)",
        MessageKind::Reject => "I will not answer this request (BEP 6)",
        MessageKind::AllowedFast => "I answer requests for this piece even while I choke you (BEP 6)",
        MessageKind::Extended => "extension protocol (BEP 10)",
    }
}

/// What a peer id says when it is read as text.
pub(super) fn peer_id(bytes: &[u8]) -> Option<String> {
    bytes.try_into().ok().map(|id| PeerId(id).to_string())
}
