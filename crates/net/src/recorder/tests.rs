use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};

use swarmlab_protocol::{ConnId, Message, PeerId, PieceIndex, Reserved};
use swarmlab_trace::{Header, Item, Pieces, Reader, Record, Writer};

use super::*;

/// Where a test finds what was written.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<u8>>>);

impl Write for Shelf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A place that takes no frame after the header until the other end of `opens` is gone, and says that somebody waits.
struct Gate {
    shelf: Shelf,
    reached: Sender<()>,
    opens: Receiver<()>,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.shelf.0.lock().unwrap().len() > 16 {
            _ = self.reached.send(());
            _ = self.opens.recv();
        }
        self.shelf.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn items(bytes: &[u8]) -> Vec<Item> {
    let mut reader = Reader::new(bytes).unwrap();
    let mut items = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        items.push(item);
    }
    items
}

fn join_of(recorder: &Recorder) -> Tap {
    let addr = SocketAddr::from(([127, 0, 0, 1], 6_881));
    let who = (PeerId([1; 20]), Reserved::OURS, addr);
    recorder.endpoint(joining(who, 0, (None, None), Pieces::None))
}

#[test]
fn what_the_queue_does_not_take_is_counted_and_nobody_waits() {
    let shelf = Shelf::default();
    let ((reached, is_reached), (open, opens)) = (channel(), channel());
    let gate = Gate { shelf: shelf.clone(), reached, opens };
    let recorder = Recorder::start(Writer::new(gate, &Header::new("a test", "real")).unwrap(), 1, 2);
    let tap = join_of(&recorder);
    // The thread now stands at the gate with the join in its hands.
    is_reached.recv().unwrap();
    let have = Input::Message { conn: ConnId(0), message: Message::Have(PieceIndex(1)) };
    let all = 3 * QUEUE as u64;
    (0..all).for_each(|_| tap.input(&have));
    drop(open);
    recorder.finish(true).unwrap();
    let bytes = shelf.0.lock().unwrap().clone();
    let (mut written, mut lost) = (0, 0);
    for item in items(&bytes) {
        match item {
            Item::Record(entry) => match entry.record {
                Record::Received { .. } => written += 1,
                Record::Lost(count) => lost += count,
                _ => {}
            },
            Item::Keyframe(_) => {}
            Item::End(end) => assert!(end.complete),
        }
    }
    assert_eq!((written, lost), (QUEUE as u64, all - QUEUE as u64));
}

#[test]
fn a_recorder_that_nobody_ends_ends_by_itself() {
    let shelf = Shelf::default();
    let writer = Writer::new(shelf.clone(), &Header::new("a test", "real")).unwrap();
    let recorder = Recorder::start(writer, 1, 2);
    join_of(&recorder).leave(Departure::Done);
    let thread = recorder.0.thread.lock().unwrap().take();
    drop(recorder);
    thread.unwrap().join().unwrap().unwrap();
    let bytes = shelf.0.lock().unwrap().clone();
    let items = items(&bytes);
    assert!(matches!(items.last(), Some(Item::End(end)) if !end.complete && end.joined == 1));
}
