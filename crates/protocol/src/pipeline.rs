//! How many requests are kept outstanding at a remote: the arithmetic of each [`PipelineRule`], over a few bytes of state
//! and what the link's row knows anyway.
//!
//! It asks for nothing and knows no block: whoever does is told a number, [`Depth::limit`].

use core::time::Duration;

use crate::{Config, PipelineRule};

/// The number of requests to keep outstanding at one remote, and what its rule remembers.
#[derive(Debug)]
pub struct Depth<'a> {
    /// How many requests to keep outstanding: [`crate::Pipeline::min`] of a new remote. The two parts are kept apart, as this
    /// number is read at each request.
    pub limit: u16,
    /// What the rule remembers; of a new remote its default.
    pub pace: &'a mut Pace,
}

/// What a rule remembers of a remote: how fast it was in the seconds before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// `SlowStart`: [`GROWN`] once it has ended. `Doubling`: blocks that came since the last doubling.
    memory: u16,
    /// The span of time in which the last block came: a second for `SlowStart`, two for `RateTime`.
    span: u16,
    /// Bytes that came in that span.
    bytes: u32,
    /// Bytes that came in the span before.
    before: u32,
    /// Bytes per second, smoothed.
    rate: u32,
}

/// Of [`Pace::memory`]: slow start is over.
const GROWN: u16 = u16::MAX;
/// Slow start ends when a second brings less than so many bytes more than the one before (libtorrent,
/// `peer_connection::second_tick`).
const LEAST_GROWTH: u32 = 5_000;
/// A rate is looked at each second, which weighs a fifth in it (libtorrent, `stat.cpp`).
const SECOND: u32 = 1_000;
const SMOOTH: u64 = 5;
/// A rate is that of the last 2 s (Transmission, `HISTORY_MSEC` in `bandwidth.h`).
const HISTORY: u32 = 2_000;
/// After so many spans without a block a rate is as good as nothing.
const FORGOTTEN: u16 = 60;
/// Mainline's rule bends here, in requests.
const BEND: u64 = 50;

/// A shorter window says nothing about a rate, in milliseconds.
const LEAST_WINDOW: u32 = 1_000;

/// What a link knows when a block has come.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Milliseconds from the request to the block.
    pub delay: u32,
    /// Length of the block in bytes.
    pub len: u32,
    /// When it came, in milliseconds of the driver's time; it may wrap.
    pub millis: u32,
    /// Bytes the remote sent in its window.
    pub window_bytes: u32,
    /// Milliseconds that the window has lasted, at most two choke rounds.
    pub window_ms: u32,
    /// Length of a block of the torrent, in bytes.
    pub block_len: u32,
}

impl PipelineRule {
    /// Whether anything is remembered of a remote: see [`Pace`].
    pub(crate) fn remembers(self) -> bool {
        !matches!(self, PipelineRule::Delay | PipelineRule::Fixed)
    }
}

impl Arrival {
    /// Blocks that come in `span_ms` at the rate of the window.
    fn blocks_in(&self, span_ms: u64) -> u64 {
        let over = u64::from(self.window_ms.max(LEAST_WINDOW)) * u64::from(self.block_len.max(1));
        u64::from(self.window_bytes) * span_ms / over
    }
}

impl Pace {
    /// Of a remote that has sent nothing yet.
    pub(crate) const NEW: Pace = Pace { memory: 0, span: 0, bytes: 0, before: 0, rate: 0 };

    /// Bytes per second the remote sends, smoothed; 0 where the rule does not look at it.
    pub(crate) fn rate(&self) -> u32 {
        self.rate
    }

    /// Takes a block into account, and the end of the seconds since the last one. A second without growth ends slow start.
    fn smooth(&mut self, arrival: Arrival) {
        let span = (arrival.millis / SECOND) as u16;
        for _ in 0..span.wrapping_sub(self.span).min(FORGOTTEN) {
            if self.before > 0 && self.before.saturating_add(LEAST_GROWTH) >= self.bytes {
                self.memory = GROWN;
            }
            let smoothed = (u64::from(self.rate) * (SMOOTH - 1) + u64::from(self.bytes)) / SMOOTH;
            self.rate = smoothed.min(u64::from(u32::MAX)) as u32;
            self.before = core::mem::take(&mut self.bytes);
        }
        self.span = span;
        self.bytes = self.bytes.saturating_add(arrival.len);
    }

