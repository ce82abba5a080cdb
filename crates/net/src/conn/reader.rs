//! The reading task of a link: from bytes to batches of messages.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use swarmlab_protocol::wire::{self, Limits, WireError};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;

use super::buffer::Buffer;
use super::{Batch, Key, LinkEvent, Shared};

/// Messages in a batch at most, so that a flood of tiny ones does not make a huge one.
const MAX_BATCH: usize = 1024;

/// Reads until the link breaks, then says so.
pub(super) async fn run(socket: OwnedReadHalf, rest: BytesMut, key: Key, shared: Shared) {
    let Err(why) = read(socket, rest, key, &shared).await else { return };
    _ = shared.events.send(LinkEvent::Broken { key, why: why.to_string() }).await;
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the remote closed the connection")]
    Closed,
    #[error("reading failed: {0}")]
    Read(#[from] io::Error),
    #[error("the remote sent {0}")]
    Wire(#[from] WireError),
}

/// Returns `Ok` only when the endpoint is gone.
async fn read(mut socket: OwnedReadHalf, rest: BytesMut, key: Key, shared: &Shared) -> Result<(), Broken> {
    let mut buffer = Buffer::new(rest);
    loop {
        loop {
            let (batch, error) = decode(&mut buffer, &shared.limits);
            if !batch.is_empty() && !hand_over(batch, key, shared).await {
                return Ok(());
            }
            error?;
            if !holds_message(&buffer, &shared.limits) {
                break;
            }
        }
        fill(&mut socket, &mut buffer, shared).await?;
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.skipped == 0
    }
}

/// Takes whole messages off the buffer, up to the most a batch holds. What stands before a broken one is not lost.
fn decode(buffer: &mut Buffer, limits: &Limits) -> (Batch, Result<(), WireError>) {
    let mut batch = Batch { messages: Vec::new(), payloads: Vec::new(), skipped: 0, permit: None };
    while batch.messages.len() < MAX_BATCH {
        let frame = match wire::decode(buffer.received(), limits) {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(error) => return (batch, Err(error)),
        };
        match frame.payload {
            Some(payload) => {
                let mut block: Bytes = buffer.take(frame.len);
                block.advance(payload.start);
                batch.payloads.push(block);
            }
            None => buffer.skip(frame.len),
        }
        match frame.message {
            Some(message) => batch.messages.push(message),
            None => batch.skipped += 1,
        }
    }
    (batch, Ok(()))
}

fn holds_message(buffer: &Buffer, limits: &Limits) -> bool {
    // A length that makes no sense is found by the next `decode`.
    wire::frame_len(buffer.received(), limits)
        .map_or(true, |len| len.is_some_and(|len| len <= buffer.received().len()))
}

/// Waits until the blocks may be in memory and there is room in the queue. False if the endpoint is gone.
async fn hand_over(mut batch: Batch, key: Key, shared: &Shared) -> bool {
    let held: usize = batch.payloads.iter().map(Bytes::len).sum();
    if held > 0 {
        let budget = std::sync::Arc::clone(&shared.budget);
        let Ok(permit) = budget.acquire_many_owned(held as u32).await else { return false };
        batch.permit = Some(permit);
    }
    shared.events.send(LinkEvent::Received { key, batch }).await.is_ok()
}

/// Reads once, as much as there is and may be read.
async fn fill(socket: &mut OwnedReadHalf, buffer: &mut Buffer, shared: &Shared) -> Result<(), Broken> {
    let whole = wire::frame_len(buffer.received(), &shared.limits)?.unwrap_or(0);
    let read = match &shared.valve {
        None => {
            let target = buffer.room(whole);
            let room = target.capacity() - target.len();
            let read = socket.read_buf(target).await?;
            buffer.note_read(read, room);
            read
        }
        Some(valve) => {
            // First see that there is something, so that an idle link holds no leave to read.
            socket.readable().await?;
            let passage = valve.pass().await;
            let target = buffer.room(whole);
            let read = match socket.try_read_buf(&mut bytes::BufMut::limit(target, passage.len)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    passage.used(0);
                    return Ok(());
                }
                other => other?,
            };
            passage.used(read);
            read
        }
    };
    if read == 0 { Err(Broken::Closed) } else { Ok(()) }
}
