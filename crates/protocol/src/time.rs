//! The engine's clock reading: handed in by the driver, never taken.

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
