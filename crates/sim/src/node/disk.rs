//! A disk with which something is wrong: it writes slowly, or takes nothing. A sound disk is no part of a node: it is
//! taken to keep up.

use std::collections::VecDeque;

use swarmlab_protocol::{Block, Input, PieceIndex};

use super::Node;
use crate::link::Rate;
use crate::post::Post;
use crate::store::Store;

/// With so much unwritten the engine is told to ask for nothing new, as the real driver does; in microseconds of
/// writing.
const BACKLOG_US: u64 = 1_000_000;

/// A slow or full disk.
#[derive(Debug)]
pub(super) struct Disk {
    /// `None`: it takes nothing.
    rate: Option<Rate>,
    free_us: u64,
    /// Pieces to be verified once everything before is written.
    verify: VecDeque<(u64, PieceIndex)>,
    congested: bool,
    /// It is sound again and goes when what was written slowly is done.
    mended: bool,
}

impl Disk {
    pub(super) fn due(&self) -> u64 {
        let drained = if self.congested || self.mended { self.free_us } else { u64::MAX };
        self.verify.front().map_or(u64::MAX, |&(at, _)| at).min(drained)
    }
}

impl<S: Store> Node<S> {
    /// The disk writes so many bytes per second from now on; `None`: it is sound. What was being written goes on.
    pub(super) fn set_disk(&mut self, now: u64, rate: Option<u64>) {
        let Some(rate) = rate else {
            if let Some(disk) = self.seldom.disk_mut() {
                disk.mended = true;
                disk.free_us = disk.free_us.max(now);
            }
            return;
        };
        let rate = (rate > 0).then(|| Rate::new(rate));
        match self.seldom.disk_mut() {
            Some(disk) => (disk.rate, disk.mended) = (rate, false),
            None => {
                let disk =
                    Disk { rate, free_us: now, verify: VecDeque::new(), congested: false, mended: false };
                self.seldom.set_disk(Some(disk));
            }
        }
    }

    /// Writes a block. Gives what the engine is to be told, if anything.
    pub(super) fn write_slowly(&mut self, now: u64, block: Block) -> Option<Input> {
        let disk = self.seldom.disk_mut()?;
        if disk.mended {
            return None;
        }
        let Some(rate) = disk.rate else { return Some(Input::DiskFailed { piece: block.piece }) };
        disk.free_us = disk.free_us.max(now) + rate.nanos(block.len) / 1_000;
        if !disk.congested && disk.free_us > now + BACKLOG_US {
            disk.congested = true;
            return Some(Input::Congested { disk: true });
        }
        None
    }

    /// Verifies a piece once it is written; false if there is nothing to wait for.
    pub(super) fn verify_later(&mut self, now: u64, piece: PieceIndex) -> bool {
        let Some(disk) = self.seldom.disk_mut() else { return false };
        disk.verify.push_back((disk.free_us.max(now), piece));
        true
    }

    /// Something that was waited for is written.
    pub(super) fn written(&mut self, now: u64, post: &mut Post<'_, S::Payload>) {
        let Some(disk) = self.seldom.disk_mut() else { return };
        if disk.verify.front().is_some_and(|&(at, _)| at <= now) {
            let Some((_, piece)) = disk.verify.pop_front() else { return };
            return self.verified(now, piece, post);
        }
        if std::mem::take(&mut disk.congested) {
            self.hand(now, Input::Congested { disk: false }, post);
        } else if disk.mended {
            self.seldom.set_disk(None);
        }
    }
}
