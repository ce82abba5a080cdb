//! A run as a comparison sees it, and the part of it that a group is.

use swarmlab_sim::{Model, Outcome, PeerOutcome};

use crate::numbers::micros;

/// One run of a swarm, real or simulated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Where it comes from, as messages name it.
    pub source: String,
    /// Its peers.
    pub peers: Vec<Peer>,
    /// What its result says was otherwise than the scenario, or disturbed.
    pub notes: Vec<String>,
}

/// What became of one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// The group it is of.
    pub group: String,
    /// Whether it came without everything: it is no seed.
    pub lacks: bool,
    /// When it came, in microseconds from a moment that all peers of the run share; `None` if it did not.
    pub join: Option<u64>,
    /// When it had everything, from the same moment.
    pub complete: Option<u64>,
    /// Content sent, in bytes.
    pub uploaded: u64,
    /// Content received, in bytes; `None` if nobody measured it.
    pub downloaded: Option<u64>,
}

impl Run {
    /// What came of a model, as it would be read from the files of its results.
    pub fn of(source: &str, model: &Model, outcome: &Outcome) -> Run {
        let peer = |peer: &PeerOutcome| Peer {
            group: model.groups.get(peer.group as usize).map_or_else(String::new, |group| group.name.clone()),
            lacks: lacks(peer.lacked, peer.join.is_some()),
            join: peer.join.map(micros),
            complete: peer.complete.map(micros),
            uploaded: peer.uploaded,
            downloaded: Some(peer.downloaded),
        };
        let peers = outcome.peers.iter().map(peer).collect();
        Run { source: source.to_owned(), peers, notes: Vec::new() }
    }
}

/// Whether a peer counts as a leecher, by the bytes it lacked when it came: one that never came has not said.
pub(super) fn lacks(lacked: u64, came: bool) -> bool {
    lacked > 0 || !came
}

/// A group of a run, or all its leechers.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// Peers of it.
    pub(super) peers: u64,
    /// Those that came and lacked something.
    pub(super) came: u64,
    /// From join to completion of those that lacked something and got it, in microseconds, sorted.
    pub(super) times: Vec<u64>,
    /// The last completion, since the first join of any leecher of the run, in microseconds.
    pub(super) last: Option<u64>,
    /// Content sent by all of it, in bytes.
    pub(super) uploaded: u64,
    /// Content received by all of it, in bytes; `None` if that of one was not measured.
    pub(super) downloaded: Option<u64>,
}

impl Part {
    /// A group by its name; without a name everyone that lacks something.
    pub(super) fn of(run: &Run, group: Option<&str>) -> Part {
        let start = run.peers.iter().filter(|peer| peer.lacks).filter_map(|peer| peer.join).min();
        let mut part = Part { downloaded: Some(0), ..Part::default() };
        for peer in &run.peers {
            if group.map_or(!peer.lacks, |group| peer.group != group) {
                continue;
            }
            part.peers += 1;
            part.uploaded += peer.uploaded;
            part.downloaded = part.downloaded.zip(peer.downloaded).map(|(all, one)| all + one);
            if !peer.lacks {
                continue;
            }
            part.came += u64::from(peer.join.is_some());
            if let (Some(join), Some(complete), Some(start)) = (peer.join, peer.complete, start) {
                part.times.push(complete.saturating_sub(join));
                part.last = part.last.max(Some(complete.saturating_sub(start)));
            }
        }
        part.times.sort_unstable();
        part
    }

    /// The times over their mean, in millionths.
    pub(super) fn shape(&self) -> Vec<u64> {
        let sum: u128 = self.times.iter().map(|&time| u128::from(time)).sum();
        let over = |&time: &u64| (u128::from(time) * self.times.len() as u128 * 1_000_000).checked_div(sum);
        self.times.iter().filter_map(over).map(|share| u64::try_from(share).unwrap_or(u64::MAX)).collect()
    }

    /// Sent over received, in millionths; `None` if nothing was received.
    pub(super) fn share_ratio(&self) -> Option<u64> {
        let ratio = (u128::from(self.uploaded) * 1_000_000).checked_div(self.downloaded?.into())?;
        u64::try_from(ratio).ok()
    }
}
