//! Many simulated runs on all cores, as many as there is time for: jobs in the order of their worth, threads that take the
//! next one, a line that tells how far it is.
//!
//! Each run has one thread: runs do not wait for each other, so all cores are busy whatever the swarm. A job is left out if, by
//! what its like have taken, it would not be done in time.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use swarmlab_experiments::units::show_duration;

use crate::env::Env;

/// Between two looks at how far it is on a terminal, and between two plain lines elsewhere.
const REDRAW: Duration = Duration::from_millis(100);
const LINES: Duration = Duration::from_secs(10);

/// What a job is like, for whoever decides whether there is time for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    /// Jobs of one kind take about equally long.
    pub(crate) kind: (u8, usize),
    /// Made whatever the time is.
    pub(crate) needed: bool,
}

/// How jobs are worked off.
pub(crate) struct Crew<'a> {
    /// Whose stop is obeyed, and who is told.
    pub(crate) env: &'a Env,
    /// What the progress calls it.
    pub(crate) what: &'a str,
    /// Threads, at least one.
    pub(crate) threads: usize,
    /// Time there is; without it all jobs are made.
    pub(crate) budget: Option<Duration>,
}

/// What has been made.
pub(crate) struct Worked<J, R> {
    /// Each job with what came of it, in the order of the jobs.
    pub(crate) done: Vec<(J, R)>,
    /// Jobs there was no time for, or that were given up.
    pub(crate) left_out: u64,
    /// Wall time of all.
    pub(crate) wall: Duration,
    /// Whether the user ended it.
    pub(crate) stopped: bool,
}

/// What the threads share.
struct Shared<R> {
    next: usize,
    working: usize,
    done: Vec<(usize, R)>,
    left_out: u64,
    /// The longest that a job of each kind took.
    took: BTreeMap<(u8, usize), Duration>,
}

