//! The order in which the events of a window are handled: by node, then by time, then by source, then as the source sent them.
//!
//! Nothing is sorted but the few events of one node: all events of a node are strung together in one pass over the
//! bucket, and a set says which nodes have any.

use crate::calendar::Bucket;
use crate::event::Event;

/// No event: the end of a string.
const NONE: u32 = u32::MAX;

/// A node that is visited in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    /// By its number in the worker.
    pub(crate) node: u32,
    /// Its events lie before this in [`Order::places`], and after those of the visit before.
    pub(crate) end: u32,
    /// Whether it has asked for the visit.
    pub(crate) woken: bool,
}

/// Puts one bucket after the other in order.
#[derive(Debug)]
pub(crate) struct Order {
    /// The nodes that are visited, in the order of their numbers.
    pub(crate) visits: Vec<Visit>,
    /// Where their events lie in the bucket, in the order in which they are handled.
    pub(crate) places: Vec<u32>,
    /// By node, the last of its events in the bucket; by event, the one of the same node before it.
    last: Vec<u32>,
    before: Vec<u32>,
    /// A bit for each node that is visited, and for each that has asked for it.
    nodes: Vec<[u64; 2]>,
}

impl Order {
    /// Of so many nodes, the tracker among them.
    pub(crate) fn new(nodes: usize) -> Self {
        Order {
            visits: Vec::new(),
            places: Vec::new(),
            last: vec![NONE; nodes],
            before: Vec::new(),
            nodes: vec![[0; 2]; nodes.div_ceil(64)],
        }
    }

    /// Puts a bucket in order.
    pub(crate) fn arrange<P>(&mut self, bucket: &Bucket<P>) {
        self.string(bucket);
        let Order { visits, places, last, before, nodes } = self;
        let (events, last, before) = (&bucket.events[..], &mut last[..], &before[..]);
        visits.clear();
        places.clear();
        places.resize(events.len(), NONE);
        let (places, mut end) = (&mut places[..], 0);
        for (word, nodes) in nodes.iter_mut().enumerate() {
            let [visited, woken] = std::mem::take(nodes);
            for bit in ones(visited) {
                let node = word as u32 * 64 + bit;
                let start = end;
                let mut place = std::mem::replace(&mut last[node as usize], NONE);
                while place != NONE {
                    places[end] = place;
                    end += 1;
                    place = before[place as usize];
                }
                let woken = woken >> bit & 1 != 0;
                if end - start > 1 {
                    sort(&mut places[start..end], events);
                }
                visits.push(Visit { node, end: end as u32, woken });
            }
        }
    }

    /// Strings together what each node has.
    fn string<P>(&mut self, bucket: &Bucket<P>) {
        let Order { last, before, nodes, .. } = self;
        let (last, nodes) = (&mut last[..], &mut nodes[..]);
        before.clear();
        before.resize(bucket.events.len(), NONE);
        for (place, (event, before)) in bucket.events.iter().zip(&mut before[..]).enumerate() {
            nodes[event.to as usize / 64][0] |= 1 << (event.to % 64);
            *before = std::mem::replace(&mut last[event.to as usize], place as u32);
        }
        for &node in &bucket.wakes {
            let of_node = &mut nodes[node as usize / 64];
            of_node[0] |= 1 << (node % 64);
            of_node[1] |= 1 << (node % 64);
        }
    }
}

/// Sorts what one node has; it lies the last first.
#[inline]
fn sort<P>(places: &mut [u32], events: &[Event<P>]) {
    let key = |place: u32| {
        let event = &events[place as usize];
        u64::from(event.offset) << 32 | u64::from(event.from)
    };
    places.reverse();
    if let [first, second] = places {
        if key(*second) < key(*first) {
            std::mem::swap(first, second);
        }
    } else {
        places.sort_by_key(|&place| key(place));
    }
}

/// The places of the bits that are set, the lowest first.
#[inline]
fn ones(mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros())?;
        word &= word - 1;
        Some(bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, What};

    #[test]
    fn a_window_is_by_node_then_time_then_source_then_as_it_was_sent() {
        let mut order = Order::new(10_000);
        let sent = [
            (50, 1, 7, 3),
            (50, 1, 7, 2),
            (50, 1, 3, 9),
            (1, 1, 9, 1),
            (99, 0, 1, 1),
            (0, 9_999, 5, 5),
            (7, 4_096, 5, 6),
        ];
        let events = sent.map(|(offset, to, from, conn)| Event::<()> {
            offset,
            ..Event::new(from, (to, conn), What::Ack)
        });
        let bucket = Bucket { events: events.into(), wakes: vec![64, 1] };
        // What is left of one window must not show in the next.
        for _ in 0..2 {
            order.arrange(&bucket);
            let mut start = 0;
            let seen: Vec<_> = order
                .visits
                .iter()
                .map(|visit| {
                    let places = &order.places[start..visit.end as usize];
                    start = visit.end as usize;
                    (visit.node, visit.woken, places.to_vec())
                })
                .collect();
            assert_eq!(
                seen,
                [
                    (0, false, vec![4]),
                    (1, true, vec![3, 2, 0, 1]),
                    (64, true, vec![]),
                    (4_096, false, vec![6]),
                    (9_999, false, vec![5]),
                ]
            );
        }
    }

    #[test]
    fn a_node_with_many_events_has_them_in_order_too() {
        let events: Vec<Event<()>> = (0..5_000u32)
            .map(|at| Event {
                offset: (at * 7_919 % 100) as u16,
                ..Event::new(at * 31 % 50, (0, 0), What::Ack)
            })
            .collect();
        let mut order = Order::new(1);
        order.arrange(&Bucket { events, wakes: vec![] });
        let bucket_order = |place: u32| (place * 7_919 % 100, place * 31 % 50, place);
        assert_eq!(order.places.len(), 5_000);
        assert!(order.places.windows(2).all(|pair| bucket_order(pair[0]) < bucket_order(pair[1])));
    }
}
