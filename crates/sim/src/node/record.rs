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
    /// Only of a node that was here before, or had a bad piece.
    past: Option<Box<Past>>,
}

/// What few nodes have behind them.
#[derive(Debug, Default)]
struct Past {
    /// When it came last.
    joined_at: u64,
    /// Content received, and received for nothing, by engines that are gone.
    downloaded: u64,
    wasted: u64,
    /// How long they were here.
    present_us: u64,
    bad_pieces: u32,
}

impl Default for Record {
    fn default() -> Self {
        let never = Moment::NEVER;
        Record { join: never, complete: never, leave: never, lacked: 0, past: None }
    }
}

impl Record {
    /// It comes, for the first time or again.
    pub(super) fn joins(&mut self, now: u64) {
        if !self.join.set_once(now) {
            self.past().joined_at = now;
        }
    }

    /// An engine is gone.
    pub(super) fn add(&mut self, totals: Totals, now: u64) {
        let past = self.past();
        past.downloaded += totals.downloaded;
        past.wasted += totals.wasted;
        past.present_us += now - past.joined_at;
    }

    pub(super) fn bad_piece(&mut self) {
        self.past().bad_pieces += 1;
    }

    fn past(&mut self) -> &mut Past {
        let joined_at = self.join.0;
        self.past.get_or_insert_with(|| Box::new(Past { joined_at, ..Past::default() }))
    }

    /// As others read it at the end of a run, with what an engine has done that is here still. What a record does not know is left
    /// at zero.
    pub(super) fn outcome(&self, present: Option<Totals>, now: u64) -> PeerOutcome {
        let none = Past { joined_at: self.join.0, ..Past::default() };
        let past = self.past.as_deref().unwrap_or(&none);
        let totals = present.unwrap_or_default();
        PeerOutcome {
            join: self.join.duration(),
            complete: self.complete.duration(),
            leave: self.leave.duration(),
            lacked: self.lacked,
            downloaded: past.downloaded + totals.downloaded,
            wasted: past.wasted + totals.wasted,
            present_us: past.present_us + present.map_or(0, |_| now - past.joined_at),
            bad_pieces: past.bad_pieces,
            ..PeerOutcome::default()
        }
    }
}
