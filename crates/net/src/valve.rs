//! The download limit: sockets are read only as fast as the valve lets bytes through.
//!
//! Readers take from one semaphore, which is first come, first served; a task of the endpoint refills it. Nothing is
//! taken while a socket has nothing to read, so an idle link holds nothing back.

use std::sync::Arc;
use std::time::Duration;

use swarmlab_protocol::Instant;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::rate::Bucket;

/// Time between two refills: short against a tenth of a second, long against a wake-up.
pub(crate) const REFILL: Duration = Duration::from_millis(20);

/// Lets a limited number of bytes a second through.
#[derive(Debug)]
pub(crate) struct Valve {
    bytes: Semaphore,
    /// Most bytes one read may take.
    read: u32,
    /// Most bytes that may lie ready.
    cap: usize,
}

impl Valve {
    /// A valve for `rate` bytes a second.
    pub(crate) fn new(rate: u64) -> Arc<Self> {
        let read = (rate / 20).clamp(512, 64 * 1024) as u32;
        let cap = (rate / 10).max(u64::from(read)) as usize;
        Arc::new(Valve { bytes: Semaphore::new(0), read, cap })
    }

    /// Waits for leave to read; tells how many bytes. Whatever was not read is given back by [`Passage::used`].
    pub(crate) async fn pass(&self) -> Passage<'_> {
        let permit = self.bytes.acquire_many(self.read).await.expect("the valve is never closed");
        Passage { permit, len: self.read as usize }
    }

    /// Moves what the bucket has gained into the valve.
    pub(crate) fn refill(&self, bucket: &mut Bucket, now: Instant) {
        let gained = bucket.level(now).max(0) as usize;
        let room = self.cap.saturating_sub(self.bytes.available_permits());
        let added = gained.min(room);
        bucket.take(added as u64);
        self.bytes.add_permits(added);
    }
}

/// Leave to read.
#[derive(Debug)]
pub(crate) struct Passage<'a> {
    permit: SemaphorePermit<'a>,
    /// Bytes that may be read.
    pub(crate) len: usize,
}

impl Passage<'_> {
    /// Tells how many were read.
    pub(crate) fn used(mut self, bytes: usize) {
        if let Some(used) = self.permit.split(bytes.min(self.len)) {
            used.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lets_through_what_the_rate_allows() {
        let rate = 100_000;
        let valve = Valve::new(rate);
        let mut now = Instant::START;
        let mut bucket = Bucket::new(rate, now);
        let mut through = 0;
        for _ in 0..500 {
            now = now + REFILL;
            valve.refill(&mut bucket, now);
            while valve.bytes.available_permits() >= valve.read as usize {
                let passage = valve.pass().await;
                // Half of what was allowed turns out to be there.
                let read = passage.len / 2;
                through += read as u64;
                passage.used(read);
            }
        }
        assert!(through.abs_diff(1_000_000) < 30_000, "{through} bytes in ten seconds");
    }
}
