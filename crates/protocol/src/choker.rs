//! Who is unchoked: pure decisions over plain views.
//!
//! It owns the rotation of the optimistic unchoke and nothing of the links; the torrent compares the decision with
//! the present and sends what differs.

use alloc::vec::Vec;

use crate::{Config, ConnId, LeechChoker, Random, SeedChoker, UnchokeReason};

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
#[derive(Debug)]
pub struct Choker {
    /// Every link in the order in which it gets its optimistic turn; the next one first.
    rotation: Vec<ConnId>,
    /// Who has its turn now.
    optimistic: Vec<ConnId>,
    /// Rounds so far.
    round: u32,
    /// Breaks ties among equals, drawn anew at each turn, so that no slot number is favoured.
    tie: u64,
    /// Seed slots given away since the last forced rotation because someone left.
    filled_since_round: u32,
}

impl Choker {
    /// Nobody connected, round 0.
    pub fn new() -> Self {
        Choker { rotation: Vec::new(), optimistic: Vec::new(), round: 0, tie: 0, filled_since_round: 0 }
    }

    /// A link has come. It is three times as likely to be the next optimistic unchoke as to take any other place in
    /// the rotation (BEP 3).
    pub fn opened(&mut self, conn: ConnId, random: &mut Random) {
        let place = random.below(self.rotation.len() as u32 + 3).saturating_sub(2);
        self.rotation.insert(place as usize, conn);
    }

    /// A link is gone.
    pub fn closed(&mut self, conn: ConnId) {
        self.rotation.retain(|&other| other != conn);
        self.optimistic.retain(|&other| other != conn);
    }

    /// A decision at the end of a choke round (`round`), or between two because a slot became free.
    pub fn decide(
        &mut self,
        config: &Config,
        seeding: bool,
        round: bool,
        views: &[ChokeView],
        random: &mut Random,
    ) -> Decision {
        let turn = round && self.round.is_multiple_of(u32::from(config.optimistic_rounds.max(1)));
        if turn {
            self.tie = random.bits();
        }
        let decision = match (seeding, config.seed_choker, config.choker) {
            (true, SeedChoker::Mainline4, _) => self.seed_mainline(config, round, views),
            (true, SeedChoker::RoundRobin, _) | (false, _, LeechChoker::RoundRobin) => {
                self.ranked(config, turn, views, rank_round_robin)
            }
            (true, SeedChoker::FastestUpload, _) => {
                self.ranked(config, turn, views, |view| u64::from(view.sent))
            }
            (true, SeedChoker::AntiLeech, _) => self.ranked(config, turn, views, rank_anti_leech),
            (false, _, LeechChoker::Reciprocal) => {
                self.ranked(config, turn, views, |view| u64::from(view.received))
            }
        };
        if round {
            self.round = self.round.wrapping_add(1);
        }
        decision
    }

    /// The best by rank, and the optimistic ones in rotation. An uninterested remote that ranks before the last of
    /// the chosen is unchoked too and takes no slot (BEP 3). A slot that no rank fills goes to the rotation.
    fn ranked(
        &mut self,
        config: &Config,
        turn: bool,
        views: &[ChokeView],
        rank: impl Fn(&ChokeView) -> u64,
    ) -> Decision {
        let slots = usize::from(config.unchoke_slots);
        let interested = |conn: ConnId| views.iter().any(|view| view.conn == conn && view.interested);
        self.optimistic.retain(|&conn| !turn && interested(conn));
        let regular = slots.saturating_sub(usize::from(config.optimistic_slots));

        let mut order: Vec<(u64, u64, &ChokeView)> = views
            .iter()
            .filter(|view| !view.snubbed && !self.optimistic.contains(&view.conn))
            .map(|view| (rank(view), self.tie_break(view.conn), view))
            .collect();
        order.sort_unstable_by_key(|&(rank, tie, _)| (core::cmp::Reverse(rank), tie));

        let mut decision = Decision::new();
        let mut taken = 0;
        for (rank, _, view) in order {
            if taken == regular {
                break;
            }
            if view.interested {
                decision.push((view.conn, UnchokeReason::Regular));
                taken += 1;
            } else if rank > 0 {
                decision.push((view.conn, UnchokeReason::FastUninterested));
            }
        }
        let chosen = |decision: &Decision, conn| decision.iter().any(|&(other, _)| other == conn);
        while taken + self.optimistic.len() < slots {
            let next = self.rotation.iter().position(|&conn| {
                interested(conn) && !self.optimistic.contains(&conn) && !chosen(&decision, conn)
            });
            let Some(next) = next else { break };
            self.optimistic.push(self.rotation[next]);
            self.rotation.rotate_left(next + 1);
        }
        decision.extend(self.optimistic.iter().map(|&conn| (conn, UnchokeReason::Optimistic)));
        decision
    }

