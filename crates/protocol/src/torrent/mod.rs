//! The state machine of one torrent at one endpoint: routes each input to the part that decides.
//!
//! The parts know nothing of each other; the files of this module join them: `links` opens and closes,
//! `download` asks for blocks and judges pieces, `upload` answers requests and chokes, `rounds` keeps time.

mod download;
mod links;
mod rounds;
#[cfg(test)]
mod tests;
mod upload;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use swarmlab_metainfo::{Layout, PieceIndex};

use crate::announce::Announcer;
use crate::choker::Choker;
use crate::conn::{Conn, Conns, Stamp};
use crate::peers::Peers;
use crate::picker::Availability;
use crate::remote_sets::RemoteSets;
use crate::requests::Requests;
use crate::{
    Announce, AnnounceEvent, Bitfield, CloseReason, Config, ConnId, ConnView, Input, Instant, Message,
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
#[derive(Debug)]
pub struct Torrent {
    layout: Arc<Layout>,
    config: Arc<Config>,
    peer_id: PeerId,
    have: Bitfield,
    totals: Totals,
    conns: Conns,
    sets: RemoteSets,
    availability: Availability,
    requests: Requests,
    choker: Choker,
    announcer: Announcer,
    peers: Peers,
    departed: Vec<Departed>,
    random: Streams,
    next_serial: u32,
    stopping: bool,
    /// Everything has been here once: nobody is told of a completion again.
    was_complete: bool,
    round_at: Option<Instant>,
    /// A choke decision is due before the end of the round.
    choke_at: Option<Instant>,
    choked_at: Instant,
    /// An address that pauses may be tried again.
    connect_at: Option<Instant>,
    /// Requests rest until then because the disk has failed.
    rest_until: Option<Instant>,
    disk_congested: bool,
    endgame_noted: bool,
}

/// A remote that has left but gave blocks of unfinished pieces: it may yet be convicted.
#[derive(Clone, Copy, Debug)]
struct Departed {
    serial: u32,
    addr: core::net::SocketAddr,
    peer_id: PeerId,
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
        let Setup { layout, config, peer_id, have, tiers, seed } = setup;
        let piece_count = layout.piece_count();
        debug_assert_eq!(have.len(), piece_count);
        let here: u64 = have.iter().map(|piece| u64::from(layout.piece_len(piece))).sum();
        Torrent {
            totals: Totals { left: layout.length() - here, ..Totals::default() },
            conns: Conns::default(),
            sets: RemoteSets::new(piece_count),
            availability: Availability::new(piece_count),
            requests: Requests::new(&have),
            choker: Choker::new(),
            announcer: Announcer::new(&tiers, &mut Random::stream(seed, 1)),
            peers: Peers::default(),
            departed: Vec::new(),
            random: Streams {
                pick: Random::stream(seed, 2),
                choke: Random::stream(seed, 3),
                connect: Random::stream(seed, 4),
            },
            next_serial: 1,
            stopping: false,
            was_complete: have.is_full(),
            round_at: None,
            choke_at: None,
            choked_at: Instant::START,
            connect_at: None,
            rest_until: None,
            disk_congested: false,
            endgame_noted: false,
            layout,
            config,
            peer_id,
            have,
        }
    }

    /// Takes one input and appends what is to be done to `out`. Cannot fail; `now` must not go back.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Opened { conn, peer } => self.opened(now, conn, &peer, out),
            Input::Closed { conn } => self.remote_closed(now, conn, out),
            Input::ConnectFailed { addr } => {
                self.peers.failed(addr, now);
                self.seek_peers(now, out);
            }
            Input::Message { conn, message } => self.message(now, conn, message, out),
            Input::Writable { conn, blocks } => self.writable(now, conn, blocks, out),
            Input::Verified { piece, ok: true } => self.piece_good(now, piece, out),
            Input::Verified { piece, ok: false } => self.piece_bad(now, piece, out),
            Input::Announced(announced) => {
                if self.announcer.answered(now, &announced) {
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
        self.keep_time(now, out);
    }

    fn message(&mut self, now: Instant, id: ConnId, message: Message, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        conn.heard_at = Stamp::of(now);
        let of_fast_extension = matches!(
            message,
            Message::HaveAll
                | Message::HaveNone
                | Message::Suggest(_)
                | Message::Reject(_)
                | Message::AllowedFast(_)
        );
        if of_fast_extension && !conn.fast {
            return self.misbehaved(now, id, Misbehaviour::UnagreedExtension, out);
        }
        match message {
            Message::KeepAlive | Message::Port(_) | Message::Extended(_) | Message::Suggest(_) => {}
            Message::Choke => self.remote_choked(now, id, out),
            Message::Unchoke => self.remote_unchoked(now, id, out),
            Message::Interested => self.remote_interested(now, id, true, out),
            Message::NotInterested => self.remote_interested(now, id, false, out),
            Message::Have(piece) => self.remote_have(now, id, piece, out),
            Message::Bitfield(have) => self.remote_bitfield(now, id, &have, out),
            Message::HaveAll => self.remote_bitfield(now, id, &Bitfield::full(self.have.len()), out),
            Message::HaveNone => self.remote_bitfield(now, id, &Bitfield::empty(self.have.len()), out),
            Message::Request(block) => self.remote_request(now, id, block, out),
            Message::Cancel(block) => self.remote_cancel(now, id, block, out),
            Message::Piece(block) => self.block_arrived(now, id, block, out),
            Message::Reject(block) => self.rejected(now, id, block, out),
            Message::AllowedFast(piece) => self.allowed_fast(now, id, piece, out),
        }
    }

    /// When [`Input::Deadline`] is due, if ever. Asked again after each [`handle`](Self::handle).
    pub fn deadline(&self) -> Option<Instant> {
        let work = [self.round_at, self.choke_at, self.connect_at, self.rest_until];
        work.into_iter().chain([self.announcer.deadline()]).flatten().min()
    }

    /// The pieces that are here and checked.
    pub fn have(&self) -> &Bitfield {
        &self.have
    }

    /// Whether every piece is here and checked.
    pub fn is_complete(&self) -> bool {
        self.have.is_full()
    }

    /// Whether every lacking block is requested of someone.
    pub fn is_endgame(&self) -> bool {
        !self.is_complete() && self.requests.is_endgame()
    }

    /// What has passed since the start.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How many of the connected remotes have each piece.
    pub fn availability(&self) -> &Availability {
        &self.availability
    }

    /// The open links.
    pub fn conns(&self) -> impl Iterator<Item = (ConnId, ConnView)> + '_ {
        self.conns.iter().map(|(id, conn)| (id, ConnView::from(conn)))
    }

    /// How many links are open.
    pub fn conn_count(&self) -> u16 {
        self.conns.len()
    }

    /// The pieces under way: index, blocks that are here, blocks in all.
    pub fn active_pieces(&self) -> impl Iterator<Item = (PieceIndex, u32, u32)> + '_ {
        self.requests.active()
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
        out.push(Output::Announce(Announce { tracker, event, uploaded, downloaded, left, numwant }));
    }

    fn stop(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.stopping {
            return;
        }
        self.stopping = true;
        for id in self.conns.slots() {
            self.close(now, id, CloseReason::Stopping, out);
        }
        (self.round_at, self.choke_at, self.connect_at, self.rest_until) = (None, None, None, None);
        match self.announcer.stop(now) {
            Some(tracker) => self.announce((tracker, AnnounceEvent::Stopped), out),
            None => out.push(Output::Stopped),
        }
    }
}

/// Sends a message on a link.
fn send(conn: &mut Conn, id: ConnId, now: Instant, message: Message, out: &mut Vec<Output>) {
    conn.sent_at = Stamp::of(now);
    out.push(Output::Send { conn: id, message });
}
