//! Transmission's rule (`libtransmission/peer-mgr.cc`, `rechokeUploads`), the same for leechers and seeds but for the rate
//! that counts.
//!
//! Two things it knows are not seen here: it unchokes nobody new while a configured upload limit is used up, and in a private
//! torrent it counts both directions.

use super::best::Uninterested;
use super::links::Links;
use super::ranked::any_of;
use super::{Ask, ChokeView, Choker, Decision};
use crate::{Random, UnchokeReason};

/// Of [`ChokeView::progress`]: it has everything, so there is nothing to give it.
const SEED: u16 = 1_000;

impl Choker {
    /// The fastest get the regular slots, the unchoked first among equals; on top, one interested remote by chance keeps
    /// its place for `optimistic_rounds` rounds in all, whatever its rate.
    pub(super) fn transmission(
        &mut self,
        ask: &Ask<'_>,
        random: &mut Random,
        rate: impl Fn(&ChokeView) -> u32,
    ) -> Decision {
        if ask.round {
            match self.held.checked_sub(1) {
                Some(held) => self.held = held,
                None => self.optimistic.clear(),
            }
        }
        let mut waiting = Links::of(ask.views, |view| view.interested);
        let mut decision = self.best(ask.views, ask.regular(), Uninterested::In, |view| {
            let in_list = view.progress < SEED && !self.optimistic.contains(&view.conn);
            in_list.then(|| u64::from(rate(view)) << 1 | u64::from(view.unchoked))
        });
        decision.iter().for_each(|&(conn, _)| waiting.remove(conn));
        if self.optimistic.is_empty() && ask.config.optimistic_slots > 0 {
            self.optimistic.extend(any_of(ask.views, random, |view| waiting.contains(view.conn)));
            self.held = ask.config.optimistic_rounds.saturating_sub(1);
        }
        decision.extend(self.optimistic.iter().map(|&conn| (conn, UnchokeReason::Optimistic)));
        decision
    }
}
