//! The writing task of a link: as many messages and blocks as are there go out with one system call.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes};
use swarmlab_protocol::wire::{self, PIECE_HEADER_LEN};
use swarmlab_protocol::{Block, Message};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc::{Sender, UnboundedReceiver};

use super::{Key, LinkEvent, Outgoing};

/// A link on which nothing can be sent for this long is dead. Longer than TCP's usual retransmissions of one loss.
const STALLED: Duration = Duration::from_secs(120);

/// Parts handed to one system call; the kernel takes 1,024.
const MAX_PARTS: usize = 64;

/// Writes until the link breaks or the endpoint lets go.
pub(super) async fn run(
    mut socket: OwnedWriteHalf,
    mut outgoing: UnboundedReceiver<Outgoing>,
    queued: Arc<AtomicUsize>,
    key: Key,
    events: Sender<LinkEvent>,
) {
    let mut queue = Queue::default();
    let mut arrived = Vec::new();
    loop {
        if queue.is_blocked() {
            if outgoing.recv_many(&mut arrived, 64).await == 0 {
                return;
            }
        } else {
            while let Ok(more) = outgoing.try_recv() {
                arrived.push(more);
            }
        }
        arrived.drain(..).for_each(|more| queue.push(more));
        if queue.is_blocked() {
            continue;
        }
        let sent = match write_once(&mut socket, &queue).await {
            Ok(written) => queue.advance(written),
            Err(error) => {
                let why = format!("writing failed: {error}");
                _ = events.send(LinkEvent::Broken { key, why }).await;
                return;
            }
        };
        queued.fetch_sub(sent.message_bytes, Ordering::Relaxed);
        if sent.blocks > 0 {
            let event = LinkEvent::Wrote { key, blocks: sent.blocks, bytes: sent.block_bytes };
            if events.send(event).await.is_err() {
                return;
            }
        }
    }
}

async fn write_once(socket: &mut OwnedWriteHalf, queue: &Queue) -> io::Result<usize> {
    let mut parts = [IoSlice::new(&[]); MAX_PARTS];
    let count = queue.parts(&mut parts);
    match tokio::time::timeout(STALLED, socket.write_vectored(&parts[..count])).await {
        Ok(Ok(0)) => Err(io::ErrorKind::WriteZero.into()),
        Ok(written) => written,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the remote takes nothing")),
    }
}

/// What is to be sent, in order: messages first, except those that must follow blocks.
#[derive(Debug, Default)]
struct Queue {
    /// Being sent.
    sending: VecDeque<Part>,
    messages: VecDeque<(Vec<u8>, u64)>,
    blocks: VecDeque<(Block, Bytes)>,
    /// Blocks that were put in line for sending so far, or could not be read.
    started: u64,
}

/// A piece of the byte stream.
#[derive(Debug)]
enum Part {
    Messages(Bytes),
    Header(Header),
    /// A block, and its length.
    Block(Bytes, u32),
}

#[derive(Debug)]
struct Header {
    bytes: [u8; PIECE_HEADER_LEN],
    sent: usize,
}

/// What a write has completed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    message_bytes: usize,
    blocks: u32,
    block_bytes: u64,
}

impl Queue {
    fn push(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Messages { bytes, after } => self.messages.push_back((bytes, after)),
            Outgoing::Blocks(blocks) => self.blocks.extend(blocks),
            Outgoing::Unreadable(count) => self.started += u64::from(count),
        }
        self.line_up();
    }

    /// Puts what may go next in line, as long as one system call can take more.
    fn line_up(&mut self) {
        while self.sending.len() + 2 <= MAX_PARTS {
            if self.messages.front().is_some_and(|(_, after)| *after <= self.started) {
                let Some((bytes, _)) = self.messages.pop_front() else { return };
                self.sending.push_back(Part::Messages(bytes.into()));
            } else if let Some((block, bytes)) = self.blocks.pop_front() {
                self.started += 1;
                self.sending.push_back(Part::Header(Header { bytes: header(block), sent: 0 }));
                self.sending.push_back(Part::Block(bytes, block.len));
            } else {
                return;
            }
        }
    }

    /// Nothing can be sent until more arrives.
    fn is_blocked(&self) -> bool {
        self.sending.is_empty()
    }

    fn parts<'a>(&'a self, parts: &mut [IoSlice<'a>; MAX_PARTS]) -> usize {
        let slices = self.sending.iter().map(Part::rest).zip(parts);
        slices.map(|(rest, part)| *part = IoSlice::new(rest)).count()
    }

    /// Takes notice that `written` bytes are gone.
    fn advance(&mut self, mut written: usize) -> Sent {
        let mut sent = Sent::default();
        while let Some(part) = self.sending.front_mut() {
            let step = part.rest().len().min(written);
            written -= step;
            part.advance(step);
            if let Part::Messages(_) = part {
                sent.message_bytes += step;
            }
            if !part.rest().is_empty() {
                break;
            }
            if let Some(Part::Block(_, len)) = self.sending.pop_front() {
                sent.blocks += 1;
                sent.block_bytes += u64::from(len);
            }
        }
        self.line_up();
        sent
    }
}