    /// The rule of Mainline 4 for seeds: of the unchoked, those unchoked in the last 30 s or with requests pending stay,
    /// the newest first, then those we send to fastest; a third of the slots, rounded up, goes round in 30 s, and so
    /// do the free ones. So time, not rate, is shared evenly (Legout et al., IMC 2006, section 2.3.3).
    fn seed_mainline(&mut self, config: &Config, round: bool, views: &[ChokeView]) -> Decision {
        const RECENT_MS: u32 = 30_000;
        self.optimistic.clear();
        let slots = usize::from(config.unchoke_slots);
        let forced = if round {
            let per_turn = u32::from(config.unchoke_slots).div_ceil(3);
            ((per_turn + self.round % 3) / 3).saturating_sub(self.filled_since_round) as usize
        } else {
            0
        };
        let mut keep: Vec<&ChokeView> =
            views.iter().filter(|view| view.unchoked && view.interested).collect();
        keep.sort_unstable_by_key(|view| {
            let by_age = view.pending || view.since_unchoke < RECENT_MS;
            let age = if by_age { view.since_unchoke } else { u32::MAX };
            (age, core::cmp::Reverse(view.sent), self.tie_break(view.conn))
        });
        let waiting = views.iter().filter(|view| view.interested && !view.unchoked).count();
        keep.truncate(slots.saturating_sub(forced.min(waiting)));

        let mut decision: Decision = keep.iter().map(|view| (view.conn, UnchokeReason::Regular)).collect();
        let kept = decision.len();
        while decision.len() < slots {
            let next = self.rotation.iter().position(|&conn| {
                views.iter().any(|view| view.conn == conn && view.interested)
                    && !decision.iter().any(|&(other, _)| other == conn)
            });
            let Some(next) = next else { break };
            decision.push((self.rotation[next], UnchokeReason::Optimistic));
            self.rotation.rotate_left(next + 1);
        }
        self.filled_since_round =
            if round { 0 } else { self.filled_since_round + (decision.len() - kept) as u32 };
        decision
    }

    fn tie_break(&self, conn: ConnId) -> u64 {
        Random::stream(self.tie, u64::from(conn.0)).bits()
    }
}

impl Default for Choker {
    fn default() -> Self {
        Self::new()
    }
}

/// libtorrent's rule: who is in its turn (less than 20 pieces, or less than 60 s) keeps its slot; among the others
/// the one that waits longest.
fn rank_round_robin(view: &ChokeView) -> u64 {
    const QUOTA_PIECES: u32 = 20;
    const LEAST_MS: u32 = 60_000;
    let in_turn =
        view.unchoked && (view.pieces_since_unchoke < QUOTA_PIECES || view.since_unchoke < LEAST_MS);
    if in_turn {
        1 << 40
    } else if view.unchoked {
        0
    } else {
        1 + u64::from(view.since_unchoke)
    }
}

