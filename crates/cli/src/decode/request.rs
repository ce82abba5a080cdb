//! Explaining what is asked of a tracker over HTTP, and the header of what it answers.

use std::ops::Range;

use swarmlab_experiments::units::show_exact;
use swarmlab_metainfo::percent;
use swarmlab_protocol::tracker::{AnnounceQuery, QueryError, ScrapeQuery};

use super::bencode::{hex, readable};
use super::{Explained, Fault, Hue, Span, peer};

/// Whether the data looks like a request to a tracker.
pub(super) fn looks_like(data: &[u8]) -> bool {
    let start = &data[..data.len().min(4096)];
    let has = |text: &[u8]| start.windows(text.len()).any(|window| window == text);
    start.starts_with(b"GET ")
        || start.starts_with(b"http://")
        || start.starts_with(b"https://")
        || start.starts_with(b"/announce")
        || start.starts_with(b"/scrape")
        || (has(b"info_hash=") && !start.starts_with(b"d"))
}

/// Explains a URL, a path with a query, a bare query, or a whole HTTP request.
pub(super) fn explain(explained: &mut Explained, data: &[u8]) {
    let line_end = data.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(data.len());
    let line = &data[..line_end];
    let target = match line.strip_prefix(b"GET ") {
        Some(rest) => {
            explained.spans.push(
                Span::new(0..3, Hue::Id, "method", "GET").meaning("asks, changes nothing at the other end"),
            );
            explained.spans.push(mark(3..4, "separator"));
            4..4 + rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len())
        }
        None => 0..line_end,
    };
    let query = match data[target.clone()].iter().position(|byte| *byte == b'?') {
        Some(question) => {
            let question = target.start + question;
            path(explained, data, target.start..question);
            explained.spans.push(mark(question..question + 1, "start of the query"));
            question + 1..target.end
        }
        None if data[target.clone()].contains(&b'=') => target.clone(),
        None => {
            path(explained, data, target.clone());
            target.end..target.end
        }
    };
    parameters(explained, data, query.clone());
    if target.end < line_end {
        explained.spans.push(mark(target.end..target.end + 1, "separator"));
        let version = target.end + 1..line_end;
        explained.spans.extend(text(data, version, Hue::Text, "protocol"));
    }
    headers(explained, data, line_end);
    if explained.fault.is_none() {
        judge(explained, data, query);
    }
}

/// What the tracker would say of the query.
fn judge(explained: &mut Explained, data: &[u8], query: Range<usize>) {
    let scrape = data[..query.start].windows(6).any(|window| window == b"scrape");
    let verdict = if scrape {
        ScrapeQuery::parse(&data[query.clone()]).map(drop)
    } else {
        AnnounceQuery::parse(&data[query.clone()]).map(drop)
    };
    if let Err(error) = verdict {
        let offset = match &error {
            QueryError::Parameter { name, .. } => {
                explained.spans.iter().rev().find(|span| span.name == *name)
            }
            QueryError::TooLong => None,
        };
        let offset = offset.map_or(query.end, |span| span.offset);
        explained.fault = Some(Fault { offset, reason: format!("a tracker refuses this: {error}") });
    }
}

fn path(explained: &mut Explained, data: &[u8], range: Range<usize>) {
    explained.spans.extend(text(data, range, Hue::Key, "announce URL"));
}

/// A span of text; none if it is empty.
fn text(data: &[u8], range: Range<usize>, hue: Hue, name: &str) -> Option<Span> {
    let value = String::from_utf8_lossy(&data[range.clone()]).into_owned();
    (!range.is_empty()).then(|| Span::new(range, hue, name, value))
}

fn mark(range: Range<usize>, name: &str) -> Span {
    Span::new(range, Hue::Mark, name, "")
}

fn parameters(explained: &mut Explained, data: &[u8], query: Range<usize>) {
    let mut at = query.start;
    while at < query.end {
        if data[at] == b'&' {
            explained.spans.push(mark(at..at + 1, "separator"));
            at += 1;
            continue;
        }
        let end = data[at..query.end].iter().position(|byte| *byte == b'&').map_or(query.end, |len| at + len);
        explained.spans.push(parameter(data, at..end));
        at = end;
    }
}

