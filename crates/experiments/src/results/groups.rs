//! Sums over nodes: for each group, and for leechers and seeds of all groups.

use std::time::Duration;

use swarmlab_sim::{Model, Outcome, PeerOutcome, Role};

use super::document::{GroupResult, Times, role_name};
use crate::numbers::{Decimal, micros};

/// What nodes sent and received together, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Total {
    pub(super) uploaded: u128,
    pub(super) downloaded: u128,
    pub(super) wasted: u128,
    pub(super) up_wire: u128,
    /// What their uplinks could have carried, in bytes per second times microseconds.
    capacity: u128,
}

impl Total {
    fn add(&mut self, peer: &PeerOutcome, up: u64, end: Duration) {
        self.uploaded += u128::from(peer.uploaded);
        self.downloaded += u128::from(peer.downloaded);
        self.wasted += u128::from(peer.wasted);
        self.up_wire += u128::from(peer.up_wire);
        self.capacity = self.capacity.saturating_add(u128::from(up) * u128::from(present_us(peer, end)));
    }

    pub(super) fn plus(self, other: Total) -> Total {
        Total {
            uploaded: self.uploaded + other.uploaded,
            downloaded: self.downloaded + other.downloaded,
            wasted: self.wasted + other.wasted,
            up_wire: self.up_wire + other.up_wire,
            capacity: self.capacity.saturating_add(other.capacity),
        }
    }

    /// Content sent over capacity.
    pub(super) fn utilisation(self) -> Option<Decimal> {
        Decimal::ratio(self.uploaded.saturating_mul(1_000_000), self.capacity)
    }

    /// Everything sent over capacity.
    pub(super) fn link_utilisation(self) -> Option<Decimal> {
        Decimal::ratio(self.up_wire.saturating_mul(1_000_000), self.capacity)
    }
}

/// Microseconds for which a node was present until the last completion. A run itself goes on to its next sample, when
/// nobody is left to send to.
fn present_us(peer: &PeerOutcome, end: Duration) -> u64 {
    match (peer.join, peer.leave) {
        (Some(join), None) => peer.present_us.min(micros(end.saturating_sub(join))),
        _ => peer.present_us,
    }
}

/// The totals of those who had everything from their start, and of all others.
pub(super) struct Totals {
    pub(super) seeds: Total,
    pub(super) leechers: Total,
}

pub(super) fn totals(model: &Model, outcome: &Outcome) -> Totals {
    let mut totals = Totals { seeds: Total::default(), leechers: Total::default() };
    for peer in &outcome.peers {
        let Some(group) = model.groups.get(peer.group as usize) else { continue };
        let total = if group.role == Role::Seed { &mut totals.seeds } else { &mut totals.leechers };
        total.add(peer, group.up, outcome.simulated);
    }
    totals
}

/// From the first arrival of an honest leecher to the last completion; `None` unless all of them have completed.
pub(crate) fn makespan(model: &Model, outcome: &Outcome) -> Option<Duration> {
    let (mut first, mut last) = (None, None);
    for peer in &outcome.peers {
        let awaited = model.groups.get(peer.group as usize).is_some_and(|group| model.awaits(group));
        if awaited && (peer.lacked > 0 || peer.join.is_none()) {
            let join = peer.join?;
            first = Some(first.unwrap_or(join).min(join));
            last = last.max(Some(peer.complete?));
        }
    }
    last?.checked_sub(first?)
}

/// A row for each group.
pub(super) fn of(model: &Model, outcome: &Outcome, warmup: Duration) -> Vec<GroupResult> {
    let mut totals = vec![Total::default(); model.groups.len()];
    let mut times = vec![Vec::new(); model.groups.len()];
    let mut rows: Vec<GroupResult> = model.groups.iter().map(empty).collect();
    for peer in &outcome.peers {
        let number = peer.group as usize;
        let Some(row) = rows.get_mut(number) else { continue };
        totals[number].add(peer, model.groups[number].up, outcome.simulated);
        row.joined += u64::from(peer.join.is_some());
        row.bad_pieces += u64::from(peer.bad_pieces);
        if let Some(time) = download_time(peer) {
            row.completed += 1;
            if peer.join >= Some(warmup) {
                times[number].push(micros(time));
            }
        }
        row.gave_up += u64::from(peer.leave.is_some() && peer.complete.is_none());
    }
    for ((row, total), times) in rows.iter_mut().zip(totals).zip(times) {
        row.uploaded = total.uploaded.try_into().unwrap_or(u64::MAX);
        row.downloaded = total.downloaded.try_into().unwrap_or(u64::MAX);
        row.wasted = total.wasted.try_into().unwrap_or(u64::MAX);
        row.share_ratio = Decimal::ratio(total.uploaded, total.downloaded);
        row.utilisation = total.utilisation();
        row.time = Times::of(times);
    }
    rows
}

/// Time from join to completion of a node that lacked something.
pub(crate) fn download_time(peer: &PeerOutcome) -> Option<Duration> {
    if peer.lacked == 0 {
        return None;
    }
    peer.complete?.checked_sub(peer.join?)
}

fn empty(group: &swarmlab_sim::Group) -> GroupResult {
    GroupResult {
        name: group.name.clone(),
        role: role_name(group.role),
        behaviour: group.behaviour.name(),
        count: group.count.into(),
        joined: 0,
        completed: 0,
        gave_up: 0,
        time: None,
        uploaded: 0,
        downloaded: 0,
        wasted: 0,
        share_ratio: None,
        utilisation: None,
        bad_pieces: 0,
    }
}