/// Chow et al., IPTPS 2008: a remote near the start or the end of its download goes before one in the middle.
fn rank_anti_leech(view: &ChokeView) -> u64 {
    u64::from((i32::from(view.progress) - 500).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn view(conn: u16) -> ChokeView {
        ChokeView {
            conn: ConnId(conn),
            interested: true,
            unchoked: false,
            snubbed: false,
            received: 0,
            sent: 0,
            pending: true,
            since_unchoke: 0,
            pieces_since_unchoke: 0,
            progress: 500,
        }
    }

    fn unchoked(decision: &Decision) -> Vec<u16> {
        let mut conns: Vec<u16> = decision.iter().map(|(conn, _)| conn.0).collect();
        conns.sort_unstable();
        conns
    }

    #[test]
    fn an_uninterested_faster_remote_costs_no_slot() {
        let mut views: Vec<ChokeView> = (0..6).map(view).collect();
        for (view, received) in views.iter_mut().zip([60, 50, 40, 30, 20, 10]) {
            view.received = received;
        }
        views[1].interested = false;
        views[5].interested = false;
        let config = Config { unchoke_slots: 3, optimistic_slots: 0, ..Config::default() };
        let decision = Choker::new().decide(&config, false, true, &views, &mut Random::new(1));
        assert_eq!(unchoked(&decision), [0, 1, 2, 3], "1 ranks before the last chosen, 5 does not");
        assert_eq!(decision[1], (ConnId(1), UnchokeReason::FastUninterested));
    }

    #[test]
    fn a_snubber_is_unchoked_only_by_chance() {
        let mut views: Vec<ChokeView> = (0..3).map(view).collect();
        views[0].received = 1_000;
        views[0].snubbed = true;
        let mut choker = Choker::new();
        (0..3).for_each(|conn| choker.opened(ConnId(conn), &mut Random::new(1)));
        let config = Config { unchoke_slots: 2, optimistic_slots: 0, ..Config::default() };
        let decision = choker.decide(&config, false, true, &views, &mut Random::new(1));
        assert_eq!(unchoked(&decision), [1, 2]);
        views.truncate(1);
        let decision = choker.decide(&config, false, true, &views, &mut Random::new(1));
        assert_eq!(decision, [(ConnId(0), UnchokeReason::Optimistic)], "a slot nobody else fills");
    }

    /// An hour of a seed that serves 40 leechers, the first of which takes thrice what the others can.
    fn share_of_the_fastest(seed_choker: SeedChoker) -> f64 {
        let config = Config { seed_choker, ..Config::default() };
        let mut random = Random::new(2);
        let mut choker = Choker::new();
        let mut views: Vec<ChokeView> = (0..40).map(view).collect();
        (0..40).for_each(|conn| choker.opened(ConnId(conn), &mut random));
        let mut given = vec![0u64; 40];
        for _ in 0..360 {
            let decision = choker.decide(&config, true, true, &views, &mut random);
            for (at, view) in views.iter_mut().enumerate() {
                let now = decision.iter().any(|&(conn, _)| conn == view.conn);
                view.since_unchoke = if now && !view.unchoked { 0 } else { view.since_unchoke + 10_000 };
                let sent = if at == 0 { 3_000 } else { 1_000 };
                view.sent = if now { view.sent / 2 + sent } else { 0 };
                view.pieces_since_unchoke = if now { view.since_unchoke / 1_000 } else { 0 };
                given[at] += if now { u64::from(sent) } else { 0 };
                view.unchoked = now;
            }
        }
        assert!(given.iter().skip(1).all(|&bytes| bytes > 0), "{seed_choker:?} starves someone: {given:?}");
        given[0] as f64 * 40.0 / given.iter().sum::<u64>() as f64
    }

    #[test]
    fn the_mainline_4_seed_is_not_captured_by_a_fast_leecher() {
        // The fast one takes thrice as much in equal time: an even share of time gives 3 x 40 / 42 = 2.86.
        let even = 3.0 * 40.0 / 42.0;
        for fair in [SeedChoker::Mainline4, SeedChoker::RoundRobin] {
            let share = share_of_the_fastest(fair);
            assert!(share < even * 1.1, "{fair:?}: {share}");
        }
        let fastest = share_of_the_fastest(SeedChoker::FastestUpload);
        assert!(fastest > even * 2.0, "the old rule is captured: {fastest}");
    }

    #[test]
    fn anti_leech_prefers_the_ends_of_a_download() {
        let mut views: Vec<ChokeView> = (0..4).map(view).collect();
        for (view, progress) in views.iter_mut().zip([20, 480, 900, 600]) {
            view.progress = progress;
        }
        let config = Config {
            seed_choker: SeedChoker::AntiLeech,
            unchoke_slots: 2,
            optimistic_slots: 0,
            ..Config::default()
        };
        let decision = Choker::new().decide(&config, true, true, &views, &mut Random::new(1));
        assert_eq!(unchoked(&decision), [0, 2]);
    }

    #[test]
    fn a_new_link_is_three_times_as_likely_to_be_next_in_the_rotation() {
        const DRAWS: u32 = 10_000;
        let config = Config { unchoke_slots: 1, optimistic_slots: 1, ..Config::default() };
        let views: Vec<ChokeView> = (0..10).map(view).collect();
        let mut random = Random::new(5);
        let mut first = 0;
        for _ in 0..DRAWS {
            let mut choker = Choker::new();
            (0..10).for_each(|conn| choker.opened(ConnId(conn), &mut random));
            let decision = choker.decide(&config, false, true, &views, &mut random);
            assert_eq!(decision[0].1, UnchokeReason::Optimistic);
            first += u32::from(decision[0].0 == ConnId(9));
        }
        // 3 of 12 places; two-sided chi-square at p = 0.01 with one degree of freedom allows 6.63.
        let expected = f64::from(DRAWS) * 3.0 / 12.0;
        let chi = (f64::from(first) - expected).powi(2) / (expected * 0.75);
        assert!(chi < 6.63, "{first} of {DRAWS}");
    }
}
