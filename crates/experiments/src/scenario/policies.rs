//! The words for the engine's policies, with what each means.

use swarmlab_protocol::{Endgame, LeechChoker, OptimisticRule, Picker, PipelineRule, SeedChoker, Unfinished};

use super::definition::{Word, word};

pub(crate) const PICKERS: [(Word, Picker); 3] = [
    (word("rarest-first", "The piece the fewest connected peers have (BEP 3)."), Picker::RarestFirst),
    (word("random", "Any the remote has."), Picker::Random),
    (word("sequential", "The lowest index the remote has."), Picker::Sequential),
];

pub(crate) const CHOKERS: [(Word, LeechChoker); 9] = [
    (
        word("reciprocal", "The interested remotes that send most: tit for tat (BEP 3)."),
        LeechChoker::Reciprocal,
    ),
    (word("round-robin", "Interested remotes in turn, whatever they give."), LeechChoker::RoundRobin),
    (
        word(
            "bep3",
            "Those that send most, snubbed or not; an optimistic one that is not interested takes no slot.",
        ),
        LeechChoker::Bep3,
    ),
    (
        word(
            "mainline-4",
            "Those that send most and do not snub; two optimistic ones where nobody else is unchoked.",
        ),
        LeechChoker::Mainline4,
    ),
    (
        word("libtorrent", "Those that sent most in the last round, in a tie who waits longest."),
        LeechChoker::Libtorrent,
    ),
    (
        word("transmission", "Those that send most, the unchoked first among equals."),
        LeechChoker::Transmission,
    ),
    (word("aria2", "Those that send most among who sent anything in the last 30 s."), LeechChoker::Aria2),
    (word("everybody", "Everyone (rqbit); set unchoke_slots to 65535 with it."), LeechChoker::Everybody),
    (
        word("bittyrant", "Those that return most for what they cost (Piatek et al., NSDI 2007)."),
        LeechChoker::BitTyrant,
    ),
];

pub(crate) const SEED_CHOKERS: [(Word, SeedChoker); 7] = [
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
    (
        word("transmission", "The remotes that take fastest, the unchoked first among equals."),
        SeedChoker::Transmission,
    ),
    (
        word(
            "aria2",
            "Those with blocks on the way, then those unchoked in the last 20 s, then the fastest.",
        ),
        SeedChoker::Aria2,
    ),
    (word("everybody", "Everyone (rqbit); set unchoke_slots to 65535 with it."), SeedChoker::Everybody),
];

pub(crate) const ENDGAMES: [(Word, Endgame); 2] = [
    (word("strict", "Of one more remote that has nothing else to do (libtorrent)."), Endgame::Strict),
    (word("full", "Of every remote (BEP 3)."), Endgame::Full),
];

pub(crate) const OPTIMISTIC: [(Word, OptimisticRule); 3] = [
    (
        word("rotation", "The next in a rotation, newcomers first with three times the chance (BEP 3)."),
        OptimisticRule::Rotation,
    ),
    (word("longest-waiting", "Who has waited longest for one (libtorrent)."), OptimisticRule::LongestWaiting),
    (word("random", "Any (Transmission, aria2)."), OptimisticRule::Random),
];

pub(crate) const UNFINISHED: [(Word, Unfinished); 6] = [
    (
        word("oldest-unless-rarer", "The one begun first, unless the remote has a new one that fewer have."),
        Unfinished::OldestUnlessRarer,
    ),
    (word("oldest", "The one begun first."), Unfinished::Oldest),
    (
        word("rarest", "The rarest, unless the remote has a new one that fewer have (libtorrent)."),
        Unfinished::Rarest,
    ),
    (
        word("fewest-missing", "The one that lacks fewest blocks (Transmission 4.0)."),
        Unfinished::FewestMissing,
    ),
    (
        word("fewest-unrequested", "The one with fewest blocks still to be requested (Transmission 4.1)."),
        Unfinished::FewestUnrequested,
    ),
    (
        word(
            "listed",
            "The first of a list that is not always in order (Transmission 3.00); instead of picker.",
        ),
        Unfinished::Listed,
    ),
];

pub(crate) const PIPELINE_RULES: [(Word, PipelineRule); 6] = [
    (
        word("delay", "By the delay of each block: one more within half of span, one fewer beyond it."),
        PipelineRule::Delay,
    ),
    (word("fixed", "Always min."), PipelineRule::Fixed),
    (
        word("rate-time", "As many blocks as come in span at the present rate (Transmission)."),
        PipelineRule::RateTime,
    ),
    (
        word("mainline", "min and as many blocks as come in span, bent above 50 (mainline 4)."),
        PipelineRule::Mainline,
    ),
    (
        word(
            "slow-start",
            "One more with each block until the rate grows no longer, then rate-time (libtorrent).",
        ),
        PipelineRule::SlowStart,
    ),
    (
        word("doubling", "Doubled each time as many blocks have come as are outstanding (aria2)."),
        PipelineRule::Doubling,
    ),
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
