//! Reads a trace: record after record, with the keyframes between them and the end. Never more than a frame is in memory.

use std::io::{self, Read};

use crate::bytes::{Cursor, Flaw};
use crate::frame::{HEAD, MAGIC, MOST_BODY, OPENING, VERSION, checksum, kind};
use crate::{Entry, Header, ReadError, State, decode, keyframe};

/// What a trace has besides its header.
#[derive(Debug)]
pub enum Item {
    /// A record.
    Record(Entry),
    /// The state that all records before it make.
    Keyframe(Box<State>),
    /// The end of the run.
    End(End),
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// When, in microseconds.
    pub at: u64,
    /// How many records there are.
    pub records: u64,
    /// How many nodes joined.
    pub joined: u64,
    /// How many nodes completed that came without everything.
    pub completed: u64,
    /// Whether the run came to its end, and was not interrupted.
    pub complete: bool,
}

/// Reads a trace from its start.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    header: Header,
    /// Bytes read of the trace, to the end of the frame that is being read.
    at: u64,
    /// The body of a frame of events, where it lies in the trace, and how much of it was read.
    body: Vec<u8>,
    body_at: u64,
    read: usize,
    /// The time of the last record.
    last: u64,
}

/// A frame that was read: its kind and where its body lies.
struct Frame {
    kind: u8,
    at: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the beginning and the header.
    ///
    /// # Errors
    /// When these bytes are no trace, or one of another version, or the header is damaged.
    pub fn new(input: R) -> Result<Self, ReadError> {
        let mut reader = Reader {
            input,
            header: Header::new("", ""),
            at: 0,
            body: Vec::new(),
            body_at: 0,
            read: 0,
            last: 0,
        };
        let mut opening = [0; OPENING];
        let count = reader.fill(&mut opening)?;
        if !opening[..count].starts_with(&MAGIC) {
            return Err(ReadError::Foreign);
        }
        if count < OPENING {
            return Err(ReadError::Truncated { at: reader.at, frame: 0 });
        }
        let version = u16::from_le_bytes([opening[14], opening[15]]);
        if version != VERSION {
            return Err(ReadError::Version(version));
        }
        let due = "the first one is a header";
        match reader.frame()? {
            Some(Frame { kind: kind::HEADER, at }) => {
                let header = Header::from_json(&reader.body);
                reader.header = header.map_err(|why| ReadError::Header { at: at - HEAD as u64, why })?;
            }
            Some(Frame { kind, at }) => return Err(ReadError::Order { at: at - HEAD as u64, kind, due }),
            None => return Err(ReadError::Truncated { at: reader.at, frame: reader.at }),
        }
        reader.read = reader.body.len();
        Ok(reader)
    }

    /// What run it is of.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes read so far, to the end of a frame.
    pub fn offset(&self) -> u64 {
        self.at
    }

    /// The next record, keyframe or end; nothing behind the last frame. A trace whose last item is no [`Item::End`] was cut
    /// short between two frames, or is still being written.
    ///
    /// # Errors
    /// When what follows is damaged, cut short or cannot be. Nothing can be read behind that.
    pub fn next_item(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            if self.read < self.body.len() {
                return self.record().map(|entry| Some(Item::Record(entry)));
            }
            let Some(Frame { kind, at }) = self.frame()? else { return Ok(None) };
            let body = std::mem::take(&mut self.body);
            let mut cursor = Cursor::new(&body, 0);
            match kind {
                kind::EVENTS => {
                    self.begin(&mut cursor, at)?;
                    (self.read, self.body_at, self.body) = (cursor.at(), at, body);
                }
                kind::KEYFRAME => {
                    let state = keyframe::read(&mut cursor, self.header.piece_count());
                    return state.map(|state| Some(Item::Keyframe(Box::new(state)))).map_err(placed(at));
                }
                kind::END => return end(&mut cursor).map(|end| Some(Item::End(end))).map_err(placed(at)),
                kind::HEADER => {
                    let due = "there is one header only";
                    return Err(ReadError::Order { at: at - HEAD as u64, kind, due });
                }
                // Of a later program: a reader passes over kinds it does not know.
                _ => {}
            }
        }
    }

    /// Reads the time at which a frame of events begins.
    fn begin(&mut self, cursor: &mut Cursor<'_>, at: u64) -> Result<(), ReadError> {
        let what = "a time, no earlier than the one before";
        let first = cursor.number(what).map_err(placed(at))?;
        if first < self.last {
            return Err(ReadError::Field { at, due: what });
        }
        self.last = first;
        Ok(())
    }

    fn record(&mut self) -> Result<Entry, ReadError> {
        let mut cursor = Cursor::new(&self.body, self.read);
        let what = "a time in the range of 64 bits";
        let read = cursor.number(what).and_then(|passed| {
            let at = self.last.checked_add(passed).ok_or(Flaw { at: self.read, what })?;
            Ok(Entry { at, record: decode::read(&mut cursor, self.header.piece_count())? })
        });
        let entry = read.map_err(placed(self.body_at))?;
        (self.read, self.last) = (cursor.at(), entry.at);
        Ok(entry)
    }

    /// Reads a frame into `body`; nothing at the end of the trace.
    fn frame(&mut self) -> Result<Option<Frame>, ReadError> {
        let start = self.at;
        self.body.clear();
        self.read = 0;
        let mut head = [0; HEAD];
        match self.fill(&mut head)? {
            0 => return Ok(None),
            HEAD => {}
            _ => return Err(ReadError::Truncated { at: self.at, frame: start }),
        }
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (length, found) = (word(1), word(5));
        if length > MOST_BODY {
            return Err(ReadError::TooLong { at: start, length });
        }
        // Grows as the bytes come, so that a length alone costs nothing.
        let taken = (&mut self.input).take(length.into()).read_to_end(&mut self.body);
        let taken = taken.map_err(|source| ReadError::Io { at: self.at, source })?;
        self.at += taken as u64;
        if taken < length as usize {
            self.body.clear();
            return Err(ReadError::Truncated { at: self.at, frame: start });
        }
        let due = checksum(&head, &self.body);
        if found != due {
            self.body.clear();
            return Err(ReadError::Checksum { at: start, found, due });
        }
        Ok(Some(Frame { kind: head[0], at: start + HEAD as u64 }))
    }

    /// Reads until the buffer is full or the trace ends; gives how much.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let mut count = 0;
        while count < buffer.len() {
            match self.input.read(&mut buffer[count..]) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(ReadError::Io { at: self.at + count as u64, source }),
            }
        }
        self.at += count as u64;
        Ok(count)
    }
}

/// A flaw by its place in the trace.
fn placed(body_at: u64) -> impl Fn(Flaw) -> ReadError {
    move |flaw| ReadError::Field { at: body_at + flaw.at as u64, due: flaw.what }
}

fn end(cursor: &mut Cursor<'_>) -> Result<End, Flaw> {
    Ok(End {
        at: cursor.number("the time of the end")?,
        records: cursor.number("the number of records")?,
        joined: cursor.number("how many nodes joined")?,
        completed: cursor.number("how many nodes completed")?,
        complete: cursor.number("1 or 0, whether the run came to its end")? == 1,
    })
}
