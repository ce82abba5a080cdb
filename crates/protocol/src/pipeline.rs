//! How many requests are kept outstanding at a remote: the arithmetic of each [`PipelineRule`], over four bytes of state
//! and what the link's row knows anyway.
//!
//! It asks for nothing and knows no block: whoever does is told a number, [`Depth::limit`].

use core::time::Duration;

use crate::{Config, PipelineRule};

/// The number of requests to keep outstanding at one remote, and what its rule remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// How many requests to keep outstanding. The two numbers may be kept apart: this one is read at each request.
    pub limit: u16,
    /// What the rule remembers, 0 of a new remote. `SlowStart`: the rate when the last round ended, in KiB/s, `u16::MAX` once it has ended. `Doubling`: blocks that came
    /// since the last doubling.
    pub memory: u16,
}

/// Of [`Depth::memory`]: slow start is over.
const GROWN: u16 = u16::MAX;
/// Slow start ends when the rate grows by less than this from one look to the next, in KiB/s (libtorrent: 5,000 B/s
/// from second to second).
const LEAST_GROWTH: u16 = 5;
/// Mainline's rule bends here, in requests.
const BEND: u64 = 50;

/// A shorter window says nothing about a rate, in milliseconds.
const LEAST_WINDOW: u32 = 1_000;

/// What a link knows when a block has come.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Milliseconds from the request to the block.
    pub delay: u32,
    /// Bytes the remote sent in its window.
    pub window_bytes: u32,
    /// Milliseconds that the window has lasted, at most two choke rounds.
    pub window_ms: u32,
    /// Length of a block of the torrent, in bytes.
    pub block_len: u32,
}

impl PipelineRule {
    /// Whether a block's arrival is judged by the rate of the window; if not, only its delay counts.
    pub(crate) fn looks_at_rate(self) -> bool {
        matches!(self, PipelineRule::RateTime | PipelineRule::Mainline | PipelineRule::SlowStart)
    }
}

impl Arrival {
    /// Of a link of which nothing is known but how long its last block took, in milliseconds.
    pub(crate) fn after(delay: u32) -> Self {
        Arrival { delay, window_bytes: 0, window_ms: 0, block_len: 0 }
    }

    /// Blocks that come in `span_ms` at the rate of the window.
    fn blocks_in(&self, span_ms: u64) -> u64 {
        let over = u64::from(self.window_ms.max(LEAST_WINDOW)) * u64::from(self.block_len.max(1));
        u64::from(self.window_bytes) * span_ms / over
    }

    /// Rate of the window in KiB/s.
    fn rate(&self) -> u16 {
        let rate = u64::from(self.window_bytes) * 1_000 / (u64::from(self.window_ms.max(LEAST_WINDOW)) << 10);
        rate.min(u64::from(GROWN - 1)) as u16
    }
}

impl Depth {
    /// Of a remote that has sent nothing yet, or has snubbed us.
    pub fn new(config: &Config) -> Self {
        Depth { limit: config.pipeline.min, memory: 0 }
    }

    /// A block has come that was asked for.
    #[inline]
    pub fn block(&mut self, config: &Config, arrival: Arrival) {
        let (min, max) = (config.pipeline.min, config.pipeline.max.max(config.pipeline.min));
        let span = millis(config.pipeline.span);
        let bounded = |blocks: u64| blocks.clamp(u64::from(min), u64::from(max)) as u16;
        match config.pipeline_rule {
            PipelineRule::Delay if u64::from(arrival.delay) <= span / 2 => {
                self.limit = self.limit.saturating_add(1).min(max);
            }
            PipelineRule::Delay if u64::from(arrival.delay) > span => {
                self.limit = self.limit.saturating_sub(1).max(min);
            }
            PipelineRule::Delay => {}
            PipelineRule::Fixed => self.limit = min,
            PipelineRule::RateTime => self.limit = bounded(arrival.blocks_in(span)),
            PipelineRule::Mainline => {
                let blocks = u64::from(min) + arrival.blocks_in(span);
                let bent = if blocks > BEND { BEND.max(blocks * 75 / 1_000) } else { blocks };
                self.limit = bounded(bent);
            }
            PipelineRule::SlowStart if self.memory == GROWN => {
                self.limit = bounded(arrival.blocks_in(span));
            }
            PipelineRule::SlowStart => self.limit = self.limit.saturating_add(1).min(max),
            PipelineRule::Doubling => {
                self.memory = self.memory.saturating_add(1);
                if self.memory >= self.limit {
                    *self = Depth { limit: self.limit.saturating_mul(2).min(max), memory: 0 };
                }
            }
        }
    }

    /// Time to see whether the rate still grows, at the end of each choke round; only slow start cares. `arrival` is what
    /// the link knows now; its delay is of no account.
    pub fn look(&mut self, config: &Config, arrival: Arrival) {
        if config.pipeline_rule != PipelineRule::SlowStart
            || self.memory == GROWN
            || arrival.window_bytes == 0
        {
            return;
        }
        let rate = arrival.rate();
        let grows = rate >= self.memory.saturating_add(LEAST_GROWTH);
        self.memory = if grows { rate } else { GROWN };
    }
}

