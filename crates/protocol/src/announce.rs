//! When to announce, what, and to which tracker: intervals, tiers and back-off.
//!
//! One announce is under way at a time. Tiers are tried in order, the trackers of a tier in an order drawn at random
//! once; one that answers moves to the front of its tier (BEP 12).

use alloc::boxed::Box;
use core::time::Duration;

use crate::{AnnounceEvent, Announced, Instant, Random, TrackerId};

/// Bounds of an interval a tracker may set, so that a bad one neither floods itself nor loses us.
const INTERVAL_BOUNDS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(6 * 3_600));
/// The pause after all trackers have failed; it doubles up to the longest.
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(15 * 60);
/// How long the last announce may take before we leave without an answer.
const STOP_PATIENCE: Duration = Duration::from_millis(1_500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not begun, or between two announces: the next is due then.
    Waiting(Instant),
    /// Waiting for the answer.
    Asking,
    /// The last announce is made: we leave at this moment at the latest.
    Leaving(Instant),
    /// Left.
    Left,
}

/// The schedule of announces of one torrent.
#[derive(Debug)]
pub(crate) struct Announcer {
    /// The trackers in order, each with the number of its tier; in one list, as most torrents have a single one.
    trackers: Box<[(u16, TrackerId)]>,
    /// Place of the tracker to ask next.
    at: u32,
    phase: Phase,
    /// The tracker that knows of us, if any: the one that answered last.
    told: Option<TrackerId>,
    /// `completed` is still to be told.
    completed: bool,
    /// Rounds over all tiers without an answer.
    failures: u32,
    /// Not again before this moment, however short of peers we are.
    not_before: Instant,
}

impl Announcer {
    pub(crate) fn new(tiers: &[u16], random: &mut Random) -> Self {
        let sizes = tiers.iter().filter(|&&size| size > 0);
        let tiers = sizes.zip(0..).flat_map(|(&size, tier)| core::iter::repeat_n(tier, usize::from(size)));
        let mut trackers: Box<[(u16, TrackerId)]> = tiers.zip((0..).map(TrackerId)).collect();
        trackers.chunk_by_mut(|(one, _), (other, _)| one == other).for_each(|tier| random.shuffle(tier));
        Announcer {
            trackers,
            at: 0,
            phase: Phase::Waiting(Instant::START),
            told: None,
            completed: false,
            failures: 0,
            not_before: Instant::START,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting(at) if !self.trackers.is_empty() => Some(at),
            Phase::Leaving(at) => Some(at),
            _ => None,
        }
    }

