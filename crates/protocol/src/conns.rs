//! The table of the open links: rows by slot.

use alloc::boxed::Box;

use crate::ConnId;
use crate::conn::{Conn, Flag};
use crate::flows::Flows;
use crate::torrent::ends;

/// Slots by which the table grows at least: each growth copies it.
const LEAST_GROWTH: usize = 4;

/// The open links, by slot.
#[derive(Debug, Default)]
pub(crate) struct Conns {
    rows: Box<[Conn]>,
    open: u16,
}

impl Conns {
    /// Puts a link in its slot; false if the slot is taken. There may be `most` links.
    pub(crate) fn insert(&mut self, id: ConnId, conn: Conn, most: u16) -> bool {
        let at = usize::from(id.0);
        let slots = grown(self.rows.len(), at + 1, most);
        lengthen(&mut self.rows, slots, Conn::CLOSED);
        let free = !self.rows[at].is(Flag::Open);
        if free {
            self.rows[at] = conn;
            self.open += 1;
        }
        free
    }

    /// Takes a link out.
    pub(crate) fn remove(&mut self, id: ConnId) -> Option<Conn> {
        let removed = core::mem::replace(self.get_mut(id)?, Conn::CLOSED);
        self.open -= 1;
        Some(removed)
    }

    #[inline]
    pub(crate) fn get(&self, id: ConnId) -> Option<&Conn> {
        self.rows.get(usize::from(id.0)).filter(|conn| conn.is(Flag::Open))
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        let at = usize::from(id.0);
        if at < self.rows.len() && self.rows[at].is(Flag::Open) { Some(&mut self.rows[at]) } else { None }
    }

    /// How many are open.
    pub(crate) fn len(&self) -> u16 {
        self.open
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConnId, &Conn)> {
        let rows = self.rows.iter().enumerate().filter(|(_, conn)| conn.is(Flag::Open));
        rows.map(|(at, conn)| (ConnId(at as u16), conn))
    }

    /// The same, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Conn> {
        self.rows.iter_mut().filter(|conn| conn.is(Flag::Open))
    }

    /// The slots there are: for walks that must look a link up anew at each step.
    pub(crate) fn slots(&self) -> impl ExactSizeIterator<Item = ConnId> + use<> {
        (0..self.rows.len()).map(|at| ConnId(at as u16))
    }

    /// The first link from this slot on that [has room](Conn::has_room): for walks in which links are asked for more.
    pub(crate) fn next_with_room(&self, from: usize, flows: &Flows) -> Option<ConnId> {
        let mut links = self.rows.get(from..)?.iter();
        let at = links.position(|conn| conn.is(Flag::Open) && conn.has_room(flows))?;
        Some(ConnId((from + at) as u16))
    }

    /// The link whose blocks bear this name.
    pub(crate) fn named(&self, serial: u16) -> Option<ConnId> {
        self.iter().find(|(_, conn)| conn.serial == serial).map(|(id, _)| id)
    }

    /// Where a link lies, for [`crate::Torrent::link_places`].
    pub(crate) fn places(&self, conn: ConnId, stored: &mut impl FnMut(*const u8)) {
        ends(&self.rows, usize::from(conn.0), 1).into_iter().for_each(stored);
    }
}

/// How many slots a table of `len` gets that is to have `least`, if there may be `most` links: drivers use low numbers first.
pub(crate) fn grown(len: usize, least: usize, most: u16) -> usize {
    if least <= len { len } else { (len + LEAST_GROWTH).min(most.into()).max(least) }
}

/// Lengthens a list that takes no more memory than it needs.
pub(crate) fn lengthen<T: Clone>(list: &mut Box<[T]>, len: usize, value: T) {
    if len > list.len() {
        let mut longer = core::mem::take(list).into_vec();
        longer.reserve_exact(len - longer.len());
        longer.resize(len, value);
        *list = longer.into_boxed_slice();
    }
}
