//! Which piece is begun next: a pure choice among plain views.
//!
//! It owns how rare each piece is among the connected remotes; it knows nothing of links, blocks or time.

use alloc::vec;
use alloc::vec::Vec;

use crate::bitfield::ones;
use crate::{PickReason, Picker, PieceIndex, Random};

/// How many connected remotes have each piece.
#[derive(Debug)]
pub struct Availability {
    counts: Vec<u16>,
    seeds: u16,
}

impl Availability {
    /// Of a torrent of `piece_count` pieces that nobody has.
    pub fn new(piece_count: u32) -> Self {
        Availability { counts: vec![0; piece_count as usize], seeds: 0 }
    }

    /// How many have this piece. The piece must exist.
    pub fn of(&self, piece: PieceIndex) -> u16 {
        self.counts[piece.0 as usize].saturating_add(self.seeds)
    }

    /// How many have each piece, without those that have all.
    pub fn counts(&self) -> &[u16] {
        &self.counts
    }

    /// How many have all pieces.
    pub fn seeds(&self) -> u16 {
        self.seeds
    }

    pub(crate) fn add(&mut self, piece: PieceIndex) {
        self.counts[piece.0 as usize] += 1;
    }

    pub(crate) fn add_seed(&mut self) {
        self.seeds += 1;
    }

    pub(crate) fn remove_seed(&mut self) {
        self.seeds -= 1;
    }

    pub(crate) fn add_set(&mut self, words: &[u64]) {
        pieces_of(words).for_each(|piece| self.counts[piece.0 as usize] += 1);
    }

    pub(crate) fn remove_set(&mut self, words: &[u64]) {
        pieces_of(words).for_each(|piece| self.counts[piece.0 as usize] -= 1);
    }
}

fn pieces_of(words: &[u64]) -> impl Iterator<Item = PieceIndex> + '_ {
    words.iter().enumerate().flat_map(|(at, &word)| ones(at, word))
}

/// What a choice is made from.
#[derive(Clone, Copy, Debug)]
pub struct PickView<'a> {
    /// The remote's pieces as words of 64, piece 0 in the high bit of the first; `None` if it has all.
    pub remote: Option<&'a [u64]>,
    /// The pieces we lack and have not begun, likewise.
    pub unstarted: &'a [u64],
    /// How many connected remotes have each piece.
    pub counts: &'a [u16],
    /// How many pieces we have or have begun.
    pub begun: u32,
    /// So many pieces are begun at random before rarest first sets in.
    pub random_first: u32,
}

/// The piece to begin at a remote: one it has, we lack, and nobody was asked for yet. Ties are broken at random, each
/// candidate equally likely. Costs one or two passes over the words, and one look at the count of each candidate.
pub fn pick(policy: Picker, view: PickView<'_>, random: &mut Random) -> Option<(PieceIndex, PickReason)> {
    let candidates = view.unstarted.iter().enumerate().map(|(at, &unstarted)| {
        let word = view.remote.map_or(unstarted, |remote| unstarted & remote[at]);
        (at, word)
    });
    let reason = match policy {
        Picker::Sequential => {
            let (at, word) = candidates.clone().find(|&(_, word)| word != 0)?;
            return Some((ones(at, word).next()?, PickReason::Sequential));
        }
        Picker::Random => PickReason::Random,
        Picker::RarestFirst if view.begun < view.random_first => PickReason::RandomFirst,
        Picker::RarestFirst => {
            let rarest = pick_rarest(candidates, view.counts, random)?;
            return Some((rarest, PickReason::RarestFirst));
        }
    };
    let total: u32 = candidates.clone().map(|(_, word)| word.count_ones()).sum();
    let mut skip = if total == 0 { return None } else { random.below(total) };
    for (at, word) in candidates {
        if skip < word.count_ones() {
            return Some((ones(at, word).nth(skip as usize)?, reason));
        }
        skip -= word.count_ones();
    }
    None
}