fn parameter(data: &[u8], range: Range<usize>) -> Span {
    let bytes = &data[range.clone()];
    let equals = bytes.iter().position(|byte| *byte == b'=').map_or(range.end, |at| range.start + at);
    let value_at = (equals + 1).min(range.end);
    let name = String::from_utf8_lossy(&data[range.start..equals]).into_owned();
    let raw = &data[value_at..range.end];
    let (value, meaning) = match percent::decode(raw) {
        Ok(decoded) => meaning(&name, &decoded),
        Err(_) => {
            (String::from_utf8_lossy(raw).into_owned(), "a % without two hexadecimal digits".to_owned())
        }
    };
    let hue = match name.as_str() {
        "info_hash" => Hue::Bytes,
        "port" | "uploaded" | "downloaded" | "left" | "numwant" | "compact" | "no_peer_id" => Hue::Number,
        _ => Hue::Text,
    };
    let parts = [
        Span::new(range.start..equals, Hue::Key, "name", name.clone()),
        mark(equals..value_at, "separator"),
        Span::new(value_at..range.end, hue, "value", value.clone()),
    ];
    Span::new(range, hue, name, value).meaning(meaning).parts(parts)
}

/// What the decoded value of a parameter says, and what the parameter is for (BEP 3, 7, 21, 23).
fn meaning(name: &str, value: &[u8]) -> (String, String) {
    let shown = readable(value).map_or_else(|| hex(value), ToOwned::to_owned);
    let bytes = || std::str::from_utf8(value).ok()?.parse().ok().map(show_exact);
    let text = match name {
        "info_hash" => return (hex(value), "which torrent: 20 bytes, percent-encoded".to_owned()),
        "peer_id" => return (peer::peer_id(value).unwrap_or(shown), peer::client(value)),
        "port" => "TCP port the client listens on",
        "uploaded" => return (shown, format!("sent since it started: {}", bytes().unwrap_or_default())),
        "downloaded" => {
            return (shown, format!("received since it started: {}", bytes().unwrap_or_default()));
        }
        "left" => match value {
            b"0" => "bytes it lacks: none, it is a seed",
            _ => return (shown, format!("it lacks {}", bytes().unwrap_or_default())),
        },
        "event" => match value {
            b"started" => "its first announce",
            b"completed" => "it has just got the last piece",
            b"stopped" => "it leaves the swarm",
            b"paused" => "it wants no more pieces (BEP 21)",
            _ => "an announce in between",
        },
        "numwant" => "how many peers it wants",
        "compact" => "1: peers as 6 bytes each (BEP 23)",
        "no_peer_id" => "1: without their peer ids",
        "ip" => "the address it wants to be known by",
        "key" => "by which the tracker can recognise it at another address",
        "trackerid" => "what the tracker called it before",
        "supportcrypto" | "requirecrypto" => "takes or demands obfuscated connections",
        "corrupt" | "redundant" => "bytes received in vain",
        _ => "not in BEP 3; trackers pass over what they do not know",
    };
    (shown, text.to_owned())
}

/// Explains the header lines of HTTP from `start` to the end of the data.
fn headers(explained: &mut Explained, data: &[u8], start: usize) {
    let mut at = start;
    while at < data.len() {
        let end = data[at..].iter().position(|byte| *byte == b'\n').map_or(data.len(), |len| at + len + 1);
        let content = data[at..end].trim_ascii_end().len();
        explained.spans.extend(text(data, at..at + content, Hue::Text, "header"));
        explained.spans.push(mark(at + content..end, "line end"));
        at = end;
    }
    explained.spans.retain(|span| span.len > 0);
}

/// Explains the header of an HTTP reply, if there is one; returns the offset of the body.
pub(super) fn reply_header(explained: &mut Explained, data: &[u8]) -> usize {
    if !data.starts_with(b"HTTP/") {
        return 0;
    }
    let body = data.windows(4).position(|window| window == b"\r\n\r\n").map_or(data.len(), |at| at + 4);
    headers(explained, &data[..body], 0);
    if let Some(first) = explained.spans.first_mut() {
        first.name = "status".to_owned();
        first.meaning = "200: the tracker has answered".to_owned();
    }
    body
}
