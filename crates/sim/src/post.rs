//! Where events go: into the worker's own calendar, or into the box of the worker that has the receiver.

use swarmlab_protocol::{Output, PieceIndex};
use swarmlab_trace::Entry;

use crate::calendar::Calendar;
use crate::event::{Event, NodeId};
use crate::run::Mail;
use crate::world::{Tally, World};

/// An event for a node of another worker, and when it arrives, in microseconds since the start of the run.
pub(crate) type Letter<P> = (u64, Event<P>);

/// Everything of a worker that its nodes need while they handle events.
#[derive(Debug)]
pub(crate) struct Post<'a, P> {
    pub(crate) world: &'a World,
    pub(crate) tally: Tally,
    pub(crate) calendar: Calendar<P>,
    /// Events for the nodes of each other worker.
    pub(crate) boxes: Vec<Vec<Letter<P>>>,
    me: u32,
    /// Vectors to use again: what an engine gives, and pieces it wants verified.
    pub(crate) out: Vec<Output>,
    pub(crate) verify: Vec<PieceIndex>,
    /// What was recorded since it was last passed on.
    pub(crate) records: Vec<Entry>,
}

impl<'a, P> Post<'a, P> {
    pub(crate) fn new(world: &'a World, width: u64, me: u32, workers: u32) -> Self {
        let pieces = world.layout.piece_count();
        Post {
            world,
            tally: Tally::new(world.model.groups.len(), pieces),
            calendar: Calendar::new(width, world.fabric.reach()),
            boxes: (0..workers).map(|_| Vec::new()).collect(),
            me,
            out: Vec::new(),
            verify: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Sends an event on its way, to arrive at a time.
    #[inline(always)]
    pub(crate) fn send(&mut self, at: u64, event: impl FnOnce() -> Event<P>) {
        self.tally.sent += 1;
        match self.boxes.len() {
            1 => self.calendar.push(at, event),
            _ => self.deal(at, event()),
        }
    }

    /// Sends an event to the worker that has its receiver.
    #[inline(never)]
    fn deal(&mut self, at: u64, mut event: Event<P>) {
        let workers = self.boxes.len() as u32;
        let owner = event.to % workers;
        event.to /= workers;
        if owner == self.me {
            self.calendar.push(at, || event);
        } else {
            self.boxes[owner as usize].push((at, event));
        }
    }

    /// Puts the events for other workers into their boxes; gives the first window in which one of them arrives.
    pub(crate) fn hand_over(&mut self, me: usize, mail: &[Vec<Mail<P>>]) -> u64 {
        let mut first = u64::MAX;
        for (boxed, to) in self.boxes.iter_mut().zip(mail) {
            let Some(earliest) = boxed.iter().map(|&(at, _)| at).min() else { continue };
            first = first.min(self.calendar.window_of(earliest));
            if let Ok(mut place) = to[me].lock() {
                std::mem::swap(&mut *place, boxed);
            }
        }
        first
    }

    /// Takes the events that other workers have sent.
    pub(crate) fn collect(&mut self, mail: &[Mail<P>]) {
        for from in mail {
            let Ok(mut letters) = from.lock() else { continue };
            for (at, event) in letters.drain(..) {
                self.calendar.push(at, || event);
            }
        }
    }

    /// A node's number in the worker that has it.
    pub(crate) fn local(&self, node: NodeId) -> u32 {
        node / self.boxes.len() as u32
    }
}
