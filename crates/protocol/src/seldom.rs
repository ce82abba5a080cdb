//! A list that is mostly empty: one word then, where a vector takes three.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

/// A list that is mostly empty. It is read and changed as a slice.
#[derive(Debug)]
#[allow(clippy::box_collection)] // one word instead of three is what this is for
pub(crate) struct Seldom<T>(Option<Box<Vec<T>>>);

impl<T> Seldom<T> {
    pub(crate) const fn new() -> Self {
        Seldom(None)
    }

    pub(crate) fn push(&mut self, item: T) {
        self.0.get_or_insert_default().push(item);
    }

    /// Takes out the item at a place of the list, and puts the last one there.
    pub(crate) fn swap_remove(&mut self, at: usize) {
        let mut place = 0..;
        let last = self.len() - 1;
        self.swap(at, last);
        self.retain(|_| place.next() != Some(last));
    }

    /// Keeps what fits.
    pub(crate) fn retain(&mut self, fits: impl FnMut(&T) -> bool) {
        let Some(list) = &mut self.0 else { return };
        list.retain(fits);
        if list.is_empty() {
            self.0 = None;
        }
    }
}

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Deref for Seldom<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl<T> DerefMut for Seldom<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.0.as_deref_mut().map_or(&mut [], Vec::as_mut_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list_and_gives_its_memory_back() {
        let mut list = Seldom::new();
        assert!(list.is_empty());
        (0..5).for_each(|item| list.push(item));
        list.swap_remove(1);
        assert_eq!(*list, [0, 4, 2, 3]);
        list.retain(|item| item % 2 == 0);
        assert_eq!(*list, [0, 4, 2]);
        list.swap_remove(2);
        list.retain(|_| false);
        assert!(list.is_empty() && list.0.is_none());
    }
}
