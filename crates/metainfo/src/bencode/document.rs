//! A bencoded value as a flat, borrowed tree.
//!
//! Nodes lie in one vector in the order of the input, so that depth costs no stack, neither to build nor to drop.

use super::{
    error::Error,
    reader::{Limits, Mode, Reader, Token},
};
use alloc::vec::Vec;
use core::{fmt, iter::FusedIterator, ops::Range};

/// A bencoded value with the place of every part in the input.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    data: &'a [u8],
    records: Vec<Record>,
    warnings: Vec<Error>,
}

/// One value or key. Its type is told by the first byte of its span.
#[derive(Clone, Copy, Debug)]
struct Record {
    /// Span in the input.
    start: u32,
    end: u32,
    /// Where the content of a string starts.
    content: u32,
    /// Index of the first record after this one and all it contains.
    after: u32,
}

/// The four types of bencode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A byte string.
    Bytes,
    /// An integer.
    Int,
    /// A list.
    List,
    /// A dictionary.
    Dict,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Bytes => "a string",
            Kind::Int => "an integer",
            Kind::List => "a list",
            Kind::Dict => "a dictionary",
        })
    }
}

impl<'a> Document<'a> {
    /// Reads canonical bencode and nothing else, within the default [`Limits`].
    ///
    /// # Errors
    /// The first fault with its offset.
    pub fn strict(data: &'a [u8]) -> Result<Self, Error> {
        Self::read(data, Mode::Strict, Limits::default())
    }

    /// Reads bencode as real encoders write it, within the default [`Limits`]; see [`Document::warnings`].
    ///
    /// # Errors
    /// The first fault that cannot be forgiven, with its offset.
    pub fn lenient(data: &'a [u8]) -> Result<Self, Error> {
        Self::read(data, Mode::Lenient, Limits::default())
    }

    /// Reads one value that takes up all of `data`.
    ///
    /// # Errors
    /// The first fault with its offset.
    pub fn read(data: &'a [u8], mode: Mode, limits: Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(data, mode, limits);
        let records = build(&mut reader)?;
        let warnings = reader.finish()?;
        Ok(Document { data, records, warnings })
    }

    /// Reads one value from the start of `data` and gives what follows it, as in a metadata message (BEP 9), where
    /// the bytes of the piece come after a dictionary.
    ///
    /// # Errors
    /// The first fault with its offset.
    pub fn prefix(data: &'a [u8], mode: Mode, limits: Limits) -> Result<(Self, &'a [u8]), Error> {
        let mut reader = Reader::new(data, mode, limits);
        let records = build(&mut reader)?;
        let rest = &data[reader.position()..];
        Ok((Document { data, records, warnings: reader.into_warnings() }, rest))
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'_, 'a> {
        Node { data: self.data, records: &self.records, index: 0 }
    }

    /// What lenient reading forgave, in the order of the input.
    pub fn warnings(&self) -> &[Error] {
        &self.warnings
    }
}

fn build(reader: &mut Reader<'_>) -> Result<Vec<Record>, Error> {
    let mut records: Vec<Record> = Vec::new();
    let mut open: Vec<u32> = Vec::new();
    for event in reader {
        let event = event?;
        // The reader's limits keep offsets, and with them counts, within 32 bits.
        let (start, end) = (event.span.start as u32, event.span.end as u32);
        let here = records.len() as u32;
        let content = match event.token {
            Token::End => {
                if let Some(index) = open.pop() {
                    let record = &mut records[index as usize];
                    (record.end, record.after) = (end, here);
                }
                continue;
            }
            Token::Key(bytes) | Token::Bytes(bytes) => end - bytes.len() as u32,
            Token::List | Token::Dict => {
                open.push(here);
                start
            }
            Token::Int(_) => start,
        };
        records.push(Record { start, end, content, after: here + 1 });
    }
    Ok(records)
}

/// A value (or key) inside a [`Document`]: a cheap cursor. `'d` is the document, `'a` the input it borrows.
#[derive(Clone, Copy)]
pub struct Node<'d, 'a> {
    data: &'a [u8],
    records: &'d [Record],
    index: usize,
}

impl<'d, 'a> Node<'d, 'a> {
    fn record(&self) -> Record {
        self.records[self.index]
    }

    fn at(&self, index: usize) -> Self {
        Node { index, ..*self }
    }

    /// The range of input bytes that write this value.
    pub fn span(&self) -> Range<usize> {
        let record = self.record();
        record.start as usize..record.end as usize
    }

    /// The input bytes that write this value.
    pub fn raw(&self) -> &'a [u8] {
        &self.data[self.span()]
    }

    /// Its type.
    pub fn kind(&self) -> Kind {
        match self.data[self.record().start as usize] {
            b'i' => Kind::Int,
            b'l' => Kind::List,
            b'd' => Kind::Dict,
            _ => Kind::Bytes,
        }
    }

    /// The content if it is a byte string.
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        let record = self.record();
        (self.kind() == Kind::Bytes).then(|| &self.data[record.content as usize..record.end as usize])
    }

    /// The content if it is a byte string in UTF-8.
    pub fn as_str(&self) -> Option<&'a str> {
        core::str::from_utf8(self.as_bytes()?).ok()
    }

    /// The value if it is an integer.
    pub fn as_int(&self) -> Option<i64> {
        let written = self.raw().strip_prefix(b"i")?.strip_suffix(b"e")?;
        core::str::from_utf8(written).ok()?.parse().ok()
    }

    /// The elements in order if it is a list.
    pub fn items(&self) -> Option<Items<'d, 'a>> {
        (self.kind() == Kind::List).then(|| self.children())
    }

    /// Keys and values in the order of the input if it is a dictionary.
    pub fn entries(&self) -> Option<Entries<'d, 'a>> {
        (self.kind() == Kind::Dict).then(|| Entries(self.children()))
    }

    /// The value of a key if it is a dictionary that has the key (the first one, where lenient reading let a key
    /// through twice). Time is linear in the number of entries.
    pub fn get(&self, key: &[u8]) -> Option<Node<'d, 'a>> {
        self.entries()?.find(|(name, _)| name.as_bytes() == Some(key)).map(|(_, value)| value)
    }

    fn children(&self) -> Items<'d, 'a> {
        Items { next: self.at(self.index + 1), end: self.record().after as usize }
    }
}

impl fmt::Debug for Node<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}", self.kind(), self.span())
    }
}

/// The elements of a list.
#[derive(Clone, Debug)]
pub struct Items<'d, 'a> {
    next: Node<'d, 'a>,
    end: usize,
}

impl<'d, 'a> Iterator for Items<'d, 'a> {
    type Item = Node<'d, 'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next.index >= self.end {
            return None;
        }
        let node = self.next;
        self.next = node.at(node.record().after as usize);
        Some(node)
    }
}

impl FusedIterator for Items<'_, '_> {}

/// The keys and values of a dictionary. Keys are nodes too, since they have a place in the input.
#[derive(Clone, Debug)]
pub struct Entries<'d, 'a>(Items<'d, 'a>);

impl<'d, 'a> Iterator for Entries<'d, 'a> {
    type Item = (Node<'d, 'a>, Node<'d, 'a>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}

impl FusedIterator for Entries<'_, '_> {}
