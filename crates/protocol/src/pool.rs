//! Short queues by the dozen in one piece of memory: what all links have asked for, or have been asked for.
//!
//! A queue takes six bytes in its owner and no allocation of its own; what is taken out makes room for the next. To take the
//! first item only its own place is looked at.

use crate::torrent::place;
use alloc::vec::Vec;

/// No place: a pool has one place less than this at most.
const NONE: u16 = u16::MAX;
/// A pool grows by this many places, or by an eighth of what it has.
const LEAST_GROWTH: usize = 4;

/// One queue of a pool. It must be used with the same pool always; dropped unless empty, its places are lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    /// Where the first item is, which names the place of the next.
    first: u16,
    last: u16,
    len: u16,
}

impl Queue {
    pub(crate) const EMPTY: Queue = Queue { first: NONE, last: NONE, len: 0 };

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
    #[inline]
    pub(crate) fn push(&mut self, queue: &mut Queue, item: T) {
        debug_assert!(!self.is_full());
        if self.free == NONE {
            self.lengthen(item);
        }
        let at = self.free;
        let place = &mut self.places[usize::from(at)];
        self.free = place.next;
        *place = Place { item, next: NONE };
        match self.places.get_mut(usize::from(queue.last)) {
            Some(last) => last.next = at,
            None => queue.first = at,
        }
        self.used += 1;
        queue.last = at;
        queue.len += 1;
    }

    /// Makes a free place, where there is none. The item is of no account there.
    #[cold]
    fn lengthen(&mut self, item: T) {
        let at = self.places.len();
        if at == self.places.capacity() {
            self.places.reserve_exact(LEAST_GROWTH.max(at / 8));
        }
        self.places.push(Place { item, next: NONE });
        self.free = at as u16;
    }

    /// Takes the first item.
    #[inline]
    pub(crate) fn pop(&mut self, queue: &mut Queue) -> Option<T> {
        self.take(queue, |_| true)
    }

    /// Takes the first item that fits: mostly the first of all.
    #[inline]
    pub(crate) fn take(&mut self, queue: &mut Queue, fits: impl Fn(&T) -> bool) -> Option<T> {
        let at = queue.first;
        let &Place { item, next } = self.places.get(usize::from(at))?;
        if !fits(&item) {
            return self.take_behind(queue, at, fits);
        }
        self.release(queue, at);
        queue.first = next;
        if next == NONE {
            queue.last = NONE;
        }
        Some(item)
    }

    /// Takes the first item that fits and comes after this one.
    #[inline(never)]
    fn take_behind(&mut self, queue: &mut Queue, first: u16, fits: impl Fn(&T) -> bool) -> Option<T> {
        let mut before = first;
        loop {
            let at = self.places[usize::from(before)].next;
            let &Place { item, next } = self.places.get(usize::from(at))?;
            if fits(&item) {
                self.release(queue, at);
                self.places[usize::from(before)].next = next;
                if next == NONE {
                    queue.last = before;
                }
                return Some(item);
            }
            before = at;
        }
    }

    /// An item of a queue is taken out: its place is free.
    #[inline]
    fn release(&mut self, queue: &mut Queue, at: u16) {
        self.places[usize::from(at)].next = core::mem::replace(&mut self.free, at);
        self.used -= 1;
        queue.len -= 1;
    }

    /// Takes everything out.
    pub(crate) fn clear(&mut self, queue: &mut Queue) {
        if let Some(last) = self.places.get_mut(usize::from(queue.last)) {
            last.next = core::mem::replace(&mut self.free, queue.first);
            self.used -= queue.len;
            *queue = Queue::EMPTY;
        }
    }

    /// The items in order.
    pub(crate) fn iter(&self, queue: Queue) -> impl Iterator<Item = &T> {
        let mut at = queue.first;
        (0..queue.len).map(move |_| {
            let place = &self.places[usize::from(at)];
            at = place.next;
            &place.item
        })
    }

    /// Changes the items in order.
    pub(crate) fn for_each_mut(&mut self, queue: Queue, mut change: impl FnMut(&mut T)) {
        let mut at = queue.first;
        for _ in 0..queue.len {
            let place = &mut self.places[usize::from(at)];
            at = place.next;
            change(&mut place.item);
        }
    }

    /// Gives memory back where most of it is unused. `queues` are all the queues of the pool.
    pub(crate) fn shrink<'a>(&mut self, queues: impl Iterator<Item = &'a mut Queue>) {
        if self.places.capacity() <= usize::from(self.used) + usize::from(self.used) / 2 + LEAST_GROWTH {
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

    /// Where the first and the last item of a queue lie, and where another one would, for [`crate::Torrent::block_places`].
    pub(crate) fn places(&self, queue: Queue, stored: &mut impl FnMut(*const u8)) {
        [queue.first, queue.last, self.free]
            .into_iter()
            .for_each(|at| stored(place(&self.places, usize::from(at))));
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
