//! The canonical encoder. Keys may be given in any order: a dictionary that was not written in order is put in
//! order when it closes, so that unsorted output cannot be expressed.

use super::{
    document::Node,
    reader::{Limits, Mode, Reader, Token},
};
use alloc::vec::Vec;
use core::fmt::Write;

/// A bencoded byte string.
pub fn bytes(value: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    push_bytes(&mut out, value.as_ref());
    out
}

/// A bencoded integer.
pub fn int(value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    push_int(&mut out, value);
    out
}

/// A bencoded dictionary with the entries that `fill` adds.
pub fn dict(fill: impl FnOnce(&mut DictEncoder<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    push_dict(&mut out, fill);
    out
}

/// A bencoded list with the elements that `fill` adds.
pub fn list(fill: impl FnOnce(&mut ListEncoder<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    push_list(&mut out, fill);
    out
}

/// Adds entries to a dictionary. Of entries with the same key the first one is kept.
#[derive(Debug)]
pub struct DictEncoder<'o> {
    out: &'o mut Vec<u8>,
    /// Where the content of the last key lies in `out`.
    last_key: Option<(usize, usize)>,
    in_order: bool,
}

impl DictEncoder<'_> {
    /// Adds a byte string.
    pub fn bytes(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.key(key.as_ref());
        push_bytes(self.out, value.as_ref());
    }

    /// Adds an integer.
    pub fn int(&mut self, key: impl AsRef<[u8]>, value: i64) {
        self.key(key.as_ref());
        push_int(self.out, value);
    }

    /// Adds a dictionary.
    pub fn dict(&mut self, key: impl AsRef<[u8]>, fill: impl FnOnce(&mut DictEncoder<'_>)) {
        self.key(key.as_ref());
        push_dict(self.out, fill);
    }

    /// Adds a list.
    pub fn list(&mut self, key: impl AsRef<[u8]>, fill: impl FnOnce(&mut ListEncoder<'_>)) {
        self.key(key.as_ref());
        push_list(self.out, fill);
    }

    /// Adds a value that was read before, byte for byte as it was written there.
    pub fn node(&mut self, key: impl AsRef<[u8]>, value: Node<'_, '_>) {
        self.key(key.as_ref());
        self.out.extend_from_slice(value.raw());
    }

    fn key(&mut self, key: &[u8]) {
        if let Some((start, end)) = self.last_key
            && self.out[start..end] >= *key
        {
            self.in_order = false;
        }
        push_bytes(self.out, key);
        self.last_key = Some((self.out.len() - key.len(), self.out.len()));
    }
}

/// Adds elements to a list.
#[derive(Debug)]
pub struct ListEncoder<'o> {
    out: &'o mut Vec<u8>,
}

impl ListEncoder<'_> {
    /// Adds a byte string.
    pub fn bytes(&mut self, value: impl AsRef<[u8]>) {
        push_bytes(self.out, value.as_ref());
    }

    /// Adds an integer.
    pub fn int(&mut self, value: i64) {
        push_int(self.out, value);
    }

    /// Adds a dictionary.
    pub fn dict(&mut self, fill: impl FnOnce(&mut DictEncoder<'_>)) {
        push_dict(self.out, fill);
    }

    /// Adds a list.
    pub fn list(&mut self, fill: impl FnOnce(&mut ListEncoder<'_>)) {
        push_list(self.out, fill);
    }

    /// Adds a value that was read before, byte for byte as it was written there.
    pub fn node(&mut self, value: Node<'_, '_>) {
        self.out.extend_from_slice(value.raw());
    }
}

fn push_bytes(out: &mut Vec<u8>, value: &[u8]) {
    push_decimal(out, value.len() as u64);
    out.push(b':');
    out.extend_from_slice(value);
}

fn push_int(out: &mut Vec<u8>, value: i64) {
    out.push(b'i');
    if value < 0 {
        out.push(b'-');
    }
    push_decimal(out, value.unsigned_abs());
    out.push(b'e');
}

fn push_decimal(out: &mut Vec<u8>, value: u64) {
    if value < 10 {
        out.push(b'0' + value as u8);
        return;
    }
    struct Sink<'o>(&'o mut Vec<u8>);
    impl Write for Sink<'_> {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    // Writing to a vector cannot fail.
    let _ = write!(Sink(out), "{value}");
}

fn push_list(out: &mut Vec<u8>, fill: impl FnOnce(&mut ListEncoder<'_>)) {
    out.push(b'l');
    fill(&mut ListEncoder { out });
    out.push(b'e');
}

fn push_dict(out: &mut Vec<u8>, fill: impl FnOnce(&mut DictEncoder<'_>)) {
    let start = out.len();
    out.push(b'd');
    let mut encoder = DictEncoder { out, last_key: None, in_order: true };
    fill(&mut encoder);
    let in_order = encoder.in_order;
    out.push(b'e');
    if !in_order {
        put_in_order(out, start);
    }
}

/// Rewrites the dictionary that starts at `start` and ends the output, with its keys in order.
fn put_in_order(out: &mut Vec<u8>, start: usize) {
    let written = out.split_off(start);
    let unlimited = Limits { depth: usize::MAX, size: usize::MAX, items: usize::MAX };
    let mut entries: Vec<(&[u8], usize)> = Vec::new();
    for event in Reader::new(&written, Mode::Lenient, unlimited).flatten() {
        if let (Token::Key(key), 1) = (event.token, event.depth) {
            entries.push((key, event.span.start));
        }
    }
    let ends: Vec<usize> =
        entries.iter().skip(1).map(|entry| entry.1).chain([written.len().saturating_sub(1)]).collect();
    let mut entries: Vec<_> =
        entries.into_iter().zip(ends).map(|((key, from), to)| (key, &written[from..to])).collect();
    // Stable, so that the first of several entries with the same key stays the first.
    entries.sort_by_key(|entry| entry.0);
    entries.dedup_by_key(|entry| entry.0);
    out.push(b'd');
    for (_, entry) in entries {
        out.extend_from_slice(entry);
    }
    out.push(b'e');
}
