//! Where workers wait for each other, many thousand times a second: where each has a core of its own they spin for a
//! while before they give it away, where not they sleep at once.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::available_parallelism;

/// Turns of waiting before the core is given away.
const SPINS: u32 = 4_000;

/// A barrier for a fixed number of threads.
#[derive(Debug)]
pub(crate) struct Barrier {
    threads: usize,
    arrived: AtomicUsize,
    /// How often all have arrived.
    round: AtomicUsize,
    /// For more threads than cores.
    sleeping: Option<std::sync::Barrier>,
}

impl Barrier {
    pub(crate) fn new(threads: usize) -> Self {
        let crowded = available_parallelism().map_or(1, usize::from) < threads;
        Barrier {
            threads,
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            sleeping: crowded.then(|| std::sync::Barrier::new(threads)),
        }
    }

    /// Waits until every thread has come here.
    pub(crate) fn wait(&self) {
        if self.threads == 1 {
            return;
        }
        if let Some(sleeping) = &self.sleeping {
            sleeping.wait();
            return;
        }
        let round = self.round.load(SeqCst);
        if self.arrived.fetch_add(1, SeqCst) + 1 == self.threads {
            self.arrived.store(0, SeqCst);
            self.round.store(round.wrapping_add(1), SeqCst);
            return;
        }
        let mut turns = 0;
        while self.round.load(SeqCst) == round {
            turns += 1;
            if turns < SPINS {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_passes_before_all_have_come() {
        for threads in [2, 3, 5] {
            let (barrier, count) = (Barrier::new(threads), AtomicUsize::new(0));
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        for round in 1..=500 {
                            count.fetch_add(1, SeqCst);
                            barrier.wait();
                            assert_eq!(count.load(SeqCst), threads * round);
                            barrier.wait();
                        }
                    });
                }
            });
        }
    }
}
