//! libtorrent's rule for leechers (`src/choker.cpp`, `session_impl::recalculate_unchoke_slots`).
//!
//! Its seeds follow [`crate::SeedChoker::RoundRobin`], and its optimistic unchoke
//! [`crate::OptimisticRule::LongestWaiting`].

use super::best::Uninterested;
use super::links::Links;
use super::ranked::in_turn;
use super::{Ask, ChokeView, Choker, Decision};
use crate::Random;

/// What ranks a remote, the higher the better: bytes received in the last round; not having had its due; bytes sent in the last round, if it
/// was unchoked; how long it waits.
type Rank = (u32, bool, u32, u32);

impl Choker {
    /// The interested by rank. One that has its optimistic turn and ranks well gets a regular slot, and its turn goes to
    /// another at once.
    pub(super) fn leech_libtorrent(&mut self, ask: &Ask<'_>, random: &mut Random) -> Decision {
        let mut waiting = Links::of(ask.views, |view| view.interested);
        let decision =
            self.best(ask.views, ask.regular(), Uninterested::Out, |view| Some(self.rank_libtorrent(view)));
        let regular = |conn| decision.iter().any(|&(other, _)| other == conn);
        self.optimistic.retain(|&conn| !ask.turn && waiting.contains(conn) && !regular(conn));
        self.optimistic.iter().for_each(|&conn| waiting.remove(conn));
        self.with_optimistic(ask, decision, &mut waiting, random)
    }

    fn rank_libtorrent(&self, view: &ChokeView) -> Rank {
        let past = self.past(view.conn);
        let had_due = view.unchoked && !in_turn(view);
        let sent = if view.unchoked { past.sent } else { 0 };
        (past.received, !had_due, sent, view.since_unchoke)
    }
}
