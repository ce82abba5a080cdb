//! The state that records make: who is there, who is linked to whom, who has what. `docs/trace.md` says what each record
//! changes; what speaks of a node or a link that is not there changes nothing.

use std::net::SocketAddr;

use swarmlab_protocol::{
    Bitfield, Block, ChokeReason, ConnId, Direction, Message, PeerId, PieceIndex, Reserved, UnchokeReason,
};

use crate::index::Index;
use crate::{GroupSample, Join, Level, NodeId, Opened, Pieces, Record, Sample};

/// There are fewer nodes than this in a trace: as many as a simulated network has addresses.
pub const MOST_NODES: u32 = 1 << 24;

/// Bits of all sets of pieces together, beyond which no more are kept: 256 MiB, so that no file takes more.
const MOST_BITS: u64 = 1 << 31;

/// The state at one moment.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) piece_count: u32,
    pub(crate) at: u64,
    index: Index,
    /// In the order in which they joined.
    nodes: Vec<Node>,
    pub(crate) sample: Option<Sample>,
    /// Bits of the sets of pieces that are kept.
    bits: u64,
}

/// A node that has joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub number: NodeId,
    /// The number of its group.
    pub group: u32,
    /// How much is recorded of it.
    pub level: Level,
    /// Whether it is there.
    pub present: bool,
    /// Whether it has everything.
    pub complete: bool,
    /// When it first came, in microseconds.
    pub joined_at: u64,
    /// When it first had everything, unless it came with it.
    pub completed_at: Option<u64>,
    /// When it went, if it has.
    pub left_at: Option<u64>,
    /// What it calls itself.
    pub peer_id: PeerId,
    /// The extensions it speaks.
    pub reserved: Reserved,
    /// Where it is reached.
    pub addr: SocketAddr,
    /// Its uplink in bytes per second; 0 where unlimited or unknown.
    pub up: u64,
    /// Its downlink in bytes per second; 0 where unlimited or unknown.
    pub down: u64,
    /// What it has.
    pub pieces: Pieces,
    /// Content sent, in bytes.
    pub sent: u64,
    /// Content received, in bytes.
    pub received: u64,
    /// Its links, in the order of their numbers.
    pub links: Vec<Link>,
}

/// A link as the node at one end sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number at this node.
    pub conn: ConnId,
    /// Who is at the other end.
    pub remote: NodeId,
    /// Who opened it.
    pub direction: Direction,
    /// The remote's reserved bytes.
    pub reserved: Reserved,
    /// When it opened, in microseconds.
    pub opened_at: u64,
    /// Whether this node chokes the remote.
    pub we_choke: bool,
    /// Whether this node wants something of the remote.
    pub we_interested: bool,
    /// Whether the remote chokes this node.
    pub remote_chokes: bool,
    /// Whether the remote wants something of this node.
    pub remote_interested: bool,
    /// Whether the remote has stopped sending what was asked of it.
    pub snubbed: bool,
    /// Why it is choked or unchoked.
    pub word: Word,
    /// Content sent over it, in bytes.
    pub sent: u64,
    /// Content received over it, in bytes.
    pub received: u64,
    /// Blocks this node has asked for, in the order of asking.
    pub outstanding: Vec<Block>,
}

/// The last decision about a remote, with its reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Word {
    /// There was none.
    #[default]
    Silent,
    /// It was unchoked.
    Unchoked(UnchokeReason),
    /// It was choked.
    Choked(ChokeReason),
}

impl State {
    /// The state before a run about content of so many pieces.
    pub fn new(piece_count: u32) -> Self {
        State { piece_count, at: 0, index: Index::default(), nodes: Vec::new(), sample: None, bits: 0 }
    }

    /// The time of the last record, in microseconds.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// How many pieces the content has.
    pub fn piece_count(&self) -> u32 {
        self.piece_count
    }