/// A span in milliseconds, 2^24 at most, in the arithmetic of 64 bits: this is done for each block.
fn millis(span: Duration) -> u64 {
    let seconds = span.as_secs().min(1 << 24);
    (seconds * 1_000 + u64::from(span.subsec_millis())).min(1 << 24)
}

const _: () = assert!(size_of::<Depth>() == 4);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pipeline;
    use alloc::vec::Vec;

    fn config(pipeline_rule: PipelineRule, min: u16, max: u16, seconds: u64) -> Config {
        let pipeline = Pipeline { min, max, span: Duration::from_secs(seconds) };
        Config { pipeline, pipeline_rule, ..Config::default() }
    }

    /// A remote that sends `blocks` of 16 KiB in a second, in a window of 20 s.
    fn at_rate(blocks: u32) -> Arrival {
        Arrival { delay: 100, window_bytes: blocks * 16_384 * 20, window_ms: 20_000, block_len: 16_384 }
    }

    /// The depth after each block at this rate.
    fn depths(config: &Config, blocks: u32, count: usize) -> Vec<u16> {
        let mut depth = Depth::new(config);
        (0..count)
            .map(|_| {
                depth.block(config, at_rate(blocks));
                depth.limit
            })
            .collect()
    }

    #[test]
    fn delay_grows_while_quick_and_shrinks_while_slow() {
        let config = config(PipelineRule::Delay, 2, 5, 1);
        let mut depth = Depth::new(&config);
        let mut after = |delay| {
            depth.block(&config, Arrival { delay, ..at_rate(1) });
            depth.limit
        };
        assert_eq!([0, 500, 501, 1_000, 100, 100].map(&mut after), [3, 4, 4, 4, 5, 5]);
        assert_eq!([1_001, 1_001, 1_001, 9_000].map(&mut after), [4, 3, 2, 2]);
    }

    #[test]
    fn clients_keep_what_their_sources_say() {
        // Fixed: Cohen 2003, about 5.
        assert_eq!(depths(&config(PipelineRule::Fixed, 5, 5, 1), 100, 3), [5, 5, 5]);
        // Transmission: 10 s x rate / 16 KiB, at least 32, at most 500.
        let transmission = config(PipelineRule::RateTime, 32, 500, 10);
        for (blocks, depth) in [(0, 32), (3, 32), (4, 40), (50, 500), (51, 500)] {
            assert_eq!(depths(&transmission, blocks, 1), [depth], "{blocks} blocks/s");
        }
        // Mainline: 2 + 4 s x rate / 16 KiB; above 50 the larger of 50 and 7.5 %.
        let mainline = config(PipelineRule::Mainline, 2, 500, 4);
        for (blocks, depth) in [(0, 2), (1, 6), (12, 50), (13, 50), (166, 50), (200, 60), (1_000, 300)] {
            assert_eq!(depths(&mainline, blocks, 1), [depth], "{blocks} blocks/s");
        }
        // aria2: 6, doubling to 256.
        let aria2 = depths(&config(PipelineRule::Doubling, 6, 256, 1), 1, 600);
        let mut steps = aria2.clone();
        steps.dedup();
        assert_eq!(steps, [6, 12, 24, 48, 96, 192, 256]);
        assert_eq!(aria2.iter().position(|&depth| depth == 12), Some(5), "after six blocks");
    }

    #[test]
    fn slow_start_ends_when_the_rate_stops_growing() {
        let config = config(PipelineRule::SlowStart, 2, 500, 3);
        let mut depth = Depth::new(&config);
        for (blocks, expected) in [(10, 12), (20, 22), (40, 32)] {
            (0..10).for_each(|_| depth.block(&config, at_rate(blocks)));
            assert_eq!(depth.limit, expected, "one more with each block");
            depth.look(&config, at_rate(blocks));
        }
        depth.look(&config, at_rate(0));
        depth.block(&config, at_rate(40));
        assert_eq!(depth.limit, 33, "a pause does not end it");
        depth.look(&config, at_rate(40));
        depth.block(&config, at_rate(40));
        assert_eq!(depth.limit, 120, "3 s at 40 blocks/s");
        depth.look(&config, at_rate(400));
        depth.block(&config, at_rate(1));
        assert_eq!(depth.limit, 3, "it does not begin again");
    }

    #[test]
    fn every_rule_keeps_the_bounds_whatever_comes() {
        let rules = [
            PipelineRule::Delay,
            PipelineRule::Fixed,
            PipelineRule::RateTime,
            PipelineRule::Mainline,
            PipelineRule::SlowStart,
            PipelineRule::Doubling,
        ];
        let mut random = crate::Random::new(8);
        for rule in rules {
            for _ in 0..200 {
                let (min, max) = (random.below(40) as u16, random.below(70_000) as u16);
                let config = config(rule, min, max, u64::from(random.below(100_000)));
                let mut depth = Depth::new(&config);
                for _ in 0..50 {
                    let size = random.below(33);
                    let mut any = || (random.bits() >> 32 >> size) as u32;
                    let (delay, window_bytes) = (any(), any());
                    let arrival = Arrival { delay, window_bytes, window_ms: any(), block_len: any() };
                    depth.block(&config, arrival);
                    depth.look(&config, arrival);
                    assert!((min..=max.max(min)).contains(&depth.limit), "{rule:?}: {depth:?}, {config:?}");
                }
            }
        }
    }
}