impl Part {
    fn rest(&self) -> &[u8] {
        match self {
            Part::Messages(bytes) | Part::Block(bytes, _) => bytes,
            Part::Header(header) => &header.bytes[header.sent..],
        }
    }

    fn advance(&mut self, len: usize) {
        match self {
            Part::Messages(bytes) | Part::Block(bytes, _) => bytes.advance(len),
            Part::Header(header) => header.sent += len,
        }
    }
}

fn header(block: Block) -> [u8; PIECE_HEADER_LEN] {
    let mut bytes = Vec::with_capacity(PIECE_HEADER_LEN);
    wire::encode(&Message::Piece(block), &mut bytes);
    let mut header = [0; PIECE_HEADER_LEN];
    header.copy_from_slice(&bytes);
    header
}

#[cfg(test)]
mod tests {
    use swarmlab_protocol::PieceIndex;

    use super::*;

    fn block(number: u32, len: u32) -> (Block, Bytes) {
        let block = Block { piece: PieceIndex(number), begin: 0, len };
        (block, vec![number as u8; len as usize].into())
    }

    fn messages(byte: u8, after: u64) -> Outgoing {
        Outgoing::Messages { bytes: vec![byte; 5], after }
    }

    /// Sends everything in steps of `step` bytes.
    fn drain(queue: &mut Queue, step: usize) -> (Vec<u8>, Sent) {
        let (mut stream, mut total) = (Vec::new(), Sent::default());
        while !queue.is_blocked() {
            let mut parts = [IoSlice::new(&[]); MAX_PARTS];
            let count = queue.parts(&mut parts);
            let bytes: Vec<u8> = parts[..count].iter().flat_map(|part| part.iter().copied()).collect();
            let step = step.min(bytes.len());
            stream.extend_from_slice(&bytes[..step]);
            let sent = queue.advance(step);
            total.message_bytes += sent.message_bytes;
            total.blocks += sent.blocks;
            total.block_bytes += sent.block_bytes;
        }
        (stream, total)
    }

    #[test]
    fn messages_go_first_but_not_before_the_blocks_they_follow() {
        for step in [1, 7, 1_000] {
            let mut queue = Queue::default();
            queue.push(messages(200, 2));
            queue.push(messages(201, 0));
            assert!(queue.is_blocked(), "what follows blocks also holds back what comes behind it");
            queue.push(Outgoing::Blocks(vec![block(1, 10), block(2, 20), block(3, 30)]));
            let (stream, sent) = drain(&mut queue, step);
            let part = |number: u32, len| [&header(block(number, len).0)[..], &block(number, len).1].concat();
            let expected = [part(1, 10), part(2, 20), vec![200; 5], vec![201; 5], part(3, 30)].concat();
            assert_eq!(stream, expected, "in steps of {step}");
            assert_eq!(sent, Sent { message_bytes: 10, blocks: 3, block_bytes: 60 });
        }
    }

    #[test]
    fn blocks_that_could_not_be_read_hold_nothing_back() {
        let mut queue = Queue::default();
        queue.push(messages(9, 3));
        queue.push(Outgoing::Blocks(vec![block(1, 1)]));
        queue.push(Outgoing::Unreadable(2));
        let (stream, sent) = drain(&mut queue, 64);
        assert_eq!((stream.len(), sent.blocks), (13 + 1 + 5, 1));
    }

    #[test]
    fn many_blocks_take_turns_in_one_call() {
        let mut queue = Queue::default();
        queue.push(Outgoing::Blocks((0..200).map(|number| block(number, 3)).collect()));
        assert!(queue.sending.len() <= MAX_PARTS);
        let (stream, sent) = drain(&mut queue, usize::MAX);
        assert_eq!((stream.len(), sent.blocks), (200 * 16, 200));
    }
}
