//! Numbers of what was seen, in the shape of a simulated outcome. What only a simulator knows stays nothing.

use std::time::Duration;

use swarmlab_sim::{End, Model, Outcome, PeerOutcome, Presence, Role, Sample, TrackerLoad};

use crate::client::Counts;
use crate::ground::Carried;

/// What is known of a peer. Times are since the start of the run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) group: u32,
    pub(crate) join: Option<Duration>,
    pub(crate) complete: Option<Duration>,
    pub(crate) leave: Option<Duration>,
    /// Away after a crash since then.
    pub(crate) away: Option<Duration>,
    /// Was away for so long before.
    pub(crate) absent: Duration,
    /// What its present process says.
    pub(crate) counts: Counts,
    /// What those before it said in all.
    pub(crate) before: Counts,
}

impl Record {
    /// Content sent, by all of its processes.
    pub(crate) fn uploaded(&self) -> u64 {
        self.before.uploaded + self.counts.uploaded
    }

    fn downloaded(&self) -> u64 {
        self.before.downloaded + self.counts.downloaded
    }

    /// Its process has died: what it did stays.
    pub(crate) fn dies(&mut self, at: Duration) {
        self.away = Some(at);
        self.before.uploaded += self.counts.uploaded;
        self.before.downloaded += self.counts.downloaded;
        self.before.wasted += self.counts.wasted;
        self.counts = Counts::default();
    }

    /// It comes again.
    pub(crate) fn returns(&mut self, at: Duration) {
        if let Some(away) = self.away.take() {
            self.absent += at.saturating_sub(away);
        }
    }

    fn is_present(&self) -> bool {
        self.join.is_some() && self.leave.is_none() && self.away.is_none()
    }
}

/// The swarm at one moment.
pub(crate) fn sample(model: &Model, records: &[Record], at: Duration, announces: u64) -> Sample {
    let mut groups = vec![Presence::default(); model.groups.len()];
    let mut capacity = 0;
    for record in records {
        let group = &model.groups[record.group as usize];
        let presence = &mut groups[record.group as usize];
        presence.uploaded += record.uploaded();
        presence.downloaded += record.downloaded();
        let seed = group.role == Role::Seed;
        presence.completed += u32::from(!seed && record.complete.is_some());
        if record.is_present() {
            capacity += group.up;
            let has_all = record.complete.is_some();
            presence.seeds += u32::from(has_all);
            presence.leechers += u32::from(!has_all);
        }
    }
    let sum = |of: fn(&Presence) -> u64| groups.iter().map(of).sum();
    let (uploaded, downloaded) = (sum(|group| group.uploaded), sum(|group| group.downloaded));
    Sample { at, uploaded, downloaded, rarest: 0, up_capacity: capacity, announces, groups }
}

/// What came of a run that ended at `ended`.
pub(crate) fn of(
    model: &Model,
    records: &[Record],
    carried: &[Carried],
    timeline: Vec<Sample>,
    (end, ended): (End, Duration),
    announces: u64,
) -> Outcome {
    let length = model.content.layout.length();
    let peer = |(record, carried): (&Record, &Carried)| {
        let seed = model.groups[record.group as usize].role == Role::Seed;
        let left = record.leave.or(record.away).unwrap_or(ended);
        let present = record.join.map(|join| left.saturating_sub(join).saturating_sub(record.absent));
        PeerOutcome {
            group: record.group,
            join: record.join,
            complete: record.complete,
            leave: record.leave,
            lacked: if seed { 0 } else { length },
            uploaded: record.uploaded(),
            downloaded: record.downloaded(),
            wasted: record.before.wasted + record.counts.wasted,
            up_wire: carried.up,
            down_wire: carried.down,
            present_us: present.map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
            ..PeerOutcome::default()
        }
    };
    Outcome {
        digest: [0; 32],
        end,
        simulated: ended,
        events: 0,
        blocks: 0,
        peers: records.iter().zip(carried).map(peer).collect(),
        timeline,
        messages: Default::default(),
        tracker: TrackerLoad { announces, ..TrackerLoad::default() },
        flows: Vec::new(),
        true_copies: None,
        checks: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(uploaded: u64) -> Counts {
        Counts { uploaded, downloaded: 10, wasted: 1, complete: false }
    }

    #[test]
    fn what_a_process_did_before_it_died_is_kept() {
        let second = Duration::from_secs;
        let mut record = Record { join: Some(second(1)), counts: counts(5), ..Record::default() };
        record.dies(second(3));
        assert!(!record.is_present());
        record.returns(second(7));
        record.counts = counts(2);
        assert_eq!((record.uploaded(), record.downloaded(), record.absent), (7, 20, second(4)));
        assert!(record.is_present());
    }
}
