//! What is remembered of a node until the end of a run, as small as it gets: there may be a million of them.

use core::time::Duration;

use swarmlab_protocol::Totals;

use crate::PeerOutcome;

/// A moment that may not have come: `u64::MAX` then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(u64);

impl Moment {
    const NEVER: Moment = Moment(u64::MAX);

    /// Microseconds since the start of the run, if it has come.
    pub(super) fn get(self) -> Option<u64> {
        (self != Moment::NEVER).then_some(self.0)
    }

    /// It is now, unless it was before; true if it is now.
    pub(super) fn set_once(&mut self, now: u64) -> bool {
        let first = *self == Moment::NEVER;
        if first {
            self.0 = now;
        }
        first
    }

    fn duration(self) -> Option<Duration> {
        self.get().map(Duration::from_micros)
    }
}

/// What is remembered of a node.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) join: Moment,
    pub(super) complete: Moment,
    pub(super) leave: Moment,
    /// Content it lacked when it came first, in bytes.
    pub(super) lacked: u64,
    /// Content received, and received for nothing, by engines that are gone.
    downloaded: u64,
    wasted: u64,
    present_us: u64,
    pub(super) bad_pieces: u32,
    pub(super) nat: bool,
}

impl Record {
    pub(super) fn new(nat: bool) -> Self {
        Record {
            join: Moment::NEVER,
            complete: Moment::NEVER,
            leave: Moment::NEVER,
            lacked: 0,
            downloaded: 0,
            wasted: 0,
            present_us: 0,
            bad_pieces: 0,
            nat,
        }
    }

    /// An engine is gone that was here for so long.
    pub(super) fn add(&mut self, totals: Totals, present_us: u64) {
        self.downloaded += totals.downloaded;
        self.wasted += totals.wasted;
        self.present_us += present_us;
    }

    /// As others read it; what a record does not know is left at zero.
    pub(super) fn outcome(&self, group: u32) -> PeerOutcome {
        PeerOutcome {
            group,
            join: self.join.duration(),
            complete: self.complete.duration(),
            leave: self.leave.duration(),
            lacked: self.lacked,
            downloaded: self.downloaded,
            wasted: self.wasted,
            present_us: self.present_us,
            bad_pieces: self.bad_pieces,
            nat: self.nat,
            ..PeerOutcome::default()
        }
    }
}
