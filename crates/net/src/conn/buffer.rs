//! Receive buffers: blocks are slices of them, so a buffer is in use until the last of its blocks is on disk.
//!
//! Buffers grow with what the socket gives and shrink when it gives little, and are used again once free, since fresh
//! memory costs page faults. Whole messages are cut off the front; the part of a message that stands at the end of a
//! full buffer is copied to the next one, which is the only copy.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

/// Smallest buffer: a block of 16 KiB with its header and a few small messages.
const SMALLEST: usize = 32 * 1024;

/// Largest buffer, unless one message is longer.
const LARGEST: usize = 256 * 1024;

/// Buffers kept for use again.
const KEPT: usize = 6;

/// So many reads in a row that would have fitted in half the buffer halve it.
const SMALL_READS: u8 = 32;

/// The receive buffer of one link.
#[derive(Debug)]
pub(crate) struct Buffer {
    current: BytesMut,
    retired: VecDeque<BytesMut>,
    size: usize,
    small_reads: u8,
}

impl Buffer {
    /// A buffer that begins with these bytes.
    pub(crate) fn new(received: BytesMut) -> Self {
        Buffer { current: received, retired: VecDeque::new(), size: SMALLEST, small_reads: 0 }
    }

    /// What has been received and not been taken.
    pub(crate) fn received(&self) -> &[u8] {
        &self.current
    }

    /// Takes `len` bytes off the front; they stay in memory as long as the slice.
    pub(crate) fn take(&mut self, len: usize) -> Bytes {
        self.current.split_to(len).freeze()
    }

    /// Passes over `len` bytes.
    pub(crate) fn skip(&mut self, len: usize) {
        bytes::Buf::advance(&mut self.current, len);
    }

    /// Where the next read goes. Makes room so that a message of `whole` bytes, counted from the front, fits.
    pub(crate) fn room(&mut self, whole: usize) -> &mut BytesMut {
        let lacking = whole.saturating_sub(self.current.len()).max(1);
        let spare = self.current.capacity() - self.current.len();
        // A short rest of the buffer would make short reads.
        if spare < lacking || (spare < self.size / 8 && self.current.len() < self.size / 8) {
            self.renew(whole);
        }
        &mut self.current
    }

    /// Takes notice of a read of `len` bytes where `room` were free.
    pub(crate) fn note_read(&mut self, len: usize, room: usize) {
        if len == room && room >= self.size / 2 {
            self.size = (self.size * 2).min(LARGEST);
            self.small_reads = 0;
        } else if len * 4 < self.size {
            self.small_reads = self.small_reads.saturating_add(1);
            if self.small_reads == SMALL_READS && self.size > SMALLEST {
                self.size /= 2;
                self.small_reads = 0;
                self.retired.clear();
            }
        } else {
            self.small_reads = 0;
        }
    }

    /// Moves what was received to the front of a free buffer.
    fn renew(&mut self, whole: usize) {
        let size = self.size.max(whole);
        if self.current.try_reclaim(size - self.current.len()) {
            return;
        }
        let free = self.retired.iter_mut().position(|buffer| buffer.try_reclaim(size));
        let mut fresh = match free.and_then(|at| self.retired.remove(at)) {
            Some(buffer) => buffer,
            None => BytesMut::with_capacity(size),
        };
        fresh.put_slice(&self.current);
        let mut old = std::mem::replace(&mut self.current, fresh);
        old.clear();
        if self.retired.len() == KEPT {
            self.retired.pop_front();
        }
        self.retired.push_back(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Receives `len` bytes that count up from `from`.
    fn receive(buffer: &mut Buffer, from: usize, len: usize, whole: usize) -> usize {
        let target = buffer.room(whole);
        let room = target.capacity() - target.len();
        let len = len.min(room);
        target.extend((from..from + len).map(|at| at as u8));
        buffer.note_read(len, room);
        len
    }

    #[test]
    fn slices_stay_as_they_were_while_the_buffer_goes_on() {
        let mut buffer = Buffer::new(BytesMut::new());
        let (mut at, mut slices) = (0, Vec::new());
        for round in 0..500 {
            at += receive(&mut buffer, at, 5_000 + round * 37, 20_000);
            while buffer.received().len() >= 16_397 {
                slices.push(buffer.take(16_397));
            }
            if round % 7 == 0 {
                slices.clear();
                buffer.skip(buffer.received().len());
            }
            let first = slices.first().and_then(|slice| slice.first()).copied();
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            let expected = (0..all.len()).map(|n| first.unwrap_or(0).wrapping_add(n as u8));
            assert!(all.iter().copied().eq(expected), "round {round}");
        }
    }

    #[test]
    fn buffers_grow_with_full_reads_and_are_used_again() {
        let mut buffer = Buffer::new(BytesMut::new());
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            receive(&mut buffer, 0, usize::MAX / 2, 0);
            let len = buffer.received().len();
            let slice = buffer.take(len);
            seen.insert(slice.as_ptr() as usize);
        }
        assert_eq!(buffer.size, LARGEST);
        assert!(seen.len() < 20, "{} different places", seen.len());
        for _ in 0..200 {
            let len = receive(&mut buffer, 0, 100, 0);
            buffer.skip(len);
        }
        assert_eq!((buffer.size, buffer.retired.len()), (SMALLEST, 0));
    }

    #[test]
    fn a_long_message_finds_room() {
        let mut buffer = Buffer::new(BytesMut::new());
        receive(&mut buffer, 0, 10, 0);
        let room = buffer.room(1_000_000);
        assert!(room.capacity() >= 1_000_000);
        assert_eq!(room.len(), 10);
    }
}
