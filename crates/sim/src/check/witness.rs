//! What is known of one node from outside: what it stored, what was verified, what was asked of it and by it.

use std::collections::{BTreeMap, BTreeSet};

use swarmlab_protocol::{Bitfield, Block, Layout, Message, PieceIndex, wire};

use super::{Breaches, Rule};
use crate::Behaviour;
use crate::event::NodeId;
use crate::world::World;

/// A node that does so much at one instant will never come to the next.
const MOST_AT_ONCE: u32 = 1_000_000;

/// A block on a connection: connection, piece, first byte.
type Asked = (u16, u32, u32);

/// What the checkers remember of one node.
#[derive(Debug)]
pub(crate) struct Witness {
    /// The pieces whose hash was right, and what the node came with.
    proven: Bitfield,
    /// First bytes of the blocks stored of pieces that are not proven.
    stored: BTreeSet<(u32, u32)>,
    honest: bool,
    gives: bool,
    /// Asks like an honest node: a flooder does not.
    asks_well: bool,
    /// When it last got something it lacked.
    pub(crate) progress_at: u64,
    /// The present instant, and how much has happened in it.
    instant: (u64, u32),
    /// Blocks that remotes want of it, and how often they asked.
    wanted: BTreeMap<Asked, u32>,
    /// The connections whose remote has unchoked it.
    unchoked: BTreeSet<u16>,
    /// Pieces it may ask for while it is choked (BEP 6).
    allowed: BTreeSet<(u16, u32)>,
}

impl Witness {
    pub(crate) fn new(have: &Bitfield, behaviour: Behaviour, now: u64) -> Self {
        let honest = !matches!(behaviour, Behaviour::Liar | Behaviour::Corrupter | Behaviour::SuperSeed);
        let gives = matches!(behaviour, Behaviour::Honest | Behaviour::BitTyrant);
        Witness {
            proven: have.clone(),
            stored: BTreeSet::new(),
            honest,
            gives,
            asks_well: honest && behaviour != Behaviour::Flooder,
            progress_at: now,
            instant: (now, 0),
            wanted: BTreeMap::new(),
            unchoked: BTreeSet::new(),
            allowed: BTreeSet::new(),
        }
    }

    /// Whether it lets others have what it has.
    pub(crate) fn gives(&self) -> bool {
        self.gives
    }

    pub(crate) fn proven(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        self.proven.iter()
    }

    /// Something happens at the node.
    ///
    /// # Panics
    /// When time does not pass any more: there would be no end to report it at.
    pub(crate) fn attends(&mut self, (now, node): (u64, NodeId), breaches: &mut Breaches) {
        let (last, count) = self.instant;
        if now < last {
            breaches.add(Rule::Order, now, node, || format!("after what happened at {last} us"));
        }
        self.instant = (now, if now == last { count + 1 } else { 0 });
        assert!(count < MOST_AT_ONCE, "node {node} does not get beyond {now} us");
    }

    /// A block is on its disk.
    pub(crate) fn stores(&mut self, block: Block) {
        self.stored.insert((block.piece.0, block.begin));
    }

    /// Its disk did not take a block, or a piece was wrong: it begins anew.
    pub(crate) fn loses(&mut self, piece: PieceIndex) {
        self.stored.retain(|&(other, _)| other != piece.0);
    }

    /// A piece's hash was right.
    pub(crate) fn proves(
        &mut self,
        (now, node): (u64, NodeId),
        piece: PieceIndex,
        layout: &Layout,
        breaches: &mut Breaches,
    ) {
        let blocks = layout.piece_len(piece).div_ceil(layout.block_len());
        let here = self.stored.range((piece.0, 0)..=(piece.0, u32::MAX)).count() as u32;
        if here != blocks || self.proven.contains(piece) {
            breaches.add(Rule::Complete, now, node, || {
                format!("piece {} counts as here with {here} of {blocks} blocks stored", piece.0)
            });
        }
        self.loses(piece);
        self.proven.insert(piece);
    }

    /// A connection is open; what was before on its slot is over.
    pub(crate) fn meets(&mut self, conn: u16) {
        self.wanted.retain(|asked, _| asked.0 != conn);
        self.allowed.retain(|allowed| allowed.0 != conn);
        self.unchoked.remove(&conn);
    }

    /// A message has come.
    pub(crate) fn hears(&mut self, conn: u16, message: &Message) {
        match message {
            Message::Request(block) => *self.wanted.entry(asked(conn, *block)).or_default() += 1,
            Message::Choke => {
                self.unchoked.remove(&conn);
            }
            Message::Unchoke => {
                self.unchoked.insert(conn);
            }
            Message::AllowedFast(piece) => {
                self.allowed.insert((conn, piece.0));
            }
            _ => {}
        }
    }

