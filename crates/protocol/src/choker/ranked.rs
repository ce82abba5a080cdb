//! Tit for tat and whatever else ranks remotes by a number: the best get the regular slots, the optimistic ones the rest.

use super::best::Uninterested;
use super::links::Links;
use super::{Ask, ChokeView, Choker, Decision};
use crate::{ConnId, OptimisticRule, Random, UnchokeReason};

impl Choker {
    /// The best by rank, and the optimistic ones. An uninterested remote that ranks before the last of the chosen is
    /// unchoked too and takes no slot (BEP 3). A slot that no rank fills goes to an optimistic one as well; so do those
    /// that snubbing empties (Cohen 2003, section 4.4).
    pub(super) fn ranked<R: Ord + Copy + Default>(
        &mut self,
        ask: &Ask<'_>,
        random: &mut Random,
        rank: impl Fn(&ChokeView) -> R,
    ) -> Decision {
        let mut waiting = Links::of(ask.views, |view| view.interested);
        self.optimistic.retain(|&conn| !ask.turn && waiting.contains(conn));
        self.optimistic.iter().for_each(|&conn| waiting.remove(conn));
        let eligible = |view: &ChokeView| !view.snubbed && !self.optimistic.contains(&view.conn);
        let decision = self
            .best(ask.views, ask.regular(), Uninterested::Ranking, |view| eligible(view).then(|| rank(view)));
        self.with_optimistic(ask, decision, &mut waiting, random)
    }

    /// The best by what they sent, whether they snub us or not, and whoever is next in the rotation, which takes a slot
    /// only if it is interested (BEP 3, on choking).
    pub(super) fn bep3(&mut self, ask: &Ask<'_>) -> Decision {
        if ask.turn {
            self.optimistic.clear();
        }
        let most = usize::from(ask.config.optimistic_slots).min(ask.slots).min(ask.views.len());
        while self.optimistic.len() < most {
            let Some(next) = self.turns.take_first() else { break };
            self.optimistic.push(next);
        }
        let interested = Links::of(ask.views, |view| view.interested);
        let taken = self.optimistic.iter().filter(|&&conn| interested.contains(conn)).count();
        let slots = ask.slots - taken;
        let mut decision = self.best(ask.views, slots, Uninterested::Ranking, |view| {
            (!self.optimistic.contains(&view.conn)).then_some(view.received)
        });
        decision.extend(self.optimistic.iter().map(|&conn| (conn, UnchokeReason::Optimistic)));
        decision
    }

    /// Fills the slots that a decision leaves with optimistic ones out of those who wait.
    pub(super) fn with_optimistic(
        &mut self,
        ask: &Ask<'_>,
        mut decision: Decision,
        waiting: &mut Links,
        random: &mut Random,
    ) -> Decision {
        decision.iter().for_each(|&(conn, _)| waiting.remove(conn));
        let regular = decision.iter().filter(|(_, reason)| *reason == UnchokeReason::Regular).count();
        let slots = ask.slots;
        while regular + self.optimistic.len() < slots {
            let Some(next) = self.next_optimistic(ask, waiting, random) else { break };
            waiting.remove(next);
            self.optimistic.push(next);
        }
        decision.extend(self.optimistic.iter().map(|&conn| (conn, UnchokeReason::Optimistic)));
        decision
    }

    fn next_optimistic(&mut self, ask: &Ask<'_>, waiting: &Links, random: &mut Random) -> Option<ConnId> {
        match ask.config.optimistic {
            OptimisticRule::Rotation => self.turns.take(waiting),
            OptimisticRule::Random => any_of(ask.views, random, |view| waiting.contains(view.conn)),
            OptimisticRule::LongestWaiting => {
                let waits = ask.views.iter().filter(|view| waiting.contains(view.conn));
                let next =
                    waits.min_by_key(|view| (self.past(view.conn).turn, self.tie_break(view.conn)))?.conn;
                let turn = self.round.saturating_add(1);
                if let Some(past) = self.past_mut(next) {
                    past.turn = turn;
                }
                Some(next)
            }
        }
    }
}

/// One of the views that `fit`, each equally likely.
pub(super) fn any_of(
    views: &[ChokeView],
    random: &mut Random,
    fit: impl Fn(&ChokeView) -> bool,
) -> Option<ConnId> {
    let fitting = views.iter().filter(|view| fit(view));
    let count = fitting.clone().count() as u32;
    if count == 0 {
        return None;
    }
    fitting.map(|view| view.conn).nth(random.below(count) as usize)
}

/// libtorrent's rule: who is in its turn (less than 20 pieces, or less than 60 s) keeps its slot; among the others
/// the one that waits longest.
pub(super) fn round_robin(view: &ChokeView) -> u64 {
    if in_turn(view) {
        1 << 40
    } else if view.unchoked {
        0
    } else {
        1 + u64::from(view.since_unchoke)
    }
}

/// Whether a remote has not had its due yet (libtorrent: `seeding_piece_quota` of 20 pieces, and one minute).
pub(super) fn in_turn(view: &ChokeView) -> bool {
    const QUOTA_PIECES: u32 = 20;
    const LEAST_MS: u32 = 60_000;
    view.unchoked && (view.pieces_since_unchoke < QUOTA_PIECES || view.since_unchoke < LEAST_MS)
}

/// Chow et al., IPTPS 2008: a remote near the start or the end of its download goes before one in the middle.
pub(super) fn anti_leech(view: &ChokeView) -> u32 {
    (i32::from(view.progress) - 500).unsigned_abs()
}
