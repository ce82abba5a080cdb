//! The rotation: every link in the order in which it gets its optimistic turn.

use alloc::vec::Vec;

use super::links::Links;
use crate::{ConnId, Random};

/// The next one first.
#[derive(Debug, Default)]
pub(super) struct Turns(Vec<ConnId>);

impl Turns {
    /// Three times as likely at the front as at any other place (BEP 3; mainline draws from -2 to the length).
    pub(super) fn insert(&mut self, conn: ConnId, random: &mut Random) {
        if self.0.len() == self.0.capacity() {
            // There are very many of these lists: doubled they would stand half empty.
            self.0.reserve_exact(8);
        }
        let place = random.below(self.0.len() as u32 + 3).saturating_sub(2);
        self.0.insert(place as usize, conn);
    }

    pub(super) fn remove(&mut self, conn: ConnId) {
        self.0.retain(|&other| other != conn);
    }

    /// The next of these links; whoever stood before it goes behind, with it.
    pub(super) fn take(&mut self, among: &Links) -> Option<ConnId> {
        let next = self.0.iter().position(|&conn| among.contains(conn))?;
        let conn = self.0[next];
        self.0.rotate_left(next + 1);
        Some(conn)
    }

    /// Whoever is next, whatever it wants.
    pub(super) fn take_first(&mut self) -> Option<ConnId> {
        let first = *self.0.first()?;
        self.0.rotate_left(1);
        Some(first)
    }

    /// Puts the next of these links at the front.
    pub(super) fn bring(&mut self, among: &Links) {
        if let Some(next) = self.0.iter().position(|&conn| among.contains(conn)) {
            self.0.rotate_left(next);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = ConnId> + '_ {
        self.0.iter().copied()
    }
}
