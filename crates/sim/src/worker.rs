//! A worker: its share of the nodes, and their windows one after the other.

use swarmlab_protocol::Message;

use crate::PeerOutcome;
use crate::check::{patience, search};
use crate::event::{Event, What};
use crate::node::Node;
use crate::order::{Order, Visit};
use crate::post::Post;
use crate::prefetch::prefetch;
use crate::store::Store;
use crate::tracker::Tracker;

/// Visits whose memory is asked for at once: about as many as there can be misses of the cache under way.
const AT_ONCE: usize = 8;

/// Nodes of which the outcomes are kept together.
const PART: usize = 64;

/// Nodes from which on they do not stay in the cache: one takes about 7 KB.
const LARGE: usize = 1_000;

/// The window that is handled now.
pub(crate) struct Window<'b, P> {
    /// Its events, in no order.
    pub(crate) events: &'b mut [Event<P>],
    /// When it starts and ends, in microseconds.
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// Its share of the nodes: those whose number leaves the worker's own when divided by the number of workers.
#[derive(Debug)]
pub(crate) struct Worker<'a, S: Store> {
    pub(crate) nodes: Vec<Node<S>>,
    /// The tracker, if it is here: it comes behind the nodes.
    pub(crate) tracker: Option<Tracker>,
    pub(crate) post: Post<'a, S::Payload>,
    width: u64,
    order: Order,
}

impl<'a, S: Store> Worker<'a, S> {
    pub(crate) fn new(
        nodes: Vec<Node<S>>,
        tracker: Option<Tracker>,
        post: Post<'a, S::Payload>,
        width: u64,
    ) -> Self {
        let order = Order::new(nodes.len() + 1);
        Worker { nodes, tracker, post, width, order }
    }

    /// The next window in which something happens here.
    pub(crate) fn next(&self) -> Option<u64> {
        self.post.calendar.next()
    }

    /// Handles everything of a window.
    pub(crate) fn run(&mut self, window: u64) {
        let mut bucket = self.post.calendar.take(window);
        self.order.arrange(&bucket);
        let (start_us, end_us) = (window * self.width, (window + 1) * self.width);
        let Worker { nodes, tracker, post, order, .. } = self;
        let Order { visits, places, .. } = &*order;
        let mut ahead = (nodes.len() >= LARGE).then(|| Ahead::new(order));
        let count = bucket.events.len() as u64;
        (post.tally.events, post.tally.handled) = (post.tally.events + count, post.tally.handled + count);
        let mut present = Window { events: &mut bucket.events, start: start_us, end: end_us };
        let mut rest = &places[..];
        let mut taken = 0;
        for (done, visit) in visits.iter().enumerate() {
            if let Some(ahead) = &mut ahead {
                ahead.prefetch(done, nodes, &present);
            }
            let (own, others) = rest.split_at((visit.end - taken) as usize);
            (rest, taken) = (others, visit.end);
            match nodes.get_mut(visit.node as usize) {
                Some(node) => node.run(own, &mut present, post),
                None => {
                    let Some(tracker) = tracker else { continue };
                    for &place in own {
                        let event = &mut present.events[place as usize];
                        tracker.receive(start_us + u64::from(event.offset), event, post);
                    }
                }
            }
        }
        self.post.calendar.recycle(bucket);
    }

    /// What became of its nodes, at the end of the run. In parts, which find room where engines were: in one piece it would be the
    /// most that a run takes.
    pub(crate) fn conclude(mut self, now: u64) -> Vec<Vec<PeerOutcome>> {
        let parts = self.nodes.chunks_mut(PART);
        parts.map(|nodes| nodes.iter_mut().map(|node| node.conclude(now)).collect()).collect()
    }

    /// Counts who gives each piece.
    pub(crate) fn count_gifts(&self, holders: &mut [u32]) {
        self.nodes.iter().for_each(|node| node.count_gifts(holders));
    }

    /// Checks that nobody waits too long for what is there to be had.
    pub(crate) fn check_progress(&mut self, now: u64, holders: &[u32]) {
        let Some(quiet_since) = self.post.world.quiet_since(now) else { return };
        let waits = (quiet_since, patience(self.post.world), search(self.post.world));
        for node in &self.nodes {
            node.check_progress(now, waits, holders, &mut self.post.tally.breaches);
        }
    }

