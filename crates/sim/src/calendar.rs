//! The events to come, in buckets as wide as a window.
//!
//! A window is at most as wide as the least latency, so what a node sends in one window arrives in a later one, and the
//! nodes of a window can be handled in any order. A bucket is put in order when its window comes: by node, then by
//! time, then by source. So there is no queue to keep sorted, and each node is visited once in a window.
//!
//! Near buckets lie in a ring, far ones in a tree. Their vectors are used again.

use std::collections::BTreeMap;

use crate::event::Event;

/// Buckets in the ring.
const RING: usize = 1024;
/// Widest window: the offset in a window is kept in 16 bits of a key.
pub(crate) const MOST_WIDTH: u64 = u16::MAX as u64;
/// Bits of a key that say where the event lies in its bucket.
const PLACE_BITS: u32 = 26;
/// The place of a wake-up, which is no event: the node only wants to be visited.
const WAKE: u64 = (1 << PLACE_BITS) - 1;

/// What is to come in one window. A key holds the node's local number, the offset in the window, and the place in
/// `events`, from the high bits to the low.
#[derive(Debug)]
pub(crate) struct Bucket<P> {
    pub(crate) keys: Vec<u64>,
    pub(crate) events: Vec<Event<P>>,
}

impl<P> Default for Bucket<P> {
    fn default() -> Self {
        Bucket { keys: Vec::new(), events: Vec::new() }
    }
}

/// One key of a bucket, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) u64);

impl Key {
    fn new(node: u32, offset: u64, place: u64) -> Self {
        Key(u64::from(node) << (PLACE_BITS + 16) | offset << PLACE_BITS | place)
    }

    /// The node's number in its worker.
    pub(crate) fn node(self) -> u32 {
        (self.0 >> (PLACE_BITS + 16)) as u32
    }

    /// Microseconds since the start of the window.
    pub(crate) fn offset(self) -> u64 {
        self.0 >> PLACE_BITS & MOST_WIDTH
    }

    /// Where the event is; `None` for a wake-up.
    pub(crate) fn place(self) -> Option<usize> {
        let place = self.0 & WAKE;
        (place != WAKE).then_some(place as usize)
    }
}

impl<P> Bucket<P> {
    /// Puts the keys in the order in which they are handled.
    pub(crate) fn sort(&mut self) {
        let Bucket { keys, events } = self;
        keys.sort_unstable();
        // Equal node and time: by source and the source's counter.
        let mut at = 0;
        while at + 1 < keys.len() {
            let moment = keys[at] >> PLACE_BITS;
            if keys[at + 1] >> PLACE_BITS != moment {
                at += 1;
                continue;
            }
            let end = at + keys[at..].iter().take_while(|key| **key >> PLACE_BITS == moment).count();
            keys[at..end].sort_unstable_by_key(|&key| {
                Key(key)
                    .place()
                    .map_or((u32::MAX, u32::MAX), |place| (events[place].from, events[place].order))
            });
            at = end;
        }
    }

    #[inline]
    fn push(&mut self, node: u32, offset: u64, event: Event<P>) {
        self.keys.push(Key::new(node, offset, self.events.len() as u64).0);
        self.events.push(event);
    }
}

/// The events to come of one worker.
#[derive(Debug)]
pub(crate) struct Calendar<P> {
    width: u64,
    /// The window that is handled now, when it starts, and its place in the ring.
    window: u64,
    start: u64,
    place: usize,
    /// Events that lie less far ahead than this go into the ring.
    horizon: u64,
    ring: Vec<Bucket<P>>,
    /// A bit for each bucket of the ring that holds something.
    used: [u64; RING / 64],
    /// Windows ahead in which most events lie.
    near: u32,
    far: BTreeMap<u64, Bucket<P>>,
    spare: Vec<Bucket<P>>,
}

impl<P> Calendar<P> {
    /// With windows of `width` microseconds, at most [`MOST_WIDTH`], and most events less than `reach` microseconds ahead.
    pub(crate) fn new(width: u64, reach: u64) -> Self {
        debug_assert!((1..=MOST_WIDTH).contains(&width));
        Calendar {
            width,
            window: 0,
            start: 0,
            place: 0,
            horizon: width * RING as u64,
            ring: (0..RING).map(|_| Bucket::default()).collect(),
            used: [0; RING / 64],
            near: (reach / width + 2).min(RING as u64 / 8) as u32,
            far: BTreeMap::new(),
            spare: Vec::new(),
        }
    }

    /// The window of a moment.
    pub(crate) fn window_of(&self, at: u64) -> u64 {
        // Nearly always less than an hour ahead, and then a division of 32 bits is enough.
        let ahead = at - self.start;
        if ahead <= u64::from(u32::MAX) {
            self.window + u64::from(ahead as u32 / self.width as u32)
        } else {
            at / self.width
        }
    }

    /// When a window starts.
    pub(crate) fn start_of(&self, window: u64) -> u64 {
        window * self.width
    }

    /// Adds an event for a node of this worker. It must lie beyond the present window, or in it before it is taken.
    #[inline]
    pub(crate) fn push(&mut self, node: u32, event: Event<P>) {
        debug_assert!(event.at >= self.start, "nothing can happen in the past");
        let ahead = event.at - self.start;
        if ahead >= self.horizon {
            return self.push_far(node, event);
        }
        let step = ahead as u32 / self.width as u32;
        let offset = ahead as u32 - step * self.width as u32;
        self.near(step).push(node, u64::from(offset), event);
    }

