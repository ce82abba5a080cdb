//! The plain, quadratic way to decide, as a reference: the quick way must give the same, in the same order.

use alloc::vec::Vec;

use super::*;

/// The state of the plain way.
#[derive(Default)]
struct Plain {
    rotation: Vec<ConnId>,
    optimistic: Vec<ConnId>,
    round: u32,
    tie: u64,
    filled_since_round: u32,
}

impl Plain {
    fn opened(&mut self, conn: ConnId, random: &mut Random) {
        let place = random.below(self.rotation.len() as u32 + 3).saturating_sub(2);
        self.rotation.insert(place as usize, conn);
    }

    fn closed(&mut self, conn: ConnId) {
        self.rotation.retain(|&other| other != conn);
        self.optimistic.retain(|&other| other != conn);
    }

    fn decide(
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
                self.ranked(config, turn, views, ranked::round_robin)
            }
            (true, SeedChoker::FastestUpload, _) => {
                self.ranked(config, turn, views, |view| u64::from(view.sent))
            }
            (true, SeedChoker::AntiLeech, _) => {
                self.ranked(config, turn, views, |view| u64::from(ranked::anti_leech(view)))
            }
            _ => self.ranked(config, turn, views, |view| u64::from(view.received)),
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

/// A remote whose every property is drawn, with many equal ones.
fn drawn(conn: u16, random: &mut Random) -> ChokeView {
    let mut coin = |of: u32| random.below(of);
    ChokeView {
        conn: ConnId(conn),
        interested: coin(3) > 0,
        unchoked: coin(3) == 0,
        snubbed: coin(6) == 0,
        received: coin(4) * 16_384,
        sent: coin(4) * 16_384,
        pending: coin(2) == 0,
        since_unchoke: coin(8) * 10_000,
        pieces_since_unchoke: coin(4) * 10,
        progress: coin(5) as u16 * 200,
    }
}

#[test]
fn the_quick_way_decides_as_the_plain_way() {
    let seeds =
        [SeedChoker::Mainline4, SeedChoker::FastestUpload, SeedChoker::RoundRobin, SeedChoker::AntiLeech];
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let config = Config {
            unchoke_slots: 1 + random.below(9) as u16,
            unchoke_most: 0,
            optimistic_slots: random.below(3) as u16,
            choker: [LeechChoker::Reciprocal, LeechChoker::RoundRobin][seed as usize % 2],
            seed_choker: seeds[seed as usize % 4],
            ..Config::default()
        };
        let (mut plain, mut quick, mut links) = (Plain::default(), Choker::new(), Vec::new());
        let mut draws = [Random::new(seed + 1), Random::new(seed + 1)];
        for step in 0..60 {
            let (conn, come) = (random.below(70) as u16, random.below(3) > 0);
            if links.contains(&conn) && !come {
                links.retain(|&other| other != conn);
                plain.closed(ConnId(conn));
                quick.closed(ConnId(conn));
            } else if !links.contains(&conn) {
                links.push(conn);
                links.sort_unstable();
                plain.opened(ConnId(conn), &mut draws[0]);
                quick.opened(ConnId(conn), &mut draws[1]);
            }
            let views: Vec<ChokeView> = links.iter().map(|&conn| drawn(conn, &mut random)).collect();
            let (seeding, round) = (random.below(2) == 0, random.below(4) > 0);
            let expected = plain.decide(&config, seeding, round, &views, &mut draws[0]);
            let decided = quick.decide(&config, seeding, round, &views, &mut draws[1]);
            assert_eq!(decided, expected, "seed {seed}, step {step}, {config:?}");
        }
    }
}
