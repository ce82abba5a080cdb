//! Numbers drawn from distributions, the same on every machine: integers where they do, else a logarithm written in
//! Rust (`libm`), rounded to microseconds once.
//!
//! Each purpose of each node has a stream of its own, split from the seed of the run. So arrivals and links stay the
//! same when a policy changes (common random numbers).

use core::time::Duration;

use swarmlab_protocol::Random;

/// What a stream is for. The numbers are part of what a seed means: never changed, only added to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The seed of a node's engine.
    Engine = 1,
    /// When a node comes.
    Arrival = 2,
    /// When a node goes.
    Departure = 3,
    /// When a node gives up.
    Abort = 4,
    /// The pieces of a partly complete node.
    Pieces = 5,
    /// Whether a node accepts incoming connections.
    Nat = 6,
    /// Latencies.
    Paths = 7,
    /// Peers that the tracker gives.
    Tracker = 8,
    /// Whom a fault meets.
    Faults = 9,
    /// How long a node's client takes to start.
    StartUp = 10,
}

/// The stream of a node (or a group) for one purpose.
pub(crate) fn stream(seed: u64, owner: u64, purpose: Purpose) -> Random {
    let owner = Random::stream(seed, owner).bits();
    Random::stream(owner, purpose as u64)
}

/// From 0 up to `bound`, each microsecond equally likely; 0 if `bound` is 0.
pub(crate) fn below(random: &mut Random, bound: Duration) -> Duration {
    let bound = bound.as_micros();
    Duration::from_micros(((u128::from(random.bits()) * bound) >> 64) as u64)
}

/// Exponentially distributed with mean 1.
pub(crate) fn exponential(random: &mut Random) -> f64 {
    // From 2^-53 to 1: never zero, so the logarithm is finite.
    let uniform = ((random.bits() >> 11) + 1) as f64 / (1u64 << 53) as f64;
    -libm::log(uniform)
}

/// So many seconds, to the microsecond; the longest time there is if it does not fit.
pub(crate) fn seconds(seconds: f64) -> Duration {
    let micros = libm::round(seconds * 1e6);
    if micros < 1e18 { Duration::from_micros(micros.max(0.0) as u64) } else { Duration::MAX }
}

/// True for this share of all draws.
pub(crate) fn chance(random: &mut Random, share: f64) -> bool {
    ((random.bits() >> 11) as f64) < share * (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draws_are_pinned() {
        let mut random = stream(1, 2, Purpose::Arrival);
        let drawn: Vec<Duration> = (0..4).map(|_| seconds(exponential(&mut random))).collect();
        let micros: Vec<u128> = drawn.iter().map(Duration::as_micros).collect();
        assert_eq!(micros, [1_630_925, 212_907, 1_507_184, 134_101]);
        assert_eq!(below(&mut random, Duration::from_secs(10)).as_micros(), 5_899_947);
    }

    #[test]
    fn exponential_has_mean_one_and_memory_of_nothing() {
        let mut random = Random::new(3);
        let drawn: Vec<f64> = (0..100_000).map(|_| exponential(&mut random)).collect();
        let mean = drawn.iter().sum::<f64>() / 1e5;
        let beyond = drawn.iter().filter(|&&time| time > 1.0).count() as f64 / 1e5;
        assert!((mean - 1.0).abs() < 0.01 && (beyond - (-1.0f64).exp()).abs() < 0.005, "{mean} {beyond}");
    }

    #[test]
    fn chances_are_kept() {
        let mut random = Random::new(4);
        assert!(!chance(&mut random, 0.0) && chance(&mut random, 1.0));
        let hits = (0..10_000).filter(|_| chance(&mut random, 0.3)).count();
        assert!((2_850..3_150).contains(&hits), "{hits}");
    }
}
