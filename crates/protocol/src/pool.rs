//! Short queues by the dozen in one piece of memory: what all links have asked for, or have been asked for.
//!
//! A queue takes four bytes in its owner and no allocation of its own; what is taken out makes room for the next.

use crate::torrent::place;
use alloc::vec::Vec;

/// No place: a pool has one place less than this at most.
const NONE: u16 = u16::MAX;
/// A pool grows by this many places, or by a quarter of what it has.
const LEAST_GROWTH: usize = 8;

/// One queue of a pool. It must be used with the same pool always; dropped unless empty, its places are lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    /// Where its last item is, which names the first one as its next.
    last: u16,
    len: u16,
}

impl Queue {
    pub(crate) const EMPTY: Queue = Queue { last: NONE, len: 0 };

    pub(crate) fn len(self) -> u16 {
        self.len
    }

    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }
}

#[derive(Debug)]
struct Place<T> {
    item: T,
    next: u16,
}

/// The items of many queues.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    places: Vec<Place<T>>,
    /// The first free place, which names the next free one.
    free: u16,
    used: u16,
}

impl<T: Copy> Pool<T> {
    /// Bytes that each item takes.
    pub(crate) const ITEM_SIZE: usize = size_of::<Place<T>>();

    pub(crate) const fn new() -> Self {
        Pool { places: Vec::new(), free: NONE, used: 0 }
    }

    /// Whether no other item finds room.
    pub(crate) fn is_full(&self) -> bool {
        self.used == NONE
    }

    /// Appends an item. The pool must not be full.
    pub(crate) fn push(&mut self, queue: &mut Queue, item: T) {
        debug_assert!(!self.is_full());
        if self.free == NONE {
            self.lengthen(item);
        }
        let at = self.free;
        let first = match self.places.get_mut(usize::from(queue.last)) {
            Some(last) => core::mem::replace(&mut last.next, at),
            None => at,
        };
        let place = &mut self.places[usize::from(at)];
        self.free = place.next;
        *place = Place { item, next: first };
        self.used += 1;
        *queue = Queue { last: at, len: queue.len + 1 };
    }

    /// Makes a free place, where there is none. The item is of no account there.
    #[cold]
    fn lengthen(&mut self, item: T) {
        let at = self.places.len();
        if at == self.places.capacity() {
            self.places.reserve_exact(LEAST_GROWTH.max(at / 4));
        }
        self.places.push(Place { item, next: NONE });
        self.free = at as u16;
    }

    /// Takes the first item.
    pub(crate) fn pop(&mut self, queue: &mut Queue) -> Option<T> {
        self.take(queue, |_| true)
    }

    /// Takes the first item that fits.
    pub(crate) fn take(&mut self, queue: &mut Queue, fits: impl Fn(&T) -> bool) -> Option<T> {
        let mut before = queue.last;
        for _ in 0..queue.len {
            let at = self.places[usize::from(before)].next;
            let Place { item, next } = self.places[usize::from(at)];
            if fits(&item) {
                self.places[usize::from(before)].next = next;
                self.places[usize::from(at)].next = core::mem::replace(&mut self.free, at);
                self.used -= 1;
                queue.len -= 1;
                if queue.len == 0 {
                    queue.last = NONE;
                } else if at == queue.last {
                    queue.last = before;
                }
                return Some(item);
            }
            before = at;
        }
        None
    }

    /// Takes everything out.
    pub(crate) fn clear(&mut self, queue: &mut Queue) {
        if let Some(last) = self.places.get_mut(usize::from(queue.last)) {
            self.free = core::mem::replace(&mut last.next, self.free);
            self.used -= queue.len;
            *queue = Queue::EMPTY;
        }
    }

    /// The items in order.
    pub(crate) fn iter(&self, queue: Queue) -> impl Iterator<Item = &T> {
        let mut at = queue.last;
        (0..queue.len).map(move |_| {
            at = self.places[usize::from(at)].next;
            &self.places[usize::from(at)].item
        })
    }

    /// Changes the items in order.
    pub(crate) fn for_each_mut(&mut self, queue: Queue, mut change: impl FnMut(&mut T)) {
        let mut at = queue.last;
        for _ in 0..queue.len {
            at = self.places[usize::from(at)].next;
            change(&mut self.places[usize::from(at)].item);
        }
    }

    /// Gives memory back where most of it is unused. `queues` are all the queues of the pool.
    pub(crate) fn shrink<'a>(&mut self, queues: impl Iterator<Item = &'a mut Queue>) {
        if self.places.capacity() <= 2 * usize::from(self.used) + LEAST_GROWTH {
            return;
        }
        let mut small = Pool { places: Vec::with_capacity(self.used.into()), free: NONE, used: 0 };
        for queue in queues {
            let mut moved = Queue::EMPTY;
            self.iter(*queue).for_each(|&item| small.push(&mut moved, item));
            *queue = moved;
        }
        *self = small;
    }

    /// Where the last item of a queue lies, for [`crate::Torrent::queue_places`].
    pub(crate) fn place(&self, queue: Queue) -> *const u8 {
        place(&self.places, usize::from(queue.last))
    }
}

impl<T: Copy> Clone for Place<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Copy> Copy for Place<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;
    use alloc::collections::VecDeque;
    use alloc::vec;

    #[test]
    fn queues_behave_like_queues_of_their_own() {
        let mut random = Random::new(1);
        let mut pool: Pool<u32> = Pool::new();
        let (mut queues, mut plain) = (vec![Queue::EMPTY; 5], vec![VecDeque::new(); 5]);
        for step in 0..20_000 {
            let at = random.below(5) as usize;
            let (queue, plain_queue) = (&mut queues[at], &mut plain[at]);
            match random.below(32) {
                0 => {
                    pool.clear(queue);
                    plain_queue.clear();
                }
                1 => {
                    pool.for_each_mut(*queue, |item| *item += 1);
                    plain_queue.iter_mut().for_each(|item| *item += 1);
                }
                2 => pool.shrink(queues.iter_mut()),
                3..10 => assert_eq!(pool.pop(queue), plain_queue.pop_front()),
                10..17 => {
                    let of = random.below(4);
                    let place = plain_queue.iter().position(|item| item % 4 == of);
                    let taken = place.and_then(|place| plain_queue.remove(place));
                    assert_eq!(pool.take(queue, |item| item % 4 == of), taken);
                }
                _ => {
                    pool.push(queue, step);
                    plain_queue.push_back(step);
                }
            }
            for (queue, plain) in queues.iter().zip(&plain) {
                assert!(pool.iter(*queue).eq(plain.iter()), "step {step}");
                assert_eq!(usize::from(queue.len()), plain.len());
            }
            assert_eq!(usize::from(pool.used), plain.iter().map(VecDeque::len).sum::<usize>());
            assert!(pool.places.len() < 1_000, "what is taken out makes room");
        }
    }
}
