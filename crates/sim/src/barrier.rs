//! Where workers wait for each other, many thousand times a second: where each has a core of its own they spin for a
//! while before they give it away, where not they sleep at once.
//!
//! A worker that panics breaks the barrier, so that the others end as well instead of waiting for it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};
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
    /// One of the threads will not come any more.
    broken: AtomicBool,
    /// For more threads than cores.
    sleepers: Option<(Mutex<()>, Condvar)>,
}

impl Barrier {
    pub(crate) fn new(threads: usize) -> Self {
        let crowded = available_parallelism().map_or(1, usize::from) < threads;
        Barrier {
            threads,
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            sleepers: crowded.then(Default::default),
        }
    }

    /// Waits until every thread has come here.
    ///
    /// # Panics
    /// When one of them will not, since it has panicked itself.
    pub(crate) fn wait(&self) {
        if self.threads == 1 {
            return;
        }
        let round = self.round.load(SeqCst);
        if self.arrived.fetch_add(1, SeqCst) + 1 == self.threads {
            self.arrived.store(0, SeqCst);
            self.round.store(round.wrapping_add(1), SeqCst);
            self.wake();
        } else {
            match &self.sleepers {
                Some((lock, bell)) => {
                    let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
                    drop(bell.wait_while(guard, |()| self.is_waiting(round)));
                }
                None => self.spin(round),
            }
        }
        if self.broken.load(SeqCst) {
            // Without a word: who broke it has told why.
            std::panic::resume_unwind(Box::new("another worker of the simulation panicked"));
        }
    }

    /// A guard that breaks the barrier when its thread panics.
    pub(crate) fn guard(&self) -> Guard<'_> {
        Guard(self)
    }

    fn is_waiting(&self, round: usize) -> bool {
        self.round.load(SeqCst) == round && !self.broken.load(SeqCst)
    }

    fn spin(&self, round: usize) {
        let mut turns = 0;
        while self.is_waiting(round) {
            turns += 1;
            if turns < SPINS {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }

    fn wake(&self) {
        if let Some((lock, bell)) = &self.sleepers {
            drop(lock.lock().unwrap_or_else(PoisonError::into_inner));
            bell.notify_all();
        }
    }
}

/// See [`Barrier::guard`].
#[derive(Debug)]
pub(crate) struct Guard<'a>(&'a Barrier);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, SeqCst);
            self.0.wake();
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

    #[test]
    fn nobody_waits_for_one_that_panicked() {
        for threads in [2, 64] {
            let barrier = Barrier::new(threads);
            let ended = std::thread::scope(|scope| {
                let others: Vec<_> = (1..threads)
                    .map(|_| {
                        scope.spawn(|| {
                            let _guard = barrier.guard();
                            barrier.wait();
                        })
                    })
                    .collect();
                let one = scope.spawn(|| {
                    let _guard = barrier.guard();
                    std::panic::resume_unwind(Box::new("gone"));
                });
                one.join().is_err() && others.into_iter().all(|other| other.join().is_err())
            });
            assert!(ended, "{threads} threads");
        }
    }
}