    /// The node sends a message.
    pub(crate) fn sends(
        &mut self,
        (now, node): (u64, NodeId),
        conn: u16,
        message: &Message,
        world: &World,
        breaches: &mut Breaches,
    ) {
        let lacking = |piece: PieceIndex| !self.proven.contains(piece);
        let claims = match message {
            Message::Piece(block) => lacking(block.piece),
            Message::Have(piece) => lacking(*piece),
            Message::Bitfield(have) => have.iter().any(lacking),
            Message::HaveAll => !self.proven.is_full(),
            Message::HaveNone => self.proven.count() > 0,
            _ => false,
        };
        if claims && self.honest {
            breaches.add(Rule::Honesty, now, node, || format!("{message:?} of what it does not have"));
        }
        if let Some(wrong) = self.behaves(conn, message) {
            breaches.add(Rule::Manners, now, node, || format!("{message:?} {wrong}"));
        }
        passes_the_codec((now, node), message, world, breaches);
    }

    /// Keeps account of requests; says what is wrong with a message, if anything.
    fn behaves(&mut self, conn: u16, message: &Message) -> Option<&'static str> {
        match message {
            Message::Piece(block) | Message::Reject(block) => {
                let place = asked(conn, *block);
                let Some(times) = self.wanted.get_mut(&place) else {
                    return self.honest.then_some("which was not asked for");
                };
                *times -= 1;
                if *times == 0 {
                    self.wanted.remove(&place);
                }
                None
            }
            Message::Request(block) if self.asks_well => {
                let may = self.unchoked.contains(&conn) || self.allowed.contains(&(conn, block.piece.0));
                let here = self.proven.contains(block.piece);
                (!may).then_some("while it is choked").or(here.then_some("which it has"))
            }
            _ => None,
        }
    }

    /// The engine has handled something: what it has must still be all that was proven.
    pub(crate) fn looks_at(&self, (now, node): (u64, NodeId), have: &Bitfield, breaches: &mut Breaches) {
        if *have != self.proven {
            breaches.add(Rule::Monotone, now, node, || {
                format!("has {} pieces where {} were verified", have.count(), self.proven.count())
            });
        }
    }

    /// The node says that it has everything.
    pub(crate) fn completes(
        &self,
        (now, node): (u64, NodeId),
        (since, lacked, down): (u64, u64, u64),
        breaches: &mut Breaches,
    ) {
        if !self.proven.is_full() {
            breaches
                .add(Rule::Complete, now, node, || format!("complete with {} pieces", self.proven.count()));
        }
        // The last block of all may be on its way through while the clock is rounded: a microsecond is forgiven.
        let least = (u128::from(lacked) * 1_000_000 / u128::from(down.max(1))) as u64;
        if now + 1 < since + least {
            breaches.add(Rule::Bound, now, node, || {
                format!("{lacked} bytes in {} us; its downlink needs {least} us", now - since)
            });
        }
    }
}

fn asked(conn: u16, block: Block) -> Asked {
    (conn, block.piece.0, block.begin)
}

