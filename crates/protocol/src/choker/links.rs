//! A set of links: a bit for each slot, so that asking about one costs nothing.

use alloc::vec;
use alloc::vec::Vec;

use super::ChokeView;
use crate::ConnId;

#[derive(Debug)]
pub(super) struct Links(Vec<u64>);

impl Links {
    /// Those of the views that `keep` chooses.
    pub(super) fn of(views: &[ChokeView], keep: impl Fn(&ChokeView) -> bool) -> Self {
        let most = views.iter().map(|view| view.conn.0).max().unwrap_or(0);
        let mut words = vec![0u64; usize::from(most) / 64 + 1];
        for view in views {
            words[usize::from(view.conn.0) / 64] |= u64::from(keep(view)) << (view.conn.0 % 64);
        }
        Links(words)
    }

    pub(super) fn contains(&self, conn: ConnId) -> bool {
        self.0.get(usize::from(conn.0) / 64).is_some_and(|word| word >> (conn.0 % 64) & 1 == 1)
    }

    pub(super) fn remove(&mut self, conn: ConnId) {
        if let Some(word) = self.0.get_mut(usize::from(conn.0) / 64) {
            *word &= !(1 << (conn.0 % 64));
        }
    }
}
