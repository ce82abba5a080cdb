//! A span: a run of input bytes with a name.

use std::ops::Range;

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

/// What sort of bytes a span holds: decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hue {
    /// Marks that give the rest its shape: `d`, `e`, `:`, `&`.
    Mark,
    /// How long something is.
    Length,
    /// Which kind of message, or which parameter.
    Id,
    /// A key or a name.
    Key,
    /// Text.
    Text,
    /// A number.
    Number,
    /// Bytes that are no text: hashes, content.
    Bytes,
    /// What could not be read.
    Wrong,
}

/// A run of bytes with a name; its children, if any, tile it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte in the input.
    pub offset: usize,
    /// Length in bytes.
    pub len: usize,
    /// What sort of bytes.
    pub hue: Hue,
    /// What it is: `string`, `length`, `info hash`.
    pub name: String,
    /// What it says.
    pub value: String,
    /// What that means, where more can be said.
    pub meaning: String,
    /// Its parts.
    pub children: Vec<Span>,
    /// Whether its parts deserve lines of their own, or only colours.
    pub open: bool,
}

impl Span {
    /// A span without parts.
    pub(super) fn new(
        range: Range<usize>,
        hue: Hue,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Span {
        Span {
            offset: range.start,
            len: range.len(),
            hue,
            name: name.into(),
            value: value.into(),
            meaning: String::new(),
            children: Vec::new(),
            open: false,
        }
    }

    pub(super) fn meaning(mut self, meaning: impl Into<String>) -> Span {
        self.meaning = meaning.into();
        self
    }

    /// The span with parts that only colour its bytes. Parts without bytes are left out.
    pub(super) fn parts(mut self, parts: impl IntoIterator<Item = Span>) -> Span {
        self.children = parts.into_iter().filter(|part| part.len > 0).collect();
        self
    }

    /// The span with parts that get lines of their own.
    pub(super) fn fields(self, parts: impl IntoIterator<Item = Span>) -> Span {
        Span { open: true, ..self.parts(parts) }
    }

    /// Offset behind the last byte.
    pub fn end(&self) -> usize {
        self.offset + self.len
    }

    /// The value behind the key of this name, in a dictionary.
    pub(super) fn child_named(&mut self, key: &str) -> Option<&mut Span> {
        let at = self.children.iter().position(|child| child.hue == Hue::Key && child.value == key)?;
        self.children.get_mut(at + 1)
    }
}

/// Most bytes of a span that JSON repeats; its place and length tell where the rest is.
const MOST_HEX: usize = 256;

/// A span together with the input it lies in, for JSON.
pub struct WithBytes<'a>(pub &'a Span, pub &'a [u8]);

impl Serialize for WithBytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let WithBytes(span, data) = self;
        let shown = &data[span.offset..span.offset + span.len.min(MOST_HEX)];
        let hex: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
        let children: Vec<WithBytes<'_>> = span.children.iter().map(|child| WithBytes(child, data)).collect();
        let mut fields = serializer.serialize_struct("Span", 8)?;
        fields.serialize_field("offset", &span.offset)?;
        fields.serialize_field("len", &span.len)?;
        fields.serialize_field("bytes_hex", &hex)?;
        if span.len > MOST_HEX {
            fields.serialize_field("bytes_hex_truncated", &true)?;
        }
        fields.serialize_field("name", &span.name)?;
        fields.serialize_field("value", &span.value)?;
        fields.serialize_field("meaning", &span.meaning)?;
        if !children.is_empty() {
            fields.serialize_field("children", &children)?;
        }
        fields.end()
    }
}