/// A message must come back from its bytes as it was.
fn passes_the_codec((now, node): (u64, NodeId), message: &Message, world: &World, breaches: &mut Breaches) {
    let mut bytes = Vec::new();
    wire::encode(message, &mut bytes);
    if let Message::Piece(block) = message {
        bytes.resize(bytes.len() + block.len as usize, 0);
    }
    let back = wire::decode(&bytes, &wire::Limits::of(&world.layout));
    let same = matches!(&back, Ok(Some(frame)) if frame.message.as_ref() == Some(message) && frame.len == bytes.len());
    if !same || bytes.len() != message.wire_len() as usize {
        breaches.add(Rule::Wire, now, node, || format!("{message:?} comes back as {back:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout::new(160 << 10, 32 << 10, Layout::BLOCK_LEN).unwrap()
    }

    fn block(piece: u32, number: u32) -> Block {
        Block { piece: PieceIndex(piece), begin: number * Layout::BLOCK_LEN, len: Layout::BLOCK_LEN }
    }

    /// A leecher with piece 0 of five pieces of two blocks.
    fn witness(behaviour: Behaviour) -> Witness {
        let mut have = Bitfield::empty(layout().piece_count());
        have.insert(PieceIndex(0));
        Witness::new(&have, behaviour, 0)
    }

    /// The names of the rules that were broken.
    fn broken(breaches: &Breaches) -> Vec<&'static str> {
        breaches.report().iter().filter(|check| check.failure.is_some()).map(|check| check.name).collect()
    }

    #[test]
    fn a_piece_counts_once_all_its_blocks_are_stored() {
        let proves = |stored: &[u32], lost: bool| {
            let (mut witness, mut breaches) = (witness(Behaviour::Honest), Breaches::default());
            stored.iter().for_each(|&number| witness.stores(block(1, number)));
            if lost {
                witness.loses(PieceIndex(1));
            }
            witness.proves((0, 0), PieceIndex(1), &layout(), &mut breaches);
            broken(&breaches)
        };
        assert!(proves(&[0, 1], false).is_empty() && proves(&[1, 0, 1], false).is_empty());
        assert_eq!(proves(&[0], false), ["complete-means-all"]);
        assert_eq!(proves(&[0, 1], true), ["complete-means-all"]);
    }

    #[test]
    fn what_it_has_is_what_was_verified() {
        let witness = witness(Behaviour::Honest);
        for (pieces, rules) in [(&[0][..], &[][..]), (&[], &["nothing-lost"]), (&[1], &["nothing-lost"])] {
            let (mut have, mut breaches) = (Bitfield::empty(5), Breaches::default());
            for &piece in pieces {
                have.insert(PieceIndex(piece));
            }
            witness.looks_at((0, 0), &have, &mut breaches);
            assert_eq!(broken(&breaches), rules, "{pieces:?}");
        }
    }

    #[test]
    fn time_goes_on() {
        let (mut witness, mut breaches) = (witness(Behaviour::Honest), Breaches::default());
        [5, 5, 7].into_iter().for_each(|now| witness.attends((now, 0), &mut breaches));
        assert!(broken(&breaches).is_empty());
        witness.attends((6, 0), &mut breaches);
        assert_eq!(broken(&breaches), ["order-of-time"]);
    }

    #[test]
    #[should_panic(expected = "node 3 does not get beyond 9 us")]
    fn a_node_that_spins_is_stopped() {
        let (mut witness, mut breaches) = (witness(Behaviour::Honest), Breaches::default());
        (0..=MOST_AT_ONCE + 2).for_each(|_| witness.attends((9, 3), &mut breaches));
    }

    #[test]
    fn completion_takes_every_piece_and_the_time_of_the_downlink() {
        for (now, full, rules) in [
            (1_000_000, true, &[][..]),
            (999_998, true, &["physical-bound"]),
            (1_000_000, false, &["complete-means-all"]),
        ] {
            let (mut witness, mut breaches) = (witness(Behaviour::Honest), Breaches::default());
            if full {
                witness.proven = Bitfield::full(5);
            }
            witness.completes((now, 0), (0, 50_000, 50_000), &mut breaches);
            assert_eq!(broken(&breaches), rules);
        }
    }

    /// A line for each thing that happens on connection 3; what is wrong with what the node says.
    #[test]
    fn manners_are_kept_by_connection() {
        enum Line {
            Hears(Message),
            Says(Message, Option<&'static str>),
            Meets,
        }
        use Line::{Hears, Meets, Says};
        let (first, second) = (block(0, 0), block(0, 1));
        let unasked = Some("which was not asked for");
        let choked = Some("while it is choked");
        let mut witness = witness(Behaviour::Honest);
        for (number, line) in [
            Says(Message::Piece(first), unasked),
            Hears(Message::Request(first)),
            Says(Message::Piece(second), unasked),
            Says(Message::Piece(first), None),
            Says(Message::Piece(first), unasked),
            Hears(Message::Request(first)),
            Says(Message::Reject(first), None),
            Says(Message::Piece(first), unasked),
            Says(Message::Request(block(1, 0)), choked),
            Hears(Message::AllowedFast(PieceIndex(2))),
            Says(Message::Request(block(2, 0)), None),
            Hears(Message::Unchoke),
            Says(Message::Request(block(1, 0)), None),
            Says(Message::Request(first), Some("which it has")),
            Hears(Message::Request(first)),
            Meets,
            Says(Message::Piece(first), unasked),
            Says(Message::Request(block(2, 0)), choked),
        ]
        .into_iter()
        .enumerate()
        {
            match line {
                Hears(message) => witness.hears(3, &message),
                Says(message, wrong) => assert_eq!(witness.behaves(3, &message), wrong, "line {number}"),
                Meets => witness.meets(3),
            }
        }
    }
}
