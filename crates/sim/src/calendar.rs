//! The events to come, in buckets as wide as a window.
//!
//! A window is at most as wide as the least latency, so what a node sends in one window arrives in a later one, and the
//! nodes of a window can be handled in any order. A bucket is put in order when its window comes: see `order`. So there is no
//! queue to keep sorted, and each node is visited once in a window.
//!
//! Near buckets lie in a ring, far ones in a tree. What they hold lies in pages, and is put together when its window comes.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use crate::event::Event;
use crate::pile::{Pages, Pile};

/// Buckets in the ring.
const RING: usize = 1024;
/// Widest window: an event keeps its offset in 16 bits.
pub(crate) const MOST_WIDTH: u64 = u16::MAX as u64;

/// What is to be handled in one window.
#[derive(Debug)]
pub(crate) struct Bucket<P> {
    /// Those of one source lie in the order in which it sent them.
    pub(crate) events: Vec<Event<P>>,
    /// Nodes that want to be visited, whether something arrives or not.
    pub(crate) wakes: Vec<u32>,
}

impl<P> Default for Bucket<P> {
    fn default() -> Self {
        Bucket { events: Vec::new(), wakes: Vec::new() }
    }
}

/// The same, while it is to come.
#[derive(Debug)]
struct Coming<P> {
    events: Pile<Event<P>>,
    wakes: Pile<u32>,
}

impl<P> Default for Coming<P> {
    fn default() -> Self {
        Coming { events: Pile::default(), wakes: Pile::default() }
    }
}

/// The events to come of one worker.
#[derive(Debug)]
pub(crate) struct Calendar<P> {
    width: u64,
    /// The same, for divisions.
    narrow_width: NonZeroU32,
    /// The window that is handled now, when it starts, and its place in the ring.
    window: u64,
    start: u64,
    place: usize,
    /// Events that lie less far ahead than this go into the ring.
    horizon: u64,
    ring: Box<[Coming<P>; RING]>,
    /// A bit for each bucket of the ring that holds something.
    used: [u64; RING / 64],
    /// Windows ahead in which most events lie.
    near: u32,
    far: BTreeMap<u64, Coming<P>>,
    events: Pages<Event<P>>,
    wakes: Pages<u32>,
    /// What was handled last, to use again.
    spare: Bucket<P>,
}

impl<P> Calendar<P> {
    /// With windows of `width` microseconds, at most [`MOST_WIDTH`], and most events less than `reach` microseconds ahead.
    pub(crate) fn new(width: u64, reach: u64) -> Self {
        debug_assert!((1..=MOST_WIDTH).contains(&width));
        Calendar {
            width,
            narrow_width: NonZeroU32::MIN.saturating_add(width as u32 - 1),
            window: 0,
            start: 0,
            place: 0,
            horizon: width * RING as u64,
            ring: Box::new(std::array::from_fn(|_| Coming::default())),
            used: [0; RING / 64],
            near: (reach / width + 2).min(RING as u64 / 8) as u32,
            far: BTreeMap::new(),
            events: Pages::default(),
            wakes: Pages::default(),
            spare: Bucket::default(),
        }
    }

    /// The window of a moment.
    pub(crate) fn window_of(&self, at: u64) -> u64 {
        at / self.width
    }

    /// Adds an event for a node of this worker, at a time beyond the present window, or in it before it is taken.
    #[inline(always)] // with what makes the event
    pub(crate) fn push(&mut self, at: u64, event: impl FnOnce() -> Event<P>) {
        debug_assert!(at >= self.start, "nothing can happen in the past");
        let ahead = at - self.start;
        if ahead >= self.horizon {
            return self.push_far(at, event());
        }
        let (ahead, width) = (ahead as u32, self.narrow_width);
        let (step, offset) = (ahead / width, (ahead % width) as u16);
        let place = self.near(step);
        let many = step <= self.near;
        self.ring[place].events.push(many, &mut self.events, || Event { offset, ..event() });
    }

    #[cold]
    fn push_far(&mut self, at: u64, event: Event<P>) {
        let offset = (at % self.width) as u16;
        let coming = self.far.entry(at / self.width).or_default();
        coming.events.push(false, &mut self.events, || Event { offset, ..event });
    }

    /// Has the node visited in the window of a moment, and gives when that starts.
    #[inline]
    pub(crate) fn wake(&mut self, node: u32, at: u64) -> u64 {
        debug_assert!(at >= self.start, "nothing can happen in the past");
        let ahead = at - self.start;
        if ahead >= self.horizon {
            return self.wake_far(node, at);
        }
        let step = ahead as u32 / self.narrow_width;
        let place = self.near(step);
        self.ring[place].wakes.push(step <= self.near, &mut self.wakes, || node);
        self.start + u64::from(step) * self.width
    }

    #[cold]
    fn wake_far(&mut self, node: u32, at: u64) -> u64 {
        let window = at / self.width;
        self.far.entry(window).or_default().wakes.push(false, &mut self.wakes, || node);
        window * self.width
    }

