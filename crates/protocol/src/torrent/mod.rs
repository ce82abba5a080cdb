//! The state machine of one torrent at one endpoint: routes each input to the part that decides.
//!
//! The parts know nothing of each other; the files of this module join them: `links` opens and closes,
//! `asking` asks for blocks, `download` judges what arrives, `upload` answers requests and chokes, `rounds` keeps time, `view` shows.

mod asking;
mod download;
mod haves;
mod links;
mod rounds;
#[cfg(test)]
mod tests;
mod upload;
mod view;

pub use view::ConnView;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::forget;
use core::time::Duration;

use swarmlab_metainfo::Layout;

use crate::announce::Announcer;
use crate::availability::Availability;
use crate::choker::Choker;
use crate::conn::{Asked, Conn, Flag};
use crate::conns::Conns;
use crate::flows::Flows;
use crate::peers::Peers;
use crate::pool::Pool;
use crate::remote_sets::RemoteSets;
use crate::remotes::{PeerHash, Remotes};
use crate::requests::Requests;
use crate::seldom::Seldom;
use crate::time::Coarse;
use crate::{
    Announce, AnnounceEvent, Bitfield, Block, CloseReason, Config, ConnId, InfoHash, Input, Instant, Message,
    Misbehaviour, Note, Output, PeerId, Random, TrackerId,
};

/// After a failure of the disk nothing is requested for so long.
const DISK_PAUSE: Duration = Duration::from_secs(30);
/// Between two choke decisions that no round calls for.
const CHOKE_SPACING: Duration = Duration::from_secs(1);

/// What a [`Torrent`] begins with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How the content is cut.
    pub layout: Arc<Layout>,
    /// How to behave.
    pub config: Arc<Config>,
    /// Our peer id, the one in our handshakes.
    pub peer_id: PeerId,
    /// The pieces that are here and checked.
    pub have: Bitfield,
    /// Number of trackers in each tier (BEP 12), in the torrent's order.
    pub tiers: Vec<u16>,
    /// Names the torrent: the pieces allowed fast depend on it.
    pub info_hash: InfoHash,
    /// Of everything drawn at random.
    pub seed: u64,
}

/// What has passed since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Content handed to the driver to send, in bytes.
    pub uploaded: u64,
    /// Content received, in bytes, the wasted part included.
    pub downloaded: u64,
    /// Content received for nothing: twice, unasked, or part of a bad piece, in bytes.
    pub wasted: u64,
    /// Content still lacking, in bytes.
    pub left: u64,
    /// Pieces whose hash was wrong.
    pub bad_pieces: u32,
}

/// The state machine of one torrent at one endpoint.
///
/// The fields lie in the order in which they are needed: those of every message first, then those of blocks, then the rest.
/// In a simulation of many torrents each is far from the cache, and what is needed together comes together.
#[derive(Debug)]
#[repr(C)]
pub struct Torrent {
    /// The earliest of all that is due, kept so that most inputs look at one number; [`Instant::NEVER`] if nothing is.
    due: Instant,
    layout: Arc<Layout>,
    config: Arc<Config>,
    conns: Conns,
    sets: RemoteSets,
    availability: Availability,
    have: Bitfield,
    /// Links in an upload slot: unchoked, and they want something.
    served: u16,
    /// Slots there are until the next decision.
    slots: u16,
    next_serial: u16,
    /// Each serial has been given once.
    serials_used: bool,
    stopping: bool,
    /// Everything has been here once: nobody is told of a completion again.
    was_complete: bool,
    disk_congested: bool,
    endgame_noted: bool,
    /// A link has been suspect.
    any_suspect: bool,
    /// Haves wait for company: see [`haves`].
    haves_wait: bool,
    /// Requests made of all links.
    asked: Pool<Asked>,
    /// Blocks that all links have asked for.
    queued: Pool<Block>,
    flows: Flows,
    requests: Requests,
    totals: Totals,
    random: Streams,
    timers: Timers,
    choked_at: Instant,
    choker: Choker,
    announcer: Announcer,
    peers: Peers,
    remotes: Remotes,
    departed: Seldom<Departed>,
    peer_id: PeerId,
    info_hash: InfoHash,
    pace: Pace,
    /// Only with [`Config::have_delay`].
    haves: Option<Box<haves::Haves>>,
}

/// What is due when, besides announces; [`Instant::NEVER`] if it is not. A change is followed by [`Torrent::reschedule`].
#[derive(Debug)]
struct Timers {
    /// The end of the choke round.
    round: Instant,
    /// A choke decision before the end of the round.
    choke: Instant,
    /// An address that pauses may be tried again.
    connect: Instant,
    /// Requests rest until then because the disk has failed.
    rest: Instant,
}

impl Timers {
    const NONE: Timers = Timers {
        round: Instant::NEVER,
        choke: Instant::NEVER,
        connect: Instant::NEVER,
        rest: Instant::NEVER,
    };
}

// A torrent in a simulation of a million: every byte here is a megabyte there.
const _: () = assert!(size_of::<Torrent>() <= 712);

