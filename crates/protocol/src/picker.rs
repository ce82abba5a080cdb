//! Which piece is begun next: a pure choice among plain views.
//!
//! It knows nothing of links, blocks or time.

pub use crate::availability::Availability;
use crate::bitfield::{contains, ones};
use crate::{PickReason, Picker, PieceIndex, Random};

/// What a choice is made from.
#[derive(Clone, Copy, Debug)]
pub struct PickView<'a> {
    /// The remote's pieces as words of 64, piece 0 in the high bit of the first; `None` if it has all.
    pub remote: Option<&'a [u64]>,
    /// The pieces we lack and have not begun, likewise.
    pub unstarted: &'a [u64],
    /// How many connected remotes have each piece.
    pub availability: &'a Availability,
    /// How many pieces we have or have begun.
    pub begun: u32,
    /// So many pieces are begun at random before rarest first sets in.
    pub random_first: u32,
}

impl<'a> PickView<'a> {
    /// The pieces that can be begun at the remote, as words.
    fn candidates(self) -> impl Iterator<Item = u64> + Clone + use<'a> {
        // Of a remote that has all, any words that are as many will do.
        let (remote, all) = match self.remote {
            Some(remote) => (remote, 0),
            None => (self.unstarted, u64::MAX),
        };
        self.unstarted.iter().zip(remote).map(move |(unstarted, remote)| unstarted & (remote | all))
    }
}

/// The piece to begin at a remote: one it has, we lack, and nobody was asked for yet. Ties are broken at random, each
/// candidate equally likely. Costs one or two passes over the words, with a step for each bit of a count.
pub fn pick(policy: Picker, view: PickView<'_>, random: &mut Random) -> Option<(PieceIndex, PickReason)> {
    let reason = match policy {
        Picker::Sequential => {
            let (at, word) = view.candidates().enumerate().find(|&(_, word)| word != 0)?;
            return Some((ones(at, word).next()?, PickReason::Sequential));
        }
        Picker::Random => PickReason::Random,
        Picker::RarestFirst if view.begun < view.random_first => PickReason::RandomFirst,
        Picker::RarestFirst => return Some((pick_rarest(view, random)?, PickReason::RarestFirst)),
    };
    let total: u32 = view.candidates().map(u64::count_ones).sum();
    let skip = if total == 0 { return None } else { random.below(total) };
    Some((nth(view.candidates(), skip)?, reason))
}

/// The piece of this number in a set given as words.
fn nth(words: impl Iterator<Item = u64>, mut number: u32) -> Option<PieceIndex> {
    for (at, word) in words.enumerate().filter(|&(_, word)| word != 0) {
        if number < word.count_ones() {
            return ones(at, word).nth(number as usize);
        }
        number -= word.count_ones();
    }
    None
}

/// The first or the last piece of the content, if one of them can be begun at a remote.
pub(crate) fn pick_edge(
    view: PickView<'_>,
    pieces: u32,
    random: &mut Random,
) -> Option<(PieceIndex, PickReason)> {
    let last = pieces.checked_sub(1)?;
    let fits = |&piece: &u32| {
        let piece = PieceIndex(piece);
        contains(view.unstarted, piece) && view.remote.is_none_or(|remote| contains(remote, piece))
    };
    let mut edges = [0, last];
    edges.rotate_left(random.below(2) as usize);
    edges.into_iter().find(fits).map(|piece| (PieceIndex(piece), PickReason::Edge))
}

/// Any of the pieces that the fewest have: one pass finds how few that are, and how many pieces, the other the one that is drawn.
fn pick_rarest(view: PickView<'_>, random: &mut Random) -> Option<PieceIndex> {
    let words = view.candidates().zip(view.availability.groups());
    let (mut least, mut ties) = (u32::MAX, 0);
    for (word, group) in words.clone().filter(|&(word, _)| word != 0) {
        let (count, rarest) = group.rarest(word);
        if count <= least {
            ties = rarest.count_ones() + if count == least { ties } else { 0 };
            least = count;
        }
    }
    let skip = if ties < 2 { 0 } else { random.below(ties) };
    nth(words.map(|(word, group)| if word == 0 { 0 } else { group.with(word, least) }), skip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec;
    use alloc::vec::Vec;

    fn availability(counts: &[u16]) -> Availability {
        let mut availability = Availability::new(counts.len() as u32);
        for (at, &count) in counts.iter().enumerate() {
            (0..count).for_each(|_| availability.add(PieceIndex(at as u32)));
        }
        availability
    }

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
        let availability = availability(&counts);
        let (remote, unstarted) = (words(remote, 'x'), words(ours, '.'));
        let mut seen = vec![b'-'; ours.len()];
        let mut random = Random::new(1);
        for _ in 0..1_000 {
            let view = PickView {
                remote: Some(&remote),
                unstarted: &unstarted,
                availability: &availability,
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
    fn edges_are_the_first_and_the_last_piece_while_they_can_be_begun() {
        let availability = availability(&[1; 4]);
        let edges = |remote: u64, unstarted: u64| {
            let (remote, unstarted) = ([remote << 60], [unstarted << 60]);
            let view = PickView {
                remote: Some(&remote),
                unstarted: &unstarted,
                availability: &availability,
                begun: 0,
                random_first: 0,
            };
            let mut seen: Vec<u32> = (0..20)
                .filter_map(|seed| pick_edge(view, 4, &mut Random::new(seed)))
                .map(|(piece, _)| piece.0)
                .collect();
            seen.sort_unstable();
            seen.dedup();
            seen
        };
        assert_eq!(edges(0b1111, 0b1111), [0, 3]);
        assert_eq!(edges(0b1110, 0b1111), [0]);
        assert_eq!(edges(0b1111, 0b0111), [3]);
        assert!(edges(0b1111, 0b0110).is_empty());
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
        let availability = availability(&[1, 1, 1, 1]);
        let unstarted = [0xf000_0000_0000_0000];
        let mut drawn = [0u32; 4];
        let mut random = Random::new(3);
        for _ in 0..40_000 {
            let view = PickView {
                remote: None,
                unstarted: &unstarted,
                availability: &availability,
                begun: 9,
                random_first: 4,
            };
            let (piece, _) = pick(Picker::RarestFirst, view, &mut random).unwrap();
            drawn[piece.0 as usize] += 1;
        }
        assert!(drawn.iter().all(|&count| (9_600..10_400).contains(&count)), "{drawn:?}");
    }
}