fn pick_rarest(
    candidates: impl Iterator<Item = (usize, u64)> + Clone,
    counts: &[u16],
    random: &mut Random,
) -> Option<PieceIndex> {
    let pieces = candidates.flat_map(|(at, word)| ones(at, word));
    let (mut least, mut ties, mut first) = (u16::MAX, 0, None);
    for piece in pieces.clone() {
        let count = counts[piece.0 as usize];
        if first.is_none() || count < least {
            (least, ties, first) = (count, 1, Some(piece));
        } else if count == least {
            ties += 1;
        }
    }
    if ties < 2 {
        return first;
    }
    let chosen = random.below(ties) as usize;
    pieces.filter(|piece| counts[piece.0 as usize] == least).nth(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    /// A character per piece. `remote`: `x` has it. `ours`: `.` lacking and not begun. `counts`: a digit.
    fn picks(policy: Picker, random_first: u32, remote: &str, ours: &str, counts: &str) -> String {
        let words = |text: &str, mark: char| {
            let mut words = vec![0u64; text.len().div_ceil(64)];
            for (at, _) in text.chars().enumerate().filter(|&(_, char)| char == mark) {
                words[at / 64] |= 1 << (63 - at % 64);
            }
            words
        };
        let counts: Vec<u16> = counts.bytes().map(|digit| u16::from(digit - b'0')).collect();
        let (remote, unstarted) = (words(remote, 'x'), words(ours, '.'));
        let mut seen = vec![b'-'; ours.len()];
        let mut random = Random::new(1);
        for _ in 0..1_000 {
            let view = PickView {
                remote: Some(&remote),
                unstarted: &unstarted,
                counts: &counts,
                begun: ours.len() as u32 - unstarted.iter().map(|word| word.count_ones()).sum::<u32>(),
                random_first,
            };
            if let Some((piece, _)) = pick(policy, view, &mut random) {
                seen[piece.0 as usize] = b'P';
            }
        }
        String::from_utf8(seen).unwrap()
    }

    #[test]
    fn rarest_first_takes_any_of_the_rarest_the_remote_has() {
        assert_eq!(picks(Picker::RarestFirst, 0, "xxx-x", ".....", "21312"), "-P---");
        assert_eq!(picks(Picker::RarestFirst, 0, "x-xxx", ".....", "21311"), "---PP");
        assert_eq!(picks(Picker::RarestFirst, 0, "xxxxx", "o...o", "12221"), "-PPP-");
    }

    #[test]
    fn the_first_pieces_are_random() {
        assert_eq!(picks(Picker::RarestFirst, 2, "xxx-x", "o....", "21312"), "-PP-P");
        assert_eq!(picks(Picker::RarestFirst, 2, "xxx-x", "oo...", "21312"), "----P");
    }

    #[test]
    fn other_policies() {
        assert_eq!(picks(Picker::Random, 0, "xx-xx", "o....", "11111"), "-P-PP");
        assert_eq!(picks(Picker::Sequential, 0, "-x-xx", ".....", "11111"), "-P---");
        for policy in [Picker::Random, Picker::Sequential, Picker::RarestFirst] {
            assert_eq!(picks(policy, 0, "x--", "o..", "111"), "---", "nothing useful there");
        }
    }

    #[test]
    fn words_beyond_the_first_count_too() {
        let mut counts = "2".repeat(130);
        counts.replace_range(129.., "1");
        let seen = picks(Picker::RarestFirst, 0, &"x".repeat(130), &".".repeat(130), &counts);
        assert_eq!(seen.find('P'), Some(129));
    }

    #[test]
    fn ties_are_broken_evenly() {
        let counts = [1u16, 1, 1, 1];
        let unstarted = [0xf000_0000_0000_0000];
        let mut drawn = [0u32; 4];
        let mut random = Random::new(3);
        for _ in 0..40_000 {
            let view =
                PickView { remote: None, unstarted: &unstarted, counts: &counts, begun: 9, random_first: 4 };
            let (piece, _) = pick(Picker::RarestFirst, view, &mut random).unwrap();
            drawn[piece.0 as usize] += 1;
        }
        assert!(drawn.iter().all(|&count| (9_600..10_400).contains(&count)), "{drawn:?}");
    }
}
