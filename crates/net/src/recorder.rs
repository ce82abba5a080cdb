//! Records a real run: whatever the endpoints and the tracker of this process see goes through one bounded queue to a thread that
//! writes it. Nobody waits for that thread: what the queue does not take is counted, and the trace says how much was lost.

mod book;
mod thread;

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use swarmlab_protocol::tracker::{AnnounceQuery, AnnounceResponse, ReplyError};
use swarmlab_protocol::{AnnounceEvent, Input, Output, PeerId, Reserved};
use swarmlab_trace::{
    Announce, Departure, Entry, Join, Level, NodeId, Outcome, Pieces, Record, Reply, Writer, tap,
};

use book::{Book, Known};
pub use thread::SAMPLE;
use thread::Word;

/// Records that may wait for the thread: about 3 MB of them, a second of a fast transfer.
const QUEUE: usize = 65_536;

/// Takes records from every task of a process. Clones are of the same trace.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    start: Instant,
    queue: SyncSender<Word>,
    lost: Arc<AtomicU64>,
    book: Mutex<Book>,
    thread: Mutex<Option<JoinHandle<io::Result<()>>>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// Begins to record, now. `others` is the number of the group of those who are met, `groups` how many groups the header has.
    pub fn start<W: Write + Send + 'static>(writer: Writer<W>, others: u32, groups: u32) -> Self {
        let (queue, words) = sync_channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let start = Instant::now();
        let missed = Arc::clone(&lost);
        let thread = std::thread::Builder::new()
            .name("trace".to_owned())
            .spawn(move || thread::write(writer, &words, (start, groups), &missed));
        let thread = Mutex::new(thread.ok());
        Recorder(Arc::new(Shared { start, queue, lost, book: Mutex::new(Book::new(others)), thread }))
    }

    /// Ends the trace; `complete` if the run came to its end. Waits for the thread.
    ///
    /// # Errors
    /// When the trace could not be written, now or before.
    pub fn finish(&self, complete: bool) -> io::Result<()> {
        _ = self.0.queue.send(Word::End { at: self.now(), complete });
        let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = &thread {
            thread.thread().unpark();
        }
        match thread.map(JoinHandle::join) {
            Some(Ok(written)) => written,
            Some(Err(_)) => Err(io::Error::other("the thread that writes the trace has panicked")),
            None => Err(io::Error::other("there is no thread that writes the trace")),
        }
    }

    /// Microseconds since the start.
    fn now(&self) -> u64 {
        self.0.start.elapsed().as_micros() as u64
    }

    /// Adds a record of now; false if it was lost.
    fn add(&self, record: Record) -> bool {
        let entry = Entry { at: self.now(), record };
        let taken = self.0.queue.try_send(Word::Entry(entry));
        if let Err(TrySendError::Full(_)) = taken {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
        taken.is_ok()
    }

    /// The number of a remote. One of which there was nothing, or less, joins as somebody who is seen.
    fn number(&self, known: &Known) -> NodeId {
        // Held while the join is added, so that nothing that another task says of the node comes before it.
        let mut book = self.0.book.lock().unwrap_or_else(PoisonError::into_inner);
        let (node, join) = book.number(known);
        if let Some(join) = join
            && self.add(Record::Join(Box::new(join)))
        {
            book.told(node);
        }
        node
    }

    /// An endpoint of this process joins a swarm.
    pub(crate) fn endpoint(&self, mut join: Join) -> Tap {
        let mut book = self.0.book.lock().unwrap_or_else(PoisonError::into_inner);
        join.node = book.enter(join.peer_id, join.addr);
        let node = join.node;
        self.add(Record::Join(Box::new(join)));
        Tap { recorder: self.clone(), node }
    }

    /// Our tracker has answered an announce from this address. Those of endpoints of this process are recorded by them.
    pub(crate) fn served(&self, request: Vec<u8>, query: &[u8], from: SocketAddr, body: &[u8]) {
        let Ok(query) = AnnounceQuery::parse(query) else { return };
        let addr = SocketAddr::new(from.ip(), query.port);
        let known = Known { addr, peer_id: Some(query.peer_id), reserved: None, listens: true };
        if self.0.book.lock().unwrap_or_else(PoisonError::into_inner).is_ours(&query.peer_id) {
            return;
        }
        let node = self.number(&known);
        self.add(Record::Announce(Box::new(Announce {
            node,
            tracker: 0,
            event: query.event,
            uploaded: query.uploaded,
            downloaded: query.downloaded,
            left: query.left,
            bytes: request,
        })));
        let (outcome, interval, peers) = match AnnounceResponse::decode(body) {
            Ok(response) => (Outcome::Answered, response.interval.as_secs(), response.peers.len() as u64),
            Err(ReplyError::Refused(_)) => (Outcome::Refused, 0, 0),
            Err(_) => (Outcome::Unreachable, 0, 0),
        };
        let reply = Reply { node, tracker: 0, outcome, interval, peers, bytes: body.to_vec() };
        self.add(Record::Reply(Box::new(reply)));
        match query.event {
            AnnounceEvent::Completed => _ = self.add(Record::Completed { node }),
            AnnounceEvent::Stopped => {
                let why = if query.left == 0 { Departure::Done } else { Departure::GaveUp };
                self.add(Record::Leave { node, why });
            }
            AnnounceEvent::Started | AnnounceEvent::None => {}
        }
    }
}