    /// The nodes that have joined, in the order of their numbers.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> + '_ {
        self.index.places().map(|place| &self.nodes[place])
    }

    /// How many nodes have joined.
    pub fn joined(&self) -> u64 {
        self.nodes.len() as u64
    }

    /// How many nodes have completed that came without everything.
    pub fn completed(&self) -> u64 {
        self.nodes.iter().filter(|node| node.completed_at.is_some()).count() as u64
    }

    /// A node by its number.
    pub fn node(&self, number: NodeId) -> Option<&Node> {
        self.index.get(number).map(|place| &self.nodes[place])
    }

    /// The last sample.
    pub fn sample(&self) -> Option<&Sample> {
        self.sample.as_ref()
    }

    /// The swarm as it is now, in so many groups, where so many announces were answered. Takes time in proportion to nodes and pieces.
    pub fn count(&self, groups: u32, announces: u64) -> Sample {
        let mut sample = Sample { announces, ..Sample::default() };
        sample.groups.resize(groups as usize, GroupSample::default());
        let mut holders = vec![0u32; self.piece_count as usize];
        let mut of_all = 0;
        for node in &self.nodes {
            if let Some(group) = sample.groups.get_mut(node.group as usize) {
                group.leechers += u64::from(node.present && !node.complete);
                group.seeds += u64::from(node.present && node.complete);
                group.completed += u64::from(node.completed_at.is_some());
                group.uploaded = group.uploaded.saturating_add(node.sent);
                group.downloaded = group.downloaded.saturating_add(node.received);
            }
            if node.present {
                sample.up = sample.up.saturating_add(node.up);
                match &node.pieces {
                    Pieces::None => {}
                    Pieces::All => of_all += 1,
                    Pieces::Some(have) => have.iter().for_each(|piece| holders[piece.0 as usize] += 1),
                }
            }
        }
        sample.rarest = u64::from(holders.into_iter().min().unwrap_or(0)) + of_all;
        sample
    }

    /// Changes what a record changes.
    pub fn apply(&mut self, at: u64, record: &Record) {
        self.at = at;
        match record {
            Record::Sent { node, conn, message } => self.sent(*node, *conn, message),
            Record::Received { node, conn, message } => self.received(*node, *conn, message),
            Record::Join(join) => self.join(at, join),
            Record::Leave { node, .. } => {
                if let Some(node) = self.find(*node) {
                    (node.present, node.left_at) = (false, Some(at));
                    node.links = Vec::new();
                }
            }
            Record::Opened(opened) => self.open(at, opened),
            Record::Closed { node, conn, .. } => {
                if let Some(node) = self.find(*node)
                    && let Ok(place) = node.place(*conn)
                {
                    node.links.remove(place);
                }
            }
            Record::Unchoked { node, conn, reason } => self.word(*node, *conn, Word::Unchoked(*reason)),
            Record::Choked { node, conn, reason } => self.word(*node, *conn, Word::Choked(*reason)),
            Record::Snubbed { node, conn } => {
                if let Some(link) = self.link(*node, *conn) {
                    link.snubbed = true;
                }
            }
            Record::Verified { node, piece, ok } => self.set_piece(*node, *piece, *ok),
            Record::Completed { node } => self.complete(at, *node),
            Record::Sample(sample) => self.sample = Some((**sample).clone()),
            Record::Dial { .. }
            | Record::DialFailed { .. }
            | Record::Picked { .. }
            | Record::Banned { .. }
            | Record::Endgame { .. }
            | Record::Announce(_)
            | Record::Reply(_)
            | Record::Fault(_)
            | Record::Lost(_) => {}
        }
    }

    #[inline]
    fn find(&mut self, number: NodeId) -> Option<&mut Node> {
        self.index.get(number).map(|place| &mut self.nodes[place])
    }

    #[inline]
    fn link(&mut self, node: NodeId, conn: ConnId) -> Option<&mut Link> {
        self.find(node)?.link(conn)
    }

    /// Puts a node of a keyframe into its place.
    pub(crate) fn restore(&mut self, node: Node) {
        if let Pieces::Some(have) = &node.pieces {
            self.bits += u64::from(have.len());
        }
        self.add(node);
    }

    fn add(&mut self, node: Node) {
        self.index.set(node.number, self.nodes.len());
        self.nodes.push(node);
    }

    fn join(&mut self, at: u64, join: &Join) {
        let pieces = self.kept(&join.pieces);
        let complete = pieces == Pieces::All;
        let fresh = Node {
            number: join.node,
            group: join.group,
            level: join.level,
            present: true,
            complete,
            joined_at: at,
            completed_at: None,
            left_at: None,
            peer_id: join.peer_id,
            reserved: join.reserved,
            addr: join.addr,
            up: join.up,
            down: join.down,
            pieces,
            sent: 0,
            received: 0,
            links: Vec::new(),
        };
        let Some(place) = self.index.get(join.node) else {
            self.add(fresh);
            return;
        };
        self.release(place);
        let before = &mut self.nodes[place];
        *before = Node {
            joined_at: before.joined_at,
            completed_at: before.completed_at,
            sent: before.sent,
            received: before.received,
            ..fresh
        };
    }

    fn open(&mut self, at: u64, opened: &Opened) {
        let Some(node) = self.find(opened.node) else { return };
        let link = Link {
            conn: opened.conn,
            remote: opened.remote,
            direction: opened.direction,
            reserved: opened.reserved,
            opened_at: at,
            we_choke: true,
            we_interested: false,
            remote_chokes: true,
            remote_interested: false,
            snubbed: false,
            word: Word::Silent,
            sent: 0,
            received: 0,
            outstanding: Vec::new(),
        };
        match node.place(opened.conn) {
            Ok(place) => node.links[place] = link,
            Err(place) => node.links.insert(place, link),
        }
    }

    fn word(&mut self, node: NodeId, conn: ConnId, word: Word) {
        if let Some(link) = self.link(node, conn) {
            link.word = word;
        }
    }

    fn complete(&mut self, at: u64, node: NodeId) {
        self.put(node, Pieces::All);
        if let Some(node) = self.find(node) {
            node.complete = true;
            node.completed_at.get_or_insert(at);
        }
    }

    fn sent(&mut self, number: NodeId, conn: ConnId, message: &Message) {
        let Some(node) = self.find(number) else { return };
        let Some(link) = node.link(conn) else { return };
        match message {
            Message::Request(block) => link.outstanding.push(*block),
            Message::Piece(block) => {
                link.sent = link.sent.saturating_add(block.len.into());
                node.sent = node.sent.saturating_add(block.len.into());
            }
            Message::Cancel(block) => link.settle(block),
            Message::Choke => link.we_choke = true,
            Message::Unchoke => link.we_choke = false,
            Message::Interested => link.we_interested = true,
            Message::NotInterested => link.we_interested = false,
            _ => {}
        }
    }

    fn received(&mut self, number: NodeId, conn: ConnId, message: &Message) {
        let Some(node) = self.find(number) else { return };
        let fast = node.reserved.fast();
        let Some(link) = node.link(conn) else { return };
        let remote = link.remote;
        match message {
            Message::Piece(block) => {
                link.settle(block);
                link.snubbed = false;
                link.received = link.received.saturating_add(block.len.into());
                node.received = node.received.saturating_add(block.len.into());
            }
            Message::Reject(block) => link.settle(block),
            Message::Choke => {
                link.remote_chokes = true;
                if !(fast && link.reserved.fast()) {
                    link.outstanding.clear();
                }
            }
            Message::Unchoke => link.remote_chokes = false,
            Message::Interested => link.remote_interested = true,
            Message::NotInterested => link.remote_interested = false,
            Message::Have(piece) => self.told(remote, |state| state.set_piece(remote, *piece, true)),
            Message::Bitfield(have) => self.told(remote, |state| {
                let pieces = state.kept(&Pieces::of(have));
                state.put(remote, pieces);
            }),
            Message::HaveAll => self.told(remote, |state| state.put(remote, Pieces::All)),
            Message::HaveNone => self.told(remote, |state| state.put(remote, Pieces::None)),
            _ => {}
        }
    }

    /// What a node says of its pieces counts where it is known by that only.
    fn told(&mut self, remote: NodeId, change: impl FnOnce(&mut Self)) {
        if self.node(remote).is_some_and(|node| node.level == Level::Seen) {
            change(self);
        }
    }

    fn put(&mut self, node: NodeId, pieces: Pieces) {
        let Some(place) = self.index.get(node) else { return };
        self.release(place);
        let node = &mut self.nodes[place];
        node.complete = pieces == Pieces::All;
        node.pieces = pieces;
    }

    /// The set of this node is about to go.
    fn release(&mut self, place: usize) {
        if let Pieces::Some(have) = &self.nodes[place].pieces {
            self.bits -= u64::from(have.len()).min(self.bits);
        }
    }

    /// A set to keep; none where all sets together take too much already.
    fn kept(&mut self, pieces: &Pieces) -> Pieces {
        match pieces {
            Pieces::Some(have) if !self.has_room(have.len()) => Pieces::None,
            pieces => pieces.clone(),
        }
    }

    /// Whether one more set of so many bits is kept.
    fn has_room(&mut self, bits: u32) -> bool {
        let room = self.bits + u64::from(bits) <= MOST_BITS;
        self.bits += if room { u64::from(bits) } else { 0 };
        room
    }

    fn set_piece(&mut self, node: NodeId, piece: PieceIndex, has: bool) {
        let count = self.piece_count;
        let Some(place) = self.index.get(node).filter(|_| piece.0 < count) else { return };
        let unset = match (&self.nodes[place].pieces, has) {
            (Pieces::None, false) | (Pieces::All, true) | (Pieces::Some(_), _) => None,
            (Pieces::None, true) => Some(Bitfield::empty(count)),
            (Pieces::All, false) => Some(Bitfield::full(count)),
        };
        if let Some(set) = unset {
            if !self.has_room(count) {
                return;
            }
            self.nodes[place].pieces = Pieces::Some(set);
        }
        let node = &mut self.nodes[place];
        let Pieces::Some(have) = &mut node.pieces else { return };
        if has {
            have.insert(piece);
        } else {
            have.remove(piece);
        }
        if have.is_full() || have.is_empty() {
            self.bits -= u64::from(count).min(self.bits);
            node.pieces = Pieces::of(have);
        }
        node.complete = node.pieces == Pieces::All;
    }
}

impl PartialEq for State {
    /// Whether both say the same, in whatever order their nodes joined.
    fn eq(&self, other: &Self) -> bool {
        (self.piece_count, self.at, &self.sample) == (other.piece_count, other.at, &other.sample)
            && self.nodes().eq(other.nodes())
    }
}

impl Eq for State {}

impl Node {
    /// Where a link lies, or belongs.
    #[inline]
    fn place(&self, conn: ConnId) -> Result<usize, usize> {
        // Slots are dense: mostly a link lies where its number says.
        match self.links.get(usize::from(conn.0)) {
            Some(link) if link.conn == conn => Ok(usize::from(conn.0)),
            _ => self.links.binary_search_by_key(&conn, |link| link.conn),
        }
    }

    #[inline]
    fn link(&mut self, conn: ConnId) -> Option<&mut Link> {
        self.place(conn).ok().map(|place| &mut self.links[place])
    }
}

impl Link {
    /// A block is no longer asked for.
    fn settle(&mut self, block: &Block) {
        if let Some(place) = self.outstanding.iter().position(|other| other == block) {
            self.outstanding.remove(place);
        }
    }
}
