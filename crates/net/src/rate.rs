//! Rate limits: token buckets with the time handed in.
//!
//! What is limited is content (upload) or bytes read from sockets (download). Debts are carried on, so over a run the
//! rate is exact; what may come at once is about a tenth of a second's worth, so it is smooth as well.

use std::collections::VecDeque;
use std::time::Duration;

use swarmlab_protocol::Instant;

/// A token bucket; a token is a byte. It may go into debt.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// Bytes per second.
    rate: u64,
    /// Level in millionths of a byte, so that no fraction is lost between two looks.
    level: i128,
    /// The fullest it gets.
    cap: i128,
    seen: Instant,
}

/// Levels count millionths of a byte: rate times microseconds needs no division.
const SCALE: i128 = 1_000_000;

impl Bucket {
    /// A full bucket of `rate` bytes a second that holds a tenth of a second's worth.
    pub(crate) fn new(rate: u64, now: Instant) -> Self {
        let rate = rate.max(1);
        let cap = i128::from(rate) * SCALE / 10;
        Bucket { rate, level: cap, cap, seen: now }
    }

    /// Bytes there are now; negative for a debt.
    pub(crate) fn level(&mut self, now: Instant) -> i64 {
        let micros = now.since(self.seen).as_micros() as i128;
        self.seen = self.seen.max(now);
        self.level = (self.level + micros * i128::from(self.rate)).min(self.cap);
        self.level.div_euclid(SCALE) as i64
    }

    /// Takes bytes out, into debt if need be.
    pub(crate) fn take(&mut self, bytes: u64) {
        self.level -= i128::from(bytes) * SCALE;
    }

    /// Puts bytes back.
    pub(crate) fn give(&mut self, bytes: u64) {
        self.level = (self.level + i128::from(bytes) * SCALE).min(self.cap);
    }

    /// When the level will be above zero.
    pub(crate) fn above_zero_at(&self) -> Instant {
        let lacking = (SCALE - self.level).max(0);
        self.seen + Duration::from_micros((lacking as u128).div_ceil(u128::from(self.rate)) as u64)
    }
}

/// Upload credit under a limit: gives blocks' worth of credit back to links at the rate allowed, in the order in which
/// their blocks were sent. As each link has few credits at a time, links that want to send get equal shares.
#[derive(Debug)]
pub(crate) struct UploadLimit<K> {
    bucket: Bucket,
    waiting: VecDeque<(K, u32)>,
}

impl<K> UploadLimit<K> {
    pub(crate) fn new(rate: u64, now: Instant) -> Self {
        UploadLimit { bucket: Bucket::new(rate, now), waiting: VecDeque::new() }
    }

    /// How many blocks of `block_len` bytes a link may have in flight: about a tenth of a second's worth.
    pub(crate) fn credit(rate: u64, block_len: u32) -> u16 {
        (rate / 10 / u64::from(block_len.max(1))).clamp(1, 64) as u16
    }

    /// A block of `bytes` was sent on credit that was never paid for: a link's first grant.
    pub(crate) fn charge(&mut self, bytes: u32) {
        self.bucket.take(u64::from(bytes));
    }

    /// A block of `bytes` has left: its credit is due when there are tokens for the next.
    pub(crate) fn push(&mut self, link: K, bytes: u32) {
        self.waiting.push_back((link, bytes));
    }

    /// The next credit that is due, if any, and the bytes paid for it.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(K, u32)> {
        if self.waiting.is_empty() || self.bucket.level(now) <= 0 {
            return None;
        }
        let (link, bytes) = self.waiting.pop_front()?;
        self.bucket.take(u64::from(bytes));
        Some((link, bytes))
    }

    /// Gives back what was paid for a credit that nobody can use.
    pub(crate) fn refund(&mut self, bytes: u32) {
        self.bucket.give(u64::from(bytes));
    }

    /// When [`UploadLimit::pop`] has something next.
    pub(crate) fn due(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then(|| self.bucket.above_zero_at())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: u32 = 16_384;

    /// Runs a limit with `links` links that always want to send; returns what each sent and the most in any second.
    fn run(rate: u64, links: usize, seconds: u64) -> (Vec<u64>, u64) {
        let mut now = Instant::START;
        let mut limit = UploadLimit::new(rate, now);
        let (mut sent, mut by_second) = (vec![0; links], vec![0; seconds as usize + 1]);
        let credit = UploadLimit::<usize>::credit(rate, BLOCK);
        for (link, sent) in sent.iter_mut().enumerate() {
            for _ in 0..credit {
                *sent += u64::from(BLOCK);
                by_second[0] += u64::from(BLOCK);
                limit.charge(BLOCK);
                limit.push(link, BLOCK);
            }
        }
        let end = Instant::START + Duration::from_secs(seconds);
        loop {
            while let Some((link, _)) = limit.pop(now) {
                sent[link] += u64::from(BLOCK);
                by_second[(now.as_micros() / 1_000_000) as usize] += u64::from(BLOCK);
                limit.push(link, BLOCK);
            }
            let next = limit.due().unwrap();
            assert!(next > now, "the time moves on");
            if next > end {
                return (sent, by_second[1..].iter().copied().max().unwrap_or(0));
            }
            now = next;
        }
    }

    #[test]
    fn uploads_are_accurate_smooth_and_fair() {
        for rate in [20_000, 100_000, 1_000_000, 50_000_000] {
            for links in [1, 4, 9] {
                let (sent, peak) = run(rate, links, 60);
                let total: u64 = sent.iter().sum();
                let slack = 2 * u64::from(BLOCK) + rate / 10;
                assert!(total.abs_diff(rate * 60) <= rate * 60 / 50 + slack, "{total} at {rate} B/s");
                assert!(peak <= rate + rate / 10 + 2 * u64::from(BLOCK), "{peak} in a second at {rate} B/s");
                let (least, most) = (sent.iter().min().unwrap(), sent.iter().max().unwrap());
                assert!(most - least <= 64 * u64::from(BLOCK), "{least} to {most} at {rate} B/s");
            }
        }
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let mut bucket = Bucket::new(1_000, Instant::START);
        let later = Instant::START + Duration::from_secs(3_600);
        assert_eq!(bucket.level(later), 100);
        bucket.take(600);
        assert_eq!(bucket.level(later), -500);
        let ready = bucket.above_zero_at();
        assert_eq!(ready.since(later), Duration::from_millis(501));
        assert_eq!(bucket.level(ready), 1);
    }
}
