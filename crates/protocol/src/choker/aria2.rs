//! aria2's rules for leechers (`BtLeecherStateChoke.cc`) and for seeds (`BtSeederStateChoke.cc`). Both go in threes: 30 s.

use alloc::vec::Vec;

use super::best::Uninterested;
use super::links::Links;
use super::ranked::any_of;
use super::{Ask, ChokeView, Choker, Decision};
use crate::{ConnId, Random, UnchokeReason};

/// Of a remote that gets a regular slot: it has sent something for so long, in milliseconds.
const GIVES_MS: u128 = 30_000;
/// A seed's remote that was unchoked so lately, in milliseconds, is not choked again yet.
const RECENT_MS: u32 = 20_000;

impl Choker {
    /// The fastest of the interested that sent something in the last 30 s. At each turn one that is choked and interested
    /// is drawn; where it comes to rank among the fastest, another is drawn, and the uninterested drawn before are
    /// unchoked with it. Remotes that snub us take no part.
    pub(super) fn leech_aria2(&mut self, ask: &Ask<'_>, random: &mut Random) -> Decision {
        if ask.turn {
            let drawn = any_of(ask.views, random, |view| view.interested && !view.unchoked && !view.snubbed);
            self.optimistic = drawn.into_iter().filter(|_| ask.config.optimistic_slots > 0).collect();
        }
        let interval = ask.config.rechoke_interval.as_millis().max(1);
        let quiet_rounds = GIVES_MS.div_ceil(interval).min(255) as u8;
        let mut decision = self.best(ask.views, ask.regular(), Uninterested::Out, |view| {
            let gives = self.past(view.conn).quiet < quiet_rounds;
            (gives && !view.snubbed).then_some(view.received)
        });
        if decision.iter().any(|(conn, _)| self.optimistic.contains(conn)) {
            self.optimistic.clear();
            let rest = others(ask, &decision, |view| !view.snubbed);
            self.draw(ask, rest, &mut decision, random);
        }
        let left = Links::of(ask.views, |view| !view.snubbed);
        let still = self.optimistic.iter().filter(|&&conn| left.contains(conn));
        decision.extend(still.map(|&conn| (conn, UnchokeReason::Optimistic)));
        decision
    }

    /// Unchokes others in a random order until one is interested: that one is the optimistic one now.
    fn draw(&mut self, ask: &Ask<'_>, mut rest: Vec<ConnId>, decision: &mut Decision, random: &mut Random) {
        let interested = Links::of(ask.views, |view| view.interested);
        random.shuffle(&mut rest);
        for conn in rest {
            if interested.contains(conn) {
                self.optimistic.push(conn);
                return;
            }
            decision.push((conn, UnchokeReason::FastUninterested));
        }
    }

    /// Of the interested: those that wait for blocks we owe, then those unchoked lately, the newest first, then the fastest.
    /// In two rounds of three one more by chance; in the third one more by rank, and the one by chance stays.
    pub(super) fn seed_aria2(&mut self, ask: &Ask<'_>, random: &mut Random) -> Decision {
        let number = if ask.round { self.round } else { self.round.wrapping_sub(1) };
        let third = number % 3 == 2;
        let slots = if third { ask.slots } else { ask.regular() };
        let mut decision =
            self.best(ask.views, slots, Uninterested::Out, |view| view.interested.then(|| rank_seed(view)));
        if ask.round && !third {
            let rest = others(ask, &decision, |view| view.interested);
            let drawn = rest.get(random.below(rest.len() as u32) as usize).copied();
            self.optimistic = drawn.into_iter().filter(|_| ask.config.optimistic_slots > 0).collect();
        }
        let mut left = Links::of(ask.views, |view| view.interested);
        decision.iter().for_each(|&(conn, _)| left.remove(conn));
        let still = self.optimistic.iter().filter(|&&conn| left.contains(conn));
        decision.extend(still.map(|&conn| (conn, UnchokeReason::Optimistic)));
        decision
    }
}

fn rank_seed(view: &ChokeView) -> (bool, u32, u32) {
    let newness = RECENT_MS.saturating_sub(view.since_unchoke);
    (view.pending, if view.unchoked { newness } else { 0 }, view.sent)
}

/// The links that fit and are not chosen.
fn others(ask: &Ask<'_>, decision: &Decision, fit: impl Fn(&ChokeView) -> bool) -> Vec<ConnId> {
    let mut rest = Links::of(ask.views, fit);
    decision.iter().for_each(|&(conn, _)| rest.remove(conn));
    ask.views.iter().map(|view| view.conn).filter(|&conn| rest.contains(conn)).collect()
}
