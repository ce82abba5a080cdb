//! The super-seed (BEP 16): a seed that looks like a peer with nothing and shows each remote one piece, and the next only
//! when the last was seen at another. So its uplink carries each piece about once, and remotes that pass nothing on get
//! little.
//!
//! Once every piece has been seen somewhere else it shows everything and is an ordinary seed.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::{STREAM, opening};
use crate::{Bitfield, ConnId, Input, Instant, Layout, Message, Output, PieceIndex, Random, Setup, Torrent};

/// A remote that has its piece for so long without anybody else having it gets another: it may have nobody to give
/// it to. Ours; BEP 16 lets it wait.
const PATIENCE: Duration = Duration::from_secs(120);

/// One remote.
#[derive(Debug)]
struct Link {
    /// What it said it has.
    has: Bitfield,
    /// What it was shown.
    shown: Bitfield,
    /// What it was shown last and nobody else has yet.
    piece: Option<PieceIndex>,
    /// Bytes of that piece it was sent.
    sent: u32,
    /// When all of that piece was sent.
    done: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct SuperSeed {
    layout: Arc<Layout>,
    fast: bool,
    random: Random,
    links: Vec<Option<Link>>,
    /// For each piece, how many remotes said they have it or were shown it last.
    spread: Vec<u16>,
    /// The pieces that were seen at a remote at some time.
    seen: Bitfield,
    /// A piece that is nowhere may have been taken from the one it was meant for: whoever has nothing to do may get it.
    freed: bool,
    /// Nothing is hidden any more.
    over: bool,
}

impl SuperSeed {
    pub(super) fn new(setup: &Setup) -> Self {
        let piece_count = setup.layout.piece_count();
        SuperSeed {
            layout: setup.layout.clone(),
            fast: setup.config.fast_extension,
            random: Random::stream(setup.seed, STREAM),
            links: Vec::new(),
            spread: vec![0; piece_count as usize],
            seen: Bitfield::empty(piece_count),
            freed: false,
            over: !setup.have.is_full(),
        }
    }

    pub(super) fn handle(
        &mut self,
        torrent: &mut Torrent,
        now: Instant,
        input: Input,
        out: &mut Vec<Output>,
    ) {
        if self.over {
            return torrent.handle(now, input, out);
        }
        let (from, opened) = (out.len(), opening::opened(&input, self.fast));
        let said = match &input {
            Input::Message { conn, message } => self.said(*conn, message),
            _ => Vec::new(),
        };
        if let Input::Closed { conn } = &input {
            self.part(*conn);
        }
        torrent.handle(now, input, out);
        self.watch(now, from, out);
        if let Some((conn, fast)) = opened {
            let nothing = Bitfield::empty(self.seen.len());
            if opening::say(out, from, conn, opening::having(nothing, fast)) {
                self.welcome(conn);
                self.show(conn, out);
            }
        }
        self.pass_on(&said, out);
        self.urge(now, out);
        self.give_freed(out);
        if self.seen.is_full() {
            self.end(out);
        }
    }