    /// Takes a block into account: the rate is that of this span and of as much of the one before as lies in the window.
    fn slide(&mut self, arrival: Arrival) {
        let span = (arrival.millis / HISTORY) as u16;
        match span.wrapping_sub(self.span) {
            0 => {}
            1 => self.before = core::mem::take(&mut self.bytes),
            _ => (self.before, self.bytes) = (0, 0),
        }
        self.span = span;
        self.bytes = self.bytes.saturating_add(arrival.len);
        let left = HISTORY - arrival.millis % HISTORY;
        let within = u64::from(self.bytes) + u64::from(self.before) * u64::from(left) / u64::from(HISTORY);
        self.rate = (within * 1_000 / u64::from(HISTORY)).min(u64::from(u32::MAX)) as u32;
    }

    /// Blocks that come in `span_ms` at its rate.
    fn blocks_in(&self, span_ms: u64, block_len: u32) -> u64 {
        u64::from(self.rate) * span_ms / (1_000 * u64::from(block_len.max(1)))
    }
}

impl Depth<'_> {
    /// A block has come that was asked for.
    pub fn block(&mut self, config: &Config, arrival: Arrival) {
        let (min, max) = bounds(config);
        let span = millis(config.pipeline.span);
        let bounded = |blocks: u64| blocks.clamp(u64::from(min), u64::from(max)) as u16;
        match config.pipeline_rule {
            PipelineRule::Delay => self.limit = by_delay(config, self.limit, arrival.delay),
            PipelineRule::Fixed => self.limit = min,
            PipelineRule::RateTime => {
                self.pace.slide(arrival);
                self.limit = bounded(self.pace.blocks_in(span, arrival.block_len));
            }
            PipelineRule::Mainline => {
                let blocks = u64::from(min) + arrival.blocks_in(span);
                let bent = if blocks > BEND { BEND.max(blocks * 75 / 1_000) } else { blocks };
                self.limit = bounded(bent);
            }
            PipelineRule::SlowStart => {
                self.pace.smooth(arrival);
                self.limit = match self.pace.memory {
                    GROWN => bounded(self.pace.blocks_in(span, arrival.block_len)),
                    _ => self.limit.saturating_add(1).min(max),
                };
            }
            PipelineRule::Doubling => {
                self.pace.memory = self.pace.memory.saturating_add(1);
                if self.pace.memory >= self.limit {
                    self.limit = self.limit.saturating_mul(2).min(max);
                    self.pace.memory = 0;
                }
            }
        }
    }
}

/// The number to keep outstanding by [`PipelineRule::Delay`], after `limit` and a block that came so many milliseconds after its
/// request.
#[inline]
pub(crate) fn by_delay(config: &Config, limit: u16, delay: u32) -> u16 {
    let ((min, max), span) = (bounds(config), millis(config.pipeline.span));
    let delay = u64::from(delay);
    if delay <= span / 2 {
        limit.saturating_add(1).min(max)
    } else if delay > span {
        limit.saturating_sub(1).max(min)
    } else {
        limit
    }
}

/// The least and the most requests to keep outstanding.
fn bounds(config: &Config) -> (u16, u16) {
    (config.pipeline.min, config.pipeline.max.max(config.pipeline.min))
}

/// A span in milliseconds, 2^24 at most, in the arithmetic of 64 bits: this is done for each block.
fn millis(span: Duration) -> u64 {
    let seconds = span.as_secs().min(1 << 24);
    (seconds * 1_000 + u64::from(span.subsec_millis())).min(1 << 24)
}

