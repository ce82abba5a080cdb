//! One link to a remote peer: a task that reads and a task that writes.
//!
//! The reader turns bytes into batches of messages whose blocks are slices of the buffer the socket was read into. The
//! writer sends batches of messages and blocks with as few system calls as it can. Both speak with the endpoint's task
//! by queues only. What may pile up is bounded: batches by the size of the endpoint's queue, their blocks by a budget
//! that the disk gives back, blocks to send by upload credit, other messages by [`MAX_QUEUED`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use swarmlab_protocol::wire::Limits;
use swarmlab_protocol::{Block, ConnId, Message};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

mod buffer;
mod open;
mod reader;
mod writer;

#[cfg(test)]
pub(crate) use open::OpenError;
pub(crate) use open::{Opening, accept, dial};

use crate::valve::Valve;

/// Bytes of messages other than blocks that may wait for a remote that does not read; a bitfield comes on top.
pub(crate) const MAX_QUEUED: usize = 1024 * 1024;

/// A link of this moment: slots are used again, generations are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) conn: ConnId,
    pub(crate) generation: u32,
}

/// What links tell the endpoint's task.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// Messages have arrived.
    Received { key: Key, batch: Batch },
    /// This many blocks with this many bytes have left the send queue.
    Wrote { key: Key, blocks: u32, bytes: u64 },
    /// The link is broken, for this reason.
    Broken { key: Key, why: String },
}

/// Messages that arrived together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) messages: Vec<Message>,
    /// The blocks of the `Piece` messages, in their order.
    pub(crate) payloads: Vec<Bytes>,
    /// Messages of an unknown kind that were passed over.
    pub(crate) skipped: u32,
    /// Leave to hold the payloads in memory.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// What a writer is to send.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Messages in wire form, to be sent once the link has sent `after` blocks in all.
    Messages { bytes: Vec<u8>, after: u64 },
    /// Blocks that were read, in the order they were asked for.
    Blocks(Vec<(Block, Bytes)>),
    /// So many blocks could not be read; they count as sent where order matters.
    Unreadable(u32),
}

/// The way to a writer. What is sent to one that has ended is lost.
#[derive(Clone, Debug)]
pub(crate) struct ToWriter(UnboundedSender<Outgoing>);

impl ToWriter {
    pub(crate) fn send(&self, outgoing: Outgoing) {
        _ = self.0.send(outgoing);
    }
}

/// What all links of an endpoint have in common.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) events: Sender<LinkEvent>,
    /// Bytes of blocks that may be in memory between socket and disk.
    pub(crate) budget: Arc<Semaphore>,
    pub(crate) valve: Option<Arc<Valve>>,
}

/// The endpoint's end of a link. Dropping it ends the link at once.
#[derive(Debug)]
pub(crate) struct Link {
    writer: ToWriter,
    queued: Arc<AtomicUsize>,
    tasks: [AbortHandle; 2],
}

impl Link {
    /// Starts the two tasks over a socket on which both handshakes have passed; `rest` was received behind them.
    pub(crate) fn start(socket: TcpStream, rest: bytes::BytesMut, key: Key, shared: &Shared) -> Link {
        let (read_half, write_half) = socket.into_split();
        let (writer, outgoing) = unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let reading = tokio::spawn(reader::run(read_half, rest, key, shared.clone()));
        let writing =
            tokio::spawn(writer::run(write_half, outgoing, Arc::clone(&queued), key, shared.events.clone()));
        Link { writer: ToWriter(writer), queued, tasks: [reading.abort_handle(), writing.abort_handle()] }
    }

    /// Queues messages in wire form, to be sent once `after` blocks have been. False if too much waits already: the
    /// remote does not read.
    pub(crate) fn send(&self, bytes: Vec<u8>, after: u64) -> bool {
        let waiting = self.queued.fetch_add(bytes.len(), Ordering::Relaxed);
        let fits = waiting <= MAX_QUEUED;
        self.writer.send(Outgoing::Messages { bytes, after });
        fits
    }

    /// The way to the writer, for blocks.
    pub(crate) fn writer(&self) -> &ToWriter {
        &self.writer
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Receiver of link events, for the endpoint's task.
pub(crate) type LinkEvents = Receiver<LinkEvent>;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
