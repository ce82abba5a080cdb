//! The table of the open links: rows by slot, in two vectors (see `conn`).

use alloc::boxed::Box;

use crate::ConnId;
use crate::conn::{Conn, Flag, Work};
use crate::torrent::place;

/// Slots by which the table grows at least: each growth copies it.
const LEAST_GROWTH: usize = 8;

/// The open links, by slot.
#[derive(Debug, Default)]
pub(crate) struct Conns {
    rows: Box<[Conn]>,
    work: Box<[Work]>,
    open: u16,
}

impl Conns {
    /// Puts a link in its slot; false if the slot is taken. There may be `most` links.
    pub(crate) fn insert(&mut self, id: ConnId, conn: Conn, work: Work, most: u16) -> bool {
        let at = usize::from(id.0);
        let slots = grown(self.rows.len(), at + 1, most);
        lengthen(&mut self.rows, slots, Conn::CLOSED);
        lengthen(&mut self.work, slots, work);
        let free = !self.rows[at].is(Flag::Open);
        if free {
            self.rows[at] = conn;
            self.work[at] = work;
            self.open += 1;
        }
        free
    }

    /// Takes a link out.
    pub(crate) fn remove(&mut self, id: ConnId) -> Option<(Conn, Work)> {
        let (conn, work) = self.both(id)?;
        let removed = (*conn, *work);
        *conn = Conn::CLOSED;
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

    /// All that is kept of a link here.
    #[inline]
    pub(crate) fn both(&mut self, id: ConnId) -> Option<(&mut Conn, &mut Work)> {
        let at = usize::from(id.0);
        if at < self.rows.len() && at < self.work.len() && self.rows[at].is(Flag::Open) {
            Some((&mut self.rows[at], &mut self.work[at]))
        } else {
            None
        }
    }

    /// What is kept of a link for blocks and requests.
    #[inline]
    pub(crate) fn work(&self, id: ConnId) -> Option<&Work> {
        self.get(id).and(self.work.get(usize::from(id.0)))
    }

    /// The same, to be changed.
    #[inline]
    pub(crate) fn work_mut(&mut self, id: ConnId) -> Option<&mut Work> {
        self.both(id).map(|(_, work)| work)
    }

    /// How many are open.
    pub(crate) fn len(&self) -> u16 {
        self.open
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConnId, &Conn)> {
        let rows = self.rows.iter().enumerate().filter(|(_, conn)| conn.is(Flag::Open));
        rows.map(|(at, conn)| (ConnId(at as u16), conn))
    }

    /// The links with all that is kept of them here.
    pub(crate) fn iter_both(&self) -> impl Iterator<Item = (ConnId, &Conn, &Work)> {
        let rows = self.rows.iter().zip(&self.work).enumerate();
        let open = rows.filter(|(_, (conn, _))| conn.is(Flag::Open));
        open.map(|(at, (conn, work))| (ConnId(at as u16), conn, work))
    }

    /// The same, to be changed.
    pub(crate) fn iter_both_mut(&mut self) -> impl Iterator<Item = (ConnId, &mut Conn, &mut Work)> {
        let rows = self.rows.iter_mut().zip(&mut self.work).enumerate();
        let open = rows.filter(|(_, (conn, _))| conn.is(Flag::Open));
        open.map(|(at, (conn, work))| (ConnId(at as u16), conn, work))
    }

    /// The slots there are: for walks that must look a link up anew at each step.
    pub(crate) fn slots(&self) -> impl ExactSizeIterator<Item = ConnId> + use<> {
        (0..self.rows.len()).map(|at| ConnId(at as u16))
    }

    /// The first link from this slot on that [has room](Conn::has_room): for walks in which links are asked for more.
    pub(crate) fn next_with_room(&self, from: usize) -> Option<ConnId> {
        let mut links = self.rows.get(from..)?.iter().zip(self.work.get(from..)?);
        let at = links.position(|(conn, work)| conn.is(Flag::Open) && conn.has_room(work))?;
        Some(ConnId((from + at) as u16))
    }

    /// The link whose blocks bear this name.
    pub(crate) fn named(&self, serial: u16) -> Option<ConnId> {
        self.iter_both().find(|(_, _, work)| work.serial == serial).map(|(id, ..)| id)
    }

    /// Where the first part of a link lies, for [`crate::Torrent::link_places`].
    pub(crate) fn place(&self, conn: ConnId) -> *const u8 {
        place(&self.rows, usize::from(conn.0))
    }

    /// Where the other part lies, for [`crate::Torrent::queue_places`].
    pub(crate) fn work_place(&self, conn: ConnId) -> *const u8 {
        place(&self.work, usize::from(conn.0))
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