/// How many connections were begun in the present second.
#[derive(Debug, Default)]
struct Pace {
    /// The number of the second, from the driver's start.
    second: u32,
    begun: u16,
}

impl Pace {
    /// When the next connection may be begun, if not now; `most` in a second, 0 for any number.
    fn wait(&mut self, now: Instant, most: u16) -> Option<Instant> {
        let second = (now.as_micros() / 1_000_000) as u32;
        if second != self.second {
            *self = Pace { second, begun: 0 };
        }
        let full = most > 0 && self.begun >= most;
        full.then(|| Instant::from_micros((u64::from(second) + 1) * 1_000_000))
    }

    fn count(&mut self) {
        self.begun = self.begun.saturating_add(1);
    }
}

/// A remote that has left but gave blocks of unfinished pieces: it may yet be convicted.
#[derive(Clone, Copy, Debug)]
struct Departed {
    serial: u16,
    addr: core::net::SocketAddr,
    peer: PeerHash,
}

/// Random numbers by purpose, so that a change in one policy leaves the draws of the others as they were.
#[derive(Debug)]
struct Streams {
    pick: Random,
    choke: Random,
    connect: Random,
}

impl Torrent {
    /// A torrent that has not joined the swarm yet. Its [`deadline`](Self::deadline) is at once; the first input,
    /// whatever it is, starts it.
    pub fn new(setup: Setup) -> Self {
        let Setup { layout, config, peer_id, have, tiers, info_hash, seed } = setup;
        let piece_count = layout.piece_count();
        debug_assert_eq!(have.len(), piece_count);
        let here: u64 = have.iter().map(|piece| u64::from(layout.piece_len(piece))).sum();
        let mut torrent = Torrent {
            totals: Totals { left: layout.length() - here, ..Totals::default() },
            conns: Conns::default(),
            remotes: Remotes::default(),
            served: 0,
            slots: config.unchoke_slots,
            flows: Flows::default(),
            asked: Pool::new(),
            queued: Pool::new(),
            sets: RemoteSets::new(piece_count),
            availability: Availability::new(piece_count),
            requests: Requests::new(&have, &layout),
            choker: Choker::new(),
            announcer: Announcer::new(&tiers, &mut Random::stream(seed, 1)),
            peers: Peers::default(),
            departed: Seldom::new(),
            random: Streams {
                pick: Random::stream(seed, 2),
                choke: Random::stream(seed, 3),
                connect: Random::stream(seed, 4),
            },
            next_serial: 1,
            serials_used: false,
            stopping: false,
            was_complete: have.is_full(),
            disk_congested: false,
            endgame_noted: false,
            any_suspect: false,
            timers: Timers::NONE,
            pace: Pace::default(),
            haves_wait: !config.have_delay.is_zero(),
            haves: (!config.have_delay.is_zero()).then(Box::default),
            due: Instant::NEVER,
            choked_at: Instant::START,
            layout,
            config,
            peer_id,
            info_hash,
            have,
        };
        torrent.reschedule();
        torrent
    }

