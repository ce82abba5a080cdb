//! Where a node lies by its number: pages that exist where numbers are in use, so that a file that names one large number
//! costs one page.

/// Numbers on a page.
const PAGE: usize = 1024;

/// Of a number that is not in use.
const NOWHERE: u32 = u32::MAX;

/// Places by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pages: Vec<Option<Box<[u32; PAGE]>>>,
}

impl Index {
    /// The place of a number.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<usize> {
        let page = self.pages.get(number as usize / PAGE)?.as_ref()?;
        let place = page[number as usize % PAGE];
        (place != NOWHERE).then_some(place as usize)
    }

    /// Gives a number a place.
    pub(crate) fn set(&mut self, number: u32, place: usize) {
        let page = number as usize / PAGE;
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        let page = self.pages[page].get_or_insert_with(|| Box::new([NOWHERE; PAGE]));
        page[number as usize % PAGE] = place as u32;
    }

    /// The places, in the order of their numbers.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> + '_ {
        let pages = self.pages.iter().flatten();
        pages.flat_map(|page| page.iter()).filter(|place| **place != NOWHERE).map(|place| *place as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_in_the_order_of_numbers() {
        let mut index = Index::default();
        for (place, number) in [5_000, 3, 1_024, 1_023].into_iter().enumerate() {
            assert_eq!(index.get(number), None);
            index.set(number, place);
            assert_eq!(index.get(number), Some(place));
        }
        assert!(index.places().eq([1, 3, 2, 0]));
        assert_eq!(index.get(u32::MAX), None);
    }
}
