//! The words for the engine's policies, with what each means.

use swarmlab_protocol::{Endgame, LeechChoker, Picker, SeedChoker};

use super::definition::{Word, word};

pub(crate) const PICKERS: [(Word, Picker); 3] = [
    (word("rarest-first", "The piece the fewest connected peers have (BEP 3)."), Picker::RarestFirst),
    (word("random", "Any the remote has."), Picker::Random),
    (word("sequential", "The lowest index the remote has."), Picker::Sequential),
];

pub(crate) const CHOKERS: [(Word, LeechChoker); 2] = [
    (
        word("reciprocal", "The interested remotes that send most: tit for tat (BEP 3)."),
        LeechChoker::Reciprocal,
    ),
    (word("round-robin", "Interested remotes in turn, whatever they give."), LeechChoker::RoundRobin),
];

pub(crate) const SEED_CHOKERS: [(Word, SeedChoker); 4] = [
    (
        word("mainline-4", "The recently unchoked stay, then by rate, with forced rotation."),
        SeedChoker::Mainline4,
    ),
    (word("fastest-upload", "The remotes that take fastest (BEP 3)."), SeedChoker::FastestUpload),
    (word("round-robin", "Each keeps its slot for 20 pieces and 60 s (libtorrent)."), SeedChoker::RoundRobin),
    (
        word("anti-leech", "Those near the start or the end first (Chow et al., IPTPS 2008)."),
        SeedChoker::AntiLeech,
    ),
];

pub(crate) const ENDGAMES: [(Word, Endgame); 2] = [
    (word("strict", "Of one more remote that has nothing else to do (libtorrent)."), Endgame::Strict),
    (word("full", "Of every remote (BEP 3)."), Endgame::Full),
];

/// The words of a table of policies.
pub(crate) const fn words<T: Copy, const N: usize>(table: [(Word, T); N]) -> [Word; N] {
    let mut words = [table[0].0; N];
    let mut i = 0;
    while i < N {
        words[i] = table[i].0;
        i += 1;
    }
    words
}

/// The word for a policy.
pub(crate) fn name_in<T: PartialEq>(table: &[(Word, T)], policy: T) -> &'static str {
    table.iter().find(|(_, known)| *known == policy).map_or("", |(word, _)| word.name)
}