/// Records what one endpoint sees.
#[derive(Clone, Debug)]
pub(crate) struct Tap {
    recorder: Recorder,
    node: NodeId,
}

impl Tap {
    /// An input is about to be handed in.
    #[inline]
    pub(crate) fn input(&self, input: &Input) {
        if let Some(record) = tap::of_input(self.node, input, &mut |addr, opened| self.number(addr, opened)) {
            self.recorder.add(record);
        }
    }

    /// Outputs are about to be carried out.
    #[inline]
    pub(crate) fn outputs(&self, outputs: &[Output]) {
        for output in outputs {
            let record = tap::of_output(self.node, output, &mut |addr, opened| self.number(addr, opened));
            if let Some(record) = record {
                self.recorder.add(record);
            }
        }
    }

    fn number(&self, addr: SocketAddr, opened: Option<&swarmlab_protocol::Opened>) -> NodeId {
        self.recorder.number(&Known {
            addr,
            peer_id: opened.map(|opened| opened.peer_id),
            reserved: opened.map(|opened| opened.reserved),
            listens: opened.is_none_or(|opened| opened.direction == swarmlab_protocol::Direction::Outgoing),
        })
    }

    /// An announce is made, with these bytes.
    pub(crate) fn announce(&self, announce: &swarmlab_protocol::Announce, bytes: Vec<u8>) {
        self.recorder.add(tap::announce(self.node, announce, bytes));
    }

    /// It was answered with this body, or was not.
    pub(crate) fn announced(&self, announced: &swarmlab_protocol::Announced, body: Vec<u8>) {
        self.recorder.add(tap::reply(self.node, announced, body));
    }

    /// The endpoint is gone.
    pub(crate) fn leave(&self, why: Departure) {
        self.recorder.add(Record::Leave { node: self.node, why });
    }
}

/// How an endpoint of this process joins. Its number is given by the recorder.
pub(crate) fn joining(
    (peer_id, reserved, addr): (PeerId, Reserved, SocketAddr),
    group: u32,
    (up, down): (Option<u64>, Option<u64>),
    pieces: Pieces,
) -> Join {
    Join {
        node: 0,
        group,
        level: Level::Messages,
        peer_id,
        reserved,
        addr,
        up: up.unwrap_or(0),
        down: down.unwrap_or(0),
        pieces,
    }
}

#[cfg(test)]
mod tests;
