//! Checkers: what must hold in every run, looked at from outside the engine.
//!
//! They watch what nodes hand to each other and what nodes claim, never the engine's own bookkeeping. They change nothing:
//! a run with them has the digest of the run without.

use swarmlab_protocol::{Bitfield, Message, PieceIndex, wire};

use crate::event::NodeId;
use crate::world::World;
use crate::{Behaviour, Check};

/// An honest leecher gets something useful within this time while somebody who gives holds what it lacks and nothing is
/// broken, in microseconds. Far above what queues and choking explain: a leecher gets its optimistic turn every few
/// minutes.
pub(crate) const PATIENCE_US: u64 = 30 * 60 * 1_000_000;

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Content that left equals content received, in flight and lost with its connection.
    Conservation,
    /// Nobody completes without every piece.
    Complete,
    /// Nobody completes sooner than its downlink allows.
    Bound,
    /// An honest node that can make progress does.
    Progress,
    /// What is stored stays stored, unless the disk lost it.
    Monotone,
    /// No honest node sends or claims what it does not have.
    Honesty,
    /// Every message passes the codec and comes back equal.
    Wire,
}

impl Rule {
    pub(crate) const ALL: [Rule; 7] = [
        Rule::Conservation,
        Rule::Complete,
        Rule::Bound,
        Rule::Progress,
        Rule::Monotone,
        Rule::Honesty,
        Rule::Wire,
    ];

    fn name(self) -> &'static str {
        match self {
            Rule::Conservation => "conservation",
            Rule::Complete => "complete-means-all",
            Rule::Bound => "physical-bound",
            Rule::Progress => "progress",
            Rule::Monotone => "nothing-lost",
            Rule::Honesty => "honesty",
            Rule::Wire => "wire-check",
        }
    }
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Breach {
    at: u64,
    node: NodeId,
    what: String,
}

/// How often each rule was broken, and the first time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaches([(u64, Option<Breach>); Rule::ALL.len()]);

impl Breaches {
    pub(crate) fn add(&mut self, rule: Rule, at: u64, node: NodeId, what: impl FnOnce() -> String) {
        let (count, first) = &mut self.0[rule as usize];
        *count += 1;
        if first.as_ref().is_none_or(|first| (at, node) < (first.at, first.node)) {
            *first = Some(Breach { at, node, what: what() });
        }
    }

    /// Adds another worker's.
    pub(crate) fn merge(&mut self, other: &Breaches) {
        for ((count, first), (more, theirs)) in self.0.iter_mut().zip(&other.0) {
            *count += more;
            let earlier = theirs.as_ref().filter(|theirs| {
                first.as_ref().is_none_or(|ours| (theirs.at, theirs.node) < (ours.at, ours.node))
            });
            if let Some(theirs) = earlier {
                *first = Some(theirs.clone());
            }
        }
    }

    /// What the checkers say at the end.
    pub(crate) fn report(&self) -> Vec<Check> {
        Rule::ALL
            .iter()
            .zip(&self.0)
            .map(|(rule, (failures, first))| Check {
                name: rule.name(),
                failure: first.as_ref().map(|breach| {
                    let Breach { at, node, what } = breach;
                    format!("at {}.{:06} s, node {node}: {what}", at / 1_000_000, at % 1_000_000)
                }),
                failures: *failures,
            })
            .collect()
    }
}

/// What the checkers remember of one node.
#[derive(Debug)]
pub(crate) struct Witness {
    /// The pieces whose hash was right, and what the node came with.
    proven: Bitfield,
    honest: bool,
    gives: bool,
    /// When it last got something it lacked.
    pub(crate) progress_at: u64,
}

impl Witness {
    pub(crate) fn new(have: &Bitfield, behaviour: Behaviour, now: u64) -> Self {
        let honest = !matches!(behaviour, Behaviour::Liar | Behaviour::Corrupter | Behaviour::SuperSeed);
        let gives = matches!(behaviour, Behaviour::Honest | Behaviour::BitTyrant);
        Witness { proven: have.clone(), honest, gives, progress_at: now }
    }

    /// Whether it lets others have what it has.
    pub(crate) fn gives(&self) -> bool {
        self.gives
    }

    pub(crate) fn proven(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        self.proven.iter()
    }

    /// A piece's hash was right.
    pub(crate) fn proved(&mut self, piece: PieceIndex) {
        self.proven.insert(piece);
    }

    /// The node sends a message.
    pub(crate) fn sends(
        &self,
        (now, node): (u64, NodeId),
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
            _ => false,
        };
        if claims && self.honest {
            breaches.add(Rule::Honesty, now, node, || format!("{message:?} of what it does not have"));
        }
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

    /// The engine has handled something: what it has must still be all that was proven.
    pub(crate) fn looks_at(&self, (now, node): (u64, NodeId), have: &Bitfield, breaches: &mut Breaches) {
        if have.count() < self.proven.count() || (have.count() > self.proven.count()) {
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
