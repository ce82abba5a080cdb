//! A worker: its share of the nodes, and their windows one after the other.

use swarmlab_protocol::Message;

use crate::calendar::{Bucket, Key};
use crate::check::patience;
use crate::event::{Event, What};
use crate::node::Node;
use crate::post::Post;
use crate::store::Store;
use crate::tracker::Tracker;

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
        let mut rest = &keys[..];
        while let Some(&first) = rest.first() {
            let node = Key(first).node();
            let count = rest.iter().take_while(|&&key| Key(key).node() == node).count();
            let (own, others) = rest.split_at(count);
            rest = others;
            self.visit(node, own, &mut bucket, span);
        }
        bucket.keys = keys;
        self.post.calendar.recycle(bucket);
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
