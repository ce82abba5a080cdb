//! Who is unchoked: pure decisions over plain views.
//!
//! It owns whose turn the optimistic unchoke is and what some policies remember of each remote, and nothing of the links;
//! the torrent compares the decision with the present and sends what differs. A decision costs one or two passes over
//! the views. Each family of policies has a file: [`crate::LeechChoker`] and [`crate::SeedChoker`] name them.

mod aria2;
mod best;
mod libtorrent;
mod links;
mod mainline;
mod past;
mod ranked;
pub(crate) mod slots;
#[cfg(test)]
mod tests;
mod transmission;
mod turns;
mod tyrant;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::{Config, ConnId, LeechChoker, OptimisticRule, Random, SeedChoker, UnchokeReason};
use past::Memory;
use turns::Turns;

/// What a decision looks at: one remote.
#[derive(Clone, Copy, Debug)]
pub struct ChokeView {
    /// The link.
    pub conn: ConnId,
    /// It wants something we have.
    pub interested: bool,
    /// It is unchoked now.
    pub unchoked: bool,
    /// It owes us blocks and has sent none for too long.
    pub snubbed: bool,
    /// Bytes it sent us in the window of 20 s.
    pub received: u32,
    /// Bytes we sent it in the window of 20 s.
    pub sent: u32,
    /// It has asked for blocks that were not sent yet.
    pub pending: bool,
    /// Milliseconds since it was last unchoked; since it connected if never.
    pub since_unchoke: u32,
    /// Whole pieces' worth of bytes we sent it since it was last unchoked.
    pub pieces_since_unchoke: u32,
    /// How much of the content it has, in 1/1000.
    pub progress: u16,
}

/// Who is to be unchoked, and why; everyone else is choked.
pub type Decision = Vec<(ConnId, UnchokeReason)>;

/// The state that outlasts a decision.
#[derive(Debug, Default)]
pub struct Choker {
    /// The order in which links get their optimistic turn.
    turns: Turns,
    /// Who has its turn now.
    optimistic: Vec<ConnId>,
    /// What was seen of each link; kept only for policies that look back.
    memory: Option<Box<Memory>>,
    /// Breaks ties among equals, drawn anew at each turn, so that no slot number is favoured.
    tie: u64,
    /// Rounds so far.
    round: u32,
    /// Seed slots given away since the last forced rotation because someone left.
    filled_since_round: u16,
    /// For how many more rounds the optimistic one keeps its turn, where that is not a matter of the round's number.
    held: u16,
}

// One for each torrent, of which there may be a million.
const _: () = assert!(size_of::<Choker>() <= 72);

/// What one decision is made from.
#[derive(Clone, Copy)]
struct Ask<'a> {
    config: &'a Config,
    views: &'a [ChokeView],
    /// A choke round ends, as opposed to a slot that has become free within one.
    round: bool,
    /// The optimistic unchoke moves on.
    turn: bool,
    /// Remotes to unchoke, the optimistic ones among them.
    slots: usize,
}

impl Ask<'_> {
    /// Slots that are not optimistic.
    fn regular(&self) -> usize {
        self.slots.saturating_sub(usize::from(self.config.optimistic_slots))
    }
}

impl Choker {
    /// Nobody connected, round 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// A link has come. It is three times as likely to be the next optimistic unchoke as to take any other place in
    /// the rotation (BEP 3).
    pub fn opened(&mut self, conn: ConnId, random: &mut Random) {
        self.turns.insert(conn, random);
        if let Some(past) = self.past_mut(conn) {
            *past = Default::default();
        }
    }

    /// A link is gone.
    pub fn closed(&mut self, conn: ConnId) {
        self.turns.remove(conn);
        self.optimistic.retain(|&other| other != conn);
    }

    /// A decision at the end of a choke round (`round`), or between two because a slot became free. Without a slot nobody
    /// is unchoked, whatever the policy.
    pub fn decide(
        &mut self,
        config: &Config,
        seeding: bool,
        round: bool,
        views: &[ChokeView],
        random: &mut Random,
    ) -> Decision {
        self.decide_slots(config, (seeding, round), config.unchoke_slots, views, random)
    }

    /// The same with another number of slots, that of [`slots::slots`].
    pub(crate) fn decide_slots(
        &mut self,
        config: &Config,
        (seeding, round): (bool, bool),
        slots: u16,
        views: &[ChokeView],
        random: &mut Random,
    ) -> Decision {
        let turn = round && self.round.is_multiple_of(u32::from(config.optimistic_rounds.max(1)));
        if turn {
            self.tie = random.bits();
        }
        if slots == 0 {
            return Decision::new();
        }
        if round && looks_back(config) {
            self.look(views);
        }
        let ask = Ask { config, views, round, turn, slots: slots.into() };
        let decision = if seeding { self.as_seed(&ask, random) } else { self.as_leecher(&ask, random) };
        if round {
            self.round = self.round.wrapping_add(1);
        }
        decision
    }

    fn as_leecher(&mut self, ask: &Ask<'_>, random: &mut Random) -> Decision {
        match ask.config.choker {
            LeechChoker::Reciprocal => {
                self.ranked(ask, random, |view| (slots::keeps_slot(ask.config, view), view.received))
            }
            LeechChoker::RoundRobin => self.ranked(ask, random, ranked::round_robin),
            LeechChoker::Bep3 => self.bep3(ask),
            LeechChoker::Mainline4 => self.leech_mainline(ask),
            LeechChoker::Libtorrent => self.leech_libtorrent(ask, random),
            LeechChoker::Transmission => self.transmission(ask, random, |view| view.received),
            LeechChoker::Aria2 => self.leech_aria2(ask, random),
            LeechChoker::Everybody => everybody(ask),
            LeechChoker::BitTyrant => self.tyrant(ask),
        }
    }

    fn as_seed(&mut self, ask: &Ask<'_>, random: &mut Random) -> Decision {
        match ask.config.seed_choker {
            SeedChoker::Mainline4 => self.seed_mainline(ask),
            SeedChoker::RoundRobin => self.ranked(ask, random, ranked::round_robin),
            SeedChoker::FastestUpload => self.ranked(ask, random, |view| view.sent),
            SeedChoker::AntiLeech => self.ranked(ask, random, ranked::anti_leech),
            SeedChoker::Transmission => self.transmission(ask, random, |view| view.sent),
            SeedChoker::Aria2 => self.seed_aria2(ask, random),
            SeedChoker::Everybody => everybody(ask),
        }
    }

    /// The number that decides among equals: no slot has a better chance than another.
    fn tie_break(&self, conn: ConnId) -> u64 {
        Random::stream(self.tie, u64::from(conn.0)).bits()
    }
}

/// Whether something must be remembered of each remote from round to round.
fn looks_back(config: &Config) -> bool {
    matches!(config.choker, LeechChoker::Libtorrent | LeechChoker::Aria2 | LeechChoker::BitTyrant)
        || config.optimistic == OptimisticRule::LongestWaiting
}

fn everybody(ask: &Ask<'_>) -> Decision {
    let reason = |view: &ChokeView| match view.interested {
        true => UnchokeReason::Regular,
        false => UnchokeReason::FastUninterested,
    };
    ask.views.iter().map(|view| (view.conn, reason(view))).collect()
}