const _: () = assert!(size_of::<Pace>() == 16);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pipeline;
    use alloc::vec::Vec;

    fn config(pipeline_rule: PipelineRule, min: u16, max: u16, seconds: u64) -> Config {
        let pipeline = Pipeline { min, max, span: Duration::from_secs(seconds) };
        Config { pipeline, pipeline_rule, ..Config::default() }
    }

    /// The block of 16 KiB with this number in this second, of a remote that sends `blocks` in each second of a window of 20 s.
    fn block((second, number): (u32, u32), blocks: u32) -> Arrival {
        let (len, block_len, millis) = (16_384, 16_384, second * 1_000 + number * 1_000 / blocks);
        Arrival { delay: 100, len, millis, window_bytes: blocks * len * 20, window_ms: 20_000, block_len }
    }

    /// The depth at the end of so many seconds that bring so many blocks each.
    fn after(config: &Config, rates: &[(u32, u16)]) -> Vec<u16> {
        let mut pace = Pace::default();
        let mut depth = Depth { limit: config.pipeline.min, pace: &mut pace };
        let mut second = 0;
        let mut last = |(blocks, seconds): &(u32, u16)| {
            for _ in 0..*seconds {
                second += 1;
                (0..*blocks).for_each(|number| depth.block(config, block((second, number), *blocks)));
            }
            depth.limit
        };
        rates.iter().map(&mut last).collect()
    }

    #[test]
    fn delay_grows_while_quick_and_shrinks_while_slow() {
        let config = config(PipelineRule::Delay, 2, 5, 1);
        let mut limit = 2;
        let mut after = |delay| {
            limit = by_delay(&config, limit, delay);
            limit
        };
        assert_eq!([0, 500, 501, 1_000, 100, 100].map(&mut after), [3, 4, 4, 4, 5, 5]);
        assert_eq!([1_001, 1_001, 1_001, 9_000].map(&mut after), [4, 3, 2, 2]);
    }

    #[test]
    fn clients_keep_what_their_sources_say() {
        // Fixed: Cohen 2003, about 5.
        assert_eq!(after(&config(PipelineRule::Fixed, 5, 5, 1), &[(100, 3)]), [5]);
        // Transmission: 10 s x the rate of the last 2 s / 16 KiB, at least 32, at most 500.
        let transmission = config(PipelineRule::RateTime, 32, 500, 10);
        for (blocks, least) in [(2, 32), (4, 40), (20, 200), (49, 490), (51, 500), (80, 500)] {
            let depth = after(&transmission, &[(blocks, 12)])[0];
            assert!((least..=least + 10).contains(&depth), "{blocks} blocks/s: {depth}");
        }
        assert_eq!(after(&transmission, &[(20, 1), (20, 1), (1, 9)]), [100, 152, 32]);
        // Mainline: 2 + 4 s x rate / 16 KiB; above 50 the larger of 50 and 7.5 %.
        let mainline = config(PipelineRule::Mainline, 2, 500, 4);
        for (blocks, depth) in [(1, 6), (12, 50), (13, 50), (166, 50), (200, 60), (1_000, 300)] {
            assert_eq!(after(&mainline, &[(blocks, 1)]), [depth], "{blocks} blocks/s");
        }
        // aria2: 6, doubling to 256.
        let aria2 = config(PipelineRule::Doubling, 6, 256, 1);
        let mut steps = after(&aria2, &[(1, 1); 600]);
        assert_eq!(steps.iter().position(|&depth| depth == 12), Some(5), "after six blocks");
        steps.dedup();
        assert_eq!(steps, [6, 12, 24, 48, 96, 192, 256]);
    }

    #[test]
    fn slow_start_ends_when_the_rate_stops_growing() {
        let config = config(PipelineRule::SlowStart, 2, 500, 3);
        assert_eq!(after(&config, &[(1, 1), (10, 1), (20, 1)]), [3, 13, 33], "one more with each block");
        // The end of a second is seen with the first block of the next: after 10 and 10 the rate is smoothed over 5 s.
        assert_eq!(after(&config, &[(10, 1), (10, 1), (10, 1), (10, 30)]), [12, 22, 10, 29]);
        assert_eq!(after(&config, &[(10, 40), (1, 40)]), [29, 3], "and follows it from then on");
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
                let mut pace = Pace::default();
                let mut depth = Depth { limit: min, pace: &mut pace };
                for _ in 0..50 {
                    let size = random.below(33);
                    let mut any = || (random.bits() >> 32 >> size) as u32;
                    let (delay, window_bytes, millis) = (any(), any(), any());
                    let (window_ms, block_len, len) = (any(), any(), any());
                    depth.block(&config, Arrival { delay, len, millis, window_bytes, window_ms, block_len });
                    assert!((min..=max.max(min)).contains(&depth.limit), "{rule:?}: {depth:?}, {config:?}");
                }
            }
        }
    }
}
