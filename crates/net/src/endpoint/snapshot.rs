//! What can be seen of a running endpoint: plain values, made anew a few times a second.

use std::net::SocketAddr;
use std::time::Duration;

use swarmlab_protocol::{AnnounceEvent, Bitfield, ConnView, MessageKind, PeerId, Totals};

/// The state of an endpoint at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Time since the start.
    pub elapsed: Duration,
    /// Where in its life the endpoint is.
    pub phase: Phase,
    /// The pieces that are here and checked.
    pub have: Bitfield,
    /// Bytes sent, received, wasted, lacking.
    pub totals: Totals,
    /// When the last piece was checked, counted from the start; zero if nothing was lacking then.
    pub completed_after: Option<Duration>,
    /// Content received per second, of late, in bytes.
    pub rate_down: u64,
    /// Content sent per second, of late, in bytes.
    pub rate_up: u64,
    /// The open links.
    pub links: Vec<ConnView>,
    /// What was exchanged with whom, also with remotes that have left; by peer id.
    pub exchanged: Vec<Exchange>,
    /// Messages sent, by kind.
    pub sent: Counts,
    /// Messages received, by kind.
    pub received: Counts,
    /// The last announces and what came of them, oldest first.
    pub announces: Vec<AnnounceRecord>,
    /// Announces made in all.
    pub announce_count: u64,
    /// The last trouble with the disk or a remote, in words.
    pub last_error: Option<String>,
}

/// Where in its life an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// In the swarm.
    Running,
    /// Leaving the swarm.
    Stopping,
    /// Gone.
    Stopped,
}

/// What was exchanged with one remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its peer id.
    pub peer_id: PeerId,
    /// Its address when it was last seen.
    pub addr: SocketAddr,
    /// Content sent to it, in bytes.
    pub sent: u64,
    /// Content received from it that was kept, in bytes.
    pub received: u64,
}

/// One announce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnounceRecord {
    /// When the answer came, counted from the start.
    pub at: Duration,
    /// The tracker's URL.
    pub tracker: String,
    /// What was announced.
    pub event: AnnounceEvent,
    /// How many peers it named, or why there is no answer, in words.
    pub result: Result<usize, String>,
    /// What the tracker wants people to know although the announce has succeeded, in its words.
    pub warning: Option<String>,
}

/// Messages by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; MessageKind::ALL.len()]);

impl Counts {
    /// How many of a kind.
    pub fn of(&self, kind: MessageKind) -> u64 {
        self.0[kind as usize]
    }

    /// All kinds with their counts, in the order of [`MessageKind::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (MessageKind, u64)> {
        MessageKind::ALL.into_iter().zip(self.0)
    }

    pub(crate) fn add(&mut self, kind: MessageKind) {
        self.0[kind as usize] += 1;
    }
}

impl Snapshot {
    /// Whether every piece is here and checked.
    pub fn is_complete(&self) -> bool {
        self.have.is_full()
    }
}

/// Rates of late: an average that forgets within a few seconds.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    seen: Option<(Duration, u64, u64)>,
    down: f64,
    up: f64,
}

impl Meter {
    /// Takes notice of the totals at a moment; returns bytes per second (down, up).
    pub(crate) fn update(&mut self, at: Duration, totals: Totals) -> (u64, u64) {
        let Some((then, down, up)) = self.seen.replace((at, totals.downloaded, totals.uploaded)) else {
            return (0, 0);
        };
        let span = at.saturating_sub(then).as_secs_f64();
        if span > 0.0 {
            // Half of the average is made of the last 1.4 s (time constant of two seconds).
            let weight = 1.0 - (-span / 2.0).exp();
            self.down += weight * (totals.downloaded.saturating_sub(down) as f64 / span - self.down);
            self.up += weight * (totals.uploaded.saturating_sub(up) as f64 / span - self.up);
        }
        (self.down as u64, self.up as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_shown_and_forgotten() {
        let mut meter = Meter::default();
        let mut totals = Totals::default();
        let mut shown = (0, 0);
        for tick in 0..80_u64 {
            shown = meter.update(Duration::from_millis(tick * 250), totals);
            totals.downloaded += 25_000;
        }
        assert!((99_000..=100_000).contains(&shown.0) && shown.1 == 0, "{shown:?}");
        totals.downloaded -= 25_000;
        let later = meter.update(Duration::from_secs(60), totals);
        assert!(later.0 < 100, "{later:?}");
    }
}
