//! A worker: its share of the nodes, and their windows one after the other.

use swarmlab_protocol::Message;

use crate::calendar::{Bucket, Key};
use crate::check::patience;
use crate::event::{Event, What};
use crate::node::Node;
use crate::post::Post;
use crate::store::Store;
use crate::tracker::Tracker;

/// Events whose memory is asked for at once: about as many as there can be misses of the cache under way.
const AT_ONCE: usize = 16;

/// Up to which of a window's events memory was asked for, by how far it lies behind the node.
#[derive(Default)]
struct Asked {
    nodes: usize,
    links: usize,
    queues: usize,
}

/// Nodes from which on they do not stay in the cache: one takes about 8 KB.
const LARGE: usize = 1_000;

/// Its share of the nodes: those whose number leaves the worker's own when divided by the number of workers.
#[derive(Debug)]
pub(crate) struct Worker<'a, S: Store> {
    pub(crate) nodes: Vec<Node<S>>,
    /// The tracker, if it is here: it comes behind the nodes.
    pub(crate) tracker: Option<Tracker>,
    pub(crate) post: Post<'a, S::Payload>,
    width: u64,
}

impl<'a, S: Store> Worker<'a, S> {
    pub(crate) fn new(
        nodes: Vec<Node<S>>,
        tracker: Option<Tracker>,
        post: Post<'a, S::Payload>,
        width: u64,
    ) -> Self {
        Worker { nodes, tracker, post, width }
    }

    /// The next window in which something happens here.
    pub(crate) fn next(&self) -> Option<u64> {
        self.post.calendar.next()
    }

    /// Handles everything of a window.
    pub(crate) fn run(&mut self, window: u64) {
        let mut bucket = self.post.calendar.take(window);
        bucket.sort();
        let keys = std::mem::take(&mut bucket.keys);
        let span = (window * self.width, (window + 1) * self.width);
        let mut asked = Asked::default();
        let mut rest = &keys[..];
        while let Some(&first) = rest.first() {
            let done = keys.len() - rest.len();
            if done >= asked.queues && self.nodes.len() >= LARGE {
                self.prefetch(&keys, &bucket, done, &mut asked);
            }
            let node = Key(first).node();
            let mut count = 1;
            while rest.get(count).is_some_and(|&key| Key(key).node() == node) {
                count += 1;
            }
            let (own, others) = rest.split_at(count);
            rest = others;
            self.visit(node, own, &mut bucket, span);
        }
        bucket.keys = keys;
        self.post.calendar.recycle(bucket);
    }

    /// Has the processor fetch what the next events need. Nodes lie far from each other, and each is needed but for a moment: what
    /// several of them need is asked of the memory at once, first the nodes themselves, then what they point to, then what
    /// that points to.
    fn prefetch(&self, keys: &[u64], bucket: &Bucket<S::Payload>, done: usize, asked: &mut Asked) {
        let nodes = |start: usize, ahead: usize| {
            let end = (done + ahead * AT_ONCE).min(keys.len());
            keys[start.min(end)..end].iter().filter_map(|&key| {
                let node = self.nodes.get(Key(key).node() as usize)?;
                Some((node, Key(key).place().map(|place| &bucket.events[place])))
            })
        };
        nodes(asked.nodes, 3).for_each(|(node, event)| node.prefetch(event.is_some_and(Event::is_news)));
        nodes(asked.links, 2).for_each(|(node, event)| node.prefetch_link(event.map(|event| event.conn)));
        nodes(asked.queues, 1)
            .filter(|(_, event)| event.is_none_or(Event::is_of_block))
            .for_each(|(node, event)| node.prefetch_queues(event.map(|event| event.conn)));
        let end = |ahead: usize| (done + ahead * AT_ONCE).min(keys.len());
        *asked = Asked { nodes: end(3), links: end(2), queues: end(1) };
    }

    fn visit(&mut self, node: u32, keys: &[u64], bucket: &mut Bucket<S::Payload>, span: (u64, u64)) {
        match (self.nodes.get_mut(node as usize), &mut self.tracker) {
            (Some(node), _) => node.run(keys, bucket, span, &mut self.post),
            (None, Some(tracker)) => {
                for place in keys.iter().filter_map(|&key| Key(key).place()) {
                    tracker.receive(&mut bucket.events[place], &mut self.post);
                }
            }
            (None, None) => debug_assert!(false, "an event for a node of another worker"),
        }
    }

    /// Counts who gives each piece.
    pub(crate) fn count_gifts(&self, holders: &mut [u32]) {
        self.nodes.iter().for_each(|node| node.count_gifts(holders));
    }

    /// Checks that nobody waits too long for what is there to be had.
    pub(crate) fn check_progress(&mut self, now: u64, holders: &[u32]) {
        let Some(quiet_since) = self.post.world.quiet_since(now) else { return };
        let patience = patience(self.post.world);
        for node in &self.nodes {
            node.check_progress(now, (quiet_since, patience), holders, &mut self.post.tally.breaches);
        }
    }

    /// What is on its way from or to nodes of this worker.
    fn under_way(&self) -> impl Iterator<Item = &Event<S::Payload>> {
        self.post.calendar.to_come().chain(self.post.boxes.iter().flatten())
    }

    /// Events between nodes.
    pub(crate) fn events_under_way(&self) -> u64 {
        self.under_way().count() as u64
    }

    /// Content between nodes, in bytes.
    pub(crate) fn in_flight(&self) -> u64 {
        let under_way = self.under_way().map(|event| match &event.what {
            What::Message(Message::Piece(block)) | What::CorruptPiece(block) => u64::from(block.len),
            _ => 0,
        });
        under_way.sum::<u64>() + self.nodes.iter().map(Node::waiting).sum::<u64>()
    }
}
