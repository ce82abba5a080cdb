//! BitTyrant (Piatek et al., "Do incentives build robustness in BitTorrent?", NSDI 2007, figure 6): uploads where the
//! return on each byte is best, and no more anywhere than it takes to be reciprocated.
//!
//! Two simplifications: the first guess of what a remote gives is the first guess of its price, not its announced haves over
//! an assumed active set; and blocks go to the unchoked as the uplink takes them, not at the price.

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::{Ask, ChokeView, Choker, Decision};
use crate::UnchokeReason;

/// The first guess of the price, in bytes per second (libtorrent's `default_est_reciprocation_rate`).
const FIRST_PRICE: u64 = 16_000;
/// A price never falls below this, in bytes per second: it must be able to rise again. Ours.
const LEAST_PRICE: u64 = 500;
/// After so many rounds of reciprocation the price is lowered (the paper's r).
const PATIENCE: u8 = 3;

impl Choker {
    /// The interested by what they give for their price, the best first, until the uplink is spent; always at least one.
    pub(super) fn tyrant(&mut self, ask: &Ask<'_>) -> Decision {
        let interval = ask.config.rechoke_interval.as_millis().clamp(1, 1 << 20) as u64;
        let in_round = |rate: u64| (rate * interval / 1_000).min(u64::from(u32::MAX / 2)) as u32;
        if ask.round {
            self.reckon(ask, in_round(FIRST_PRICE), in_round(LEAST_PRICE));
        }
        let uplink = match ask.config.upload_capacity {
            0 => self
                .memory
                .as_ref()
                .map_or(0, |memory| memory.most_sent)
                .max(in_round(FIRST_PRICE) * u32::from(ask.config.unchoke_slots.min(8))),
            rate => in_round(u64::from(rate)),
        };
        let first = in_round(FIRST_PRICE).max(1);
        let mut order: Vec<_> = ask
            .views
            .iter()
            .filter(|view| view.interested)
            .map(|view| {
                let past = self.past(view.conn);
                let (price, gift) = if past.price == 0 { (first, first) } else { (past.price, past.gift) };
                let return_rate = (u64::from(gift) << 24) / u64::from(price);
                (Reverse(return_rate), self.tie_break(view.conn), view.conn, price)
            })
            .collect();
        order.sort_unstable();
        let mut spent: u64 = 0;
        let affordable = order.into_iter().enumerate().take_while(|&(at, (.., price))| {
            spent += u64::from(price);
            at == 0 || spent <= u64::from(uplink)
        });
        affordable.map(|(_, (_, _, conn, _))| (conn, UnchokeReason::Regular)).collect()
    }

    /// What the round has taught: the price of who did not reciprocate rises by a fifth, that of who did for the third
    /// round on end, or later, falls by a tenth; what a remote gives is what it gave.
    fn reckon(&mut self, ask: &Ask<'_>, first: u32, least: u32) {
        let round = ask.config.rechoke_interval.as_millis() as u32;
        for view in ask.views {
            let Some(past) = self.past_mut(view.conn) else { continue };
            if past.price == 0 {
                (past.price, past.gift) = (first.max(1), first.max(1));
            }
            if past.received > 0 {
                past.gift = past.received;
            }
            if !had_the_round(view, round) {
                continue;
            }
            past.streak = if past.received > 0 { past.streak.saturating_add(1) } else { 0 };
            let price = u64::from(past.price);
            let price = match past.streak {
                0 => price * 6 / 5,
                PATIENCE.. => price * 9 / 10,
                _ => price,
            };
            past.price = price.clamp(u64::from(least.max(1)), u64::from(u32::MAX / 2)) as u32;
        }
    }
}

/// Whether the remote was unchoked for most of the round, and so could show whether it reciprocates. Not for all of it to the
/// millisecond: a real clock is late now and then.
fn had_the_round(view: &ChokeView, round_ms: u32) -> bool {
    view.unchoked && view.interested && view.since_unchoke >= round_ms / 2
}