    #[cold]
    fn push_far(&mut self, node: u32, event: Event<P>) {
        let (window, offset) = (event.at / self.width, event.at % self.width);
        self.far.entry(window).or_default().push(node, offset, event);
    }

    /// Has the node visited in a window.
    #[inline]
    pub(crate) fn wake(&mut self, node: u32, window: u64) {
        debug_assert!(window >= self.window, "nothing can happen in the past");
        let step = window - self.window;
        let bucket =
            if step < RING as u64 { self.near(step as u32) } else { self.far.entry(window).or_default() };
        bucket.keys.push(Key::new(node, 0, WAKE).0);
    }

    /// The bucket so many windows ahead, less than the ring holds.
    #[inline]
    fn near(&mut self, step: u32) -> &mut Bucket<P> {
        let place = (self.place + step as usize) % RING;
        self.used[place / 64] |= 1 << (place % 64);
        if step <= self.near && self.ring[place].events.capacity() == 0 {
            self.furnish(place);
        }
        &mut self.ring[place]
    }

    /// Large vectors go where many events are to be expected: not into the hundreds of windows in which a few nodes wait
    /// for a timer.
    #[cold]
    fn furnish(&mut self, place: usize) {
        if let Some(mut spare) = self.spare.pop() {
            spare.keys.append(&mut self.ring[place].keys);
            self.ring[place] = spare;
        }
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
        let mut bucket = std::mem::take(&mut self.ring[place]);
        if let Some(mut far) =
            self.far.first_entry().filter(|entry| *entry.key() == window).map(|e| e.remove())
        {
            if bucket.keys.is_empty() {
                return far;
            }
            let shift = bucket.events.len() as u64;
            bucket.keys.extend(far.keys.iter().map(|&key| match Key(key).place() {
                Some(_) => key + shift,
                None => key,
            }));
            bucket.events.append(&mut far.events);
        }
        bucket
    }

    /// Everything that is still to come.
    pub(crate) fn to_come(&self) -> impl Iterator<Item = &Event<P>> {
        self.ring.iter().chain(self.far.values()).flat_map(|bucket| &bucket.events)
    }

    /// Gives a bucket's memory back.
    pub(crate) fn recycle(&mut self, mut bucket: Bucket<P>) {
        bucket.keys.clear();
        bucket.events.clear();
        if self.spare.len() <= self.near as usize && bucket.events.capacity() > 0 {
            self.spare.push(bucket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Acks, What};

    fn event(at: u64, to: u32, from: u32, order: u32) -> Event<()> {
        Event { at, to, from, order, conn: 0, acks: Acks::default(), what: What::Ack, payload: () }
    }

    /// Takes everything, as (window, node, at, from, order).
    fn drain(calendar: &mut Calendar<()>) -> Vec<(u64, u32, u64, u32, u32)> {
        let mut seen = Vec::new();
        while let Some(window) = calendar.next() {
            let mut bucket = calendar.take(window);
            bucket.sort();
            for &key in &bucket.keys {
                let Some(place) = Key(key).place() else {
                    seen.push((window, Key(key).node(), 0, 0, 0));
                    continue;
                };
                let event = &bucket.events[place];
                assert_eq!(event.at, window * 100 + Key(key).offset());
                seen.push((window, Key(key).node(), event.at, event.from, event.order));
            }
            calendar.recycle(bucket);
        }
        seen
    }

    #[test]
    fn a_window_is_by_node_then_time_then_source_then_counter() {
        let mut calendar = Calendar::new(100, 400);
        for (at, to, from, order) in
            [(250, 1, 7, 3), (250, 1, 7, 2), (250, 1, 3, 9), (201, 1, 9, 1), (299, 0, 1, 1), (100, 5, 5, 5)]
        {
            calendar.push(to, event(at, to, from, order));
        }
        assert_eq!(
            drain(&mut calendar),
            [
                (1, 5, 100, 5, 5),
                (2, 0, 299, 1, 1),
                (2, 1, 201, 9, 1),
                (2, 1, 250, 3, 9),
                (2, 1, 250, 7, 2),
                (2, 1, 250, 7, 3)
            ]
        );
    }

    #[test]
    fn far_events_come_in_their_turn_also_beside_near_ones() {
        let mut calendar = Calendar::new(100, 400);
        let far = 100 * 5_000;
        calendar.push(1, event(far + 7, 1, 1, 1));
        calendar.wake(2, 5_000);
        calendar.push(1, event(100 * 4_500, 1, 1, 0));
        let bucket = calendar.take(4_500);
        assert_eq!(bucket.keys.len(), 1);
        calendar.recycle(bucket);
        calendar.push(1, event(far + 5, 1, 2, 0));
        assert_eq!(
            drain(&mut calendar),
            [(5_000, 1, far + 5, 2, 0), (5_000, 1, far + 7, 1, 1), (5_000, 2, 0, 0, 0)]
        );
    }

    #[test]
    fn the_ring_wraps_round() {
        let mut calendar = Calendar::new(100, 400);
        let mut expected = Vec::new();
        for window in (1..10_000).step_by(700) {
            calendar.push(0, event(window * 100 + 3, 0, 0, window as u32));
            assert_eq!(calendar.next(), Some(window));
            let bucket = calendar.take(window);
            expected.push(bucket.events[0].order);
            calendar.recycle(bucket);
        }
        assert_eq!(expected, (1..10_000).step_by(700).collect::<Vec<u32>>());
    }
}