    /// Takes one input and appends what is to be done to `out`. Cannot fail; `now` must not go back.
    #[inline(always)] // where a driver knows which input it has, one arm of the match is all that is left
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        let from = out.len();
        // What a swarm is made of comes first, taken apart where it lies; the rest is behind one more call, so that its
        // many paths cost these few nothing. They hold no memory: `forget` saves asking whether they do.
        match input {
            Input::Message { conn, message: Message::Have(piece) } => {
                forget(input);
                self.remote_have(now, conn, piece, out);
            }
            Input::Message { conn, message: Message::Piece(block) } => {
                forget(input);
                self.block_arrived(now, conn, block, out);
            }
            Input::Message { conn, message: Message::Request(block) } => {
                forget(input);
                self.remote_request(now, conn, block, out);
            }
            Input::Writable { conn, blocks } => {
                forget(input);
                self.writable(now, conn, blocks, out);
            }
            input => self.handle_seldom(now, input, out),
        }
        if self.due <= now {
            self.keep_time(now, out);
        }
        if self.haves_wait {
            self.tell_along(now, from, out);
        }
        debug_assert_eq!(self.due, self.next_due(), "a timer was changed without reschedule");
        debug_assert_eq!(
            usize::from(self.served),
            self.conns.iter().filter(|(_, conn)| conn.is_served()).count()
        );
    }

    #[inline(never)]
    fn handle_seldom(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Opened { conn, peer } => self.opened(now, conn, &peer, out),
            Input::Closed { conn } => self.remote_closed(now, conn, out),
            Input::ConnectFailed { addr } => {
                self.peers.failed(*addr, now);
                self.seek_peers(now, out);
            }
            Input::Message { conn, message } => self.message(now, conn, message, out),
            Input::Writable { conn, blocks } => self.writable(now, conn, blocks, out),
            Input::Verified { piece, ok: true } => self.piece_good(now, piece, out),
            Input::Verified { piece, ok: false } => self.piece_bad(now, piece, out),
            Input::Announced(announced) => {
                let left = self.announcer.answered(now, &announced, self.config.min_announce_interval);
                self.reschedule();
                if left {
                    out.push(Output::Stopped);
                } else if let Ok(reply) = &announced.outcome {
                    self.peers.add(crate::PeerSource::Tracker, &reply.peers);
                }
                self.seek_peers(now, out);
            }
            Input::Peers { source, list } => {
                self.peers.add(source, &list);
                self.seek_peers(now, out);
            }
            Input::DiskFailed { piece } => self.disk_failed(now, piece),
            Input::ReadFailed { conn, block } => self.read_failed(now, conn, block, out),
            Input::Congested { disk } => {
                self.disk_congested = disk;
                self.wake(now, out);
            }
            Input::Stop => self.stop(now, out),
            Input::Deadline => {}
        }
    }

    fn message(&mut self, now: Instant, id: ConnId, message: Message, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.heard_at = Coarse::of(now);
        let fast = conn.is(Flag::Fast);
        match message {
            Message::HaveAll
            | Message::HaveNone
            | Message::Suggest(_)
            | Message::Reject(_)
            | Message::AllowedFast(_)
                if !fast =>
            {
                self.misbehaved(now, id, Misbehaviour::UnagreedExtension, out)
            }
            Message::KeepAlive | Message::Port(_) | Message::Extended(_) | Message::Suggest(_) => {}
            Message::Have(piece) => self.remote_have(now, id, piece, out),
            Message::Request(block) => self.remote_request(now, id, block, out),
            Message::Piece(block) => self.block_arrived(now, id, block, out),
            Message::Choke => self.remote_choked(now, id, out),
            Message::Unchoke => self.remote_unchoked(now, id, out),
            Message::Interested => self.remote_interested(now, id, true, out),
            Message::NotInterested => self.remote_interested(now, id, false, out),
            Message::Bitfield(have) => self.remote_bitfield(now, id, &have, out),
            Message::HaveAll => self.remote_bitfield(now, id, &Bitfield::full(self.have.len()), out),
            Message::HaveNone => self.remote_bitfield(now, id, &Bitfield::empty(self.have.len()), out),
            Message::Cancel(block) => self.remote_cancel(now, id, block, out),
            Message::Reject(block) => self.rejected(now, id, block, out),
            Message::AllowedFast(piece) => self.allowed_fast(now, id, piece, out),
        }
    }

    /// When [`Input::Deadline`] is due, if ever. Asked again after each [`handle`](Self::handle); costs nothing.
    #[inline]
    pub fn deadline(&self) -> Option<Instant> {
        Some(self.due).filter(|&due| due != Instant::NEVER)
    }

    /// Notes the earliest of what is due, after a change to a timer or to the announcer.
    fn reschedule(&mut self) {
        self.due = self.next_due();
    }

    fn next_due(&self) -> Instant {
        let Timers { round, choke, connect, rest } = self.timers;
        let announce = self.announcer.deadline().unwrap_or(Instant::NEVER);
        round.min(choke).min(connect).min(rest).min(self.tells_at()).min(announce)
    }

    fn note(&self, note: Note, out: &mut Vec<Output>) {
        if self.config.notes {
            out.push(Output::Note(note));
        }
    }

    fn announce(&mut self, (tracker, event): (TrackerId, AnnounceEvent), out: &mut Vec<Output>) {
        let full = self.conns.len() >= self.config.max_connections;
        let numwant = if full || event == AnnounceEvent::Stopped { 0 } else { self.config.numwant };
        let Totals { uploaded, downloaded, left, .. } = self.totals;
        let announce = Announce { tracker, event, uploaded, downloaded, left, numwant };
        out.push(Output::Announce(Box::new(announce)));
    }

    fn stop(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.stopping {
            return;
        }
        self.stopping = true;
        for id in self.conns.slots() {
            self.close(now, id, CloseReason::Stopping, out);
        }
        self.timers = Timers::NONE;
        match self.announcer.stop(now) {
            Some(tracker) => self.announce((tracker, AnnounceEvent::Stopped), out),
            None => out.push(Output::Stopped),
        }
        self.reschedule();
    }
}

/// Sends a message on a link.
#[inline]
fn send(conn: &mut Conn, id: ConnId, now: Instant, message: impl FnOnce() -> Message, out: &mut Vec<Output>) {
    conn.sent_at = Coarse::of(now);
    emit(out, || Output::Send { conn: id, message: message() });
}

/// Appends an output that is made where it will lie: a list makes room before an iterator is asked for its item.
#[inline]
fn emit(out: &mut Vec<Output>, output: impl FnOnce() -> Output) {
    out.extend(core::iter::once_with(output));
}

/// The addresses of the first and the last byte of so many items of a list, for hints to the processor.
pub(crate) fn ends<T>(items: &[T], at: usize, count: usize) -> [*const u8; 2] {
    let start = place(items, at);
    [start, start.wrapping_add(count * size_of::<T>() - 1)]
}

/// The address of an item of a list, for hints to the processor; of its end if there is no such item.
pub(crate) fn place<T>(items: &[T], at: usize) -> *const u8 {
    items.as_ptr().wrapping_add(at.min(items.len())).cast()
}
