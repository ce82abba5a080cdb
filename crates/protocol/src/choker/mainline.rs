//! The rules of the reference client, mainline 4.x (`BitTorrent/Choker.py`), for leechers and for seeds.

use core::cmp::Reverse;

use alloc::vec::Vec;

use super::best::Uninterested;
use super::links::Links;
use super::{Ask, ChokeView, Choker, Decision};
use crate::UnchokeReason;

impl Choker {
    /// The interested remotes that send most and do not snub us get all slots but the optimistic ones. Then the rotation
    /// is walked from its front and everyone unchoked until so many interested ones are: the optimistic slots, or what
    /// `min_uploads` (2) lacks. At each turn the next remote that is choked and interested comes to the front.
    pub(super) fn leech_mainline(&mut self, ask: &Ask<'_>) -> Decision {
        const MIN_UPLOADS: usize = 2;
        let interested = Links::of(ask.views, |view| view.interested);
        if ask.turn {
            self.turns.bring(&Links::of(ask.views, |view| view.interested && !view.unchoked));
        }
        let mut decision = self.best(ask.views, ask.regular(), Uninterested::Out, |view| {
            (!view.snubbed).then_some(view.received)
        });
        let mut rest = Links::of(ask.views, |_| true);
        decision.iter().for_each(|&(conn, _)| rest.remove(conn));
        let slots = ask.slots;
        let least = MIN_UPLOADS.min(slots).saturating_sub(decision.len());
        let mut more = usize::from(ask.config.optimistic_slots).max(least);
        for conn in self.turns.iter().filter(|&conn| rest.contains(conn)) {
            if more == 0 {
                break;
            }
            decision.push((conn, UnchokeReason::Optimistic));
            more -= usize::from(interested.contains(conn));
        }
        decision
    }

    /// Of the unchoked, those unchoked in the last 30 s or with requests pending stay, the newest first, then those we
    /// send to fastest; a third of the slots, rounded up, goes round in 30 s, and so do the free ones. So time, not
    /// rate, is shared evenly (Legout et al., IMC 2006, section 2.3.3).
    pub(super) fn seed_mainline(&mut self, ask: &Ask<'_>) -> Decision {
        const RECENT_MS: u32 = 30_000;
        self.optimistic.clear();
        let slots = ask.slots;
        let forced = if ask.round {
            let per_turn = (ask.slots as u32).div_ceil(3);
            let filled = u32::from(self.filled_since_round);
            ((per_turn + self.round % 3) / 3).saturating_sub(filled) as usize
        } else {
            0
        };
        let mut keep: Vec<&ChokeView> =
            ask.views.iter().filter(|view| view.unchoked && view.interested).collect();
        keep.sort_unstable_by_key(|view| {
            let by_age = view.pending || view.since_unchoke < RECENT_MS;
            let age = if by_age { view.since_unchoke } else { u32::MAX };
            (age, Reverse(view.sent), self.tie_break(view.conn))
        });
        let waiting = ask.views.iter().filter(|view| view.interested && !view.unchoked).count();
        keep.truncate(slots.saturating_sub(forced.min(waiting)));

        let mut decision: Decision = keep.iter().map(|view| (view.conn, UnchokeReason::Regular)).collect();
        let kept = decision.len();
        if kept < slots {
            let mut next = Links::of(ask.views, |view| view.interested);
            decision.iter().for_each(|&(conn, _)| next.remove(conn));
            while decision.len() < slots {
                let Some(conn) = self.turns.take(&next) else { break };
                next.remove(conn);
                decision.push((conn, UnchokeReason::Optimistic));
            }
        }
        let filled = (decision.len() - kept) as u16;
        self.filled_since_round = if ask.round { 0 } else { self.filled_since_round.saturating_add(filled) };
        decision
    }
}