impl Crew<'_> {
    /// Makes jobs. `work` is told by its second argument whether it should go on, and gives nothing if it did not come to
    /// an end.
    pub(crate) fn work<J: Copy + Send + Sync, R: Send>(
        &self,
        jobs: &[J],
        kind: impl Fn(J) -> Kind + Sync,
        work: impl Fn(J, &dyn Fn() -> bool) -> Option<R> + Sync,
    ) -> Worked<J, R> {
        let began = Instant::now();
        let threads = self.threads.clamp(1, jobs.len().max(1));
        let shared = Mutex::new(Shared {
            next: 0,
            working: threads,
            done: Vec::new(),
            left_out: 0,
            took: BTreeMap::new(),
        });
        let over = Condvar::new();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let _leaves = Leaves { shared: &shared, over: &over };
                    while let Some(at) = self.take(jobs, &kind, &shared, began) {
                        let (job, started) = (jobs[at], Instant::now());
                        let goes_on =
                            || !self.stopped() && (kind(job).needed || self.in_time(began, Duration::ZERO));
                        let result = work(job, &goes_on);
                        let mut shared = locked(&shared);
                        let took = shared.took.entry(kind(job).kind).or_default();
                        *took = started.elapsed().max(*took);
                        match result {
                            Some(result) => shared.done.push((at, result)),
                            None => shared.left_out += 1,
                        }
                    }
                });
            }
            self.tell(&shared, &over, jobs.len(), began);
        });
        let shared = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut done = shared.done;
        done.sort_unstable_by_key(|(at, _)| *at);
        let left_out = shared.left_out + (jobs.len() - shared.next) as u64;
        let done = done.into_iter().map(|(at, result)| (jobs[at], result)).collect();
        Worked { done, left_out, wall: began.elapsed(), stopped: self.stopped() }
    }

    /// The next job that there is time for.
    fn take<J: Copy, R>(
        &self,
        jobs: &[J],
        kind: &impl Fn(J) -> Kind,
        shared: &Mutex<Shared<R>>,
        began: Instant,
    ) -> Option<usize> {
        let mut shared = locked(shared);
        while let Some(&job) = jobs.get(shared.next).filter(|_| !self.stopped()) {
            let (at, kind) = (shared.next, kind(job));
            shared.next += 1;
            // Of what was never made, the like of the first job is taken to be.
            let likely =
                shared.took.get(&kind.kind).or(shared.took.values().next()).copied().unwrap_or_default();
            if kind.needed || self.in_time(began, likely) {
                return Some(at);
            }
            shared.left_out += 1;
        }
        None
    }

    fn stopped(&self) -> bool {
        self.env.stop().flag().load(Ordering::Acquire)
    }

    /// Whether something that takes so long yet ends within the time there is.
    fn in_time(&self, began: Instant, takes: Duration) -> bool {
        self.budget.is_none_or(|budget| began.elapsed() + takes <= budget)
    }

    /// Tells how far it is until all threads have left.
    fn tell<R>(&self, shared: &Mutex<Shared<R>>, over: &Condvar, jobs: usize, began: Instant) {
        let terminal = self.env.err_is_terminal() && !self.env.quiet();
        let bar = terminal.then(|| bar(self.what, jobs as u64));
        let mut line = LINES;
        let mut now = locked(shared);
        while now.working > 0 {
            now = over.wait_timeout(now, REDRAW).unwrap_or_else(PoisonError::into_inner).0;
            let (elapsed, made) = (began.elapsed(), now.done.len());
            let time = match self.budget {
                Some(budget) => format!("{} of {}", show_duration(elapsed), show_duration(budget)),
                None => show_duration(elapsed),
            };
            if let Some(bar) = &bar {
                bar.set_position(now.next as u64);
                bar.set_message(format!("{made} of {jobs} runs, {time}"));
            } else if elapsed >= line && !self.env.quiet() {
                line += LINES;
                let _ = writeln!(self.env.err(), "{}: {made} of {jobs} runs made, {time}", self.what);
            }
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(what: &str, jobs: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{prefix} [{wide_bar}]  {msg}").expect("the template is constant");
    ProgressBar::with_draw_target(Some(jobs), ProgressDrawTarget::stderr_with_hz(10))
        .with_style(style.progress_chars("#>-"))
        .with_prefix(what.to_owned())
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread leaves, be it by a panic: who waits for it is told.
struct Leaves<'a, R> {
    shared: &'a Mutex<Shared<R>>,
    over: &'a Condvar,
}

impl<R> Drop for Leaves<'_, R> {
    fn drop(&mut self) {
        locked(self.shared).working -= 1;
        self.over.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Recorder;

    fn crew(env: &Env, threads: usize, budget: Option<Duration>) -> Crew<'_> {
        Crew { env, what: "work", threads, budget }
    }

    #[test]
    fn all_jobs_are_made_and_come_in_their_order() {
        let recorder = Recorder::default();
        let env = recorder.env(&[], false);
        let jobs: Vec<u64> = (0..50).collect();
        let kind = |_| Kind { kind: (0, 0), needed: false };
        let worked = crew(&env, 3, None).work(&jobs, kind, |job, _| (job != 7).then_some(job * job));
        let expected: Vec<(u64, u64)> = (0..50).filter(|job| *job != 7).map(|job| (job, job * job)).collect();
        assert_eq!(worked.done, expected);
        assert_eq!((worked.left_out, worked.stopped), (1, false));
    }

    #[test]
    fn without_time_only_what_is_needed_is_made() {
        let recorder = Recorder::default();
        let env = recorder.env(&[], false);
        let kind = |job: usize| Kind { kind: (0, job), needed: job < 2 };
        let asked = |_: usize, goes_on: &dyn Fn() -> bool| Some(goes_on());
        let worked = crew(&env, 2, Some(Duration::ZERO)).work(&[0, 1, 2, 3], kind, asked);
        assert_eq!(worked.done, [(0, true), (1, true)], "and it may go on to its end");
        assert_eq!(worked.left_out, 2);
    }

    #[test]
    fn a_stop_ends_it() {
        let recorder = Recorder::default();
        let env = recorder.env(&[], false);
        let stop = |job: usize, goes_on: &dyn Fn() -> bool| {
            env.stop().request(crate::stop::Signal::Interrupt);
            (!goes_on()).then_some(job)
        };
        let kind = |_| Kind { kind: (0, 0), needed: true };
        let worked = crew(&env, 1, None).work(&[1, 2, 3], kind, stop);
        assert_eq!(worked.done, [(1, 1)]);
        assert!(worked.stopped && worked.left_out == 2);
    }
}