    /// What is on its way from or to nodes of this worker.
    fn under_way(&self) -> impl Iterator<Item = &Event<S::Payload>> {
        let boxed = self.post.boxes.iter().flatten().map(|(_, event)| event);
        self.post.calendar.to_come().chain(boxed)
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

/// Has the processor fetch what the next visits need. Nodes lie far from each other, and each is needed but for a moment: what
/// several of them need is asked of the memory at once, first the nodes themselves, then what they point to, and so on.
struct Ahead<'o> {
    order: &'o Order,
    events: Asked,
    nodes: Asked,
    links: Asked,
    queues: Asked,
    blocks: Asked,
}

/// Up to where memory was asked for.
#[derive(Clone, Copy, Default)]
struct Asked {
    visits: usize,
    places: usize,
}

impl Asked {
    /// Goes on up to a visit.
    fn go_on<'o>(&mut self, order: &'o Order, to: usize) -> impl Iterator<Item = (&'o Visit, &'o [u32])> {
        let visits = &order.visits[self.visits.min(to)..to];
        let mut start = self.places;
        self.visits = to;
        self.places = visits.last().map_or(start, |last| last.end as usize);
        visits.iter().map(move |visit| {
            let own = &order.places[start..visit.end as usize];
            start = visit.end as usize;
            (visit, own)
        })
    }
}

impl<'o> Ahead<'o> {
    fn new(order: &'o Order) -> Self {
        let [events, nodes, links, queues, blocks] = Default::default();
        Ahead { order, events, nodes, links, queues, blocks }
    }

    /// Once for each visit, before it.
    #[inline]
    fn prefetch<S: Store>(&mut self, done: usize, nodes: &[Node<S>], window: &Window<'_, S::Payload>) {
        if done >= self.blocks.visits {
            self.ask(done, nodes, (window.events, window.end));
        }
    }

    #[inline(never)] // in small runs nobody asks
    fn ask<S: Store>(
        &mut self,
        done: usize,
        nodes: &[Node<S>],
        (events, until): (&[Event<S::Payload>], u64),
    ) {
        let end = |ahead: usize| (done + ahead * AT_ONCE).min(self.order.visits.len());
        // A block may leave though nobody was woken for it: that is seen one step late.
        let is_late = |visit: &Visit, node: &Node<S>| !visit.woken && node.is_due(until);
        for (_, own) in self.events.go_on(self.order, end(5)) {
            own.iter().for_each(|&place| prefetch(std::ptr::from_ref(&events[place as usize]).cast()));
        }
        for (visit, own) in self.nodes.go_on(self.order, end(4)) {
            let Some(node) = nodes.get(visit.node as usize) else { continue };
            node.prefetch(!visit.woken && own.iter().all(|&place| events[place as usize].is_news()));
        }
        for (visit, own) in self.links.go_on(self.order, end(3)) {
            let Some(node) = nodes.get(visit.node as usize) else { continue };
            for event in own.iter().map(|&place| &events[place as usize]) {
                node.prefetch_link(event.conn, event.piece());
                if !event.is_news() {
                    node.prefetch_blocks_out();
                }
            }
            if visit.woken {
                node.prefetch_serving();
            } else if is_late(visit, node) {
                node.prefetch_uplink();
            }
        }
        let of_blocks = |&&place: &&u32| !events[place as usize].is_news();
        for (visit, own) in self.queues.go_on(self.order, end(2)) {
            let Some(node) = nodes.get(visit.node as usize) else { continue };
            let conns = own.iter().filter(of_blocks).map(|&place| Some(events[place as usize].conn));
            conns.chain(visit.woken.then_some(None)).for_each(|conn| node.prefetch_queues(conn));
            if is_late(visit, node) {
                node.prefetch_serving();
            }
        }
        for (visit, own) in self.blocks.go_on(self.order, end(1)) {
            let Some(node) = nodes.get(visit.node as usize) else { continue };
            let conns = own.iter().filter(of_blocks).map(|&place| Some(events[place as usize].conn));
            conns.chain(visit.woken.then_some(None)).for_each(|conn| node.prefetch_blocks(conn));
            if is_late(visit, node) {
                node.prefetch_queues(None);
            }
        }
    }
}
