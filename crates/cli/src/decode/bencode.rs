//! Explaining bencode: token by token from the reader of `metainfo`, put back together as a tree.

use std::ops::Range;

use swarmlab_experiments::units::show_exact;
use swarmlab_metainfo::bencode::{Event, Limits, Mode, Reader, Token};

use super::{Explained, Fault, Hue, Kind, Span, keys, peer};
use crate::text::{Utc, count};

/// A span takes some 150 bytes and a value several spans: bounds an explanation to a few hundred megabytes.
const LIMITS: Limits = Limits { depth: 100, size: 64 << 20, items: 300_000 };

/// Which kind of bencode, judged by the keys of the outermost dictionary.
pub(super) fn kind(data: &[u8]) -> Kind {
    let top = Reader::new(data, Mode::Lenient, LIMITS).filter_map(|event| match event {
        Ok(Event { token: Token::Key(key), depth: 1, .. }) => Some(key),
        _ => None,
    });
    for key in top {
        match key {
            b"info" | b"announce" | b"announce-list" | b"piece layers" => return Kind::Torrent,
            b"peers" | b"peers6" | b"interval" | b"failure reason" => return Kind::Reply,
            _ => {}
        }
    }
    Kind::Bencode
}

/// Explains the value from `start` to the end of the data.
pub(super) fn explain(explained: &mut Explained, data: &[u8], start: usize) {
    // What programs really read is read as they read it; anything else is judged by the letter.
    let mode = if explained.kind == Kind::Bencode { Mode::Strict } else { Mode::Lenient };
    let value = read(&data[start..], start, mode);
    explained.spans.extend(value.span);
    explained.warnings.extend(value.warnings);
    match value.fault {
        Some(fault) => explained.give_up(data, value.end, fault),
        None if value.end < data.len() => trailing(explained, data, value.end),
        None => {}
    }
}

fn trailing(explained: &mut Explained, data: &[u8], end: usize) {
    let rest = &data[end..];
    if rest == b"\n" || rest == b"\r\n" {
        let span = Span::new(end..data.len(), Hue::Mark, "line end", "");
        explained.spans.push(span.meaning("not part of the value"));
        return;
    }
    let reason = format!("{} after the end of the value", count(rest.len(), "byte"));
    explained.give_up(data, end, Fault { offset: end, reason });
}

/// A value that was read as far as possible.
pub(super) struct Value {
    /// What there is of it.
    pub(super) span: Option<Span>,
    pub(super) warnings: Vec<Fault>,
    pub(super) fault: Option<Fault>,
    /// Offset behind the last byte that the span covers.
    pub(super) end: usize,
}

/// Reads one value from the start of `data`, which lies at `base` in the input.
pub(super) fn read(data: &[u8], base: usize, mode: Mode) -> Value {
    let mut reader = Reader::new(data, mode, LIMITS);
    let mut tree = Tree { base, open: Vec::new(), root: None };
    let (mut end, mut fault) = (0, None);
    for event in reader.by_ref() {
        match event {
            Ok(event) => {
                end = event.span.end;
                tree.add(event);
            }
            Err(error) => {
                fault = Some(Fault { offset: base + error.offset, reason: error.reason.to_string() });
                break;
            }
        }
    }
    let warning = |warning: &swarmlab_metainfo::bencode::Error| Fault {
        offset: base + warning.offset,
        reason: warning.reason.to_string(),
    };
    let warnings = reader.warnings().iter().map(warning).collect();
    Value { span: tree.finish(base + end), warnings, fault, end: base + end }
}

/// The tree under construction.
struct Tree<'a> {
    base: usize,
    open: Vec<Container<'a>>,
    root: Option<Span>,
}

/// A list or dictionary that is not closed yet, with the key its next value has.
struct Container<'a> {
    span: Span,
    key: Option<&'a [u8]>,
    dictionary: bool,
    values: usize,
}

impl<'a> Tree<'a> {
    fn add(&mut self, event: Event<'a>) {
        let range = self.base + event.span.start..self.base + event.span.end;
        match event.token {
            Token::Key(key) => {
                let span = string(range, key, Hue::Key, "key");
                if let Some(container) = self.open.last_mut() {
                    container.key = Some(key);
                    container.span.children.push(span);
                }
            }
            Token::Bytes(bytes) => {
                let span = self.string_value(range, bytes);
                self.value(span);
            }
            Token::Int(number) => {
                let span = integer(range, number, self.key());
                self.value(span);
            }
            Token::List => self.enter(range, "list", false),
            Token::Dict => self.enter(range, "dictionary", true),
            Token::End => self.close(range),
        }
    }

