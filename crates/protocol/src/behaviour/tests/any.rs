//! Any behaviour of any client takes any sequence of inputs, and never speaks to a link that is gone.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{ConnId, Direction, Message, Opened, PieceIndex, Reserved, preset};

const PIECES: u32 = 10;

struct Draw(Random);

impl Draw {
    fn below(&mut self, bound: u32) -> u32 {
        self.0.below(bound)
    }

    fn piece(&mut self) -> PieceIndex {
        let beyond = u32::from(self.below(60) == 0);
        PieceIndex(self.below(PIECES) + beyond * PIECES)
    }

    fn block(&mut self) -> Block {
        Block { piece: self.piece(), begin: self.below(2) * BLOCK, len: BLOCK }
    }

    fn set(&mut self) -> Bitfield {
        let len = if self.below(40) == 0 { 3 } else { PIECES };
        let mut set = Bitfield::empty(len);
        (0..self.below(len + 1)).for_each(|_| _ = set.insert(self.piece()));
        set
    }

    /// A message; a `Piece` mostly one that was asked for.
    fn message(&mut self, asked: Option<Block>) -> Message {
        match self.below(15) {
            0 => Message::Choke,
            1 | 2 => Message::Unchoke,
            3 | 4 => Message::Interested,
            5 => Message::NotInterested,
            6 | 7 => Message::Have(self.piece()),
            8 => Message::Bitfield(Arc::new(self.set())),
            9 => Message::Request(self.block()),
            10 => Message::Cancel(self.block()),
            11 => Message::HaveNone,
            12 => Message::Reject(self.block()),
            _ => Message::Piece(asked.unwrap_or_else(|| self.block())),
        }
    }
}

/// Drives a node for so many inputs; gives how many blocks it sent and stored.
fn drive(behaviour: Behaviour, config: Config, seed: u64) -> (u32, u32) {
    let mut draw = Draw(Random::new(seed));
    let whole = draw.below(2) == 0 || behaviour == Behaviour::SuperSeed;
    let have = if whole { Bitfield::full(PIECES) } else { have("x.x.......") };
    let mut node = Node::new(behaviour, setup(200, have, config, seed));
    let (mut open, mut asked) = (BTreeSet::new(), BTreeMap::<ConnId, Vec<Block>>::new());
    let (mut verifying, mut out, mut now) = (Vec::new(), Vec::new(), 0);
    let (mut sent, mut stored) = (0, 0);
    for _ in 0..1_500 {
        now += u64::from(draw.below(1_000)).pow(2) * 10;
        let conn = ConnId(draw.below(6) as u16);
        let input = match draw.below(20) {
            _ if !open.contains(&conn) => {
                open.insert(conn);
                let host = draw.below(30) as u16;
                let reserved = if draw.below(2) == 0 { Reserved::OURS } else { Reserved::default() };
                let peer = Opened {
                    addr: addr(host),
                    direction: Direction::Incoming,
                    peer_id: peer_id(host),
                    reserved,
                };
                Input::Opened { conn, peer: Box::new(peer) }
            }
            0 if draw.below(8) == 0 => {
                open.remove(&conn);
                asked.remove(&conn);
                Input::Closed { conn }
            }
            1 | 2 => Input::Writable { conn, blocks: draw.below(4) as u16 },
            3 | 4 => Input::Deadline,
            5 if !verifying.is_empty() => {
                Input::Verified { piece: verifying.swap_remove(0), ok: draw.below(4) > 0 }
            }
            _ => {
                let block = asked.get_mut(&conn).and_then(Vec::pop);
                Input::Message { conn, message: draw.message(block) }
            }
        };
        node.handle(Instant::from_micros(now), input, &mut out);
        for output in out.drain(..) {
            match output {
                Output::Send { conn, message } => {
                    assert!(open.contains(&conn), "{behaviour:?}: {message:?} to a link that is gone");
                    match message {
                        Message::Request(block) if node.torrent().have().contains(block.piece) => {} // junk
                        Message::Request(block) => asked.entry(conn).or_default().push(block),
                        Message::Piece(block) => {
                            assert!(node.torrent().have().contains(block.piece));
                            node.corrupts(block);
                            sent += 1;
                        }
                        _ => {}
                    }
                }
                Output::Close { conn, .. } => {
                    assert!(open.remove(&conn), "{behaviour:?} closes a link that is gone");
                    asked.remove(&conn);
                }
                Output::Verify { piece } => verifying.push(piece),
                Output::Store { .. } => stored += 1,
                _ => {}
            }
        }
        assert_eq!(usize::from(node.torrent().conn_count()), open.len(), "{behaviour:?}");
        node.deadline();
    }
    (sent, stored)
}

#[test]
fn every_behaviour_of_every_client_takes_any_inputs() {
    for behaviour in Behaviour::ALL {
        let mut reached = (0, 0);
        for (at, name) in preset::NAMES.into_iter().enumerate() {
            let config = Config { min_connections: 0, ..preset::by_name(name).unwrap() };
            let (sent, stored) = drive(behaviour, config, at as u64 + 1);
            reached = (reached.0 + sent, reached.1 + stored);
        }
        let sends = !matches!(behaviour, Behaviour::FreeRider | Behaviour::Staller);
        assert_eq!(reached.0 > 0, sends, "{behaviour:?} sends {} blocks", reached.0);
        assert!(reached.1 > 0 || behaviour == Behaviour::SuperSeed, "{behaviour:?} stores nothing");
    }
}
