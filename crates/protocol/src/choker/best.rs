//! The best of many: interested remotes by rank, each with its slot, and the uninterested that rank before the last of
//! them.

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::{ChokeView, Choker, Decision};
use crate::{ConnId, UnchokeReason};

/// A remote that is chosen: sorts by rank, the highest first, and by tie break among equals.
type Chosen<R> = (Reverse<R>, u64, ConnId, UnchokeReason);

/// What becomes of uninterested remotes that rank before the last one chosen. They take no slot, and need not be choked
/// in haste once they want something (BEP 3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Uninterested {
    /// Choked.
    Out,
    /// Unchoked if they rank above the lowest rank there is.
    Ranking,
    /// Unchoked.
    In,
}

impl Choker {
    /// The best `slots` of the interested views by `rank`, and the uninterested before the last of them; `None` is not
    /// eligible. The best come first.
    pub(super) fn best<R: Ord + Copy + Default>(
        &self,
        views: &[ChokeView],
        slots: usize,
        uninterested: Uninterested,
        rank: impl Fn(&ChokeView) -> Option<R>,
    ) -> Decision {
        if slots == 0 {
            return Decision::new();
        }
        let mut chosen: Vec<Chosen<R>> = Vec::with_capacity(slots.min(views.len()) + 1);
        let interested = views.iter().filter(|view| view.interested);
        for (view, rank) in interested.filter_map(|view| Some((view, Reverse(rank(view)?)))) {
            let full = chosen.len() == slots;
            if full && chosen.last().is_some_and(|&(worst, ..)| worst < rank) {
                continue;
            }
            let new = (rank, self.tie_break(view.conn), view.conn, UnchokeReason::Regular);
            if full && chosen.last().is_some_and(|&(rank, tie, ..)| (rank, tie) <= (new.0, new.1)) {
                continue;
            }
            let place = chosen.partition_point(|other| (other.0, other.1) < (new.0, new.1));
            chosen.insert(place, new);
            chosen.truncate(slots);
        }
        if uninterested != Uninterested::Out {
            let last = if chosen.len() == slots { chosen.last().copied() } else { None };
            for (view, rank) in
                views.iter().filter(|view| !view.interested).filter_map(|view| Some((view, rank(view)?)))
            {
                let before = |last: Chosen<R>| (Reverse(rank), self.tie_break(view.conn)) < (last.0, last.1);
                let counts = uninterested == Uninterested::In || rank > R::default();
                if counts && last.is_none_or(before) {
                    let tie = self.tie_break(view.conn);
                    chosen.push((Reverse(rank), tie, view.conn, UnchokeReason::FastUninterested));
                }
            }
            chosen.sort_unstable_by_key(|&(rank, tie, ..)| (rank, tie));
        }
        chosen.into_iter().map(|(_, _, conn, reason)| (conn, reason)).collect()
    }
}
