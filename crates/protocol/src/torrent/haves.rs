//! Haves that wait for company: a client may tell a remote of new pieces only with whatever else it has to say, or when they
//! have waited long enough ([`crate::Config::have_delay`]).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Torrent, send};
use crate::conn::Conn;
use crate::{ConnId, Instant, Message, Output, PieceIndex};

/// The haves that wait, of all links.
#[derive(Debug, Default)]
pub(super) struct Haves(Vec<Waiting>);

/// What waits on one link.
#[derive(Debug)]
struct Waiting {
    conn: ConnId,
    since: Instant,
    pieces: Vec<PieceIndex>,
}

impl Haves {
    fn add(&mut self, now: Instant, conn: ConnId, piece: PieceIndex) {
        match self.0.iter_mut().find(|waiting| waiting.conn == conn) {
            Some(waiting) => waiting.pieces.push(piece),
            None => self.0.push(Waiting { conn, since: now, pieces: Vec::from([piece]) }),
        }
    }

    fn take(&mut self, conn: ConnId) -> Vec<PieceIndex> {
        let at = self.0.iter().position(|waiting| waiting.conn == conn);
        at.map_or(Vec::new(), |at| self.0.remove(at).pieces)
    }

    /// When those that wait longest have waited long enough.
    fn due(&self, delay: Duration) -> Instant {
        self.0.first().map_or(Instant::NEVER, |waiting| waiting.since + delay)
    }
}

/// Tells a remote of a new piece, now or in time.
#[inline]
pub(super) fn tell(
    haves: &mut Option<Box<Haves>>,
    (id, conn): (ConnId, &mut Conn),
    now: Instant,
    piece: PieceIndex,
    out: &mut Vec<Output>,
) {
    match haves {
        Some(haves) => haves.add(now, id, piece),
        None => send(conn, id, now, || Message::Have(piece), out),
    }
}

impl Torrent {
    /// What waits on a link that says something else, from this output on, goes with it. Blocks go by themselves.
    #[cold]
    pub(super) fn tell_along(&mut self, now: Instant, from: usize, out: &mut Vec<Output>) {
        let mut at = from;
        while at < out.len() && self.haves.as_ref().is_some_and(|haves| !haves.0.is_empty()) {
            match &out[at] {
                Output::Send { message: Message::Piece(_) | Message::Have(_), .. } => {}
                &Output::Send { conn, .. } => self.tell_now(now, conn, out),
                &Output::Close { conn, .. } => {
                    self.haves.as_mut().map(|haves| haves.take(conn));
                }
                _ => {}
            }
            at += 1;
        }
        self.reschedule();
    }

    /// Tells everything that has waited long enough.
    pub(super) fn tell_due(&mut self, now: Instant, out: &mut Vec<Output>) {
        while let Some(conn) = self.haves.as_ref().and_then(|haves| haves.0.first()).map(|first| first.conn) {
            if self.tells_at() > now {
                break;
            }
            self.tell_now(now, conn, out);
        }
    }

    /// A link is gone.
    pub(super) fn tell_never(&mut self, conn: ConnId) {
        if let Some(haves) = &mut self.haves {
            haves.take(conn);
        }
    }

    fn tell_now(&mut self, now: Instant, id: ConnId, out: &mut Vec<Output>) {
        let Some(haves) = &mut self.haves else { return };
        let pieces = haves.take(id);
        let Some(conn) = self.conns.get_mut(id) else { return };
        pieces.into_iter().for_each(|piece| send(conn, id, now, || Message::Have(piece), out));
    }

    /// When haves have waited long enough.
    #[inline]
    pub(super) fn tells_at(&self) -> Instant {
        self.haves.as_ref().map_or(Instant::NEVER, |haves| haves.due(self.config.have_delay))
    }
}