    /// The key of the value that comes next; that of the list it lies in, if it lies in one.
    fn key(&self) -> Option<&'a [u8]> {
        self.open.iter().rev().find(|container| container.dictionary || container.key.is_some())?.key
    }

    fn enter(&mut self, mark: Range<usize>, name: &str, dictionary: bool) {
        let key = self.key();
        let meaning = match key.filter(|_| self.open.last().is_some_and(|container| container.dictionary)) {
            Some(key) => keys::meaning(key).unwrap_or_default(),
            None => "",
        };
        let letter = if dictionary { "d" } else { "l" };
        let mut span = Span::new(mark.clone(), Hue::Mark, name, "").meaning(meaning);
        span.open = true;
        span.children.push(Span::new(mark, Hue::Mark, format!("start of the {name}"), letter));
        let key = if dictionary { None } else { key };
        self.open.push(Container { span, key, dictionary, values: 0 });
    }

    fn close(&mut self, mark: Range<usize>) {
        let Some(mut container) = self.open.pop() else { return };
        let end = mark.end;
        let name = format!("end of the {}", container.span.name);
        container.span.children.push(Span::new(mark, Hue::Mark, name, "e"));
        let span = finished(container, end);
        self.value(span);
    }

    /// Puts a complete value where it belongs.
    fn value(&mut self, span: Span) {
        match self.open.last_mut() {
            Some(container) => {
                container.values += 1;
                container.span.children.push(span);
            }
            None => self.root = Some(span),
        }
    }

    fn string_value(&self, range: Range<usize>, bytes: &[u8]) -> Span {
        let key = self.key();
        let content = range.end - bytes.len();
        let mut span = string(range, bytes, Hue::Text, "string");
        if self.open.last().is_some_and(|container| container.dictionary) {
            span.meaning = key.and_then(keys::meaning).unwrap_or_default().to_owned();
        }
        match key {
            Some(b"pieces") => {
                span.value = format!("{} of 20 bytes", hashes(bytes.len() / 20));
            }
            Some(b"peers" | b"added" | b"dropped") if bytes.len().is_multiple_of(6) => {
                compact(&mut span, content, bytes, 6);
            }
            Some(b"peers6" | b"added6" | b"dropped6") if bytes.len().is_multiple_of(18) => {
                compact(&mut span, content, bytes, 18);
            }
            Some(b"peer id") if bytes.len() == 20 => span.meaning = peer::client(bytes),
            _ => {}
        }
        span
    }

    /// Closes what the input leaves open at `end`.
    fn finish(mut self, end: usize) -> Option<Span> {
        while let Some(mut container) = self.open.pop() {
            container.span.meaning = "cut off".to_owned();
            let span = finished(container, end);
            self.value(span);
        }
        self.root
    }
}

fn hashes(number: usize) -> String {
    if number == 1 { "1 hash".to_owned() } else { format!("{number} hashes") }
}

fn finished(container: Container<'_>, end: usize) -> Span {
    let mut span = container.span;
    span.len = end - span.offset;
    span.value = match (container.dictionary, container.values) {
        (true, 1) => "1 entry".to_owned(),
        (true, entries) => format!("{entries} entries"),
        (false, items) => count(items, "item"),
    };
    span
}

/// A string: its length in digits, a colon, its bytes.
fn string(range: Range<usize>, bytes: &[u8], hue: Hue, name: &str) -> Span {
    let content = range.end - bytes.len();
    let colon = content - 1;
    let (hue, value) = match readable(bytes) {
        Some(text) => (hue, text.to_owned()),
        None => (if hue == Hue::Key { Hue::Key } else { Hue::Bytes }, hex(bytes)),
    };
    let parts = [
        Span::new(range.start..colon, Hue::Length, "length", bytes.len().to_string())
            .meaning("bytes that follow the colon"),
        Span::new(colon..content, Hue::Mark, "separator", ":"),
        Span::new(content..range.end, hue, "content", value.clone()),
    ];
    Span::new(range, hue, name, value).parts(parts)
}

fn integer(range: Range<usize>, number: i64, key: Option<&[u8]>) -> Span {
    let meaning = match key {
        Some(b"creation date") => Utc(number).to_string(),
        Some(b"length" | b"piece length" | b"metadata_size") if number > 1023 => show_exact(number as u64),
        Some(key) => keys::meaning(key).unwrap_or_default().to_owned(),
        None => String::new(),
    };
    let (first, last) = (range.start + 1, range.end - 1);
    let parts = [
        Span::new(range.start..first, Hue::Mark, "start of the integer", "i"),
        Span::new(first..last, Hue::Number, "number", number.to_string())
            .meaning("decimal, with a sign if negative"),
        Span::new(last..range.end, Hue::Mark, "end of the integer", "e"),
    ];
    Span::new(range, Hue::Number, "integer", number.to_string()).meaning(meaning).parts(parts)
}

/// Most peers of a compact list that get a line each.
const MOST_PEERS: usize = 1000;

/// Makes the content of a string the peers it holds: addresses of `size` - 2 bytes, each with a port (BEP 23, BEP 7).
fn compact(span: &mut Span, content: usize, bytes: &[u8], size: usize) {
    let number = bytes.len() / size;
    let mut peers: Vec<Span> = (content..)
        .step_by(size)
        .zip(bytes.chunks_exact(size))
        .take(MOST_PEERS)
        .map(|(offset, bytes)| peer::address(offset, bytes))
        .collect();
    let shown = content + peers.len() * size;
    let end = content + bytes.len();
    if shown < end {
        peers.push(Span::new(shown..end, Hue::Bytes, "peers", format!("{} more", number - MOST_PEERS)));
    }
    span.value = count(number, "peer");
    span.hue = Hue::Bytes;
    span.open = number > 0;
    span.children.truncate(2);
    if number > 0 {
        let list = Span::new(content..end, Hue::Bytes, "peers", count(number, "peer"));
        span.children.push(list.meaning(format!("{size} bytes each: address, port")).fields(peers));
    }
}

/// The bytes as text if they are text.
pub(super) fn readable(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t' | '\r')).then_some(text)
}

/// Bytes in hexadecimal, the first 32 of them if there are more.
pub(super) fn hex(bytes: &[u8]) -> String {
    let shown: String = bytes.iter().take(32).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > 32 { format!("{shown}… ({} bytes)", bytes.len()) } else { shown }
}
