//! A lane: one stream of pieces that are read and hashed one after the other.
//!
//! A lane claims a run of pieces, reads it front to back into its one buffer and hashes straight from there, so content
//! is copied once (out of the page cache) and one read may serve several pieces of a file. It stops before each stretch
//! of bytes, so that a thread can feed two lanes by turns.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use sha1::{Digest as _, Sha1};
use swarmlab_metainfo::PieceIndex;

use super::read::{Outcomes, Queue, ReadError, Trouble};

/// Bytes read at a time: with two lanes half of a second-level cache of 1 MiB, so that what was read is hashed from
/// there. The bench `hashing` says what other sizes give.
const BUFFER: usize = 256 << 10;

/// Bytes that a lane is fed before it is the other's turn: two blocks of SHA-1. The core looks ahead over a few hundred
/// instructions; with 512 bytes it no longer sees the other lane's work.
const TURN: usize = 128;

/// One stream of pieces, with a buffer and the file it read last.
pub(super) struct Lane<'a> {
    queue: &'a Queue<'a>,
    /// The source read last; without a file it is all zeros.
    open: Option<(usize, Option<File>)>,
    buffer: Vec<u8>,
    /// Where in the open source the bytes at the start of the buffer lie.
    held: Range<u64>,
    /// Where in the buffer the next bytes to hash lie.
    next: Range<usize>,
    /// The pieces of the run that are not begun.
    left: Range<u32>,
    /// Offset in the content behind the run: nothing is read beyond it.
    run_end: u64,
    piece: Option<Underway>,
    runs: Vec<(u32, Outcomes)>,
}

/// The piece that is being hashed.
struct Underway {
    index: PieceIndex,
    sha1: Sha1,
    /// Offset in the content of the next byte to hash, and behind the piece.
    rest: Range<u64>,
    /// The source that byte lies in.
    source: usize,
}

/// Feeds two lanes by turns. Both are [`Lane::ready`].
pub(super) fn side_by_side<'a>(a: &mut Lane<'a>, b: &mut Lane<'a>) {
    let shared = a.next.len().min(b.next.len()) / TURN * TURN;
    if shared == 0 {
        // Never a part of a turn to both: it would leave the longer one between two blocks of SHA-1 for good.
        let shorter = if a.next.len() < b.next.len() { a } else { b };
        return shorter.feed();
    }
    if let (Some(a_piece), Some(b_piece)) = (&mut a.piece, &mut b.piece) {
        let [a_turns, b_turns] = [&a.buffer[a.next.clone()], &b.buffer[b.next.clone()]]
            .map(|bytes| bytes[..shared].chunks_exact(TURN));
        for (a_turn, b_turn) in a_turns.zip(b_turns) {
            a_piece.sha1.update(a_turn);
            b_piece.sha1.update(b_turn);
        }
    }
    a.fed(shared);
    b.fed(shared);
}

impl<'a> Lane<'a> {
    pub(super) fn new(queue: &'a Queue<'a>) -> Self {
        Self {
            queue,
            open: None,
            buffer: vec![0; BUFFER],
            held: 0..0,
            next: 0..0,
            left: 0..0,
            run_end: 0,
            piece: None,
            runs: Vec::new(),
        }
    }

    /// Goes on to the next byte that is to be hashed: ends pieces, begins others, reads. False when there is none left.
    pub(super) fn ready(&mut self) -> bool {
        loop {
            let Some(piece) = &self.piece else {
                if self.begin() {
                    continue;
                }
                return false;
            };
            if piece.rest.is_empty() {
                self.end(None);
                continue;
            }
            match self.hold() {
                Ok(()) => return true,
                Err(error) => self.end(Some(error)),
            }
        }
    }

    /// Hashes what is held of the piece.
    pub(super) fn feed(&mut self) {
        if let Some(piece) = &mut self.piece {
            piece.sha1.update(&self.buffer[self.next.clone()]);
        }
        self.fed(self.next.len());
    }

