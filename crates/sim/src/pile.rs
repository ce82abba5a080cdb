//! Lists in pages of one size, which go from one list to the next.
//!
//! Buckets of events are filled and emptied by the dozen at a time. As vectors each would be as long as the fullest window needs,
//! and leave holes in the heap that fit none of the small lists there. A page that was emptied is filled next.

/// Items of a page: 4 KiB of events that carry no bytes of blocks.
pub(crate) const PAGE: usize = 128;
/// Room in a list that is to stay short, at first.
const SHORT: usize = 8;
/// Free pages that are kept, and as many as a quarter of those in use: while nodes come, there is more to do than later.
const KEPT: usize = 8;

/// A list in the order in which items came.
#[derive(Debug)]
pub(crate) struct Pile<T> {
    full: Vec<Vec<T>>,
    /// The page that is being filled, or less than one.
    last: Vec<T>,
}

/// The pages that no pile has.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    free: Vec<Vec<T>>,
    /// Of those that piles have.
    used: usize,
    /// Lists of full pages, to use again.
    lists: Vec<Vec<Vec<T>>>,
}

impl<T> Default for Pile<T> {
    fn default() -> Self {
        Pile { full: Vec::new(), last: Vec::new() }
    }
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Pages { free: Vec::new(), used: 0, lists: Vec::new() }
    }
}

impl<T> Pile<T> {
    /// Appends an item, which is made where it will lie. It is one of `many` if a page is likely to be filled.
    #[inline(always)]
    pub(crate) fn push(&mut self, many: bool, pages: &mut Pages<T>, item: impl FnOnce() -> T) {
        if self.last.len() == self.last.capacity() {
            self.lengthen(many, pages);
        }
        // Room is made before an iterator is asked for its item.
        self.last.extend(std::iter::once_with(item));
    }

    #[cold]
    fn lengthen(&mut self, many: bool, pages: &mut Pages<T>) {
        let more = SHORT + self.last.len() / 2;
        if self.last.len() >= PAGE {
            if self.full.capacity() == 0 {
                self.full = pages.lists.pop().unwrap_or_default();
            }
            self.full.push(std::mem::replace(&mut self.last, pages.take()));
        } else if many && self.last.is_empty() {
            self.last = pages.take();
        } else if many || self.last.len() + more >= PAGE {
            let mut page = pages.take();
            page.append(&mut self.last);
            self.last = page;
        } else {
            self.last.reserve_exact(more);
        }
    }

    /// Moves everything to the end of a list. The pages are free then.
    pub(crate) fn pour(&mut self, into: &mut Vec<T>, pages: &mut Pages<T>) {
        if self.full.is_empty() && into.is_empty() && into.capacity() <= PAGE {
            // In small runs a window has one page, which need not be copied.
            std::mem::swap(into, &mut self.last);
        } else {
            into.reserve(self.full.len() * PAGE + self.last.len());
            for mut page in self.full.drain(..) {
                into.append(&mut page);
                pages.give(page);
            }
            if self.full.capacity() > 0 {
                pages.lists.push(std::mem::take(&mut self.full));
            }
            into.append(&mut self.last);
        }
        pages.give(std::mem::take(&mut self.last));
    }

    /// The items in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.full.iter().flatten().chain(&self.last)
    }
}

impl<T> Pages<T> {
    fn take(&mut self) -> Vec<T> {
        self.used += 1;
        self.free.pop().unwrap_or_else(|| Vec::with_capacity(PAGE))
    }

    /// Gets a page back, which is empty, or less than a page.
    fn give(&mut self, page: Vec<T>) {
        if page.capacity() >= PAGE {
            // A list may have grown to a page's length by itself.
            self.used = self.used.saturating_sub(1);
            if self.free.len() < KEPT + self.used / 4 {
                self.free.push(page);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn piles_are_lists_and_pages_go_round() {
        let mut pages = Pages::default();
        for length in (0..3 * PAGE).step_by(7).chain([PAGE - 1, PAGE, PAGE + 1]) {
            for many in [false, true] {
                let mut piles: [Pile<usize>; 3] = Default::default();
                (0..length)
                    .for_each(|item| piles.iter_mut().for_each(|pile| pile.push(many, &mut pages, || item)));
                let needed = length.div_ceil(PAGE);
                let short = usize::from(!many && needed > 0);
                assert!((3 * (needed - short)..=3 * needed).contains(&pages.used), "{length} {many}");
                for mut pile in piles {
                    assert!(pile.iter().copied().eq(0..length));
                    let mut list = vec![7];
                    pile.pour(&mut list, &mut pages);
                    assert!(list.into_iter().eq(std::iter::once(7).chain(0..length)));
                }
                assert_eq!(pages.used, 0);
                assert!(pages.free.len() <= KEPT + 1 && pages.lists.len() <= 3);
            }
        }
        assert!(!pages.free.is_empty() && pages.free.iter().all(|page| page.is_empty()));
    }

    #[test]
    fn one_page_is_handed_on_as_it_is() {
        let (mut pages, mut list) = (Pages::default(), Vec::new());
        for round in 0..3 {
            let mut pile = Pile::default();
            (0..5).for_each(|item| pile.push(true, &mut pages, || round + item));
            let place = pile.last.as_ptr();
            pile.pour(&mut list, &mut pages);
            assert_eq!((list.as_ptr(), pile.iter().count()), (place, 0));
            assert!(list.drain(..).eq(round..round + 5));
        }
        assert_eq!((pages.used, pages.free.len()), (1, 1), "one is in the list, the other waits");
    }
}
