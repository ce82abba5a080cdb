//! The pace of a simulation that is watched: pause, step, speed. The run asks [`Pace::hold`] now and then and is made to wait
//! there; a page says what it wants. When something is due is a pure function, [`Clock::due`]; [`Pace`] adds the lock and the
//! waiting.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How many seconds of a run pass in a second, in thousandths; 0 is as fast as it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed(pub u64);

impl Speed {
    /// As fast as it goes.
    pub const FULL: Speed = Speed(0);
    /// As time passes.
    pub const REAL: Speed = Speed(1000);
    /// Beyond this, no run of ours could follow.
    const MOST: Speed = Speed(1_000_000_000);

    /// From what a page sends: times as fast as time passes. Nothing that is no number, or below zero.
    pub(crate) fn from_times(times: f64) -> Option<Speed> {
        if times == 0.0 {
            return Some(Speed::FULL);
        }
        let thousandths = (times * 1000.0).round();
        // A cast of a float saturates; slower than a thousandth would be a pause that nobody can tell from a fault.
        (times.is_finite() && times > 0.0).then(|| Speed((thousandths as u64).clamp(1, Speed::MOST.0)))
    }

    /// Times as fast as time passes, as pages are told.
    pub(crate) fn times(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// How long so much of a run takes.
    fn takes(self, simulated: Duration) -> Duration {
        let micros = simulated.as_micros().saturating_mul(1000).checked_div(u128::from(self.0)).unwrap_or(0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

/// What a page can ask of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Do {
    /// To stand still.
    Pause,
    /// To go on.
    Play,
    /// To go on to the next time it can stand still, and stand there.
    Step,
    /// To go at this speed.
    Speed(Speed),
}

/// What pages are told of a run's pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Whether it stands still.
    pub(crate) paused: bool,
    /// How fast it goes when it goes.
    pub(crate) speed: Speed,
}

/// When what is due. Wall time is relative to `anchor`, so that a pause or a change of speed owes nothing to what was before.
#[derive(Clone, Copy, Debug)]
struct Clock {
    told: Told,
    /// A moment on the wall, and the time of the run then.
    anchor: (Instant, Duration),
    /// How often the run may pass although it stands still.
    steps: u32,
    /// Where the run is.
    at: Duration,
    /// Whether it goes only while somebody watches.
    for_pages: bool,
    /// How many pages watch.
    pages: u32,
}

impl Clock {
    /// When the run may go beyond this time of its own; never while it stands still.
    fn due(&self, at: Duration) -> Option<Instant> {
        let (wall, from) = self.anchor;
        if self.for_pages && self.pages == 0 {
            return None;
        }
        if self.steps > 0 {
            return Some(wall);
        }
        (!self.told.paused).then(|| wall + self.told.speed.takes(at.saturating_sub(from)))
    }

    /// Takes a wish at this moment.
    fn take(&mut self, wish: Do, now: Instant) {
        match wish {
            Do::Pause => (self.told.paused, self.steps) = (true, 0),
            Do::Play => (self.told.paused, self.steps) = (false, 0),
            // From a run that goes, a step is a pause: it stands at the next place where it can.
            Do::Step if !self.told.paused => self.told.paused = true,
            Do::Step => self.steps = self.steps.saturating_add(1),
            Do::Speed(speed) => self.told.speed = speed,
        }
        self.anchor = (now, self.at);
    }
}

/// The pace of one run.
#[derive(Debug)]
pub struct Pace {
    clock: Mutex<Clock>,
    changed: Condvar,
    told: watch::Sender<Told>,
}

/// How often a run that waits looks whether it should end altogether.
const LOOK: Duration = Duration::from_millis(50);

impl Pace {
    /// Of a run that goes at this speed, always or only while a page is there.
    pub fn new(speed: Speed, for_pages: bool) -> Pace {
        let told = Told { paused: false, speed };
        let anchor = (Instant::now(), Duration::ZERO);
        let clock = Clock { told, anchor, steps: 0, at: Duration::ZERO, for_pages, pages: 0 };
        Pace { clock: Mutex::new(clock), changed: Condvar::new(), told: watch::Sender::new(told) }
    }

    /// For the run: waits until it may go beyond this time of its own. Gives false, at once, when `ends` does.
    pub fn hold(&self, at: Duration, ends: &dyn Fn() -> bool) -> bool {
        let mut clock = self.clock();
        clock.at = at;
        loop {
            if ends() {
                return false;
            }
            let now = Instant::now();
            let due = clock.due(at);
            if due.is_some_and(|due| due <= now) {
                clock.steps = clock.steps.saturating_sub(1);
                return true;
            }
            let wait = due.map_or(LOOK, |due| LOOK.min(due - now));
            clock = self.changed.wait_timeout(clock, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// For pages: one watches, until the value is dropped.
    pub(crate) fn attend(self: &Arc<Self>) -> Attendance {
        self.count(|pages| pages.saturating_add(1));
        Attendance(self.clone())
    }

    fn count(&self, change: impl Fn(u32) -> u32) {
        let mut clock = self.clock();
        clock.pages = change(clock.pages);
        clock.anchor = (Instant::now(), clock.at);
        self.changed.notify_all();
    }

    /// For pages: asks something of the run.
    pub(crate) fn ask(&self, wish: Do) {
        let mut clock = self.clock();
        clock.take(wish, Instant::now());
        self.told.send_replace(clock.told);
        self.changed.notify_all();
    }

    /// What is told of it, and when it changes.
    pub(crate) fn told(&self) -> watch::Receiver<Told> {
        self.told.subscribe()
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A page that watches a run.
#[derive(Debug)]
pub(crate) struct Attendance(Arc<Pace>);

impl Drop for Attendance {
    fn drop(&mut self) {
        self.0.count(|pages| pages.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn clock(speed: Speed) -> Clock {
        let told = Told { paused: false, speed };
        Clock {
            told,
            anchor: (Instant::now(), Duration::ZERO),
            steps: 0,
            at: Duration::ZERO,
            for_pages: false,
            pages: 0,
        }
    }

    #[test]
    fn what_is_due_follows_the_speed() {
        let wall = |speed, at| {
            let clock = clock(speed);
            clock.due(at).unwrap() - clock.anchor.0
        };
        assert_eq!(wall(Speed::REAL, 3 * SECOND), 3 * SECOND);
        assert_eq!(wall(Speed(2_500), 5 * SECOND), 2 * SECOND);
        assert_eq!(wall(Speed(100), SECOND), 10 * SECOND);
        assert_eq!(wall(Speed::FULL, 1_000 * SECOND), Duration::ZERO);
    }

    #[test]
    fn a_pause_owes_nothing_to_the_time_before() {
        let mut clock = clock(Speed::REAL);
        let start = clock.anchor.0;
        clock.at = 2 * SECOND;
        clock.take(Do::Pause, start + 2 * SECOND);
        assert_eq!(clock.due(3 * SECOND), None);
        clock.take(Do::Play, start + 60 * SECOND);
        assert_eq!(clock.due(3 * SECOND), Some(start + 61 * SECOND));
        clock.take(Do::Speed(Speed(2_000)), start + 60 * SECOND);
        assert_eq!(clock.due(4 * SECOND), Some(start + 61 * SECOND));
    }

    #[test]
    fn a_step_passes_once() {
        let mut clock = clock(Speed::REAL);
        let now = clock.anchor.0;
        clock.take(Do::Step, now);
        assert_eq!(clock.due(SECOND), None, "the first step is where a run that went stands still");
        clock.take(Do::Step, now);
        assert_eq!(clock.due(60 * SECOND), Some(now));
        clock.steps -= 1;
        assert_eq!(clock.due(60 * SECOND), None);
    }

    #[test]
    fn speeds_of_a_page_are_bounded() {
        let read = [(0.0, Some(0)), (2.0, Some(2_000)), (1e-9, Some(1)), (1e30, Some(1_000_000_000))];
        for (times, thousandths) in read {
            assert_eq!(Speed::from_times(times).map(|speed| speed.0), thousandths);
        }
        for none in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Speed::from_times(none), None);
        }
        assert_eq!(Speed(1_500).times(), 1.5);
    }

    #[test]
    fn a_run_for_pages_goes_while_one_is_there_and_may() {
        let pace = Arc::new(Pace::new(Speed::FULL, true));
        let ends = Arc::new(AtomicBool::new(false));
        let (passed, passes) = std::sync::mpsc::channel();
        let run = {
            let (pace, ends) = (pace.clone(), ends.clone());
            thread::spawn(move || {
                for second in 1.. {
                    if !pace.hold(second * SECOND, &|| ends.load(Ordering::Acquire)) {
                        return;
                    }
                    passed.send(second).unwrap();
                }
            })
        };
        pace.ask(Do::Pause);
        pace.ask(Do::Step);
        let page = pace.attend();
        assert_eq!(passes.recv(), Ok(1));
        pace.ask(Do::Step);
        assert_eq!(passes.recv(), Ok(2));
        assert!(passes.try_recv().is_err());
        pace.ask(Do::Play);
        assert_eq!(passes.recv(), Ok(3));
        drop(page);
        assert_eq!(pace.clock().due(SECOND), None);
        ends.store(true, Ordering::Release);
        run.join().unwrap();
    }
}