    /// When a remote has waited long enough.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.over {
            return None;
        }
        self.links.iter().flatten().filter_map(|link| Some(link.done? + PATIENCE)).min()
    }

    /// Notes what a remote says it has: pieces new at it.
    fn said(&mut self, conn: ConnId, message: &Message) -> Vec<(ConnId, PieceIndex)> {
        let len = self.seen.len();
        let Some(link) = self.links.get_mut(usize::from(conn.0)).and_then(Option::as_mut) else {
            return Vec::new();
        };
        let mut new: Vec<PieceIndex> = match message {
            Message::Have(piece) => vec![*piece],
            Message::Bitfield(have) if have.len() == len => have.iter().collect(),
            Message::HaveAll => Bitfield::full(len).iter().collect(),
            _ => Vec::new(),
        };
        new.retain(|&piece| link.has.insert(piece));
        for &piece in &new {
            self.seen.insert(piece);
            self.spread[piece.0 as usize] = self.spread[piece.0 as usize].saturating_add(1);
        }
        new.into_iter().map(|piece| (conn, piece)).collect()
    }

    /// Counts the blocks that go out, and sees links close.
    fn watch(&mut self, now: Instant, from: usize, out: &[Output]) {
        for output in &out[from..] {
            match output {
                Output::Close { conn, .. } => self.part(*conn),
                Output::Send { conn, message: Message::Piece(block) } => {
                    let link = self.links.get_mut(usize::from(conn.0)).and_then(Option::as_mut);
                    let Some(link) = link.filter(|link| link.piece == Some(block.piece)) else { continue };
                    link.sent = link.sent.saturating_add(block.len);
                    if link.sent >= self.layout.piece_len(block.piece) && link.done.is_none() {
                        link.done = Some(now);
                    }
                }
                _ => {}
            }
        }
    }

    fn welcome(&mut self, conn: ConnId) {
        let (at, none) = (usize::from(conn.0), Bitfield::empty(self.seen.len()));
        if self.links.len() <= at {
            self.links.resize_with(at + 1, || None);
        }
        self.links[at] = Some(Link { has: none.clone(), shown: none, piece: None, sent: 0, done: None });
    }

    fn part(&mut self, conn: ConnId) {
        let Some(link) = self.links.get_mut(usize::from(conn.0)).and_then(Option::take) else { return };
        link.has.iter().chain(link.piece).for_each(|piece| self.spread_less(piece));
    }

    fn spread_less(&mut self, piece: PieceIndex) {
        let spread = &mut self.spread[piece.0 as usize];
        *spread = spread.saturating_sub(1);
        self.freed |= *spread == 0;
    }

    /// Shows pieces that have become nobody's to those who were shown nothing for want of such pieces.
    fn give_freed(&mut self, out: &mut Vec<Output>) {
        if !core::mem::take(&mut self.freed) {
            return;
        }
        for at in 0..self.links.len() {
            if self.links[at].as_ref().is_some_and(|link| link.piece.is_none()) {
                self.show(ConnId(at as u16), out);
            }
        }
    }

    /// Whoever was shown a piece that another remote has now gets the next; so does one that had its piece before.
    fn pass_on(&mut self, said: &[(ConnId, PieceIndex)], out: &mut Vec<Output>) {
        if said.is_empty() {
            return;
        }
        for at in 0..self.links.len() {
            let conn = ConnId(at as u16);
            let Some(link) = &self.links[at] else { continue };
            let passed_on = |&(teller, piece): &(ConnId, PieceIndex)| {
                Some(piece) == link.piece && (teller != conn || link.sent == 0)
            };
            if said.iter().any(passed_on) {
                self.show(conn, out);
            }
        }
    }

    /// Gives the next piece to those who have waited too long, or have nobody to give theirs to.
    fn urge(&mut self, now: Instant, out: &mut Vec<Output>) {
        for at in 0..self.links.len() {
            let Some((piece, done)) = self.links[at].as_ref().and_then(|link| link.piece.zip(link.done))
            else {
                continue;
            };
            let others = self.links.iter().enumerate().filter(|&(other, _)| other != at);
            let wanted = others.flat_map(|(_, link)| link).any(|link| !link.has.contains(piece));
            if !wanted || now >= done + PATIENCE {
                self.show(ConnId(at as u16), out);
            }
        }
    }

    /// Shows a remote a piece that it lacks, was not shown, and nobody else has or was shown last; any of several. Where
    /// there is none it waits: all it lacks is with others or on its way to them.
    fn show(&mut self, conn: ConnId, out: &mut Vec<Output>) {
        let Some(link) = self.links.get_mut(usize::from(conn.0)).and_then(Option::as_mut) else { return };
        let last = link.piece.take();
        (link.sent, link.done) = (0, None);
        let fits = |piece: &PieceIndex| self.spread[piece.0 as usize] == 0 && !link.shown.contains(*piece);
        let mut fitting = (0..self.seen.len()).map(PieceIndex).filter(fits);
        let count = fitting.clone().count() as u32;
        if let Some(piece) = fitting.nth(self.random.below(count) as usize) {
            link.piece = Some(piece);
            link.shown.insert(piece);
            self.spread[piece.0 as usize] = 1;
            out.push(Output::Send { conn, message: Message::Have(piece) });
        }
        if let Some(last) = last {
            self.spread_less(last);
        }
    }

    /// Shows everything to everyone.
    fn end(&mut self, out: &mut Vec<Output>) {
        self.over = true;
        for (at, link) in core::mem::take(&mut self.links).into_iter().enumerate() {
            let Some(link) = link else { continue };
            let conn = ConnId(at as u16);
            let hidden = self.layout.pieces();
            let hidden = hidden.filter(|&piece| !link.has.contains(piece) && !link.shown.contains(piece));
            out.extend(hidden.map(|piece| Output::Send { conn, message: Message::Have(piece) }));
        }
    }
}
