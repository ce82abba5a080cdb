//! The engine's clock reading: handed in by the driver, never taken. What is kept for each link is kept in less: in
//! milliseconds, or in quarters of a second.

use core::ops::Add;
use core::time::Duration;

/// A moment in microseconds since the driver's start: real in `net`, virtual in `sim`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The driver's start.
    pub const START: Instant = Instant(0);
    /// Later than every moment a run reaches.
    pub const NEVER: Instant = Instant(u64::MAX);

    /// The moment `micros` microseconds after the driver's start.
    pub const fn from_micros(micros: u64) -> Self {
        Instant(micros)
    }

    /// Microseconds since the driver's start.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to `self`, zero if `earlier` is later.
    pub const fn since(self, earlier: Instant) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, span: Duration) -> Instant {
        Instant(self.0.saturating_add(span.as_micros().min(u128::from(u64::MAX)) as u64))
    }
}

/// A moment in milliseconds since the driver's start, wrapping after 49 days: half the size of an [`Instant`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp(u32);

impl Stamp {
    /// The driver's start.
    pub(crate) const START: Stamp = Stamp(0);

    #[inline]
    pub(crate) fn of(now: Instant) -> Self {
        Stamp((now.as_micros() / 1_000) as u32)
    }

    /// Milliseconds from `earlier` to `self`.
    pub(crate) fn since(self, earlier: Stamp) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }
}

/// A moment in quarters of a second (2^18 microseconds), wrapping after 4.7 hours: for what is counted in minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coarse(u16);

impl Coarse {
    /// The driver's start.
    pub(crate) const START: Coarse = Coarse(0);
    /// What it cannot tell apart.
    pub(crate) const STEP: Duration = Duration::from_micros(1 << 18);

    #[inline]
    pub(crate) fn of(now: Instant) -> Self {
        Coarse((now.as_micros() >> 18) as u16)
    }

    /// How many of its steps a span takes, 4.7 hours at most.
    pub(crate) fn steps(span: Duration) -> u16 {
        (span.as_micros() >> 18).min(u128::from(u16::MAX)) as u16
    }

    /// Whether this moment lies at least so many [steps](Self::steps) back. It may seem to up to half a second early.
    pub(crate) fn is_past(self, now: Instant, steps: u16) -> bool {
        Coarse::of(now).0.wrapping_sub(self.0) >= steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_moments_keep_count_where_they_wrap() {
        let at = |millis: u64| Instant::from_micros(millis * 1_000);
        let wraps = (1 << 34) / 1_000;
        for start in [0, 100, 1_000, wraps - 30_000, wraps - 1] {
            let moment = Coarse::of(at(start));
            let minute = Coarse::steps(Duration::from_secs(60));
            assert!(!moment.is_past(at(start + 59_400), minute), "{start}");
            assert!(moment.is_past(at(start + 60_000), minute), "{start}");
        }
    }
}
