//! The token reader: bencoded bytes in, one event per token out, with a stack on the heap instead of recursion.

use super::error::{Error, Reason};
use alloc::vec::Vec;
use core::{iter::FusedIterator, ops::Range};

/// How strictly to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Only the canonical form: there is exactly one way to write a value.
    Strict,
    /// Also what real encoders get wrong without making the meaning unclear (see [`Reason::is_forgivable`]); each
    /// such place becomes a warning.
    Lenient,
}

/// Bounds on the input, so that hostile bytes cannot take more memory than they are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most lists and dictionaries open at once.
    pub depth: usize,
    /// Most input bytes. Never more than `u32::MAX`, whatever is set.
    pub size: usize,
    /// Most values, keys included. A [`Document`](super::Document) takes 16 bytes for each.
    pub items: usize,
}

impl Default for Limits {
    /// Of the order of libtorrent's `load_torrent_limits`: far above any real torrent, 48 MB of nodes at worst.
    fn default() -> Self {
        Limits { depth: 100, size: 64 << 20, items: 3_000_000 }
    }
}

/// One token of bencode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// A dictionary key; its value follows.
    Key(&'a [u8]),
    /// A byte string.
    Bytes(&'a [u8]),
    /// An integer.
    Int(i64),
    /// The `l` that opens a list.
    List,
    /// The `d` that opens a dictionary.
    Dict,
    /// The `e` that closes the innermost list or dictionary.
    End,
}

/// A token with its place in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The token.
    pub token: Token<'a>,
    /// The bytes that write it. For a string: length, colon and content, the content being the last bytes.
    pub span: Range<usize>,
    /// Number of lists and dictionaries it lies in; a list and its [`Token::End`] have the same depth.
    pub depth: usize,
}

/// Reads one value from the start of a byte slice, token by token.
///
/// As an iterator it yields events until the value is complete or an error was yielded. Bytes after the value are
/// not looked at until [`Reader::finish`].
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    mode: Mode,
    limits: Limits,
    items: usize,
    open: Vec<Frame<'a>>,
    done: bool,
    failed: Option<Error>,
    warnings: Vec<Error>,
}

/// A list or dictionary that is not closed yet.
#[derive(Clone, Copy, Debug)]
enum Frame<'a> {
    List,
    Dict { previous: Option<&'a [u8]>, value_due: bool },
}

impl<'a> Reader<'a> {
    /// A reader at the start of `data`.
    pub fn new(data: &'a [u8], mode: Mode, limits: Limits) -> Self {
        let size = limits.size.min(u32::MAX as usize);
        let limits = Limits { size, ..limits };
        Reader {
            data,
            at: 0,
            mode,
            limits,
            items: 0,
            open: Vec::new(),
            done: false,
            failed: None,
            warnings: Vec::new(),
        }
    }

    /// Offset of the next byte to be read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// What lenient reading forgave so far, in the order of the input.
    pub fn warnings(&self) -> &[Error] {
        &self.warnings
    }