    /// The place of the bucket so many windows ahead, less than the ring holds; something is put into it.
    #[inline]
    fn near(&mut self, step: u32) -> usize {
        let place = (self.place + step as usize) % RING;
        self.used[place / 64] |= 1 << (place % 64);
        place
    }

    /// The next window in which something happens.
    pub(crate) fn next(&self) -> Option<u64> {
        let start = self.place;
        let near = (0..=RING / 64).find_map(|step| {
            let word = (start / 64 + step) % (RING / 64);
            let mut bits = self.used[word];
            if step == 0 {
                bits &= u64::MAX << (start % 64);
            } else if step == RING / 64 {
                bits &= !(u64::MAX << (start % 64));
            }
            let place = word * 64 + bits.trailing_zeros() as usize;
            (bits != 0).then(|| self.window + ((place + RING - start) % RING) as u64)
        });
        let far = self.far.first_key_value().map(|(&window, _)| window);
        near.into_iter().chain(far).min()
    }

    /// Goes on to a window and takes what is to be handled in it. Nothing may lie before it.
    pub(crate) fn take(&mut self, window: u64) -> Bucket<P> {
        debug_assert!(self.next().is_none_or(|next| next >= window));
        let place = window as usize % RING;
        (self.window, self.start, self.place) = (window, window * self.width, place);
        self.used[place / 64] &= !(1 << (place % 64));
        let mut bucket = std::mem::take(&mut self.spare);
        let mut pour = |coming: &mut Coming<P>| {
            coming.events.pour(&mut bucket.events, &mut self.events);
            coming.wakes.pour(&mut bucket.wakes, &mut self.wakes);
        };
        // What was far ahead was sent before what was not.
        if let Some(far) = self.far.first_entry().filter(|entry| *entry.key() == window) {
            pour(&mut far.remove());
        }
        pour(&mut self.ring[place]);
        bucket
    }

    /// Everything that is still to come.
    pub(crate) fn to_come(&self) -> impl Iterator<Item = &Event<P>> {
        self.ring.iter().chain(self.far.values()).flat_map(|coming| coming.events.iter())
    }

    /// Gives a bucket's memory back.
    pub(crate) fn recycle(&mut self, mut bucket: Bucket<P>) {
        bucket.wakes.clear();
        // Whatever holds memory was taken out of its event when that was handled.
        bucket.events.drain(..).for_each(std::mem::forget);
        self.spare = bucket;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::What;

    /// From a source, with a mark in place of the connection.
    fn event(from: u32, mark: u16) -> Event<()> {
        Event::new(from, (0, mark), What::Ack)
    }

    /// Takes everything, as (window, offset, source, mark) and (window, node) of those who want a visit.
    type Taken = (Vec<(u64, u16, u32, u16)>, Vec<(u64, u32)>);
    fn drain(calendar: &mut Calendar<()>) -> Taken {
        let mut taken = Taken::default();
        while let Some(window) = calendar.next() {
            let bucket = calendar.take(window);
            taken.0.extend(bucket.events.iter().map(|event| (window, event.offset, event.from, event.conn)));
            taken.1.extend(bucket.wakes.iter().map(|&node| (window, node)));
            calendar.recycle(bucket);
        }
        taken
    }

    #[test]
    fn windows_come_one_after_the_other_with_what_was_put_into_them() {
        let mut calendar = Calendar::new(100, 400);
        for (at, from) in [(250, 7), (299, 1), (100, 5), (201, 9)] {
            calendar.push(at, || event(from, 0));
        }
        assert_eq!(calendar.wake(3, 271), 200);
        assert_eq!(
            drain(&mut calendar),
            (vec![(1, 0, 5, 0), (2, 50, 7, 0), (2, 99, 1, 0), (2, 1, 9, 0)], vec![(2, 3)])
        );
    }

    #[test]
    fn far_events_come_in_their_turn_and_before_what_was_sent_later() {
        let mut calendar = Calendar::new(100, 400);
        let far = 100 * 5_000;
        calendar.push(far + 7, || event(1, 1));
        assert_eq!(calendar.wake(2, far + 99), far);
        calendar.push(100 * 4_500, || event(1, 0));
        let bucket = calendar.take(4_500);
        assert_eq!(bucket.events.len(), 1);
        calendar.recycle(bucket);
        calendar.push(far + 7, || event(1, 2));
        assert_eq!(drain(&mut calendar), (vec![(5_000, 7, 1, 1), (5_000, 7, 1, 2)], vec![(5_000, 2)]));
    }

    #[test]
    fn the_ring_wraps_round() {
        let mut calendar = Calendar::new(100, 400);
        let mut expected = Vec::new();
        for window in (1..10_000).step_by(700) {
            calendar.push(window * 100 + 3, || event(window as u32, 0));
            assert_eq!(calendar.next(), Some(window));
            let bucket = calendar.take(window);
            expected.push(bucket.events[0].from);
            calendar.recycle(bucket);
        }
        assert_eq!(expected, (1..10_000).step_by(700).collect::<Vec<u32>>());
    }
}
