//! How far a piece of work over bytes has come: a bar on a terminal, else a plain line now and then.

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use swarmlab_experiments::units;

use crate::env::Env;

/// Progress of one piece of work. Many threads may report to it; the bar goes away when it is dropped.
pub struct Progress<'a> {
    total: u64,
    done: AtomicU64,
    /// Bytes that were done before it began.
    before: AtomicU64,
    show: Show<'a>,
}

enum Show<'a> {
    Bar(ProgressBar),
    Lines(Lines<'a>),
    Nothing,
}

struct Lines<'a> {
    env: &'a Env,
    what: &'static str,
    every: Duration,
    started: Instant,
    next: Mutex<Instant>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(env: &'a Env, what: &'static str, total: u64, every: Duration) -> Progress<'a> {
        let show = if env.quiet() {
            Show::Nothing
        } else if env.err_is_terminal() {
            Show::Bar(bar(what, total, env.err_style().is_on()))
        } else {
            let started = Instant::now();
            Show::Lines(Lines { env, what, every, started, next: Mutex::new(started + every) })
        };
        Progress { total, done: AtomicU64::new(0), before: AtomicU64::new(0), show }
    }

    /// Counts `bytes` as done before the work began: they are part of the whole, but not of its speed.
    pub fn already(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
        self.before.fetch_add(bytes, Ordering::Relaxed);
        if let Show::Bar(bar) = &self.show {
            bar.set_position(bytes);
            bar.reset_eta();
        }
    }

    /// Counts `bytes` more as done.
    pub fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        match &self.show {
            Show::Bar(bar) => bar.set_position(done),
            Show::Lines(lines) => lines.tell(done, self.before.load(Ordering::Relaxed), self.total),
            Show::Nothing => {}
        }
    }

    /// Text behind the bar, such as a count of peers. Only a bar shows it.
    pub fn message(&self, text: String) {
        if let Show::Bar(bar) = &self.show {
            bar.set_message(text);
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Show::Bar(bar) = &self.show {
            bar.finish_and_clear();
        }
    }
}

fn bar(what: &'static str, total: u64, colors: bool) -> ProgressBar {
    let template = if colors {
        "{prefix} {wide_bar:.cyan/dim} {percent:>3} %  {bytes} of {total_bytes}  {binary_bytes_per_sec}  {eta} left  {msg}"
    } else {
        "{prefix} [{wide_bar}] {percent:>3} %  {bytes} of {total_bytes}  {binary_bytes_per_sec}  {eta} left  {msg}"
    };
    let chars = if colors { "━━─" } else { "#>-" };
    let style =
        ProgressStyle::with_template(template).expect("the template is constant").progress_chars(chars);
    // Ten redraws a second are smooth enough and cost nothing beside hashing.
    let target = ProgressDrawTarget::stderr_with_hz(10);
    ProgressBar::with_draw_target(Some(total), target).with_style(style).with_prefix(what)
}

impl Lines<'_> {
    fn tell(&self, done: u64, before: u64, total: u64) {
        // A thread that finds another one printing has nothing to add.
        let Ok(mut next) = self.next.try_lock() else { return };
        let now = Instant::now();
        if now < *next {
            return;
        }
        *next = now + self.every;
        let percent = (u128::from(done) * 100).checked_div(u128::from(total)).unwrap_or(100);
        let rate = units::rate_of(done - before, now - self.started);
        let _ = writeln!(
            self.env.err(),
            "{}: {percent} % ({} of {}, {})",
            self.what,
            units::show_size(done),
            units::show_size(total),
            units::show_rate(rate),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Recorder;

    fn said(args: &[&str], terminal: bool) -> String {
        let recorder = Recorder::default();
        let env = recorder.env(args, terminal);
        let progress = Progress::new(&env, "hashing", 200, Duration::ZERO);
        progress.add(50);
        progress.add(150);
        drop(progress);
        recorder.stderr()
    }

    #[test]
    fn without_a_terminal_there_are_plain_lines() {
        let said = said(&[], false);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 2, "{said}");
        assert!(lines[0].starts_with("hashing: 25 % (50 B of 200 B, "), "{said}");
        assert!(lines[1].starts_with("hashing: 100 % (200 B of 200 B, "), "{said}");
    }

    #[test]
    fn what_was_there_before_is_no_speed() {
        let recorder = Recorder::default();
        let env = recorder.env(&[], false);
        let progress = Progress::new(&env, "downloading", 200, Duration::ZERO);
        progress.already(150);
        progress.add(0);
        assert_eq!(recorder.stderr(), "downloading: 75 % (150 B of 200 B, 0 B/s)\n");
    }

    #[test]
    fn quiet_says_nothing() {
        assert_eq!(said(&["-q"], false), "");
    }
}
