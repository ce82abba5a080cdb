//! Writes a trace: records into frames of events, and a keyframe whenever so much has passed that a reader would have to read
//! long to make the state by itself.

use std::io::{self, Write};

use crate::frame::{self, HEAD, MOST_BODY, close, opening};
use crate::{Header, Record, State, encode, keyframe};

/// A frame of events is closed when its body is as long as this, in bytes.
const FULL: usize = 64 << 10;

/// Bytes of events between two keyframes at least, and how many times the last keyframe's size: so keyframes are at most a
/// fifth of a file.
const LEAST_BETWEEN: u64 = 64 << 10;
const TIMES_KEYFRAME: u64 = 4;

/// Writes a trace. Each frame is handed to `out` in one call of `write_all`, and so are the sixteen bytes before the first;
/// what is buffered goes out with [`flush`](Writer::flush).
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    /// The sixteen bytes and the header frame.
    head: Vec<u8>,
    /// The frame of events that is being filled, with room for its head; empty if it has no record.
    frame: Vec<u8>,
    /// The time of the last record.
    last: u64,
    state: State,
    records: u64,
    /// Bytes of events since the last keyframe, and how many make the next one due.
    since: u64,
    due: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a trace.
    ///
    /// # Errors
    /// Those of `out`; `InvalidInput` for a header beyond 64 MiB.
    pub fn new(mut out: W, header: &Header) -> io::Result<Self> {
        let mut frame = vec![0; HEAD];
        frame.extend_from_slice(&header.to_json());
        if frame.len() - HEAD > MOST_BODY as usize {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the header is too long for a frame"));
        }
        close(frame::kind::HEADER, &mut frame);
        out.write_all(&opening())?;
        out.write_all(&frame)?;
        let head = [&opening()[..], &frame].concat();
        frame.clear();
        Ok(Writer {
            out,
            head,
            frame,
            last: 0,
            state: State::new(header.piece_count()),
            records: 0,
            since: 0,
            due: LEAST_BETWEEN,
        })
    }

    /// Adds a record at a time in microseconds. One that comes late is given the time of the one before it, so that times
    /// never go back.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn push(&mut self, at: u64, record: &Record) -> io::Result<()> {
        let at = at.max(self.last);
        if self.frame.is_empty() {
            self.frame.resize(HEAD, 0);
            crate::bytes::put(&mut self.frame, at);
            self.last = at;
        }
        crate::bytes::put(&mut self.frame, at - self.last);
        encode::write(&mut self.frame, record);
        self.last = at;
        self.records += 1;
        self.state.apply(at, record);
        if self.frame.len() >= FULL { self.close_frame() } else { Ok(()) }
    }

    /// Closes the frame of events, writes a keyframe if one is due, and flushes the writer below.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn flush(&mut self) -> io::Result<()> {
        self.close_frame()?;
        self.out.flush()
    }

    /// The state of now.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How many records were added.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// What a reader that comes now needs before the frames that follow: the sixteen bytes, the header, a keyframe of now.
    /// Call it after [`flush`](Writer::flush), so that no record is both in it and in the next frame.
    pub fn catch_up(&self) -> Vec<u8> {
        [&self.head[..], &keyframe_of(&self.state)].concat()
    }

    /// Ends the trace at a time, in microseconds; `complete` if the run came to its end. Gives the writer below back.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn finish(mut self, at: u64, complete: bool) -> io::Result<W> {
        self.close_frame()?;
        let mut end = vec![0; HEAD];
        let state = &self.state;
        let numbers =
            [at.max(self.last), self.records, state.joined(), state.completed(), u64::from(complete)];
        numbers.into_iter().for_each(|number| crate::bytes::put(&mut end, number));
        close(frame::kind::END, &mut end);
        self.out.write_all(&end)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn close_frame(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        close(frame::kind::EVENTS, &mut self.frame);
        self.out.write_all(&self.frame)?;
        self.since += (self.frame.len() - HEAD) as u64;
        self.frame.clear();
        if self.since > self.due { self.write_keyframe() } else { Ok(()) }
    }

    fn write_keyframe(&mut self) -> io::Result<()> {
        let keyframe = keyframe_of(&self.state);
        self.since = 0;
        self.due = LEAST_BETWEEN.max(TIMES_KEYFRAME * keyframe.len() as u64);
        // A state beyond what a frame holds is left out: whoever reads makes it from the records.
        if keyframe.len() - HEAD > MOST_BODY as usize { Ok(()) } else { self.out.write_all(&keyframe) }
    }
}

fn keyframe_of(state: &State) -> Vec<u8> {
    let mut frame = vec![0; HEAD];
    keyframe::write(&mut frame, state);
    close(frame::kind::KEYFRAME, &mut frame);
    frame
}
