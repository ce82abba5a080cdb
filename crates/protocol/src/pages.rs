//! A list in pages of one size. It never moves as it grows, and a page that one list gives back fits the next one that
//! asks: where very many lists grow and shrink, vectors would leave holes between them that fit none.

use alloc::boxed::Box;
use core::iter::{from_fn, successors};

#[derive(Debug)]
struct Page<T, const N: usize> {
    /// Those beyond the end of the list are of no account.
    items: [T; N],
    next: Option<Box<Page<T, N>>>,
}

/// A list with `N` items to a page. It is for being walked through: to find an item by its place takes as long.
#[derive(Debug)]
pub(crate) struct Pages<T, const N: usize> {
    first: Option<Box<Page<T, N>>>,
    len: usize,
}

impl<T, const N: usize> Default for Pages<T, N> {
    fn default() -> Self {
        Pages { first: None, len: 0 }
    }
}

impl<T: Copy, const N: usize> Pages<T, N> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let pages = successors(self.first.as_deref(), |page| page.next.as_deref());
        pages.flat_map(|page| &page.items).take(self.len)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let mut rest = self.first.as_deref_mut();
        let pages = from_fn(move || {
            let Page { items, next } = rest.take()?;
            rest = next.as_deref_mut();
            Some(items)
        });
        pages.flatten().take(self.len)
    }

    pub(crate) fn push(&mut self, item: T) {
        let (number, at) = (self.len / N, self.len % N);
        match self.page(number) {
            Some(page) => page.items[at] = item,
            none => *none = Some(Box::new(Page { items: [item; N], next: None })),
        }
        self.len += 1;
    }

    /// Takes out the item at a place of the list, and puts the last one there.
    pub(crate) fn swap_remove(&mut self, at: usize) {
        let Some(&last) = self.iter().last() else { return };
        self.iter_mut().skip(at).take(1).for_each(|item| *item = last);
        self.len -= 1;
        if self.len.is_multiple_of(N) {
            *self.page(self.len / N) = None;
        }
    }

    /// Where the page of this number is kept, or where the one after the last would be.
    fn page(&mut self, number: usize) -> &mut Option<Box<Page<T, N>>> {
        let mut place = &mut self.first;
        for _ in 0..number {
            match place {
                Some(page) => place = &mut page.next,
                None => break,
            }
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;
    use alloc::vec::Vec;

    #[test]
    fn it_is_a_list_and_gives_its_pages_back() {
        let mut random = Random::new(1);
        let (mut pages, mut plain) = (Pages::<u32, 4>::default(), Vec::new());
        for step in 0..20_000 {
            match random.below(5) {
                0 | 1 if !plain.is_empty() => {
                    let at = random.below(plain.len() as u32) as usize;
                    pages.swap_remove(at);
                    plain.swap_remove(at);
                }
                2 => {
                    pages.iter_mut().for_each(|item| *item += 1);
                    plain.iter_mut().for_each(|item| *item += 1);
                }
                _ => {
                    pages.push(step);
                    plain.push(step);
                }
            }
            assert!(pages.iter().eq(&plain), "step {step}");
            let kept = successors(pages.first.as_deref(), |page| page.next.as_deref()).count();
            assert_eq!((pages.len(), kept), (plain.len(), plain.len().div_ceil(4)));
        }
    }
}