    /// This many bytes are hashed.
    fn fed(&mut self, len: usize) {
        self.next.start += len;
        if let Some(piece) = &mut self.piece {
            piece.rest.start += len as u64;
        }
    }

    /// Each run's first piece, with what became of its pieces up to where the lane stands.
    pub(super) fn into_runs(self) -> Vec<(u32, Outcomes)> {
        self.runs
    }

    /// Begins the next piece of the run, or of another one.
    fn begin(&mut self) -> bool {
        let layout = self.queue.layout;
        if self.left.is_empty() {
            let Some(run) = self.queue.claim() else { return false };
            let last = PieceIndex(run.end - 1);
            self.run_end = layout.piece_offset(last) + u64::from(layout.piece_len(last));
            self.runs.push((run.start, Outcomes::with_capacity(run.len())));
            self.left = run;
        }
        let Some(index) = self.left.next().map(PieceIndex) else { return false };
        let offset = layout.piece_offset(index);
        let rest = offset..offset + u64::from(layout.piece_len(index));
        // The last source that starts at or before the offset; empty ones before it hold nothing.
        let source = self.queue.starts.partition_point(|start| *start <= offset) - 1;
        self.piece = Some(Underway { index, sha1: Sha1::new(), rest, source });
        true
    }

    /// Notes what became of the piece.
    fn end(&mut self, error: Option<ReadError>) {
        let Some(piece) = self.piece.take() else { return };
        self.queue.done(self.queue.layout.piece_len(piece.index), error.is_none());
        let outcome = match error {
            None => Ok(piece.sha1.finalize().into()),
            Some(error) => Err(Trouble { source: piece.source, error }),
        };
        if let Some((_, outcomes)) = self.runs.last_mut() {
            outcomes.push(outcome);
        }
    }

    /// Sees to it that the next byte of the piece is in the buffer.
    fn hold(&mut self) -> Result<(), ReadError> {
        let Some(piece) = &mut self.piece else { return Ok(()) };
        if !self.next.is_empty() {
            return Ok(());
        }
        let Queue { sources, starts, .. } = self.queue;
        while piece.rest.start == starts[piece.source] + sources[piece.source].len {
            piece.source += 1;
        }
        let (number, source, start) = (piece.source, &sources[piece.source], starts[piece.source]);
        let [offset, end] = [piece.rest.start - start, source.len.min(piece.rest.end - start)];
        if self.open.as_ref().is_none_or(|(open, _)| *open != number) {
            self.held = 0..0;
            self.open = Some((number, source.path.as_deref().map(open_file).transpose()?));
        }
        if !self.held.contains(&offset) {
            let upto = source.len.min(self.run_end - start);
            let file = self.open.as_ref().and_then(|(_, file)| file.as_ref());
            self.held = 0..0;
            self.held = offset..offset + fill(file, &mut self.buffer, offset..upto)?;
        }
        let [from, to] = [offset, end.min(self.held.end)].map(|at| (at - self.held.start) as usize);
        self.next = from..to;
        Ok(())
    }
}

/// Reads a range of a file, or zeros where there is no file, as far as the buffer and one call go; returns how many bytes.
fn fill(file: Option<&File>, buffer: &mut [u8], range: Range<u64>) -> Result<u64, ReadError> {
    let room = usize::try_from(range.end - range.start).unwrap_or(usize::MAX).min(buffer.len());
    let Some(file) = file else {
        buffer[..room].fill(0);
        return Ok(room as u64);
    };
    loop {
        match read_at(file, &mut buffer[..room], range.start) {
            Ok(0) => return Err(ReadError::Short(range.start)),
            Ok(got) => return Ok(got as u64),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Opens a file for reading. Opening a pipe would wait for somebody to write to it, so it is looked at first.
fn open_file(path: &Path) -> Result<File, ReadError> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(ReadError::NotAFile);
    }
    Ok(File::open(path)?)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
