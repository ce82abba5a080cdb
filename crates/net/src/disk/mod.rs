//! The disk of an endpoint: two threads, one that writes and hashes, one that reads for uploads.
//!
//! Jobs go in by queues and results come out by queues; nothing is locked. A block is written and hashed from the very
//! buffer the socket read filled. How much may wait is bounded by whoever gives the jobs: received blocks carry a
//! permit of a budget that is given back once they are written, and reads are bounded by upload credit.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use bytes::Bytes;
use swarmlab_metainfo::{Block, PieceIndex};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedSender;

mod content;
mod files;
mod hasher;
mod place;
mod pool;
mod resume;

pub use content::{CheckError, Content};
pub use files::DiskError;
pub use place::{Found, PlaceError, find, place};
pub use resume::{Resume, ResumeError};

use files::{Access, Files};
use hasher::Hasher;
use pool::Pool;

use crate::conn::{Key, Outgoing, ToWriter};

/// Work for the writing thread, done in order.
#[derive(Debug)]
pub(crate) enum WriteJob {
    /// Write these blocks; the permit is given back afterwards.
    Store { blocks: Vec<(Block, Bytes)>, permit: Option<OwnedSemaphorePermit> },
    /// Hash this piece.
    Verify(PieceIndex),
}

/// Blocks to read and hand to a link's writer.
#[derive(Debug)]
pub(crate) struct ReadJob {
    pub(crate) key: Key,
    pub(crate) blocks: Vec<Block>,
    pub(crate) to: ToWriter,
}

/// What the threads tell.
#[derive(Debug)]
pub(crate) enum DiskEvent {
    Verified {
        piece: PieceIndex,
        ok: bool,
    },
    /// A block or a piece could not be written or read back.
    StoreFailed {
        piece: PieceIndex,
        error: DiskError,
    },
    ReadFailed {
        key: Key,
        block: Block,
        error: DiskError,
    },
}

/// The two threads. They end when this is dropped and their queues are empty.
#[derive(Debug)]
pub(crate) struct Disk {
    writes: Option<mpsc::Sender<WriteJob>>,
    reads: mpsc::Sender<ReadJob>,
    writer: Option<JoinHandle<()>>,
}

impl Disk {
    /// Starts the threads. Without `writable` there is no writing thread and every file is opened read-only.
    pub(crate) fn start(content: &Arc<Content>, writable: bool, events: UnboundedSender<DiskEvent>) -> Disk {
        let (writes, write_jobs) = mpsc::channel();
        let (reads, read_jobs) = mpsc::channel();
        let files = Files::new(Arc::clone(content), Access::Read);
        let reader_events = events.clone();
        std::thread::Builder::new()
            .name("disk-read".into())
            .spawn(move || read_all(&read_jobs, files, &reader_events))
            .expect("a thread can be started");
        let writer = writable.then(|| {
            let files = Files::new(Arc::clone(content), Access::Write);
            let work = move || write_all(&write_jobs, files, &events);
            std::thread::Builder::new()
                .name("disk-write".into())
                .spawn(work)
                .expect("a thread can be started")
        });
        Disk { writes: writable.then_some(writes), reads, writer }
    }

    /// Threads that have ended.
    pub(crate) fn none() -> Disk {
        Disk { writes: None, reads: mpsc::channel().0, writer: None }
    }

    pub(crate) fn write(&self, job: WriteJob) {
        if let Some(writes) = &self.writes {
            _ = writes.send(job);
        }
    }

    pub(crate) fn read(&self, job: ReadJob) {
        _ = self.reads.send(job);
    }

    /// Waits until everything given to the writing thread is done. Blocks.
    pub(crate) fn finish(mut self) {
        self.writes = None;
        if let Some(writer) = self.writer.take() {
            _ = writer.join();
        }
    }
}

fn write_all(jobs: &mpsc::Receiver<WriteJob>, mut files: Files, events: &UnboundedSender<DiskEvent>) {
    let mut hasher = Hasher::default();
    for job in jobs {
        match job {
            WriteJob::Store { blocks, permit } => {
                for (block, bytes) in blocks {
                    hasher.feed(block, &bytes);
                    let offset = files.content().layout().block_offset(block);
                    if let Err(error) = files.write(offset, &bytes) {
                        hasher.forget(block.piece);
                        _ = events.send(DiskEvent::StoreFailed { piece: block.piece, error });
                    }
                }
                drop(permit);
            }
            WriteJob::Verify(piece) => {
                let event = match hasher.verify(piece, &mut files) {
                    Ok(ok) => DiskEvent::Verified { piece, ok },
                    Err(error) => DiskEvent::StoreFailed { piece, error },
                };
                _ = events.send(event);
            }
        }
    }
}

fn read_all(jobs: &mpsc::Receiver<ReadJob>, mut files: Files, events: &UnboundedSender<DiskEvent>) {
    let mut pool = Pool::default();
    for ReadJob { key, blocks, to } in jobs {
        for run in runs(files.content(), &blocks) {
            let outgoing = match read_run(run, &mut files, &mut pool) {
                Ok(read) => Outgoing::Blocks(read),
                Err(error) => {
                    let (path, action) = (error.path, error.action);
                    for &block in run {
                        let source = error.source.kind().into();
                        let error = DiskError { path: path.clone(), action, source };
                        _ = events.send(DiskEvent::ReadFailed { key, block, error });
                    }
                    Outgoing::Unreadable(run.len() as u32)
                }
            };
            to.send(outgoing);
        }
    }
}

/// Cuts the blocks into runs that lie one after another in the content, so that each is one read.
fn runs<'a>(content: &Content, blocks: &'a [Block]) -> impl Iterator<Item = &'a [Block]> + use<'a> {
    let layout = content.layout();
    let mut rest = blocks;
    std::iter::from_fn(move || {
        let first = *rest.first()?;
        let (mut end, mut len, mut count) = (layout.block_offset(first), 0, 0);
        for block in rest {
            if layout.block_offset(*block) != end || (count > 0 && len + block.len > pool::LARGEST) {
                break;
            }
            end += u64::from(block.len);
            len += block.len;
            count += 1;
        }
        let (run, after) = rest.split_at(count);
        rest = after;
        Some(run)
    })
}

/// Reads a run into one buffer of which each block is a slice.
fn read_run(run: &[Block], files: &mut Files, pool: &mut Pool) -> Result<Vec<(Block, Bytes)>, DiskError> {
    let Some(&first) = run.first() else { return Ok(Vec::new()) };
    let offset = files.content().layout().block_offset(first);
    let len = run.iter().map(|block| block.len).sum::<u32>() as usize;
    let mut bytes = pool.fill(len, |buffer| files.read(offset, buffer))?;
    Ok(run.iter().map(|&block| (block, bytes.split_to(block.len as usize))).collect())
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
