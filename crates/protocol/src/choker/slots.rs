//! How many slots there are: by what the uplink carries, where the number is not fixed.
//!
//! A piece must be whole before it can be passed on, so a swarm grows at the pace at which pieces pass through slots. A slow
//! uplink has few slots, each of which carries pieces; a fast seed has many, so that its uplink is not limited
//! by the downlinks of a few remotes and its pieces begin to spread at many places. Mainline 4 goes by the rate likewise (`max_uploads`
//! in `Choker.py`), and so does libtorrent's `rate_based_choker`.

use super::ChokeView;
use crate::Config;

/// The fewest slots of a leecher: one to trade and one to look for better.
const FEWEST: u64 = 2;
/// Pieces that a slot of a leecher carries in a round, at least.
const LEECH_PIECES: u64 = 2;
/// A window has two rounds.
const ROUNDS: u64 = 2;

/// The slots of a decision. A leecher has at most `unchoke_slots` and fewer if its uplink does not carry two pieces through
/// each in a round. A seed has at least `unchoke_slots`, and more up to `unchoke_most` while each carries a piece in a round.
/// Between two rounds nobody loses a slot because there are fewer now.
pub(crate) fn slots(
    config: &Config,
    (seeding, round): (bool, bool),
    views: &[ChokeView],
    piece_length: u32,
) -> u16 {
    if !config.adapts_slots() {
        return config.unchoke_slots;
    }
    let base = u64::from(config.unchoke_slots);
    let sent: u64 = views.iter().map(|view| u64::from(view.sent)).sum();
    let pieces = sent / ROUNDS / u64::from(piece_length.max(1));
    let (fewest, carried, most) = match seeding {
        true => (base, pieces, config.unchoke_most.into()),
        false => (FEWEST.min(base), pieces / LEECH_PIECES, base),
    };
    let served = views.iter().filter(|view| view.unchoked && view.interested).count() as u64;
    let wanted = if round { carried } else { carried.max(served) };
    wanted.clamp(fewest, most) as u16
}

/// Whether a remote keeps its slot whatever others give: it has not had two pieces yet, of which the first may have been
/// begun elsewhere, and a minute is not over. A piece of which half has come is of no use to anybody.
pub(super) fn keeps_slot(config: &Config, view: &ChokeView) -> bool {
    const PIECES: u32 = 2;
    const MOST_MS: u32 = 60_000;
    view.unchoked
        && config.adapts_slots()
        && view.pieces_since_unchoke < PIECES
        && view.since_unchoke < MOST_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnId;
    use alloc::vec::Vec;

    const PIECE: u32 = 1_000;

    /// Remotes that were sent so many pieces each in the window; the first `served` of them have a slot.
    fn views(served: usize, pieces: &[u32]) -> Vec<ChokeView> {
        let view = |(at, &pieces): (usize, &u32)| ChokeView {
            conn: ConnId(at as u16),
            interested: true,
            unchoked: at < served,
            snubbed: false,
            received: 0,
            sent: pieces * PIECE,
            pending: true,
            since_unchoke: 0,
            pieces_since_unchoke: pieces,
            progress: 0,
        };
        pieces.iter().enumerate().map(view).collect()
    }

    #[test]
    fn a_leecher_has_the_slots_that_carry_two_pieces_in_a_round_a_seed_one() {
        let config = Config { unchoke_slots: 4, unchoke_most: 20, ..Config::default() };
        // Pieces sent in the two rounds of the window, slots of a leecher, slots of a seed.
        let table = [
            (0, 2, 4),
            (4, 2, 4),
            (11, 2, 5),
            (12, 3, 6),
            (16, 4, 8),
            (17, 4, 8),
            (40, 4, 20),
            (9_000, 4, 20),
        ];
        for (pieces, leecher, seed) in table {
            let views = views(0, &[pieces, 0, 0]);
            assert_eq!(slots(&config, (false, true), &views, PIECE), leecher, "leecher, {pieces} pieces");
            assert_eq!(slots(&config, (true, true), &views, PIECE), seed, "seed, {pieces} pieces");
        }
    }

    #[test]
    fn nobody_loses_a_slot_between_rounds_because_there_are_fewer() {
        let config = Config { unchoke_slots: 4, unchoke_most: 20, ..Config::default() };
        for (served, leecher, seed) in [(1, 2, 4), (3, 3, 4), (9, 4, 9)] {
            let views = views(served, &[0; 30]);
            assert_eq!(slots(&config, (false, false), &views, PIECE), leecher);
            assert_eq!(slots(&config, (true, false), &views, PIECE), seed);
        }
    }

    #[test]
    fn a_fixed_number_stays_whatever_is_sent() {
        for most in [0, 3, 4] {
            let config = Config { unchoke_slots: 4, unchoke_most: most, ..Config::default() };
            for pieces in [0, 9_000] {
                assert_eq!(slots(&config, (false, true), &views(2, &[pieces]), PIECE), 4);
                assert_eq!(slots(&config, (true, true), &views(2, &[pieces]), PIECE), 4);
            }
            assert!(!keeps_slot(&config, &views(1, &[0])[0]));
        }
    }

    #[test]
    fn a_slot_is_kept_for_two_pieces_or_a_minute() {
        let config = Config { unchoke_slots: 4, unchoke_most: 20, ..Config::default() };
        for (unchoked, pieces, millis, keeps) in [
            (true, 0, 0, true),
            (true, 1, 59_999, true),
            (true, 2, 0, false),
            (true, 0, 60_000, false),
            (false, 0, 0, false),
        ] {
            let view = ChokeView { since_unchoke: millis, ..views(usize::from(unchoked), &[pieces])[0] };
            assert_eq!(keeps_slot(&config, &view), keeps, "{unchoked} {pieces} {millis}");
        }
    }
}