    /// Checks that nothing follows the value and gives the warnings.
    ///
    /// # Errors
    /// The error the reader stopped at, [`Reason::TrailingBytes`] in strict mode, [`Reason::UnexpectedEnd`] when the
    /// value is not complete.
    pub fn finish(mut self) -> Result<Vec<Error>, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !self.done {
            return Err(self.fault(self.at, Reason::UnexpectedEnd));
        }
        if self.at < self.data.len() {
            self.forgive(self.at, Reason::TrailingBytes(self.data.len() - self.at))?;
        }
        Ok(self.warnings)
    }

    /// The warnings, without a look at what follows the value.
    pub fn into_warnings(self) -> Vec<Error> {
        self.warnings
    }

    fn fault(&self, offset: usize, reason: Reason) -> Error {
        Error { offset, reason }
    }

    /// A forgivable fault: an error in strict mode, a warning in lenient mode.
    fn forgive(&mut self, offset: usize, reason: Reason) -> Result<(), Error> {
        debug_assert!(reason.is_forgivable());
        let fault = self.fault(offset, reason);
        match self.mode {
            Mode::Strict => Err(fault),
            Mode::Lenient => {
                self.warnings.push(fault);
                Ok(())
            }
        }
    }

    fn step(&mut self) -> Result<Event<'a>, Error> {
        let start = self.at;
        if self.data.len() > self.limits.size {
            return Err(self.fault(self.limits.size, Reason::TooLarge(self.limits.size)));
        }
        let Some(&first) = self.data.get(start) else {
            return Err(self.fault(start, Reason::UnexpectedEnd));
        };
        if first == b'e' && !self.open.is_empty() {
            return self.close();
        }
        self.items += 1;
        if self.items > self.limits.items {
            return Err(self.fault(start, Reason::TooManyItems(self.limits.items)));
        }
        let depth = self.open.len();
        let is_key = matches!(self.open.last(), Some(Frame::Dict { value_due: false, .. }));
        let token = match first {
            b'0'..=b'9' if is_key => self.key()?,
            b'0'..=b'9' => Token::Bytes(self.string()?),
            b'i' | b'l' | b'd' if is_key => return Err(self.fault(start, Reason::KeyNotAString)),
            b'i' => Token::Int(self.integer()?),
            b'l' => self.enter(Frame::List, Token::List)?,
            b'd' => self.enter(Frame::Dict { previous: None, value_due: false }, Token::Dict)?,
            other => return Err(self.fault(start, Reason::UnexpectedByte(other))),
        };
        if !is_key && !matches!(token, Token::List | Token::Dict) {
            self.value_complete();
        }
        Ok(Event { token, span: start..self.at, depth })
    }

    fn enter(&mut self, frame: Frame<'a>, token: Token<'a>) -> Result<Token<'a>, Error> {
        if self.open.len() >= self.limits.depth {
            return Err(self.fault(self.at, Reason::TooDeep(self.limits.depth)));
        }
        self.open.push(frame);
        self.at += 1;
        Ok(token)
    }

    fn close(&mut self) -> Result<Event<'a>, Error> {
        let start = self.at;
        if let Some(Frame::Dict { value_due: true, .. }) = self.open.pop() {
            return Err(self.fault(start, Reason::MissingValue));
        }
        self.at += 1;
        self.value_complete();
        Ok(Event { token: Token::End, span: start..self.at, depth: self.open.len() })
    }

    /// Tells the enclosing dictionary, if any, that the value of its last key is read.
    fn value_complete(&mut self) {
        match self.open.last_mut() {
            None => self.done = true,
            Some(Frame::List) => {}
            Some(Frame::Dict { value_due, .. }) => *value_due = false,
        }
    }

    fn key(&mut self) -> Result<Token<'a>, Error> {
        let start = self.at;
        let key = self.string()?;
        let last = match self.open.last_mut() {
            Some(Frame::Dict { previous, value_due }) => {
                *value_due = true;
                previous.replace(key)
            }
            _ => None,
        };
        match last {
            Some(last) if last == key => self.forgive(start, Reason::DuplicateKey)?,
            Some(last) if last > key => self.forgive(start, Reason::UnsortedKey)?,
            _ => {}
        }
        Ok(Token::Key(key))
    }

    fn string(&mut self) -> Result<&'a [u8], Error> {
        let start = self.at;
        let mut length = 0u64;
        while let Some(digit @ b'0'..=b'9') = self.data.get(self.at) {
            length = length.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        match self.data.get(self.at) {
            Some(b':') => {}
            Some(&other) => return Err(self.fault(self.at, Reason::UnexpectedByte(other))),
            None => return Err(self.fault(self.at, Reason::UnexpectedEnd)),
        }
        if self.data[start] == b'0' && self.at - start > 1 {
            self.forgive(start, Reason::LeadingZero)?;
        }
        self.at += 1;
        let left = self.data.len() - self.at;
        if length > left as u64 {
            return Err(self.fault(start, Reason::LengthPastEnd { length, left: left as u64 }));
        }
        let content = &self.data[self.at..self.at + length as usize];
        self.at += content.len();
        Ok(content)
    }

    fn integer(&mut self) -> Result<i64, Error> {
        self.at += 1;
        let start = self.at;
        let negative = self.data.get(self.at) == Some(&b'-');
        self.at += usize::from(negative);
        let digits = self.at;
        // Counted downwards, since the range of i64 reaches one further below zero.
        let mut value = Some(0i64);
        while let Some(digit @ b'0'..=b'9') = self.data.get(self.at) {
            let digit = i64::from(digit - b'0');
            value = value.and_then(|value| value.checked_mul(10)?.checked_sub(digit));
            self.at += 1;
        }
        match self.data.get(self.at) {
            Some(b'e') if self.at == digits => return Err(self.fault(start, Reason::NoDigits)),
            Some(b'e') => {}
            Some(&other) => return Err(self.fault(self.at, Reason::UnexpectedByte(other))),
            None => return Err(self.fault(self.at, Reason::UnexpectedEnd)),
        }
        if self.data[digits] == b'0' && self.at - digits > 1 {
            self.forgive(start, Reason::LeadingZero)?;
        } else if self.data[digits] == b'0' && negative {
            self.forgive(start, Reason::NegativeZero)?;
        }
        self.at += 1;
        let value = if negative { value } else { value.and_then(i64::checked_neg) };
        value.ok_or(self.fault(start, Reason::IntegerOverflow))
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Event<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done || self.failed.is_some() {
            return None;
        }
        let event = self.step();
        self.failed = event.as_ref().err().copied();
        Some(event)
    }
}

impl FusedIterator for Reader<'_> {}