    /// The announce that is due now, if any.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(TrackerId, AnnounceEvent)> {
        match self.phase {
            Phase::Waiting(at) if at <= now => {
                let tracker = self.next()?;
                self.phase = Phase::Asking;
                Some((tracker, self.event()))
            }
            _ => None,
        }
    }

    /// The tracker to ask next.
    fn next(&self) -> Option<TrackerId> {
        self.trackers.get(self.at as usize).map(|&(_, tracker)| tracker)
    }

    fn event(&self) -> AnnounceEvent {
        match (self.told.is_some(), self.completed) {
            (false, _) => AnnounceEvent::Started,
            (true, true) => AnnounceEvent::Completed,
            (true, false) => AnnounceEvent::None,
        }
    }

    /// The answer to the announce under way; `least` is the least interval where the tracker names none. True if we have
    /// left the swarm by it.
    pub(crate) fn answered(&mut self, now: Instant, announced: &Announced, least: Duration) -> bool {
        if announced.event == AnnounceEvent::Stopped {
            let left = matches!(self.phase, Phase::Leaving(_));
            if left {
                self.phase = Phase::Left;
            }
            return left;
        }
        if self.phase != Phase::Asking {
            return false;
        }
        match &announced.outcome {
            Ok(reply) => {
                self.told = Some(announced.tracker);
                if announced.event == AnnounceEvent::Completed {
                    self.completed = false;
                }
                self.failures = 0;
                self.promote();
                let interval = reply.interval.clamp(INTERVAL_BOUNDS.0, INTERVAL_BOUNDS.1);
                let least = reply.min_interval.unwrap_or(least);
                self.not_before = now + least.clamp(INTERVAL_BOUNDS.0, interval);
                let next = if self.completed { now } else { now + interval };
                self.phase = Phase::Waiting(next);
            }
            Err(_) => {
                let next = if self.advance() { now } else { now + self.back_off() };
                self.phase = Phase::Waiting(next);
            }
        }
        false
    }

    /// The tracker that answered goes to the front of its tier, and the next announce begins there (BEP 12).
    fn promote(&mut self) {
        let at = self.at as usize;
        if let Some(&(tier, _)) = self.trackers.get(at) {
            let first = self.trackers.partition_point(|&(other, _)| other < tier);
            self.trackers[first..=at].rotate_right(1);
        }
        self.at = 0;
    }

    /// Goes on to the next tracker; false if all have been tried.
    fn advance(&mut self) -> bool {
        self.at += 1;
        let more = self.next().is_some();
        if !more {
            self.at = 0;
        }
        more
    }

    fn back_off(&mut self) -> Duration {
        let pause = FIRST_RETRY * (1 << self.failures.min(10));
        self.failures += 1;
        pause.min(LONGEST_RETRY)
    }

    /// We are short of peers: announce again as soon as the tracker allows.
    pub(crate) fn hurry(&mut self) {
        if let Phase::Waiting(at) = self.phase
            && self.told.is_some()
            && self.failures == 0
        {
            self.phase = Phase::Waiting(at.min(self.not_before));
        }
    }

    /// The download has completed: tell it at once.
    pub(crate) fn complete(&mut self, now: Instant) {
        self.completed = true;
        if let Phase::Waiting(at) = self.phase
            && self.told.is_some()
        {
            self.phase = Phase::Waiting(at.min(now));
        }
    }

    /// We leave: whom to tell. `None` if nobody knows of us, and then we have left.
    pub(crate) fn stop(&mut self, now: Instant) -> Option<TrackerId> {
        if matches!(self.phase, Phase::Leaving(_) | Phase::Left) {
            return None;
        }
        let tracker = self.told.or_else(|| if self.phase == Phase::Asking { self.next() } else { None });
        self.phase = if tracker.is_some() { Phase::Leaving(now + STOP_PATIENCE) } else { Phase::Left };
        tracker
    }

    /// The patience for the last answer is over. True if we have left by it.
    pub(crate) fn give_up(&mut self, now: Instant) -> bool {
        let over = matches!(self.phase, Phase::Leaving(at) if at <= now);
        if over {
            self.phase = Phase::Left;
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    use crate::{AnnounceFailure, AnnounceReply};

    fn at(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn answer(
        announcer: &mut Announcer,
        now: Instant,
        (tracker, event): (TrackerId, AnnounceEvent),
        ok: bool,
    ) {
        let reply =
            AnnounceReply { interval: seconds(1_800), min_interval: Some(seconds(60)), peers: Vec::new() };
        let outcome = if ok { Ok(reply) } else { Err(AnnounceFailure::Unreachable) };
        announcer.answered(now, &Announced { tracker, event, outcome }, seconds(120));
    }

    #[test]
    fn started_then_nothing_then_completed_then_stopped() {
        let mut announcer = Announcer::new(&[1], &mut Random::new(1));
        let tracker = TrackerId(0);
        assert_eq!(announcer.due(at(0)), Some((tracker, AnnounceEvent::Started)));
        assert_eq!((announcer.due(at(0)), announcer.deadline()), (None, None), "one at a time");
        answer(&mut announcer, at(1), (tracker, AnnounceEvent::Started), true);
        assert_eq!(announcer.deadline(), Some(at(1_801)));
        assert_eq!(announcer.due(at(1_801)), Some((tracker, AnnounceEvent::None)));
        announcer.complete(at(1_801));
        answer(&mut announcer, at(1_802), (tracker, AnnounceEvent::None), true);
        assert_eq!(announcer.due(at(1_802)), Some((tracker, AnnounceEvent::Completed)));
        answer(&mut announcer, at(1_803), (tracker, AnnounceEvent::Completed), true);
        assert_eq!(announcer.deadline(), Some(at(3_603)));
        assert_eq!(announcer.stop(at(2_000)), Some(tracker));
        assert!(
            !announcer.give_up(at(2_001)) && announcer.give_up(at(2_002)) && announcer.phase == Phase::Left
        );
        assert_eq!(announcer.stop(at(2_002)), None);
    }

    #[test]
    fn one_that_is_short_of_peers_keeps_to_the_least_interval() {
        let mut announcer = Announcer::new(&[1], &mut Random::new(1));
        announcer.hurry();
        let due = announcer.due(at(0)).unwrap();
        answer(&mut announcer, at(0), due, true);
        announcer.hurry();
        assert_eq!(announcer.deadline(), Some(at(60)));
    }

    #[test]
    fn a_failed_completed_is_told_again() {
        let mut announcer = Announcer::new(&[1], &mut Random::new(1));
        let due = announcer.due(at(0)).unwrap();
        answer(&mut announcer, at(0), due, true);
        announcer.complete(at(5));
        let due = announcer.due(at(5)).unwrap();
        answer(&mut announcer, at(5), due, false);
        assert_eq!(announcer.due(at(10)), Some((TrackerId(0), AnnounceEvent::Completed)));
    }

    #[test]
    fn all_tiers_are_tried_before_the_pause_and_the_pause_doubles() {
        let mut announcer = Announcer::new(&[2, 0, 1], &mut Random::new(3));
        for (now, next) in [(0, 5), (5, 15), (15, 35)] {
            let mut asked = Vec::new();
            while let Some(due) = announcer.due(at(now)) {
                asked.push(due.0.0);
                answer(&mut announcer, at(now), due, false);
            }
            assert_eq!(asked.len(), 3);
            assert_eq!(asked[2], 2, "the second tier comes last");
            assert_eq!(announcer.deadline(), Some(at(next)));
        }
    }

    #[test]
    fn the_tracker_that_answers_is_asked_first_from_then_on() {
        let mut announcer = Announcer::new(&[3], &mut Random::new(3));
        let first = announcer.due(at(0)).unwrap();
        answer(&mut announcer, at(0), first, false);
        let second = announcer.due(at(0)).unwrap();
        answer(&mut announcer, at(0), second, true);
        assert_eq!(announcer.due(at(1_800)).map(|due| due.0), Some(second.0));
        assert_ne!(first.0, second.0);
    }

    #[test]
    fn a_tier_is_shuffled() {
        let first = |seed| Announcer::new(&[5], &mut Random::new(seed)).next();
        assert!((0..20).any(|seed| first(seed) != first(0)));
    }

    #[test]
    fn nobody_is_told_of_a_stop_before_the_start() {
        let mut announcer = Announcer::new(&[1], &mut Random::new(1));
        assert_eq!(announcer.stop(at(0)), None);
        assert_eq!(announcer.phase, Phase::Left);
        let mut none = Announcer::new(&[], &mut Random::new(1));
        assert_eq!((none.deadline(), none.due(at(0))), (None, None));
    }
}
